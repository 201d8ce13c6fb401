// One bit a coordinate of every node by itself, seen from the origin of the fused space: what a
// filtered search compares where the rows that match are too many to be compared one by one, and
// too few for a walk. RaBitQ's estimate (Gao and Long, SIGMOD 2024) and its error.
//
// A record of FusedLayout::sign_bytes: sign_words words, f32 add, f32 mul, zeros.
// With S the product of the signs with the query, |q - o|^2 is about |q|^2 + add + mul * S.
// Pure functions, thread-safe; the same bits on every machine.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/fused_space.hpp"
#include "kernels/bit_planes.hpp"

namespace rvf::index {

// From the head of a node's block.
void write_sign_code(const FusedLayout& layout, const std::byte* block, std::byte* record) noexcept;

// Where the codes of a graph lie.
struct SignCodes {
  const std::byte* const* parts = nullptr;  // as in FusedBlocks; null: there are none
  uint32_t part_shift = 0;
  FusedLayout layout;

  const std::byte* record(uint32_t node) const noexcept {
    return parts[node >> part_shift] + size_t{node & ((1U << part_shift) - 1)} * layout.sign_bytes;
  }
};

// The distance to a row lies between these, but for the deviations of chance that were asked for.
struct SignBounds {
  float low = 0;
  float high = 0;
  uint32_t node = 0;
};

class SignQuery {
 public:
  explicit SignQuery(kernels::Isa isa = kernels::Isa::kBest)
      : differences_(kernels::sign_differences(isa)), kernels_(&fused_kernels(isa)) {}

  // `placed` has layout.padded values.
  void prepare(const FusedLayout& layout, const float* placed);
  float norm2() const noexcept { return norm2_; }

  // Appends the bounds of those of `n` nodes whose low one is not above `within`. The nodes are
  // numbers in part `part` of the codes. `deviations` of the estimate's error for a row that is
  // `within` away are between an estimate and either bound.
  void bounds(const SignCodes& codes, uint32_t part, const uint32_t* numbers, size_t n,
              float within, float deviations, std::vector<SignBounds>& out) const;

 private:
  kernels::SignDifferences differences_;
  const FusedKernels* kernels_;
  std::vector<uint64_t> planes_;
  size_t words_ = 0;
  float padded_ = 0;
  float unit_ = 0;
  float norm2_ = 0;
  float rounding2_ = 0;  // squared distance between the query and what its planes say
};

}  // namespace rvf::index
