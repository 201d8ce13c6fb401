#include "kernels/bit_planes.hpp"

#include <algorithm>

namespace rvf::kernels {

void pack_bit_planes(const uint8_t* values, size_t dim, unsigned bits, uint64_t* planes) noexcept {
  const size_t words = plane_words(dim);
  std::fill_n(planes, words * bits, 0);
  for (size_t i = 0; i < dim; ++i) {
    for (unsigned b = 0; b < bits; ++b) {
      planes[b * words + i / 64] |= (uint64_t{values[i]} >> b & 1) << (i % 64);
    }
  }
}

}  // namespace rvf::kernels
