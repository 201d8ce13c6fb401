// Records of separated text (RFC 4180): the separator is a tab, semicolon, comma or blanks, taken
// from the first line; lines end with \n, \r\n or \r. A quoted field may hold the separator, line ends
// (\r\n becomes \n) and "" for a quote, and is kept as it is; one with more behind its closing quote
// is no quoted field, and keeps its quotes. Blanks around other fields are not part of them. Empty
// lines are passed over. Internal to src/interop. Errors: those of ByteSource, kCorrupt.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "interop/byte_source.hpp"
#include "rvf/types.hpp"

namespace rvf::interop {

struct CsvField {
  std::string text;
  bool quoted = false;
};

class CsvText {
 public:
  explicit CsvText(ByteSource& source) : source_(&source) {}

  // False at the end.
  Result<bool> next(std::vector<CsvField>& fields);
  uint64_t line() const noexcept { return line_; }  // where the record begins, from 1
  Error error(ErrorCode code, const std::string& what) const;

 private:
  // Both are false where a quote stays open at the end of the line.
  bool split(std::string_view line, bool resume, std::vector<CsvField>& fields);
  bool close_quote(std::string_view line, size_t& at, CsvField& field);
  CsvField& add(std::vector<CsvField>& fields);

  ByteSource* source_;
  std::string text_;
  std::string raw_;  // the quoted field as it stands, in case that it is none
  LineEnd end_ = LineEnd::kNone;  // of text_
  uint64_t line_ = 0;
  uint64_t lines_ = 0;
  size_t used_ = 0;  // of the fields; those behind it wait to be used again
  char separator_ = 0;
};

// What the ids in one column of a file are, all of them together; kUndecided where reading it would
// take its rows away (a pipe).
Result<IdKind> kind_of_ids(const ByteSource& source, size_t column);

std::string_view trim_blanks(std::string_view s) noexcept;

}  // namespace rvf::interop
