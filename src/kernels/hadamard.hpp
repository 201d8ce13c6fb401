// One round of a fast orthogonal rotation: signs, a Walsh-Hadamard transform of a window of the
// vector, and butterflies between its halves. The same bits on every instruction set: only
// additions, subtractions and multiplications, in the order that docs/format.md gives.
// Pure functions, thread-safe; they allocate nothing.
#pragma once
#include <cstddef>

#include "kernels/kernels.hpp"

namespace rvf::kernels {

struct HadamardRound {
  const float* factors = nullptr;  // padded: a sign, within the window times 1 / sqrt(window)
  size_t padded = 0;  // values, a multiple of 16
  size_t first = 0;  // where the window begins, a multiple of 16
  size_t window = 0;  // values of the window: a power of two, at least 16
  bool butterfly = false;  // whether x[i], x[i + padded / 2] become (sum, difference) / sqrt(2)
};

struct HadamardKernel {
  // In place: factors, transform, butterflies.
  void (*forward)(const HadamardRound& round, float* values);
  // Undoes forward: butterflies, transform, factors.
  void (*backward)(const HadamardRound& round, float* values);
};

// `isa` must be available.
HadamardKernel hadamard_kernel(Isa isa = Isa::kBest) noexcept;

namespace detail {
HadamardKernel avx2_hadamard() noexcept;
HadamardKernel avx512_hadamard() noexcept;
}  // namespace detail

}  // namespace rvf::kernels
