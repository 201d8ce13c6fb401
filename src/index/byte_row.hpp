// A placed vector as signed bytes: what builders compare, and what heads of blocks and lists hold.
// Pure functions, thread-safe; the same bits on every machine.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "index/fused_space.hpp"

namespace rvf::index {

struct ByteRow {
  float scale = 0;  // coordinate i is about scale * code[i]
  float norm = 0;  // squared, of the decoded bytes
  // What a block says of its vector: the exact squared norm, and the scale with which products of
  // the bytes are unbiased.
  float block_norm = 0;
  float block_scale = 0;
  float lift = 0;  // what a distance to this row is larger by than its bytes say
};

// `placed` has layout.padded floats, `code` room for layout.vector_bytes.
ByteRow to_byte_row(const FusedLayout& layout, const float* placed, float lift,
                    int8_t* code) noexcept;

// Decodes row `row` of the input into `vector` (dim values) and places it: layout.padded floats.
// Returns its lift; a row that does not decode counts as zeros.
float place_row(const FusedSpace& space, const GraphInput& input, uint64_t row,
                std::span<float> vector, float* placed) noexcept;

// The first FusedLayout::kVector + vector_bytes of a block.
void write_head(const FusedLayout& layout, const int8_t* code, const ByteRow& row,
                std::byte* head) noexcept;

// One neighbour in a group.
struct GroupMember {
  uint32_t number = 0;
  const int8_t* code = nullptr;
  float scale = 0;
  float lift = 0;
};
// At most 32 members, seen from a centre.
void write_group(const FusedKernels& kernels, const FusedLayout& layout, const int8_t* centre,
                 float centre_scale, std::span<const GroupMember> members,
                 std::byte* group) noexcept;

}  // namespace rvf::index
