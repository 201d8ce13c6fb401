#include "kernels/pq_scan.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace rvf::kernels {

TableRounding round_tables(const float* tables, size_t m, size_t entries, uint8_t* out) noexcept {
  double widest = 0;
  for (size_t s = 0; s < m; ++s) {
    const auto [low, high] = std::minmax_element(tables + s * entries, tables + (s + 1) * entries);
    widest = std::max(widest, static_cast<double>(*high) - *low);
  }
  TableRounding r;
  r.step = static_cast<float>(widest / 255);
  const double step = r.step;
  double bias = 0;
  double error = 0;
  double magnitude = 0;  // of the largest sum of floats, which f32 adds with a relative error
  for (size_t s = 0; s < m; ++s) {
    const float* table = tables + s * entries;
    const auto [low_at, high_at] = std::minmax_element(table, table + entries);
    const double low = *low_at;
    double worst = 0;
    for (size_t k = 0; k < entries; ++k) {
      const double steps = step > 0 ? std::floor((table[k] - low) / step + 0.5) : 0;
      const double byte = std::min(steps, 255.0);
      out[s * entries + k] = static_cast<uint8_t>(byte);
      worst = std::max(worst, std::abs(low + step * byte - table[k]));
    }
    bias += low;
    error += worst;
    magnitude += std::max(std::abs(low), std::abs(static_cast<double>(*high_at)));
  }
  r.bias = static_cast<float>(bias);
  // m additions of the float sums, and three roundings of bias + step * sum.
  constexpr double kUnit = 0x1p-24;
  const auto terms = static_cast<double>(m);
  error += kUnit * terms * magnitude;
  error += 3 * kUnit * (std::abs(bias) + step * 255 * terms);
  r.error = std::nextafter(static_cast<float>(error), INFINITY);
  return r;
}

void pack_pq8(const uint8_t* codes, size_t n, size_t m, uint8_t* out) noexcept {
  std::memset(out, 0, (n + kPq8Block - 1) / kPq8Block * kPq8Block * m);
  for (size_t i = 0; i < n; ++i) {
    uint8_t* block = out + i / kPq8Block * kPq8Block * m;
    for (size_t s = 0; s < m; ++s) block[s * kPq8Block + i % kPq8Block] = codes[i * m + s];
  }
}

void pack_pq4(const uint8_t* codes, size_t n, size_t m, uint8_t* out) noexcept {
  std::memset(out, 0, (n + kPq4Block - 1) / kPq4Block * 16 * m);
  for (size_t i = 0; i < n; ++i) {
    uint8_t* block = out + i / kPq4Block * 16 * m;
    const size_t at = i % kPq4Block;
    for (size_t s = 0; s < m; ++s) {
      const unsigned nibble = codes[i * m + s] & 0xFU;
      block[s * 16 + at % 16] |= static_cast<uint8_t>(nibble << (at / 16 * 4));
    }
  }
}

}  // namespace rvf::kernels
