// Arithmetic that never changes a value unnoticed: whole numbers as doubles, times that meet the end
// of time. Pure functions.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>

namespace rvf {

// The double that is exactly this whole number; empty where the nearest one is another.
constexpr std::optional<double> exact_f64(int64_t v) noexcept {
  const auto d = static_cast<double>(v);
  constexpr double kEnd = 9223372036854775808.0;  // 2^63; a cast back from it would overflow
  if (d >= kEnd || static_cast<int64_t>(d) != v) return std::nullopt;
  return d;
}
constexpr std::optional<double> exact_f64(uint64_t v) noexcept {
  const auto d = static_cast<double>(v);
  constexpr double kEnd = 18446744073709551616.0;
  if (d >= kEnd || static_cast<uint64_t>(d) != v) return std::nullopt;
  return d;
}

// Times that would lie beyond what 64 bits of nanoseconds reach (the years 1677 and 2262) stay there.
constexpr int64_t saturating_add(int64_t a, int64_t b) noexcept {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}
constexpr int64_t saturating_multiply(int64_t a, int64_t b) noexcept {
  int64_t product = 0;
  if (!__builtin_mul_overflow(a, b, &product)) return product;
  return (a < 0) != (b < 0) ? std::numeric_limits<int64_t>::min()
                            : std::numeric_limits<int64_t>::max();
}

}  // namespace rvf
