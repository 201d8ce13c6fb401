// Literals as a filter spells them, before they are given the type of a field. Numbers are kept
// exactly, so that 9223372036854775807.5 is not taken for its nearest double.
// Thread-safety: plain values and pure functions.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rvf::meta {

// |x| = whole, plus something below 1 where `fraction` is set.
struct Number {
  double real = 0;  // the nearest double; infinite beyond the doubles' range
  uint64_t whole = 0;
  bool negative = false;
  bool fraction = false;
  bool huge = false;  // |x| >= 2^64; `whole` says nothing then
  bool nan = false;
};

// Sign, digits, point, exponent: -1, +2.5, .5, 1e9. Nothing for anything else.
std::optional<Number> parse_number(std::string_view text);
Number to_number(int64_t value) noexcept;
Number to_number(uint64_t value) noexcept;
Number to_number(double value) noexcept;

// 2024-01-31, 2024-01-31T10:00, 2024-01-31 10:00:00.25+02:00, years 0000 to 9999, as nanoseconds
// since 1970; without an offset UTC. Nothing for anything else.
std::optional<Number> parse_iso_time(std::string_view text);
// The shortest of the forms above that says it all, in UTC.
std::string iso_time(int64_t nanoseconds);

struct Literal {
  enum class Kind : uint8_t { kNull, kBool, kNumber, kText, kBytes };
  Kind kind = Kind::kNull;
  bool truth = false;
  Number number;
  std::string text;  // of kText and kBytes; of a number: as it was written, for messages

  static Literal null() { return {}; }
  static Literal boolean(bool value) { return {Kind::kBool, value, {}, {}}; }
  static Literal of(Number n, std::string spelled) {
    return {Kind::kNumber, false, n, std::move(spelled)};
  }
  static Literal of_text(std::string text) { return {Kind::kText, false, {}, std::move(text)}; }
  static Literal of_bytes(std::string bytes) { return {Kind::kBytes, false, {}, std::move(bytes)}; }
};

// "the text 'abc'", "the number 2.5", "null", ...; long ones are cut.
std::string describe(const Literal& literal);

// x'00ff' between its quotes; nothing where it is not pairs of hexadecimal digits.
std::optional<std::string> parse_hex(std::string_view digits);
std::string to_hex(std::string_view bytes);

// At most `points` code points of a text on one line: control characters become blanks, invalid
// UTF-8 becomes U+FFFD, and what was cut off becomes "...".
std::string shown(std::string_view text, size_t points = 40);

}  // namespace rvf::meta
