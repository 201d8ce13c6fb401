// A best-first walk over fused node blocks (fused_layout.hpp), one compiled copy for each
// instruction set; all give the same bits. Plain structs without the standard library's templates:
// the units of each instruction set include this, and its functions are inlined always: a copy with
// AVX code must not be the one that the linker keeps for all.
//
// Two pools: `estimates` holds nodes that one-bit codes put near the query, `near` those whose own
// bytes were compared. The best estimate is refined before anything is expanded, only refined nodes
// are expanded, and the walk ends when no estimate is below the worst of `near` and all of `near`
// is expanded. The next action is chosen, and its memory asked for, before the pending one is
// worked on.
#pragma once
#include <cstddef>
#include <cstdint>

#include "index/fused_layout.hpp"

namespace rvf::index {

// Pools hold keys in ascending order: the distance as an integer that sorts like it in the high
// half, the node in the low half, in `near` shifted by one for the mark of an expanded node.
inline constexpr uint64_t kNoKey = ~uint64_t{0};

[[gnu::always_inline]] inline uint32_t sortable(float f) noexcept {
  uint32_t bits;
  __builtin_memcpy(&bits, &f, 4);
  return bits ^ (static_cast<uint32_t>(static_cast<int32_t>(bits) >> 31) | 0x80000000U);
}
[[gnu::always_inline]] inline float unsortable(uint32_t s) noexcept {
  const uint32_t bits = (s & 0x80000000U) != 0 ? s ^ 0x80000000U : ~s;
  float f;
  __builtin_memcpy(&f, &bits, 4);
  return f;
}

// The query in the space of the blocks; made by FusedSpace::prepare().
struct FusedQuery {
  const uint8_t* table = nullptr;  // 16 subset sums for every 4 coordinates, at most 127 each
  const int8_t* high = nullptr;  // coordinate i is about step * (128 * high[i] + low[i])
  const int8_t* low = nullptr;
  int64_t offset = 0;  // 128 * sum of those integers: what the bytes' offset adds to a product
  float step = 0;
  float norm2 = 0;
  float code_base = 0;  // the product with signs s is about code_base + code_step * sum
  float code_step = 0;
};

// A neighbour minus its centre.
struct FusedDifference {
  float square = 0;  // sum of squares
  float absolute = 0;  // sum of absolute values
  float signs_by_centre = 0;  // product of its signs with the centre
};

struct FusedBlocks {
  const std::byte* const* parts = nullptr;  // node n lies in parts[n >> part_shift]
  uint32_t part_shift = 0;
  uint32_t nodes = 0;
  FusedLayout layout;
  const std::byte* root = nullptr;  // groups of 32 leaders, coded against the centre
  uint32_t root_groups = 0;

  [[gnu::always_inline]] const std::byte* block(uint32_t node) const noexcept {
    return parts[node >> part_shift] + size_t{node & ((1U << part_shift) - 1)} * layout.block_bytes;
  }
};

// Which nodes a search may return: bits of rows in chunks, as RowBitmap has them.
struct NodeTest {
  static constexpr uint32_t kChunkShift = 16;

  const uint64_t* const* passing = nullptr;  // a chunk for every 65,536 rows; null: all pass
  const uint64_t* const* dead = nullptr;  // null: none is dead
  uint64_t first_row = 0;

  // 0 or 1. `node` must be one of the graph.
  [[gnu::always_inline]] uint32_t operator()(uint32_t node) const noexcept {
    const uint64_t row = first_row + node;
    uint64_t bits = ~uint64_t{0};
    if (passing != nullptr) bits = word(passing, row);
    if (dead != nullptr) bits &= ~word(dead, row);
    return static_cast<uint32_t>(bits >> (row % 64)) & 1;
  }

 private:
  [[gnu::always_inline]] static uint64_t word(const uint64_t* const* chunks,
                                              uint64_t row) noexcept {
    return chunks[row >> kChunkShift][row % (uint64_t{1} << kChunkShift) / 64];
  }
};

struct FusedState {
  static constexpr uint32_t kEstimates = 16;
  static constexpr uint32_t kEntries = 4;  // leaders kept of the root
  static constexpr uint32_t kBatch = 4;  // refined at once

