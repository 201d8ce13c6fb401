// The graph index: a proximity graph with up to 32 neighbours a node and one upper layer of leaders, kept
// as standard INDEX payloads (docs/format.md, "INDEX") and, for speed, as fused node blocks (docs/
// format.md, "FUSED"). Either is searched straight from the map; nothing is decoded at open.
//
// Building works on byte codes of the rows in the fused space, reading a frozen graph at every
// step: the same seed gives the same bytes on every machine, instruction set and number of threads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "index/aligned_array.hpp"
#include "index/fused_layout.hpp"
#include "index/index.hpp"
#include "rvf/executor.hpp"
#include "wire/bytes.hpp"

namespace rvf::index {

struct GraphParams {
  uint16_t m = 16;  // 4..64: degree of the upper layer; the base layer has degree()
  uint32_t ef_construction = 128;  // 8..4096: width of the search for a row's neighbours
  uint64_t seed = 0x5256465F47524148;
  bool calibrate =
      true;  // measure which ef reaches which recall on held-out rows (about 2 % of the build)
  uint64_t memory_limit = 0;  // bytes that a build may take; 0: none
  // With kFused the payloads of node blocks are made too; kPartitions makes no graph but the payload
  // of partitions, in `fused`.
  SearchLayout layout = SearchLayout::kFused;
  uint64_t max_payload_bytes = uint64_t{1} << 31;

  // Without node blocks a graph is to be small, and an entry of a list takes more than two bytes.
  uint32_t degree() const noexcept {
    return layout == SearchLayout::kStandard ? kStandardDegree : kFusedDegree;
  }
  static constexpr uint32_t kStandardDegree = 20;
};

struct GraphInput {
  const RowTable* rows = nullptr;
  uint64_t first_row = 0;  // graph node i is row first_row + i
  uint64_t count = 0;  // at most 2^31 - 1
  DType dtype = DType::kF32;
  size_t dim = 0;
  Metric metric = Metric::kL2;
};

// A payload that is too large to be copied about.
struct LargePayload {
  AlignedArray<std::byte> bytes;
  size_t size = 0;
  wire::ByteSpan span() const noexcept { return {bytes.get(), size}; }
};

// Payloads of INDEX and FUSED segments, ready to write.
struct GraphPayloads {
  std::vector<wire::Bytes> layer_c;  // one or more, by node range
  wire::Bytes layer_a;  // for a segment with the HOT flag
  std::vector<LargePayload> fused;  // lack the INDEX segment they belong to: set_fused_index()
};

// What building a graph takes at its peak, about.
uint64_t graph_build_bytes(const GraphInput& input) noexcept;

// Errors: kBadArgument, kEmptyIndex for count 0, kTooLarge, kCancelled, kOutOfMemory, kUnsupported
// (dtype).
Result<GraphPayloads> build_graph(const GraphInput& input, const GraphParams& params,
                                  Executor* executor = nullptr, const Progress* progress = nullptr);

// A graph that was, for rows of which some are gone, some are new, and the others may have moved:
// what is left of it is kept and mended, and only the new rows are searched for. `now` gives for
// each of its nodes the node it is today, or kNoNode; empty: all are where they were. seed, m and ef_construction are those of the graph.
struct GraphSpans {
  std::vector<wire::ByteSpan> layer_c;
  std::vector<wire::ByteSpan> fused;  // may be empty
};
Result<GraphPayloads> regrow_graph(const GraphSpans& graph, const std::vector<uint32_t>& now,
                                   const GraphInput& input, const GraphParams& params,
                                   Executor* executor = nullptr,
                                   const Progress* progress = nullptr);

// Reads an index from end to end. kCorrupt where a list does not decode, blocks say other than lists,
// or a row is in no partition; kQualityDegraded where nodes cannot be reached.
Status check_index(const GraphSpans& index);

// `layer_c` are the payloads in any order, `layer_a` may be empty. With layer A alone the search
// covers only the rows of the top layers (a first, approximate answer while the rest arrives).
// Spans are borrowed for the life of the index. Errors: kCorrupt, kTruncated, kUnsupported; damage
// inside neighbour lists is found when they are read, and counted in stats.bad_lists.
Result<std::unique_ptr<Index>> open_graph(const std::vector<wire::ByteSpan>& layer_c,
                                          wire::ByteSpan layer_a = {});

// The same graph from FUSED payloads, or the partitions that one holds.
Result<std::unique_ptr<Index>> open_fused(const std::vector<wire::ByteSpan>& fused);

}  // namespace rvf::index
