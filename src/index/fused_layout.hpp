// Where things lie in a node block of the fused search layout (docs/format.md, "FUSED"): a node's
// own vector as bytes, and its neighbours' numbers, factors and one-bit codes, so that one
// contiguous read answers what a step of a search asks. Plain C++ without the standard library's
// templates: the units of each instruction set include it.
#pragma once
#include <cstddef>
#include <cstdint>

namespace rvf::index {

inline constexpr uint32_t kFusedDegree = 32;  // neighbour slots of a node
inline constexpr uint32_t kNoNode = 0xFFFFFFFF;  // no node; fills unused slots

constexpr uint32_t fused_groups(uint64_t members) noexcept {
  return static_cast<uint32_t>((members + kFusedDegree - 1) / kFusedDegree);
}

struct FusedLayout {
  static constexpr uint32_t kNorm = 0;  // f32: |x|^2
  static constexpr uint32_t kScale = 4;  // f32: x is about scale * (byte - 128)
  static constexpr uint32_t kVector = 64;

  uint32_t padded = 0;  // coordinates, a multiple of 16
  uint32_t vector_bytes = 0;  // a multiple of 64
  uint32_t ids = 0;  // u32[32]
  uint32_t add = 0;  // f16[32]
  uint32_t mul = 0;  // f16[32]
  uint32_t codes = 0;  // 16 bytes for every 4 coordinates: low nibbles of neighbours 0 to 15, high
      // nibbles of 16 to 31
  uint32_t block_bytes = 0;
  uint32_t sign_words = 0;  // of 64 bits, of the code of a node by itself
  uint32_t sign_bytes = 0;  // such a code with its factors, a multiple of 32

  // dim at most 65536.
  static constexpr FusedLayout of(uint32_t dim) noexcept {
    FusedLayout l;
    l.padded = (dim + 15) / 16 * 16;
    l.vector_bytes = (l.padded + 63) / 64 * 64;
    l.ids = kVector + l.vector_bytes;
    l.add = l.ids + 4 * kFusedDegree;
    l.mul = l.add + 2 * kFusedDegree;
    l.codes = l.mul + 2 * kFusedDegree;
    l.block_bytes = l.codes + 4 * l.padded;
    l.sign_words = (l.padded + 63) / 64;
    l.sign_bytes = (8 * l.sign_words + 8 + 31) / 32 * 32;
    return l;
  }
  // A group of the root has the same shape as the part of a block behind the vector.
  [[gnu::always_inline]] constexpr uint32_t group_bytes() const noexcept {
    return block_bytes - ids;
  }
};

}  // namespace rvf::index