  // 64-byte aligned, a multiple of 8 keys, at least width; all kNoKey at the start.
  uint64_t* near = nullptr;
  uint32_t near_keys = 0;
  uint32_t width = 0;
  // One byte a node; a node is refined when it holds `round`.
  uint8_t* marks = nullptr;
  uint8_t round = 0;
  // The first refined nodes in the order of refinement, as keys.
  uint64_t* trace = nullptr;
  uint32_t trace_room = 0;
  uint32_t traced = 0;

  // Where given: neighbours of expanded nodes that may be returned and may be nearer than
  // `collect_below`, as an estimate is off by up to `collect_slack` of the expanded node's
  // distance. Keys of the least that the distance may be, more than once where more than one node
  // sees them. Room for 32 for every expansion until they are taken away.
  uint64_t* collected = nullptr;
  uint32_t collected_count = 0;
  float collect_below = 0;
  float collect_slack = 0;
  NodeTest may_be_returned;

  uint64_t expansions = 0;
  uint64_t refined = 0;

  // Of the walk itself; zero at the start.
  alignas(64) uint64_t estimates[kEstimates] = {};
  uint32_t pending[kBatch] = {};
  uint32_t pending_refines = 0;
  uint32_t pending_expansion = kNoNode;
  float pending_distance = 0;
  uint32_t cursor = 0;  // no key of `near` before it waits for expansion
  bool started = false;
};

// What the bounds of one query's distances are made of.
struct SignFrame {
  float norm2 = 0;  // of the query
  float unit = 0;  // the product with a row's signs is unit * (whole - 2 * differing bits)
  float whole = 0;
  float quarter = 0;  // of the coordinates
  float of_row = 0;  // squared errors: for each of the row's residual,
  float of_query = 0;  // and of its squared factor
  float within = 0;
};
inline constexpr uint32_t kSignBatch = 32;

struct FusedKernels {
  // Goes on for at most `steps` expansions; true when the walk has ended.
  bool (*walk)(const FusedBlocks&, const FusedQuery&, FusedState&, uint64_t steps);

  // Fills `query` for the placed vector `z` of `padded` floats. Room: table 4 * padded bytes, high
  // and low vector_bytes each, zero behind `padded`; all 64-byte aligned and kept by the caller.
  void (*prepare)(const float* z, const FusedLayout& layout, uint8_t* table, int8_t* high,
                  int8_t* low, FusedQuery& query);

  // Writes the one-bit codes of `count` neighbours, seen from the centre, and zeros for the other
  // slots; out[i] is what the factors of neighbour i are made of.
  void (*encode)(const int8_t* centre, float centre_scale, const int8_t* const* neighbours,
                 const float* scales, uint32_t count, uint32_t padded, uint8_t* codes,
                 FusedDifference* out);

  // Estimated distances of the members of `count` groups that follow on from each other, all seen
  // from a centre at `distance` from the query: the keys of those below a limit, as in a pool of
  // estimates. Room for 32 keys a group. Numbers are those in the groups, unchecked.
  uint32_t (*scan)(const FusedLayout& layout, const std::byte* groups, uint32_t count,
                   const FusedQuery& query, float distance, float below, uint64_t* keys);

  // The squared distance to the vector of a head; infinite where it is NaN.
  float (*head_distance)(const FusedLayout& layout, const std::byte* head, const FusedQuery& query);

  // Bounds of the distances of kSignBatch rows from their factors and the bits that differ; the set
  // of those whose low one is not above `within`, without what damage made infinite.
  uint32_t (*sign_bounds)(const SignFrame& frame, const float* add, const float* mul,
                          const uint32_t* differ, float* low, float* high);
};

extern const FusedKernels kFusedScalar;
extern const FusedKernels kFusedAvx2;
extern const FusedKernels kFusedAvx512;

}  // namespace rvf::index
