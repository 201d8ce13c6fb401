#include "wire/meta_pack.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rvf::wire {
namespace {

constexpr double kPowers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
static_assert(std::size(kPowers) == kMaxDecimals + 1);
constexpr double kLargestExact = 9007199254740992.0;  // 2^53

std::optional<int64_t> as_decimal(double value, uint8_t decimals) noexcept {
  const double scaled = value * kPowers[decimals];
  if (!(std::fabs(scaled) < kLargestExact)) return std::nullopt;
  const auto integer = static_cast<int64_t>(std::llround(scaled));
  const double back = decimal_value(integer, decimals);
  if (back != value || std::signbit(back) != std::signbit(value)) return std::nullopt;
  return integer;
}

// The fewest digits that hold every value.
std::optional<uint8_t> decimals_of(const MetaColumn& column, const std::vector<double>& values) {
  uint8_t decimals = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (column.is_null(i)) continue;
    while (!as_decimal(values[i], decimals)) {
      if (++decimals > kMaxDecimals) return std::nullopt;
    }
  }
  // More digits may have pushed an earlier, large value over the edge.
  for (size_t i = 0; i < values.size(); ++i) {
    if (!column.is_null(i) && !as_decimal(values[i], decimals)) return std::nullopt;
  }
  return decimals;
}

template <class T>
uint64_t integer_of(T value, uint8_t) noexcept {
  return static_cast<uint64_t>(value);
}
uint64_t integer_of(double value, uint8_t decimals) noexcept {
  return static_cast<uint64_t>(as_decimal(value, decimals).value_or(0));
}

template <class T>
std::optional<NumberPacking> choose(const MetaColumn& column, const std::vector<T>& values,
                                    uint8_t decimals, bool is_signed) {
  const auto below = [&](uint64_t a, uint64_t b) {
    return is_signed ? static_cast<int64_t>(a) < static_cast<int64_t>(b) : a < b;
  };
  NumberPacking p;
  p.decimals = decimals;
  uint64_t last = 0;
  bool any = false;
  for (size_t i = 0; i < values.size(); ++i) {
    if (column.is_null(i)) continue;
    const uint64_t v = integer_of(values[i], decimals);
    if (!any || below(v, p.base)) p.base = v;
    if (!any || below(last, v)) last = v;
    any = true;
  }
  if (!any) return p;
  uint64_t step = 0;
  for (size_t i = 0; i < values.size() && step != 1; ++i) {
    if (!column.is_null(i)) step = std::gcd(step, integer_of(values[i], decimals) - p.base);
  }
  p.step = std::max<uint64_t>(step, 1);
  const uint64_t widest = (last - p.base) / p.step;
  if (widest > UINT32_MAX) return std::nullopt;
  p.width = static_cast<uint8_t>(widest <= 0xFF ? 1 : widest <= 0xFFFF ? 2 : 4);
  return p;
}

}  // namespace

double decimal_value(int64_t integer, uint8_t decimals) noexcept {
  return static_cast<double>(integer) / kPowers[std::min<uint8_t>(decimals, kMaxDecimals)];
}

std::optional<NumberPacking> choose_packing(const MetaColumn& column) {
  if (const auto* v = std::get_if<std::vector<int64_t>>(&column.data)) {
    return choose(column, *v, 0, true);
  }
  if (const auto* v = std::get_if<std::vector<uint64_t>>(&column.data)) {
    return choose(column, *v, 0, false);
  }
  if (const auto* v = std::get_if<std::vector<double>>(&column.data)) {
    const auto decimals = decimals_of(column, *v);
    if (decimals) return choose(column, *v, *decimals, true);
  }
  return std::nullopt;
}

std::vector<uint32_t> pack_numbers(const MetaColumn& column, const NumberPacking& p) {
  std::vector<uint32_t> out(column.rows());
  const auto fill = [&](const auto& values) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (column.is_null(i)) continue;
      out[i] = static_cast<uint32_t>((integer_of(values[i], p.decimals) - p.base) / p.step);
    }
  };
  if (const auto* v = std::get_if<std::vector<int64_t>>(&column.data)) fill(*v);
  if (const auto* v = std::get_if<std::vector<uint64_t>>(&column.data)) fill(*v);
  if (const auto* v = std::get_if<std::vector<double>>(&column.data)) fill(*v);
  return out;
}

}  // namespace rvf::wire
