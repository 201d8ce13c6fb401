// Which of 32 one-bit RaBitQ estimates leave room for a distance of at most a threshold. Internal to
// src/quant. Pure functions, thread-safe; the same answer on every instruction set.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"

namespace rvf::quant {

inline constexpr size_t kBlockRows = 32;

struct BlockFactors {
  float add[kBlockRows];
  float scale[kBlockRows];
  float error[kBlockRows];
};

struct BoundTerms {
  float step = 0;  // <v, q> is at most step * sum + bias
  float bias = 0;
  float add = 0;
  float error = 0;  // deviations * |q - c|
  float threshold = 0;
};

// Bit i is set unless (add[i] + terms.add) + scale[i] * (step * sums[i] + bias) - error[i] *
// terms.error > threshold; NaN sets it.
using BoundMask = uint32_t (*)(const uint32_t* sums, const BlockFactors& factors,
                               const BoundTerms& terms);
BoundMask bound_mask(kernels::Isa isa = kernels::Isa::kBest) noexcept;

}  // namespace rvf::quant
