#include "quant/rotation.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "types/splitmix.hpp"

namespace rvf::quant {

Rotation Rotation::make(size_t dim, uint64_t seed, uint32_t rounds, kernels::Isa isa) {
  Rotation r;
  r.dim_ = dim;
  r.padded_ = padded_of(dim);
  r.window_ = std::bit_floor(r.padded_);
  r.seed_ = seed;
  r.rounds_ = rounds;
  r.kernel_ = kernels::hadamard_kernel(isa);
  r.factors_.resize(r.padded_ * rounds);
  const float inside = 1 / std::sqrt(static_cast<float>(r.window_));
  const size_t words = (r.padded_ + 63) / 64;
  for (uint32_t k = 0; k < rounds; ++k) {
    float* factors = r.factors_.data() + k * r.padded_;
    const size_t first = r.round(k).first;
    for (size_t i = 0; i < r.padded_; ++i) {
      const uint64_t word = splitmix64(seed + (k * words + i / 64) * kSplitmixStep);
      const float size = i >= first && i < first + r.window_ ? inside : 1.0F;
      factors[i] = (word >> (i % 64) & 1) != 0 ? -size : size;
    }
  }
  return r;
}

kernels::HadamardRound Rotation::round(uint32_t r) const noexcept {
  return {.factors = factors_.data() + r * padded_,
          .padded = padded_,
          .first = r % 2 == 0 ? 0 : padded_ - window_,
          .window = window_,
          .butterfly = window_ != padded_};
}

void Rotation::apply(const float* in, float* out) const noexcept {
  if (in != out) std::memmove(out, in, dim_ * sizeof(float));
  std::fill(out + dim_, out + padded_, 0.0F);
  for (uint32_t r = 0; r < rounds_; ++r) kernel_.forward(round(r), out);
}

void Rotation::invert(const float* in, float* out) const noexcept {
  if (in != out) std::memmove(out, in, padded_ * sizeof(float));
  for (uint32_t r = rounds_; r-- > 0;) kernel_.backward(round(r), out);
}

}  // namespace rvf::quant
