// The codes of RaBitQ: a few bits a dimension, and how they are packed. Level x of B bits stands for
// the value x - (2^B - 1) / 2. Pure functions, thread-safe; the same results on every machine.
#pragma once
#include <cstddef>
#include <cstdint>

namespace rvf::quant {

inline constexpr unsigned kMaxRaBitQBits = 8;

// The value of level 0, negated: what is taken from each level.
constexpr float level_middle(unsigned bits) noexcept {
  return static_cast<float>((1U << bits) - 1) / 2;
}

// Bytes of `padded` levels, a multiple of 16.
constexpr size_t packed_bytes(size_t padded, unsigned bits) noexcept { return padded / 8 * bits; }

// The levels whose direction is nearest to that of `residual`, over a grid of scales. [padded] each.
void choose_levels(const float* residual, size_t padded, unsigned bits, uint8_t* levels) noexcept;

// A stream of bits, level after level, the lowest bit first.
void pack_levels(const uint8_t* levels, size_t padded, unsigned bits, uint8_t* packed) noexcept;
void unpack_levels(const uint8_t* packed, size_t padded, unsigned bits, uint8_t* levels) noexcept;

// Sum of level * value, in one fixed order. [padded] each, padded a multiple of 16.
float dot_levels(const uint8_t* levels, const float* values, size_t padded) noexcept;
// The same over packed levels.
float dot_packed(const uint8_t* packed, const float* values, size_t padded, unsigned bits) noexcept;

}  // namespace rvf::quant
