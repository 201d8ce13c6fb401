// Differing bits between one packed query and many packed rows. The same numbers on every
// instruction set. Pure functions, thread-safe.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"

namespace rvf::kernels {

// out[r] = number of the first `bits` bits that differ between `query` and the row at
// rows + r * stride. Bit i is bit i % 8 of byte i / 8, as in DType::kBinary. Query and rows may lie
// at any address and neither is read past its (bits + 7) / 8 bytes; bits past `bits` in the last
// byte do not count. 1 <= bits <= 2^20.
using HammingRows = void (*)(const std::byte* query, const std::byte* rows, size_t stride, size_t n,
                             size_t bits, uint32_t* out);
HammingRows hamming_rows(Isa isa = Isa::kBest) noexcept;

}  // namespace rvf::kernels
