// Product quantisation: sums of table entries chosen by codes (asymmetric distances, Jegou et al.,
// TPAMI 2011) for blocks of codes at once. Pure functions, thread-safe.
//
// `m` subspaces, 1 <= m <= 65536; a code is m numbers, each below 256 (8-bit) or below 16 (4-bit).
// Codes are stored in blocks, transposed, so that one register holds the same subspace of many
// codes:
//   8 bits: blocks of 64 codes, m * 64 bytes. Byte s * 64 + c is subspace s of code c.
//   4 bits: blocks of 32 codes, m * 16 bytes. Byte s * 16 + c, c < 16: its low nibble is subspace s
//           of code c, its high nibble that of code c + 16 (the order of fast scan, Andre et al.,
//           VLDB 2015).
// Codes missing from the last block are zero; their sums are computed and mean nothing. Blocks and
// tables may lie at any address; 64-byte alignment is faster.
//
// The tables of a query are float, entries[s][k] at s * 256 + k (8-bit) or s * 16 + k (4-bit). For
// the byte kernels they are rounded to one byte an entry by round_tables, which also says by how
// much the sum of a code can be wrong, so that a search can add it to its bound.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"

namespace rvf::kernels {

inline constexpr size_t kPq8Block = 64;  // codes
inline constexpr size_t kPq4Block = 32;

// out[c] = float sum of tables[s][code c at s], added in the order of s: the same bits on every
// instruction set. Writes blocks * 64 values.
using PqFloatSums = void (*)(const float* tables, const uint8_t* codes, size_t m, size_t blocks,
                             float* out);
PqFloatSums pq8_float_sums(Isa isa = Isa::kBest) noexcept;

// The same over tables of one byte an entry; exact. Writes blocks * 64 (pq8) or blocks * 32 (pq4)
// values.
using PqByteSums = void (*)(const uint8_t* tables, const uint8_t* codes, size_t m, size_t blocks,
                            uint32_t* out);
PqByteSums pq8_byte_sums(Isa isa = Isa::kBest) noexcept;
PqByteSums pq4_byte_sums(Isa isa = Isa::kBest) noexcept;

// sum of floats = bias + step * (sum of bytes), within +- error, for every code.
struct TableRounding {
  float step = 0;
  float bias = 0;
  // At most m * step / 2 and what f32 loses; the sum over the subspaces of the largest error there.
  float error = 0;
};

// Rounds m tables of `entries` (16 or 256) finite floats each to bytes with one step for all of
// them and an offset each; tables that are all constant give step 0. `out` takes m * entries bytes.
TableRounding round_tables(const float* tables, size_t m, size_t entries, uint8_t* out) noexcept;

// codes[i * m + s] is subspace s of code i, one byte each, for both. Writes whole blocks:
// (n + 63) / 64 * m * 64 bytes, or (n + 31) / 32 * m * 16.
void pack_pq8(const uint8_t* codes, size_t n, size_t m, uint8_t* out) noexcept;
void pack_pq4(const uint8_t* codes, size_t n, size_t m, uint8_t* out) noexcept;

}  // namespace rvf::kernels
