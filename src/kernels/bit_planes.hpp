// Inner products of small unsigned integers kept as bit planes: a query quantised to 1..8 bits
// against codes of 1..8 bits, by AND and population count. This is the single-code estimator of
// RaBitQ (Gao and Long, SIGMOD 2024, arXiv 2405.12497; extended: arXiv 2409.09913). The same
// numbers on every instruction set. Pure functions, thread-safe.
//
// Layout of a value of `bits` planes: plane 0 (the least significant bits) first, each plane
// plane_words(dim) little-endian 64-bit words, element i in bit i % 64 of word i / 64, unused bits
// of the last word zero.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"

namespace rvf::kernels {

constexpr size_t plane_words(size_t dim) noexcept { return (dim + 63) / 64; }

// What the kernel compares: `query` has query_bits planes, each row row_bits planes, all of `words`
// words. query_bits and row_bits in 1..8, words in 1..1024.
struct BitPlaneQuery {
  const uint64_t* planes = nullptr;
  unsigned query_bits = 0;
  unsigned row_bits = 0;
  size_t words = 0;
};

// out[r] = sum over i of query[i] * row[i], for the row whose planes begin at rows + r * stride
// (bytes; any address). It fits: 65535 * 255 * 255 < 2^32.
using BitPlaneDots = void (*)(const BitPlaneQuery& query, const std::byte* rows, size_t stride,
                              size_t n, uint32_t* out);
BitPlaneDots bit_plane_dots(Isa isa = Isa::kBest) noexcept;

// Products of signs with small odd numbers. Number i is sum of 2^p * (2 * b - 1) over the planes p,
// b its bit in that plane; sign i is + where the row's bit is 1, - where it is 0. Their product is
// (2^kSignPlanes - 1) * dim - 2 * out, whatever lies behind dim being equal in planes and rows.
inline constexpr unsigned kSignPlanes = 4;
struct SignQuery {
  const uint64_t* planes = nullptr;  // kSignPlanes * words
  size_t words = 0;  // 1..1024
};
// out[i] = sum over the planes p of 2^p * (bits in which plane and row differ), for the row whose
// words begin at rows + numbers[i] * stride (bytes; any address).
using SignDifferences = void (*)(const SignQuery& query, const std::byte* rows, size_t stride,
                                 const uint32_t* numbers, size_t n, uint32_t* out);
SignDifferences sign_differences(Isa isa = Isa::kBest) noexcept;

// Writes bits * plane_words(dim) words. values[i] < 2^bits.
void pack_bit_planes(const uint8_t* values, size_t dim, unsigned bits, uint64_t* planes) noexcept;

}  // namespace rvf::kernels
