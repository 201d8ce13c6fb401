// JSON objects and arrays one after another: a value a line (jsonl), values over several lines, or
// the elements of one array [{...}, {...}], of which no more than one element is in memory.
//
// Numbers that neither 64 bits nor a double hold keep their digits: they come as texts that begin with
// kHugeNumber, and has_huge() says that such texts are among the values. unmark() writes the
// numbers again where a value is kept as its JSON text. Internal to src/interop. Thread-safety: one
// thread an object. Errors: those of ByteSource, kCorrupt (not JSON), kTooLarge, kOutOfMemory.
#pragma once
#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

#include "interop/byte_source.hpp"

namespace rvf::interop {

// U+FDD0, which no text needs; where one has it, huge numbers beside it are an error.
inline constexpr std::string_view kHugeNumber = "\xEF\xB7\x90";

class JsonText {
 public:
  // Valid until the next call. Messages do not say where. `text` grows by the parser's padding.
  Result<simdjson::dom::element> parse(std::string& text);
  bool has_huge() const noexcept { return has_huge_; }
  // The digits, where a text stands for a huge number.
  std::optional<std::string_view> huge(simdjson::dom::element value) const noexcept;
  // The value as JSON text.
  std::string text_of(simdjson::dom::element value) const;

 private:
  simdjson::dom::parser parser_;
  bool has_huge_ = false;
};

class JsonRows {
 public:
  explicit JsonRows(ByteSource& source) : source_(&source) {}

  // The text of the next value; false at the end.
  Result<bool> next(std::string& out);
  uint64_t line() const noexcept { return first_line_; }  // where it begins, from 1
  Error error(ErrorCode code, const std::string& what) const;

 private:
  enum class Form { kUnknown, kLines, kArray, kEnded };

  static constexpr int kEnd = -1;

  Status begin();
  Result<bool> begin_of_value();
  Result<int> next_character();  // behind blanks, not taken; kEnd behind the last
  Status take_value(std::string& out);

  ByteSource* source_;
  Form form_ = Form::kUnknown;
  bool first_ = true;
  uint64_t line_ = 1;
  uint64_t first_line_ = 1;
  char before_ = 0;  // of a line end, for \r\n to count once
};

}  // namespace rvf::interop
