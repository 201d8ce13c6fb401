// All metadata of one epoch of a store: base parts, and update parts that override them.
// Immutable; thread-safe. The parts' payloads must outlive it.
#pragma once
#include <memory>

#include "meta/evaluate.hpp"

namespace rvf::meta {

class Table {
 public:
  Table() = default;
  // `parts` in any order; `rows` row numbers are in use. kBadMetadata where base parts overlap or
  // a part names rows beyond.
  static Result<Table> make(Schema schema, std::vector<std::shared_ptr<const Part>> parts,
                            uint64_t rows);

  const Schema& schema() const noexcept { return schema_; }
  uint64_t rows() const noexcept { return rows_; }
  // Base parts ascending by row, then update parts ascending by segment id.
  const std::vector<std::shared_ptr<const Part>>& base() const noexcept { return base_; }
  const std::vector<std::shared_ptr<const Part>>& updates() const noexcept { return updates_; }

  // The part that a row's field is read from; null where the field is null for want of a part.
  const Part* holder(uint64_t row, uint16_t field) const noexcept;
  Value value(uint64_t row, uint16_t field) const;  // of the schema's type

  // Every row that matches, dead ones included.
  Result<Bits> evaluate(const Filter& filter, const RowIds& ids, EvaluateNotes* notes) const;
  bool matches(const Filter& filter, uint64_t row, const RowIds& ids) const;
  bool is_expensive(const Filter& filter) const;

 private:
  const Part* base_of(uint64_t row) const noexcept;

  Schema schema_;
  uint64_t rows_ = 0;
  std::vector<std::shared_ptr<const Part>> base_;
  std::vector<std::shared_ptr<const Part>> updates_;
};

// Reads one field of many rows; neighbours share what had to be unpacked. Not thread-safe.
class FieldReader {
 public:
  FieldReader(const Table& table, const SchemaField& field) : table_(table), field_(field) {}
  Value value(uint64_t row);  // of the schema's type

 private:
  const Table& table_;
  const SchemaField& field_;
  std::map<const Part*, ColumnReader> readers_;
};

}  // namespace rvf::meta
