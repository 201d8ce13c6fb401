// The fields of a store: numbers for the file, names and types for people.
// Numbers are given out once and never change their meaning. Thread-safety: as a plain value.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rvf/metadata.hpp"
#include "rvf/result.hpp"

namespace rvf::meta {

// The vectors' own ids can be filtered on like a field: `id in (1, 2)`.
inline constexpr uint16_t kIdField = 0xFFFF;

struct SchemaField {
  uint16_t id = 0;
  Field field;
  friend bool operator==(const SchemaField&, const SchemaField&) = default;
};

class Schema {
 public:
  const std::vector<SchemaField>& fields() const noexcept { return fields_; }  // ascending by id
  // "id" is the string ids' field where there are string ids, else the u64 ids (kIdField, u64).
  const SchemaField* find(std::string_view name) const noexcept;  // null: none
  const SchemaField* find(uint16_t id) const noexcept;
  // Field names for messages, without those of the library: "lang, title, year".
  std::string names() const;

  // Adds a field, or widens or indexes the one that is there. Yields its number. kBadMetadata where
  // the types do not go together, naming both; kBadArgument for a bad name; kTooLarge beyond 65,000.
  Result<uint16_t> merge(const Field& field);
  Status restore(SchemaField field);  // as read from a file; numbers must ascend

  friend bool operator==(const Schema& a, const Schema& b) { return a.fields_ == b.fields_; }

 private:
  std::vector<SchemaField> fields_;
};

// The type that holds the values of both, if any: equal ones; i64, u64 and f64 go to f64; enum and
// string to string.
std::optional<FieldType> common_type(FieldType a, FieldType b) noexcept;
// Whether a whole number is one of f64 too; true for all other values.
bool widens_exactly(const Value& value) noexcept;
// A value of `from` as one of `to`, where common_type(from, to) is `to`; else unchanged.
Value widen(Value value, FieldType to);

}  // namespace rvf::meta
