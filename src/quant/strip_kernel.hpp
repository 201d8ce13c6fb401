// Squared L2 distances from rows to many centroids, which stand in strips: 16 centroids side by
// side, value after value. The same bits on every instruction set: each distance is the sum of
// squared differences in the order of the dimensions, without fused multiply-add.
// Internal to src/quant. Pure functions, thread-safe.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"

namespace rvf::quant {

inline constexpr size_t kStripWidth = 16;

struct StripTable {
  const float* values = nullptr;  // [strips][dim][kStripWidth]
  size_t dim = 0;
  size_t strips = 0;
};

struct StripKernel {
  // out[r * strips * kStripWidth + c], `rows` are dim values each.
  void (*distances)(const StripTable& table, const float* const* rows, size_t n, float* out);
  // The nearest centroid of each row and its distance; of equally near ones the first. Where every
  // distance is infinite or NaN: 0 and infinity.
  void (*nearest)(const StripTable& table, const float* const* rows, size_t n, uint32_t* index,
                  float* distance);
};

StripKernel strip_kernel(kernels::Isa isa = kernels::Isa::kBest) noexcept;

namespace detail {
StripKernel avx2_strips() noexcept;
StripKernel avx512_strips() noexcept;
}  // namespace detail

}  // namespace rvf::quant
