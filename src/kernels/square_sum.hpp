// The squared length of a vector in f64, in an order of additions that is the same on every machine
// and lets any of them add several values at once.
#pragma once
#include <cstddef>
#include <span>

namespace rvf::kernels {

// Eight partial sums: value i goes to sum i % 8, and these are added pairwise at the end.
inline double square_sum(std::span<const float> v) noexcept {
  constexpr size_t kSums = 8;
  double sums[kSums] = {};
  size_t i = 0;
  for (; i + kSums <= v.size(); i += kSums) {
    for (size_t j = 0; j < kSums; ++j) {
      const auto x = static_cast<double>(v[i + j]);
      sums[j] += x * x;
    }
  }
  for (size_t j = 0; i + j < v.size(); ++j) {
    const auto x = static_cast<double>(v[i + j]);
    sums[j] += x * x;
  }
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

}  // namespace rvf::kernels
