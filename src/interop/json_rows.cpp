#include "interop/json_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "interop/meta_values.hpp"
#include "interop/readers.hpp"

namespace rvf::interop {
namespace {

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_of_number(char c) noexcept {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

// What ends a run of characters that say nothing about where a value ends.
constexpr auto kMeaning = [] {
  std::array<bool, 256> out{};
  for (const char c : {'"', '\\', '{', '}', '[', ']', '\n', '\r'}) {
    out[static_cast<unsigned char>(c)] = true;
  }
  return out;
}();

// Calls take(begin, end) for every run of characters outside of texts that `is_part` accepts.
template <class Part, class Take>
void each_token(std::string_view text, Part is_part, Take take) {
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') quoted = !quoted;
    if (c == '\\' && quoted) ++at;
    if (quoted || !is_part(c)) continue;
    const size_t begin = at;
    while (at + 1 < text.size() && is_part(text[at + 1])) ++at;
    take(begin, at + 1);
  }
}

bool may_hold_mark(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text.find(kHugeNumber) != std::string::npos || text.find("\\ufdd0") != std::string::npos;
}

// The text with its huge numbers as marked texts; as it is where there are none.
std::string with_marks(const std::string& text) {
  std::string out;
  size_t done = 0;
  each_token(text, is_of_number, [&](size_t begin, size_t end) {
    const std::string_view token = std::string_view(text).substr(begin, end - begin);
    if (!is_huge_number(token)) return;
    out.append(text, done, begin - done);
    out += '"';
    out += kHugeNumber;
    out += token;
    out += '"';
    done = end;
  });
  out.append(text, done);
  return out;
}

const char* hint_of(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  bool found = false;
  each_token(text, is_letter, [&](size_t begin, size_t end) {
    const std::string_view word = text.substr(begin, end - begin);
    found = found || word == "NaN" || word == "nan" || word == "Infinity" || word == "inf";
  });
  return found ? " (NaN and Infinity are no JSON; null is)" : "";
}

}  // namespace

Result<simdjson::dom::element> JsonText::parse(std::string& text) {
  has_huge_ = false;
  for (;;) {
    // The parser reads past the end of the text, into this padding.
    const size_t length = text.size();
    text.reserve(length + simdjson::SIMDJSON_PADDING);
    simdjson::dom::element value;
    const simdjson::error_code e = parser_.parse(text.data(), length, false).get(value);
    if (e == simdjson::SUCCESS) return value;
    if (e == simdjson::MEMALLOC) return Error(ErrorCode::kOutOfMemory, "no memory for it");
    if (e == simdjson::NUMBER_ERROR && !has_huge_ && !may_hold_mark(text)) {
      text = with_marks(text);
      has_huge_ = true;
      continue;
    }
    return Error(ErrorCode::kCorrupt,
                 fmt::format("not JSON: {}{}", simdjson::error_message(e), hint_of(text)));
  }
}

std::optional<std::string_view> JsonText::huge(simdjson::dom::element value) const noexcept {
  std::string_view text;
  if (!has_huge_ || value.get(text) != simdjson::SUCCESS || !text.starts_with(kHugeNumber)) {
    return std::nullopt;
  }
  return text.substr(kHugeNumber.size());
}

std::string JsonText::text_of(simdjson::dom::element value) const {
  std::string text(simdjson::minify(value));
  if (!has_huge_) return text;
  const std::string open = '"' + std::string(kHugeNumber);
  for (size_t at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    text.erase(at, open.size());
    text.erase(text.find('"', at), 1);
  }
  return text;
}

Error JsonRows::error(ErrorCode code, const std::string& what) const {
  return source_->error(code, fmt::format("line {}: {}", first_line_, what));
}

Result<int> JsonRows::next_character() {
  for (;;) {
    RVF_ASSIGN(const wire::ByteSpan rest, source_->at_hand());
    if (rest.empty()) return kEnd;
    size_t at = 0;
    for (; at < rest.size(); ++at) {
      const char c = static_cast<char>(rest[at]);
      if (!is_blank(c)) break;
      line_ += c == '\r' || (c == '\n' && before_ != '\r');
      before_ = c;
    }
    source_->skip(at);
    if (at < rest.size()) return std::to_integer<int>(rest[at]);
  }
}

// A file that begins with "[{" or "[[" is one array; "[1" begins a row of jsonl.
Status JsonRows::begin() {
  RVF_ASSIGN(const wire::ByteSpan head, source_->peek(3));
  const bool bom = head.size() == 3 && head[0] == std::byte{0xEF} && head[1] == std::byte{0xBB};
  if (bom && head[2] == std::byte{0xBF}) source_->skip(3);
  RVF_ASSIGN(const int c, next_character());
  form_ = Form::kLines;
  if (c != '[') return {};
  for (size_t look = 64;; look *= 4) {
    RVF_ASSIGN(const wire::ByteSpan seen, source_->peek(look));
    for (size_t at = 1; at < seen.size(); ++at) {
      const char inner = static_cast<char>(seen[at]);
      if (is_blank(inner)) continue;
      if (inner != '{' && inner != '[' && inner != ']') return {};
      form_ = Form::kArray;
      source_->skip(1);
      return {};
    }
    if (seen.size() < look || look > kMaxLine) return {};
  }
}

// Whether there is another value, of which the first character is next.
Result<bool> JsonRows::begin_of_value() {
  if (form_ == Form::kUnknown) RVF_TRY(begin());
  RVF_ASSIGN(int c, next_character());
  first_line_ = line_;
  if (form_ == Form::kArray) {
    if (!first_ && c != ',' && c != ']') {
      return error(ErrorCode::kCorrupt, "not JSON: a comma is missing, or the closing bracket");
    }
    if (!first_ || c == ']') source_->skip(1);
    if (c == ']') form_ = Form::kEnded;
    if (c == ']' || !first_) {
      RVF_ASSIGN(c, next_character());
      first_line_ = line_;
    }
  }
  if (c == kEnd && form_ != Form::kArray) return false;
  if (form_ == Form::kEnded) return error(ErrorCode::kCorrupt, "not JSON: more after the array");
  if (c == '{' || c == '[') return true;
  if (c == kEnd) return error(ErrorCode::kCorrupt, "not JSON: the array stays open");
  if (c == ',' && form_ == Form::kLines) {
    return error(ErrorCode::kCorrupt,
                 "not JSON: a comma between rows; rows stand one a line, or all in one [array]");
  }
  if (c == ']') return error(ErrorCode::kCorrupt, "not JSON: a comma before the closing bracket");
  return error(ErrorCode::kCorrupt, fmt::format("not JSON: a row begins with '{{' or '[', not '{}'",
                                                c >= ' ' && c < 127 ? static_cast<char>(c) : '?'));
}

Status JsonRows::take_value(std::string& out) {
  size_t depth = 0;
  bool quoted = false;
  bool escaped = false;
  out.clear();
  for (;;) {
    RVF_ASSIGN(const wire::ByteSpan rest, source_->at_hand());
    if (rest.empty()) return error(ErrorCode::kCorrupt, "not JSON: it ends within a value");
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
    size_t at = 0;
    bool whole = false;
    while (at < text.size() && !whole) {
      if (escaped) {
        escaped = false;
        ++at;
        continue;
      }
      while (at < text.size() && !kMeaning[static_cast<unsigned char>(text[at])]) ++at;
      if (at == text.size()) break;
      const char c = text[at++];
      if (c == '\n' || c == '\r') {
        if (quoted) return error(ErrorCode::kCorrupt, "not JSON: a text stays open");
        const char previous = at > 1 ? text[at - 2] : before_;
        line_ += c == '\r' || previous != '\r';
      }
      if (quoted) {
        if (c == '"') quoted = false;
        escaped = c == '\\';
      } else if (c == '"') {
        quoted = true;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if (c == '}' || c == ']') {
        whole = --depth == 0;
      }
    }
    if (out.size() + at > kMaxLine) {
      return error(ErrorCode::kTooLarge, fmt::format("a row is longer than {} bytes", kMaxLine));
    }
    out.append(text.substr(0, at));
    before_ = text[at - 1];
    source_->skip(at);
    if (whole) return {};
  }
}

Result<bool> JsonRows::next(std::string& out) {
  RVF_ASSIGN(const bool any, begin_of_value());
  if (!any) return false;
  first_ = false;
  RVF_TRY(take_value(out));
  return true;
}

}  // namespace rvf::interop
