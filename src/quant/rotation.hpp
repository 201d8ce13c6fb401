// A random rotation in O(d log d): an orthogonal map of any dimension, up to rounding, fixed by its
// seed. The same bits on every machine; docs/format.md ("QUANT", rotation 2) gives each step.
// Rounds of random signs, a fast Walsh-Hadamard transform of the largest power of two of
// coordinates (the first and the last ones in turn) and, where that is not all of them, butterflies
// between the halves (one step of Kac's walk).
// Ailon and Chazelle, "The fast Johnson-Lindenstrauss transform", 2009.
// Immutable after make(): any number of threads may apply it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/hadamard.hpp"

namespace rvf::quant {

class Rotation {
 public:
  static constexpr uint32_t kDefaultRounds = 4;
  static constexpr size_t padded_of(size_t dim) noexcept { return (dim + 15) / 16 * 16; }

  Rotation() = default;  // of dimension 0
  // `dim` at least 1. 0 rounds copy. `isa` must be available and changes nothing but the speed.
  static Rotation make(size_t dim, uint64_t seed, uint32_t rounds = kDefaultRounds,
                       kernels::Isa isa = kernels::Isa::kBest);

  size_t dim() const noexcept { return dim_; }
  size_t padded() const noexcept { return padded_; }  // dim rounded up to 16
  uint64_t seed() const noexcept { return seed_; }
  uint32_t rounds() const noexcept { return rounds_; }
  size_t memory_bytes() const noexcept { return factors_.size() * sizeof(float); }

  // From dim() values to padded(), with zeros behind the vector. `in` may be `out`. Allocates
  // nothing.
  void apply(const float* in, float* out) const noexcept;
  // From padded() values back to padded(); the first dim() are the vector. `in` may be `out`.
  void invert(const float* in, float* out) const noexcept;

 private:
  kernels::HadamardRound round(uint32_t r) const noexcept;

  size_t dim_ = 0;
  size_t padded_ = 0;
  size_t window_ = 0;
  uint64_t seed_ = 0;
  uint32_t rounds_ = 0;
  kernels::HadamardKernel kernel_ = {};
  std::vector<float> factors_;  // [rounds][padded]: signs, within the window times 1 / sqrt(window)
};

}  // namespace rvf::quant
