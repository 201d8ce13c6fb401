#include "interop/meta_values.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "interop/json_values.hpp"
#include "types/exact.hpp"

namespace rvf::interop {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

template <class T>
std::optional<T> number(std::string_view text) noexcept {
  T v{};
  const auto r = std::from_chars(text.data(), text.data() + text.size(), v);
  if (r.ec != std::errc() || r.ptr != text.data() + text.size()) return std::nullopt;
  return v;
}

// The grammar of RFC 8259: '-'? (0 | [1-9] digits) ('.' digits)? ([eE] [+-]? digits)?
enum class NumberText { kNone, kInteger, kReal };

NumberText number_text(std::string_view s) noexcept {
  size_t at = 0;
  const auto digits = [&] {
    const size_t from = at;
    while (at < s.size() && is_digit(s[at])) ++at;
    return at - from;
  };
  if (at < s.size() && s[at] == '-') ++at;
  const bool zero = at < s.size() && s[at] == '0';
  const size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return NumberText::kNone;
  if (at == s.size()) return NumberText::kInteger;
  if (s[at] == '.') {
    ++at;
    if (digits() == 0) return NumberText::kNone;
  }
  if (at < s.size() && (s[at] == 'e' || s[at] == 'E')) {
    ++at;
    if (at < s.size() && (s[at] == '+' || s[at] == '-')) ++at;
    if (digits() == 0) return NumberText::kNone;
  }
  return at == s.size() ? NumberText::kReal : NumberText::kNone;
}

std::optional<bool> bool_of(std::string_view s) noexcept {
  if (s == "true" || s == "True" || s == "TRUE") return true;
  if (s == "false" || s == "False" || s == "FALSE") return false;
  return std::nullopt;
}

template <class T>
std::optional<Value> as(std::optional<T> v) {
  return v ? std::optional<Value>(Value(*v)) : std::nullopt;
}

// Built in place: from a Value that is moved GCC 12 concludes wrongly that it frees what it does
// not own (-Wfree-nonheap-object).
std::optional<Value> text_value(std::string text) {
  std::optional<Value> out;
  out.emplace(std::in_place_type<std::string>, std::move(text));
  return out;
}

// ---- numbers

constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

std::optional<Value> from_i64(int64_t v, FieldType type) {
  switch (type) {
    case FieldType::kI64:
    case FieldType::kTimestamp: return Value(v);
    case FieldType::kU64:
      return v < 0 ? std::nullopt : std::optional<Value>(static_cast<uint64_t>(v));
    case FieldType::kF64: return as(exact_f64(v));
    case FieldType::kBool: return v == 0 || v == 1 ? std::optional<Value>(v == 1) : std::nullopt;
    case FieldType::kString:
    case FieldType::kEnum: return text_value(std::to_string(v));
    default: return std::nullopt;
  }
}

std::optional<Value> from_u64(uint64_t v, FieldType type) {
  if (v <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return from_i64(static_cast<int64_t>(v), type);
  }
  switch (type) {
    case FieldType::kU64: return Value(v);
    case FieldType::kF64: return as(exact_f64(v));
    case FieldType::kString:
    case FieldType::kEnum: return text_value(std::to_string(v));
    default: return std::nullopt;
  }
}

std::optional<Value> from_f64(double v, FieldType type) {
  switch (type) {
    case FieldType::kF64: return Value(v);
    case FieldType::kI64:
    case FieldType::kTimestamp:
      if (v != std::trunc(v) || v < -kTwo63 || v >= kTwo63) return std::nullopt;
      return Value(static_cast<int64_t>(v));
    case FieldType::kU64:
      if (v != std::trunc(v) || v < 0 || v >= kTwo64) return std::nullopt;
      return Value(static_cast<uint64_t>(v));
    case FieldType::kString:
    case FieldType::kEnum: return text_value(f64_text(v));
    default: return std::nullopt;
  }
}

// A whole number beyond 64 bits, if a double is exactly it; one with a point or an exponent is the
// nearest double.
std::optional<Value> f64_from_digits(std::string_view text, NumberText form) {
  const auto d = number<double>(text);
  if (!d || (form == NumberText::kInteger && fmt::format("{:.0f}", *d) != text)) {
    return std::nullopt;
  }
  return Value(*d);
}

// ---- texts

std::optional<Value> bytes_from_base64(std::string_view s) {
  if (s.size() % 4 != 0) return std::nullopt;
  std::vector<std::byte> out;
  out.reserve(s.size() / 4 * 3);
  for (size_t i = 0; i < s.size(); i += 4) {
    size_t padding = 0;
    if (i + 4 == s.size()) padding = (s[i + 3] == '=') + (s[i + 3] == '=' && s[i + 2] == '=');
    uint32_t v = 0;
    for (size_t k = 0; k < 4; ++k) {
      const char c = s[i + k];
      uint32_t digit = 0;
      if (c >= 'A' && c <= 'Z')
        digit = static_cast<uint32_t>(c - 'A');
      else if (c >= 'a' && c <= 'z')
        digit = static_cast<uint32_t>(c - 'a' + 26);
      else if (is_digit(c))
        digit = static_cast<uint32_t>(c - '0' + 52);
      else if (c == '+')
        digit = 62;
      else if (c == '/')
        digit = 63;
      else if (k < 4 - padding)
        return std::nullopt;
      v = (v << 6) | digit;
    }
    if ((v & ((1u << (8 * padding)) - 1)) != 0) return std::nullopt;  // bits that would be lost
    for (size_t k = 0; k < 3 - padding; ++k)
      out.push_back(static_cast<std::byte>(v >> (16 - 8 * k)));
  }
  return Value(std::move(out));
}

// A csv field that holds an array of texts; anything else is one element itself.
std::optional<Value> list_from_text(const std::string& text, bool open) {
  if (open && text.starts_with('[')) {
    simdjson::dom::parser parser;
    simdjson::dom::array array;
    if (parser.parse(text).get(array) != simdjson::SUCCESS) return std::nullopt;
    std::vector<std::string> out;
    for (const simdjson::dom::element e : array) {
      std::string_view item;
      if (e.get(item) != simdjson::SUCCESS) return std::nullopt;
      out.emplace_back(item);
    }
    return Value(std::move(out));
  }
  return Value(std::vector<std::string>{text});
}

std::optional<Value> from_text(const std::string& text, bool open, FieldType type) {
  switch (type) {
    case FieldType::kString:
    case FieldType::kEnum: return text_value(text);
    case FieldType::kBytes: return bytes_from_base64(text);
    case FieldType::kStringList: return list_from_text(text, open);
    case FieldType::kBool: return as(bool_of(text));
    default: break;
  }
  // "2024" is rather a year than nanoseconds; in csv nothing but a text could be a number.
  if (type == FieldType::kTimestamp && !open) return as(parse_timestamp(text));
  const NumberText digits = number_text(text);
  if (digits == NumberText::kInteger && text != "-0") {
    if (const auto i = number<int64_t>(text)) return from_i64(*i, type);
    if (const auto u = number<uint64_t>(text)) return from_u64(*u, type);
  }
  if (digits != NumberText::kNone) {
    if (type == FieldType::kF64) return f64_from_digits(text, digits);
    const auto d = number<double>(text);
    return d ? from_f64(*d, type) : std::nullopt;
  }
  return type == FieldType::kTimestamp ? as(parse_timestamp(text)) : std::nullopt;
}

// Days since 1970 of a date. Howard Hinnant, as civil_of.
int64_t days_of(int64_t y, unsigned m, unsigned d) noexcept {
  y -= m <= 2;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<int64_t>(doe) - 719468;
}

class TimeText {
 public:
  explicit TimeText(std::string_view s) : s_(s) {}

