// Records of separated text (RFC 4180): the separator is a tab, semicolon, comma or blanks, taken
// from the first line. A quoted field may hold the separator, line ends (read as \n) and "" for a
// quote, and is kept as it is; blanks around other fields are not part of them. Empty lines are
// passed over. Internal to src/interop. Errors: those of ByteSource, kCorrupt.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "interop/byte_source.hpp"

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
  enum class Split { kDone, kOpen, kBad };
  Split split(std::string_view line, bool resume, std::vector<CsvField>& fields);
  Split close_quote(std::string_view line, size_t& at, std::string& text) const;
  CsvField& add(std::vector<CsvField>& fields);

  ByteSource* source_;
  std::string text_;
  uint64_t line_ = 0;
  uint64_t lines_ = 0;
  size_t used_ = 0;  // of the fields; those behind it wait to be used again
  char separator_ = 0;
};

std::string_view trim_blanks(std::string_view s) noexcept;

}  // namespace rvf::interop
