#include "quant/centroid_table.hpp"

#include <algorithm>
#include <limits>

namespace rvf::quant {

CentroidTable::CentroidTable(std::span<const float> centroids, size_t dim, kernels::Isa isa)
    : dim_(dim), count_(centroids.size() / dim), kernel_(strip_kernel(isa)) {
  strips_.assign(width() * dim, std::numeric_limits<float>::infinity());
  for (size_t c = 0; c < count_; ++c) {
    float* strip = strips_.data() + c / kStripWidth * dim * kStripWidth + c % kStripWidth;
    for (size_t j = 0; j < dim; ++j) strip[j * kStripWidth] = centroids[c * dim + j];
  }
}

void CentroidTable::distances(const float* row, float* out) const noexcept {
  kernel_.distances(table(), &row, 1, out);
}

void CentroidTable::distances(std::span<const float* const> rows, float* out) const noexcept {
  kernel_.distances(table(), rows.data(), rows.size(), out);
}

void CentroidTable::nearest(const float* rows, size_t stride, size_t n, uint32_t* index,
                            float* distance) const noexcept {
  constexpr size_t kBatch = 64;
  const float* batch[kBatch];
  for (size_t first = 0; first < n; first += kBatch) {
    const size_t m = std::min(kBatch, n - first);
    for (size_t i = 0; i < m; ++i) batch[i] = rows + (first + i) * stride;
    kernel_.nearest(table(), batch, m, index + first, distance + first);
  }
}

void CentroidTable::nearest(const float* rows, size_t stride, size_t n, uint32_t* index,
                            float* distance, Executor* executor) const {
  if (executor == nullptr) return nearest(rows, stride, n, index, distance);
  executor->parallel_for(n, 1024, [&](size_t, uint64_t begin, uint64_t end) {
    nearest(rows + begin * stride, stride, end - begin, index + begin, distance + begin);
  });
}

}  // namespace rvf::quant
