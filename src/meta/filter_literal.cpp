#include "meta/filter_literal.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "unicode/utf8.hpp"
#include "unicode/visible.hpp"

namespace rvf::meta {
namespace {

constexpr double kTwoTo64 = 18446744073709551616.0;
// Beyond this an exponent cannot matter: texts are shorter.
constexpr int64_t kMaxExponent = int64_t{1} << 40;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

struct Decimal {
  bool negative = false;
  std::string digits;  // without leading zeros
  int64_t point = 0;  // 0.digits * 10^point
};

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal out;
  size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) out.negative = text[at++] == '-';
  bool any = false;
  bool after_point = false;
  for (; at < text.size(); ++at) {
    if (is_digit(text[at])) {
      any = true;
      if (out.digits.empty() && text[at] == '0') {
        out.point -= after_point ? 1 : 0;
        continue;
      }
      out.digits += text[at];
      out.point += after_point ? 0 : 1;
    } else if (text[at] == '.' && !after_point && at + 1 < text.size() && is_digit(text[at + 1])) {
      after_point = true;
    } else {
      break;
    }
  }
  if (!any) return std::nullopt;
  if (at == text.size()) return out;
  if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
  ++at;
  bool down = false;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) down = text[at++] == '-';
  if (at == text.size()) return std::nullopt;
  int64_t exponent = 0;
  for (; at < text.size(); ++at) {
    if (!is_digit(text[at])) return std::nullopt;
    exponent = std::min(kMaxExponent, exponent * 10 + (text[at] - '0'));
  }
  out.point += down ? -exponent : exponent;
  return out;
}

double nearest_double(std::string_view text, const Decimal& decimal) noexcept {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double real = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), real);
  if (error == std::errc::result_out_of_range) {
    real = decimal.point > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    if (decimal.negative) real = -real;
  }
  return real == 0 ? 0.0 : real;  // no -0
}

// Fixed width; false if a character is no digit.
bool digits(std::string_view text, size_t at, size_t count, int& out) noexcept {
  if (text.size() < at + count) return false;
  out = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (!is_digit(text[i])) return false;
    out = out * 10 + (text[i] - '0');
  }
  return true;
}

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
int64_t days_from_civil(int64_t y, unsigned m, unsigned d) noexcept {
  y -= m <= 2;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<int64_t>(doe) - 719468;
}

struct Date {
  int year, month, day;
};

