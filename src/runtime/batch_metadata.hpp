// What a batch says about metadata, checked against the schema and ready to be written.
#pragma once
#include "meta/build.hpp"
#include "runtime/part_cache.hpp"
#include "runtime/writer.hpp"

namespace rvf::runtime {

// Adds, widens or indexes what users may name; the field of text ids is not theirs.
Status merge_fields(std::span<const Field> fields, meta::Schema& schema);

class BatchMetadata {
 public:
  explicit BatchMetadata(const meta::Schema& schema) : schema_(schema) {}

  // Fields that the store is to know, whether a vector has them or not.
  Status declare(std::span<const Field> fields) { return merge_fields(fields, schema_); }
  // Columns of the batch's new vectors. Errors name the column and the vector: kBadArgument for a
  // wrong length or name, kBadMetadata for a value that its field cannot hold, kOutOfRange for a
  // whole number that widening would round.
  Status add_columns(std::span<const Column> columns, size_t vectors);
  // String ids of the new vectors.
  Status add_keys(std::span<const std::string> keys);
  // New values for existing rows; rows[i] takes value i of every column.
  Status add_updates(std::span<const Column> columns, std::span<const uint64_t> rows);

  const meta::Schema& schema() const noexcept { return schema_; }
  bool empty() const noexcept { return columns_.fields.empty() && updates_.fields.empty(); }

  // Appends the META and METAIDX segments, and tells the writer's head the schema. The new vectors
  // are rows first_row, first_row + 1, ... with these ids.
  Status append(Writer& writer, uint64_t first_row, std::span<const uint64_t> ids) const;

 private:
  Status add(std::span<const Column> columns, size_t rows, meta::PartColumns& out);

  meta::Schema schema_;
  meta::PartColumns columns_;
  meta::PartColumns updates_;
  std::vector<uint64_t> update_rows_;
};

// kOutOfRange where a field would widen to f64 and a live row has a whole number in it that no f64
// is exactly. `stored` is of the schema before.
Status check_widening(const meta::Table& stored, const index::DeadRows& dead,
                      const meta::Schema& wanted);

// Rows of a META segment that is written in one go.
inline constexpr uint64_t kMaxPartRows = 1 << 18;

// Appends one part and the indexes over it.
Status append_part(Writer& writer, const meta::Schema& schema, wire::ByteSpan payload);

// Whether a value that is not null can stand in a field of this type.
bool value_fits(const Value& value, FieldType type) noexcept;

}  // namespace rvf::runtime
