// Which numbers of an array lie in a range: the inner loop of filters. Pure; thread-safe.
// The same result on every instruction set.
#pragma once
#include "kernels/kernels.hpp"

namespace rvf::kernels {

// words[i / 64] bit i % 64 |= (value[i] - low) mod 2^(8 width) <= span, for `rows` little-endian
// values of `width` bytes (1, 2, 4, 8), any alignment. Writes (rows + 63) / 64 words.
using RangeScan = void (*)(const std::byte* values, size_t rows, uint64_t low, uint64_t span,
                           uint64_t* words);
RangeScan range_scan(unsigned width, Isa isa = Isa::kBest) noexcept;

namespace detail {
RangeScan generic_range_scan(unsigned width) noexcept;
RangeScan avx512_range_scan(unsigned width) noexcept;
}  // namespace detail

}  // namespace rvf::kernels