Date civil_from_days(int64_t z) noexcept {
  z += 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const auto doe = static_cast<unsigned>(z - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned m = mp < 10 ? mp + 3 : mp - 9;
  const int64_t y = static_cast<int64_t>(yoe) + era * 400 + (m <= 2 ? 1 : 0);
  return {static_cast<int>(y), static_cast<int>(m), static_cast<int>(doy - (153 * mp + 2) / 5 + 1)};
}

int days_in_month(int year, int month) noexcept {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

Number from_seconds(int64_t seconds, int64_t nanos) noexcept {
  Number out;
  out.negative = seconds < 0;
  out.real = static_cast<double>(seconds) * 1e9 + static_cast<double>(nanos);
  // |seconds| + 1 still fits after the multiplication below this limit.
  constexpr int64_t kLimit = 18446744072;
  if (seconds > kLimit || seconds < -kLimit) {
    out.huge = true;
  } else if (seconds >= 0) {
    out.whole = static_cast<uint64_t>(seconds) * 1000000000u + static_cast<uint64_t>(nanos);
  } else {
    out.whole = static_cast<uint64_t>(-seconds) * 1000000000u - static_cast<uint64_t>(nanos);
  }
  return out;
}

// Reads what follows the minutes: ":ss", then ".fraction".
bool seconds_part(std::string_view text, size_t& at, int& seconds, int64_t& nanos) noexcept {
  if (at == text.size() || text[at] != ':') return true;
  if (!digits(text, at + 1, 2, seconds) || seconds > 59) return false;
  at += 3;
  if (at == text.size() || text[at] != '.') return true;
  const size_t first = ++at;
  int64_t unit = 100000000;
  for (; at < text.size() && is_digit(text[at]) && unit > 0; ++at, unit /= 10) {
    nanos += (text[at] - '0') * unit;
  }
  return at > first;
}

// Z, +hh:mm, +hhmm or nothing, up to the end.
bool offset_part(std::string_view text, size_t at, int64_t& offset) noexcept {
  if (at == text.size()) return true;
  if (text[at] == 'Z' || text[at] == 'z') return at + 1 == text.size();
  if (text[at] != '+' && text[at] != '-') return false;
  int hours = 0;
  int minutes = 0;
  const bool colon = text.size() == at + 6 && text[at + 3] == ':';
  if (text.size() != at + (colon ? 6 : 5)) return false;
  if (!digits(text, at + 1, 2, hours) || !digits(text, at + (colon ? 4 : 3), 2, minutes)) {
    return false;
  }
  offset = (int64_t{hours} * 60 + minutes) * (text[at] == '-' ? -60 : 60);
  return hours < 24 && minutes < 60;
}

}  // namespace

std::optional<Number> parse_number(std::string_view text) {
  const auto decimal = parse_decimal(text);
  if (!decimal) return std::nullopt;
  Number out;
  const std::string& d = decimal->digits;
  out.negative = decimal->negative && !d.empty();
  out.real = nearest_double(text, *decimal);
  if (d.empty()) return out;
  if (decimal->point > 20) {
    out.huge = true;
    return out;
  }
  const auto whole_digits = static_cast<size_t>(std::max<int64_t>(decimal->point, 0));
  for (size_t i = 0; i < whole_digits; ++i) {
    const uint64_t digit = i < d.size() ? static_cast<uint64_t>(d[i] - '0') : 0;
    if (out.whole > (std::numeric_limits<uint64_t>::max() - digit) / 10) {
      out.huge = true;
      return out;
    }
    out.whole = out.whole * 10 + digit;
  }
  out.fraction = d.find_first_not_of('0', std::min(d.size(), whole_digits)) != std::string::npos;
  return out;
}

Number to_number(uint64_t value) noexcept {
  Number out;
  out.real = static_cast<double>(value);
  out.whole = value;
  return out;
}

Number to_number(int64_t value) noexcept {
  Number out = to_number(value < 0 ? uint64_t{0} - static_cast<uint64_t>(value)
                                   : static_cast<uint64_t>(value));
  out.negative = value < 0;
  out.real = static_cast<double>(value);
  return out;
}

Number to_number(double value) noexcept {
  Number out;
  out.nan = std::isnan(value);
  out.real = value == 0 ? 0.0 : value;
  if (out.nan) return out;
  out.negative = value < 0;
  const double size = std::abs(value);
  out.huge = size >= kTwoTo64;
  if (out.huge) return out;
  out.whole = static_cast<uint64_t>(size);
  out.fraction = static_cast<double>(out.whole) != size;
  return out;
}

std::optional<Number> parse_iso_time(std::string_view text) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!digits(text, 0, 4, year) || !digits(text, 5, 2, month) || !digits(text, 8, 2, day) ||
      text[4] != '-' || text[7] != '-') {
    return std::nullopt;
  }
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return std::nullopt;
  int64_t seconds =
      days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day)) * 86400;
  int64_t nanos = 0;
  if (text.size() == 10) return from_seconds(seconds, nanos);
  int hour = 0;
  int minute = 0;
  int second = 0;
  int64_t offset = 0;
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
  if (!digits(text, 11, 2, hour) || !digits(text, 14, 2, minute) || text[13] != ':') {
    return std::nullopt;
  }
  size_t at = 16;
  if (hour > 23 || minute > 59 || !seconds_part(text, at, second, nanos) ||
      !offset_part(text, at, offset)) {
    return std::nullopt;
  }
  seconds += hour * 3600 + minute * 60 + second - offset;
  return from_seconds(seconds, nanos);
}

std::string iso_time(int64_t nanoseconds) {
  constexpr int64_t kDay = 86400 * int64_t{1000000000};
  int64_t days = nanoseconds / kDay;
  int64_t rest = nanoseconds % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  const Date date = civil_from_days(days);
  const auto put = [](int64_t value, size_t width) {
    std::string s = std::to_string(value);
    return std::string(width > s.size() ? width - s.size() : 0, '0') + s;
  };
  std::string out = put(date.year, 4) + '-' + put(date.month, 2) + '-' + put(date.day, 2);
  if (rest == 0) return out;
  const int64_t seconds = rest / 1000000000;
  out +=
      'T' + put(seconds / 3600, 2) + ':' + put(seconds / 60 % 60, 2) + ':' + put(seconds % 60, 2);
  if (const int64_t nanos = rest % 1000000000; nanos != 0) {
    out += '.' + put(nanos, 9);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out + 'Z';
}

std::string shown(std::string_view text, size_t points) {
  std::string out;
  size_t at = 0;
  for (size_t n = 0; at < text.size(); ++n) {
    if (n == points) return out + "...";
    const char32_t c = unicode::next_code_point(text, at);
    unicode::append_utf8(out, unicode::is_control(c) ? U' ' : c);
  }
  return out;
}

std::string describe(const Literal& literal) {
  switch (literal.kind) {
    case Literal::Kind::kNull: return "null";
    case Literal::Kind::kBool: return literal.truth ? "true" : "false";
    case Literal::Kind::kNumber: return "the number " + shown(literal.text);
    case Literal::Kind::kText: return "the text '" + shown(literal.text) + "'";
    case Literal::Kind::kBytes:
      return "the bytes x'" + shown(to_hex(std::string_view(literal.text).substr(0, 40))) + "'";
  }
  return "";
}

std::optional<std::string> parse_hex(std::string_view digits) {
  const auto value = [](char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  if (digits.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < digits.size(); i += 2) {
    const int high = value(digits[i]);
    const int low = value(digits[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string to_hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

}  // namespace rvf::meta
