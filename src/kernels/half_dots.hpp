// Inner products of f16 rows with an f16 query, for ranking candidates: where the machine multiplies
// f16 directly the sums are kept in f16 for a few terms, which is less exact than the distances of
// kernels.hpp but twice as fast. Pure functions, thread-safe.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"

namespace rvf::kernels {

// out[r] is the sum over `dim` of query[i] * row[i] for the f16 row at rows + r * stride (bytes), at
// any address; nothing past 2 * dim bytes is read. On every instruction set
//   |error| <= kHalfDotsRelative * sum |query[i] * row[i]| + kHalfDotsAbsolute * dim.
// Sums that overflow f16 on the way are computed again in f32; NaN and infinities in a row give
// what arithmetic gives.
using HalfDots = void (*)(const uint16_t* query, const std::byte* rows, size_t stride, size_t n,
                          size_t dim, float* out);
HalfDots half_dots(Isa isa = Isa::kBest) noexcept;

inline constexpr float kHalfDotsRelative = 0x1p-8F;  // eight roundings of 2^-11
inline constexpr float kHalfDotsAbsolute = 0x1p-24F;  // products below the least f16

}  // namespace rvf::kernels
