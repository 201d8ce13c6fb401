// Values and records as JSON text, in the form that MetaRowReader reads back to the same values.
//
//   string, enum   text; bytes that are no UTF-8 become U+FFFD, and what steers a terminal
//                  (unicode/visible.hpp) is escaped
//   i64, u64       every digit
//   f64            the shortest text that reads back to the same number, always with a point or an
//                  exponent (1.0), so that it stays one; NaN and infinity are null
//   timestamp      ISO-8601 in UTC with as many digits of the second as needed
//   bytes          base64 with padding
//   string list    an array
//
// Pure functions, thread-safe. They allocate and so may throw std::bad_alloc.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "rvf/metadata.hpp"

namespace rvf::interop {

void append_json_text(std::string& out, std::string_view text);
void append_json(std::string& out, const Value& value, FieldType type);
std::string f64_text(double value);  // finite
std::string timestamp_text(int64_t nanoseconds);  // "2024-05-01T12:00:00.25Z"

// Records do not say what is a timestamp; the fields of their store do. A field that is not among
// them is written as its value looks.
class RecordWriter {
 public:
  explicit RecordWriter(std::span<const Field> fields);
  // {"lang":"de","year":2020}: also the form of VectorChunk::extra.
  std::string object(const Record& record) const;
  // The same without braces.
  void append_members(std::string& out, const Record& record) const;

 private:
  std::map<std::string, FieldType, std::less<>> types_;
};

}  // namespace rvf::interop
