// Single values as they stand in a file, and how they become values of a field's type.
// Internal to src/interop. Pure functions, thread-safe.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "rvf/metadata.hpp"

namespace rvf::interop {

// What a value looks like where nothing says what it is.
enum class Looks : uint8_t {
  kNull,
  kBool,
  kInteger,  // fits i64
  kLarge,  // above it, fits u64
  kReal,
  kHuge,  // JSON: beyond u64 or f64; as its digits
  kText,
  kEmptyList,  // could be a list of anything
  kList,  // of texts
  kJson,  // an array of other things, or an object that is not taken apart; as its JSON text
};

struct Cell {
  Value value;
  Looks looks = Looks::kNull;
  // csv, where everything is text: `value` is the text, `looks` what it could be read as.
  bool open = false;
};

FieldType type_of(Looks looks) noexcept;
size_t value_index(FieldType type) noexcept;  // which alternative of Value the type uses

// What a csv field could be: true/false (also True, TRUE), numbers as JSON writes them, else text.
// "007", "+1" and ".5" are texts: as numbers they would not come back as they were.
Looks looks_of(std::string_view text) noexcept;

// A number as JSON writes it that neither 64 bits nor a double hold.
bool is_huge_number(std::string_view text) noexcept;

// The value as one of `type`, if nothing is lost: see meta_rows.hpp for what becomes what.
std::optional<Value> convert(const Cell& cell, FieldType type);

// "2024-05-01", "2024-05-01T12:00", "2024-05-01 12:00:00.25+02:00"; without an offset UTC.
// Nanoseconds since 1970; empty: not such a text, or outside of the years 1677 to 2262 that they
// reach.
std::optional<int64_t> parse_timestamp(std::string_view text) noexcept;
// The same, but that what lies outside of these years is the nearest time there is.
std::optional<int64_t> parse_expiry(std::string_view text) noexcept;

}  // namespace rvf::interop
