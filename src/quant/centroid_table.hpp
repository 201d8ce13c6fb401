// Centroids laid out for finding the nearest one of many rows quickly: partitions, coarse
// quantisers, code books. Squared L2. Results have the same bits on every machine.
// Immutable; thread-safe.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "quant/strip_kernel.hpp"
#include "rvf/executor.hpp"

namespace rvf::quant {

class CentroidTable {
 public:
  CentroidTable() = default;
  // `centroids` is [count][dim], count and dim at least 1. Copied. `isa` must be available.
  CentroidTable(std::span<const float> centroids, size_t dim,
                kernels::Isa isa = kernels::Isa::kBest);

  size_t dim() const noexcept { return dim_; }
  size_t count() const noexcept { return count_; }
  // Distances of a row: count() rounded up to 16; what follows count() is infinity.
  size_t width() const noexcept { return (count_ + kStripWidth - 1) / kStripWidth * kStripWidth; }
  size_t memory_bytes() const noexcept { return strips_.size() * sizeof(float); }

  // out is [width()].
  void distances(const float* row, float* out) const noexcept;
  // out is [n][width()].
  void distances(std::span<const float* const> rows, float* out) const noexcept;
  // `rows` is [n][stride], of which the first dim() values of each count; index and distance are
  // [n]. Of equally near centroids the first is taken.
  void nearest(const float* rows, size_t stride, size_t n, uint32_t* index,
               float* distance) const noexcept;
  // The same, shared out; `executor` may be null. The result does not depend on it.
  void nearest(const float* rows, size_t stride, size_t n, uint32_t* index, float* distance,
               Executor* executor) const;

 private:
  StripTable table() const noexcept { return {strips_.data(), dim_, width() / kStripWidth}; }

  size_t dim_ = 0;
  size_t count_ = 0;
  StripKernel kernel_ = {};
  std::vector<float> strips_;
};

}  // namespace rvf::quant