  bool take(char c) noexcept {
    if (at_ >= s_.size() || s_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool at_end() const noexcept { return at_ == s_.size(); }
  // Exactly `n` digits; -1 otherwise.
  int digits(size_t n) noexcept {
    int v = 0;
    for (size_t i = 0; i < n; ++i, ++at_) {
      if (at_ >= s_.size() || !is_digit(s_[at_])) return -1;
      v = v * 10 + (s_[at_] - '0');
    }
    return v;
  }
  // Digits behind the point as nanoseconds; those beyond the ninth must be 0. -1 otherwise.
  int64_t fraction() noexcept {
    int64_t v = 0;
    size_t n = 0;
    for (; at_ < s_.size() && is_digit(s_[at_]); ++at_, ++n) {
      if (n < 9)
        v = v * 10 + (s_[at_] - '0');
      else if (s_[at_] != '0')
        return -1;
    }
    if (n == 0) return -1;
    for (; n < 9; ++n) v *= 10;
    return v;
  }
  // 'Z', +hh:mm, +hhmm, +hh or nothing, as seconds east. Empty otherwise.
  std::optional<int64_t> offset() noexcept {
    if (at_end()) return 0;
    if (take('Z') || take('z')) return 0;
    const bool east = take('+');
    if (!east && !take('-')) return std::nullopt;
    const int hours = digits(2);
    int minutes = 0;
    if (!at_end()) {
      take(':');
      minutes = digits(2);
    }
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
    return (east ? 1 : -1) * (hours * 3600 + minutes * 60);
  }

 private:
  std::string_view s_;
  size_t at_ = 0;
};

}  // namespace

FieldType type_of(Looks looks) noexcept {
  switch (looks) {
    case Looks::kBool: return FieldType::kBool;
    case Looks::kInteger: return FieldType::kI64;
    case Looks::kLarge: return FieldType::kU64;
    case Looks::kReal: return FieldType::kF64;
    case Looks::kEmptyList:
    case Looks::kList: return FieldType::kStringList;
    default: return FieldType::kString;
  }
}

size_t value_index(FieldType type) noexcept {
  switch (type) {
    case FieldType::kString:
    case FieldType::kEnum: return 1;
    case FieldType::kBytes: return 2;
    case FieldType::kI64:
    case FieldType::kTimestamp: return 3;
    case FieldType::kU64: return 4;
    case FieldType::kF64: return 5;
    case FieldType::kBool: return 6;
    case FieldType::kStringList: return 7;
  }
  return 0;
}

Looks looks_of(std::string_view text) noexcept {
  if (bool_of(text)) return Looks::kBool;
  switch (number_text(text)) {
    case NumberText::kInteger:
      if (text == "-0") return Looks::kReal;
      if (number<int64_t>(text)) return Looks::kInteger;
      return number<uint64_t>(text) ? Looks::kLarge : Looks::kText;
    case NumberText::kReal: return number<double>(text) ? Looks::kReal : Looks::kText;
    default: return Looks::kText;
  }
}

bool is_huge_number(std::string_view text) noexcept {
  const NumberText form = number_text(text);
  if (form == NumberText::kInteger && (number<int64_t>(text) || number<uint64_t>(text)))
    return false;
  return form == NumberText::kInteger || (form == NumberText::kReal && !number<double>(text));
}

std::optional<Value> convert(const Cell& cell, FieldType type) {
  const Value& v = cell.value;
  switch (v.index()) {
    case 0: return Value();
    case 1:
      if (cell.looks == Looks::kJson && type != FieldType::kString) return std::nullopt;
      return from_text(*std::get_if<std::string>(&v), cell.open, type);
    case 3: return from_i64(*std::get_if<int64_t>(&v), type);
    case 4: return from_u64(*std::get_if<uint64_t>(&v), type);
    case 5: return from_f64(*std::get_if<double>(&v), type);
    case 6: {
      const bool b = *std::get_if<bool>(&v);
      if (type == FieldType::kBool) return v;
      if (type != FieldType::kString && type != FieldType::kEnum) return std::nullopt;
      return text_value(b ? "true" : "false");
    }
    case 7: {
      if (type == FieldType::kStringList) return v;
      if (type != FieldType::kString) return std::nullopt;
      std::string text;
      append_json(text, v, FieldType::kStringList);
      return text_value(std::move(text));
    }
    default: return std::nullopt;
  }
}

namespace {

constexpr int64_t kSecond = 1'000'000'000;

struct Instant {
  int64_t seconds = 0;   // since 1970
  int64_t fraction = 0;  // nanoseconds, of the sign of the seconds
};

std::optional<Instant> parse_instant(std::string_view text) noexcept {
  TimeText in(text);
  const int year = in.digits(4);
  if (year < 0 || !in.take('-')) return std::nullopt;
  const int month = in.digits(2);
  if (month < 1 || month > 12 || !in.take('-')) return std::nullopt;
  const int day = in.digits(2);
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  const int most = kDays[static_cast<size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
  if (day < 1 || day > most) return std::nullopt;
  int64_t seconds = days_of(year, static_cast<unsigned>(month), static_cast<unsigned>(day)) * 86400;
  int64_t fraction = 0;
  if (!in.at_end()) {
    if (!in.take('T') && !in.take('t') && !in.take(' ')) return std::nullopt;
    const int hour = in.digits(2);
    if (hour < 0 || hour > 23 || !in.take(':')) return std::nullopt;
    const int minute = in.digits(2);
    if (minute < 0 || minute > 59) return std::nullopt;
    int second = 0;
    if (in.take(':')) {
      second = in.digits(2);
      if (second < 0 || second > 59) return std::nullopt;
      if (in.take('.') || in.take(',')) fraction = in.fraction();
    }
    const auto offset = in.offset();
    if (fraction < 0 || !offset || !in.at_end()) return std::nullopt;
    seconds += hour * 3600 + minute * 60 + second - *offset;
  }
  if (seconds < 0 && fraction > 0) {  // the sum may fit where the first product does not
    ++seconds;
    fraction -= kSecond;
  }
  return Instant{seconds, fraction};
}

}  // namespace

std::optional<int64_t> parse_timestamp(std::string_view text) noexcept {
  const auto at = parse_instant(text);
  int64_t out = 0;
  if (!at || __builtin_mul_overflow(at->seconds, kSecond, &out) ||
      __builtin_add_overflow(out, at->fraction, &out)) {
    return std::nullopt;
  }
  return out;
}

std::optional<int64_t> parse_expiry(std::string_view text) noexcept {
  const auto at = parse_instant(text);
  if (!at) return std::nullopt;
  return saturating_add(saturating_multiply(at->seconds, kSecond), at->fraction);
}

}  // namespace rvf::interop
