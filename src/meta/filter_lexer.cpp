#include "meta/filter_lexer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "meta/filter_literal.hpp"
#include "unicode/utf8.hpp"

namespace rvf::meta {
namespace {

constexpr std::string_view kKeywords[] = {"and",  "or",       "not",  "in",    "between",
                                          "is",   "null",     "true", "false", "starts",
                                          "with", "contains", "match"};

bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool begins_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool continues_name(char c) noexcept { return begins_name(c) || is_digit(c) || c == '.'; }

}  // namespace

Result<Lexeme> FilterLexer::next() {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  const size_t begin = at_;
  if (begin == text_.size()) return upto(Lexeme::Kind::kEnd, begin, begin);
  const char c = text_[begin];
  const char after = begin + 1 < text_.size() ? text_[begin + 1] : '\0';
  if (c == '\'') return quoted(Lexeme::Kind::kText, begin);
  if (c == '"') return quoted(Lexeme::Kind::kDouble, begin);
  if (c == '`') return quoted(Lexeme::Kind::kField, begin);
  if ((c == 'x' || c == 'X') && after == '\'') return bytes(begin);
  if (begins_name(c)) {
    size_t end = begin + 1;
    while (end < text_.size() && continues_name(text_[end])) ++end;
    return upto(Lexeme::Kind::kName, begin, end);
  }
  const bool sign = c == '-' || c == '+';
  if (is_digit(c) || ((sign || c == '.') && (is_digit(after) || (sign && after == '.')))) {
    return number(begin);
  }
  return symbol(begin);
}

Lexeme FilterLexer::upto(Lexeme::Kind kind, size_t begin, size_t end) {
  at_ = end;
  return {kind, begin, end, std::string(text_.substr(begin, end - begin))};
}

Result<Lexeme> FilterLexer::quoted(Lexeme::Kind kind, size_t begin) {
  const char quote = text_[begin];
  Lexeme out{kind, begin, 0, {}};
  for (size_t at = begin + 1; at < text_.size(); ++at) {
    if (text_[at] != quote) {
      out.text += text_[at];
    } else if (at + 1 < text_.size() && text_[at + 1] == quote) {
      out.text += text_[at++];
    } else {
      out.end = at_ = at + 1;
      return out;
    }
  }
  return filter_error(text_, begin, std::string("the closing ") + quote + " is missing");
}

Result<Lexeme> FilterLexer::bytes(size_t begin) {
  RVF_ASSIGN(Lexeme out, quoted(Lexeme::Kind::kBytes, begin + 1));
  const auto raw = parse_hex(out.text);
  if (!raw) {
    return filter_error(text_, begin, "x'...' holds pairs of hexadecimal digits, such as x'00ff'");
  }
  out.begin = begin;
  out.text = *raw;
  return out;
}

Result<Lexeme> FilterLexer::number(size_t begin) {
  // Takes in what people write instead of a number, to say so.
  size_t end = begin + 1;
  while (end < text_.size() &&
         (continues_name(text_[end]) || text_[end] == '-' || text_[end] == '+' ||
          (text_[end] == ':' && end + 1 < text_.size() && is_digit(text_[end + 1])))) {
    ++end;
  }
  Lexeme out = upto(Lexeme::Kind::kNumber, begin, end);
  if (parse_number(out.text)) return out;
  std::string what = "'" + shown(out.text) + "' is no number";
  if (parse_iso_time(out.text)) what += "; a time goes in quotes: '" + out.text + "'";
  return filter_error(text_, begin, what);
}

Result<Lexeme> FilterLexer::symbol(size_t begin) {
  const std::string_view two = text_.substr(begin, 2);
  for (const std::string_view s : {"==", "!=", "<>", "<=", ">="}) {
    if (two == s) return upto(Lexeme::Kind::kSymbol, begin, begin + 2);
  }
  const char c = text_[begin];
  if (std::string_view("=<>(),").find(c) != std::string_view::npos) {
    return upto(Lexeme::Kind::kSymbol, begin, begin + 1);
  }
  if (two == "&&") return filter_error(text_, begin, "write 'and' instead of &&");
  if (two == "||") return filter_error(text_, begin, "write 'or' instead of ||");
  if (c == '!') return filter_error(text_, begin, "write 'not' instead of !");
  return filter_error(text_, begin,
                      "'" + shown(text_.substr(begin, 1)) + "' has no meaning in a filter");
}

Error filter_error(std::string_view text, size_t byte, const std::string& what) {
  constexpr size_t kBefore = 40;
  constexpr size_t kWidth = 76;
  size_t column = 0;
  size_t window = 0;  // byte where the shown part begins, `kBefore` code points before the place
  size_t window_column = 0;
  for (size_t at = 0; at < byte && at < text.size(); ++column) {
    unicode::next_code_point(text, at);
    if (column - window_column >= kBefore) {
      unicode::next_code_point(text, window);
      ++window_column;
    }
  }
  std::string indent = "  ";
  std::string line = "  ";
  if (window > 0) {
    line += "...";
    indent += "   ";
  }
  line += shown(text.substr(window), kWidth);
  indent.append(column - window_column, ' ');
  return Error(ErrorCode::kBadFilter, "column " + std::to_string(column + 1) + ": " + what + "\n" +
                                          line + "\n" + indent + "^");
}

bool is_plain_name(std::string_view name) noexcept {
  if (name.empty() || !begins_name(name.front())) return false;
  if (!std::all_of(name.begin(), name.end(), continues_name)) return false;
  return std::none_of(std::begin(kKeywords), std::end(kKeywords),
                      [&](std::string_view k) { return is_keyword(name, k); });
}

bool is_keyword(std::string_view word, std::string_view keyword) noexcept {
  return std::equal(word.begin(), word.end(), keyword.begin(), keyword.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  });
}

}  // namespace rvf::meta
