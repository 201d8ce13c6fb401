// Streaming reader of metadata: jsonl (an object a line, or one array of objects) and csv or tsv with a
// header line, plain or gzip-compressed, from a file or a pipe. A file whose first character is '{' or
// '[' is JSON.
//
// Rows are joined to vectors by the field `id_field` (interop/ids.hpp), where the file has it, else by
// their order.
//
// From JSON to values: null and what is absent are null; nested objects are taken apart, with dots
// in the names (author.name), and an empty object is nothing; arrays of texts are string lists;
// other arrays become their JSON text in a string field. In csv an empty field is null (a quoted
// one is the empty text), true and false are bool, what JSON would read as a number is one, and
// the rest is text; "007" is text, for 7 would be something else.
//
// Types are inferred: i64, u64 where a number is above i64, f64 where whole numbers and others are
// mixed, bool, string, string list. A whole number becomes f64 only if a double is exactly it; one
// beyond 64 bits needs a given type. In csv a column whose values do not agree is string. A type
// that a batch was handed over with stays, but that i64 may become f64. Given types convert what
// they can hold without loss:
//   string      numbers and bool as their text, arrays and objects as JSON text
//   enum        numbers and bool as their text
//   i64 u64 f64 numbers that are exactly representable, and texts of such numbers as JSON writes
//               them
//   bool        "true", "false", "True", "False", 0, 1
//   timestamp   ISO-8601 texts (2024-05-01, 2024-05-01T12:00:00.25+02:00; without an offset UTC)
//               and whole numbers, which are nanoseconds since 1970. Seconds or milliseconds must
//               be multiplied, or written as text, by whoever knows that they are.
//   bytes       base64 with padding
//   list        a text is a list of one; in csv a field that begins with '[' is a JSON array
// A field of the store keeps the store's type in the same way, but that i64 widens to f64.
//
// A value that does not fit is kBadMetadata; the message names file, line, field, value and both
// types. Other errors: those of ByteSource, kCorrupt (not JSON, not UTF-8, an open quote),
// kBadArgument (a field name that no store takes), kTooLarge (a field value above 16 MiB, a row
// above 64 MiB, more than 65,000 fields), kOutOfMemory. Thread-safety: one thread an object.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "interop/vector_file.hpp"
#include "rvf/metadata.hpp"
#include "rvf/result.hpp"

namespace rvf::interop {

struct MetaRows {
  size_t count = 0;
  uint64_t first_row = 0;  // position of the first row in the file, from 0
  std::vector<uint64_t> ids;  // count of them, or none
  std::vector<std::string> keys;  // count of them, or none; never together with ids
  // Of `count` values each, in the order of first appearance; fields without a value in these rows
  // are left out.
  std::vector<Column> columns;
  void clear() noexcept;
};

struct MetaOptions {
  std::string id_field = "id";
  bool id_required = false;  // rows without id_field are an error, not joined by order
  IdKind ids = IdKind::kUndecided;  // what they have to be
  std::vector<Field> declared = {};  // types that are given, as by --schema
  std::vector<Field> known = {};  // the fields that the store has
};

class MetaRowReader {
 public:
  static Result<std::unique_ptr<MetaRowReader>> open(const std::string& path,
                                                     const MetaOptions& options);
  virtual ~MetaRowReader() = default;
  MetaRowReader(const MetaRowReader&) = delete;
  MetaRowReader& operator=(const MetaRowReader&) = delete;

  // Replaces `out` with the next rows: at most max_rows, and fewer where they are large (but one at
  // least). 0 means the end of the file.
  virtual Result<size_t> read(size_t max_rows, MetaRows& out) = 0;

 protected:
  MetaRowReader() = default;
};

// Metadata that vectors bring themselves: the JSON objects of VectorChunk::extra, by column.
class ExtraColumns {
 public:
  // `path` and `format` of the vector file, for messages and because csv knows nothing but text.
  ExtraColumns(std::string path, Format format, const MetaOptions& options);
  ~ExtraColumns();
  ExtraColumns(ExtraColumns&&) noexcept;

  // Replaces `out`: as many rows as the chunk has vectors. Ids are in the chunk, not here.
  Status read(const VectorChunk& chunk, MetaRows& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rvf::interop
