// The words of a filter's text, one after the other. docs/filters.md lists them.
// Thread-safety: as a plain value. Errors: kBadFilter with the place.
#pragma once
#include <string>
#include <string_view>

#include "rvf/result.hpp"

namespace rvf::meta {

struct Lexeme {
  enum class Kind : uint8_t {
    kEnd,
    kName,     // unquoted: a field or a keyword
    kField,    // `quoted`
    kDouble,   // "quoted": a field or a text, as the place wants
    kText,     // 'quoted'
    kBytes,    // x'00ff'
    kNumber,
    kSymbol,   // = == != <> < <= > >= ( ) ,
  };
  Kind kind = Kind::kEnd;
  size_t begin = 0;  // bytes in the text
  size_t end = 0;
  std::string text;  // without quotes and escapes

  bool is(std::string_view symbol) const noexcept {
    return kind == Kind::kSymbol && text == symbol;
  }
};

class FilterLexer {
 public:
  explicit FilterLexer(std::string_view text) : text_(text) {}
  Result<Lexeme> next();
  std::string_view text() const noexcept { return text_; }

 private:
  Result<Lexeme> quoted(Lexeme::Kind kind, size_t begin);
  Result<Lexeme> bytes(size_t begin);
  Result<Lexeme> number(size_t begin);
  Result<Lexeme> symbol(size_t begin);
  Lexeme upto(Lexeme::Kind kind, size_t begin, size_t end);

  std::string_view text_;
  size_t at_ = 0;
};

// "column 9: what", then the text, cut around the place, and a caret below it. Columns count from 1
// in code points.
Error filter_error(std::string_view text, size_t byte, const std::string& what);

// A name that needs no quotes, and is no keyword.
bool is_plain_name(std::string_view name) noexcept;
// Upper and lower case alike; `keyword` is in lower case.
bool is_keyword(std::string_view word, std::string_view keyword) noexcept;

}  // namespace rvf::meta
