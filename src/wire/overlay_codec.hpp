// OVERLAY_SEG: what one epoch changed in the graph, relative to the epoch before: edges, partition
// summaries, a min-cut witness and the way back. docs/format.md has the byte table. Pure functions,
// thread-safe.
#pragma once
#include <array>
#include <optional>

#include "rvf/result.hpp"
#include "types/segment.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

enum class EdgeOp : uint8_t { kInsert = 1, kDelete = 2, kReweight = 3 };

struct EdgeDelta {
  EdgeOp op = EdgeOp::kInsert;
  uint8_t layer = 0;
  uint16_t relation = 0;  // 0: proximity; other numbers are the writer's
  float weight = 0;  // ignored for kDelete
  uint64_t from = 0;
  uint64_t to = 0;
  friend bool operator==(const EdgeDelta&, const EdgeDelta&) = default;
};

struct PartitionSummary {
  uint64_t partition_id = 0;
  uint64_t node_count = 0;
  uint64_t internal_edges = 0;
  uint64_t boundary_edges = 0;
  double boundary_weight = 0;
  friend bool operator==(const PartitionSummary&, const PartitionSummary&) = default;
};

// Proof of an upper bound on the minimum cut: removing `cut_edges` separates `side` from the rest,
// and their weights sum to `value`. Whoever has the graph can check it in one pass.
struct MinCutWitness {
  double value = 0;
  std::vector<std::array<uint64_t, 2>> cut_edges;  // {from, to}
  std::vector<uint64_t> side;  // node ids, ascending
  friend bool operator==(const MinCutWitness&, const MinCutWitness&) = default;
};

struct Rollback {
  uint32_t epoch = 0;
  uint64_t segment_id = 0;  // the overlay or index of that epoch
  uint64_t file_offset = 0;
  ContentHash content_hash{};
  friend bool operator==(const Rollback&, const Rollback&) = default;
};

struct Overlay {
  uint32_t epoch = 0;
  std::optional<Rollback> rollback;
  std::vector<EdgeDelta> edges;
  std::vector<PartitionSummary> partitions;
  std::optional<MinCutWitness> min_cut;
  friend bool operator==(const Overlay&, const Overlay&) = default;
};

Bytes encode_overlay(const Overlay& overlay);
Result<Overlay> decode_overlay(ByteSpan payload);

}  // namespace rvf::wire
