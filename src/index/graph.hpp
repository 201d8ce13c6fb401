// The graph index: a hierarchical proximity graph (HNSW: Malkov and Yashunin, 2018; base degree 2 *
// M) searched straight on the mapped INDEX payloads (docs/format.md, "INDEX"). Nothing is decoded
// at open.
//
// Building works on int8 codes of the rows (cosine: of the normalised rows; ip: with the norm as an
// extra coordinate, so that the pruning rule has a metric), in batches that read a frozen graph:
// the same seed gives the same bytes on every machine, instruction set and number of threads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "index/index.hpp"
#include "rvf/executor.hpp"
#include "wire/bytes.hpp"

namespace rvf::index {

struct GraphParams {
  uint16_t m = 16;  // 4..64
  uint32_t ef_construction = 128;  // 8..4096
  uint64_t seed = 0x5256465F47524148;
  bool calibrate =
      true;  // measure which ef reaches which recall on held-out rows (about 2 % of the build)
  uint64_t max_payload_bytes = uint64_t{1} << 31;
};

struct GraphInput {
  const RowTable* rows = nullptr;
  uint64_t first_row = 0;  // graph node i is row first_row + i
  uint64_t count = 0;  // at most 2^31 - 1
  DType dtype = DType::kF32;
  size_t dim = 0;
  Metric metric = Metric::kL2;
};

// Payloads of INDEX segments, ready to write.
struct GraphPayloads {
  std::vector<wire::Bytes> layer_c;  // one or more, by node range
  wire::Bytes layer_a;  // for a segment with the HOT flag; empty when there are no upper layers
};

// Errors: kBadArgument, kEmptyIndex for count 0, kTooLarge, kCancelled, kOutOfMemory, kUnsupported
// (dtype).
Result<GraphPayloads> build_graph(const GraphInput& input, const GraphParams& params,
                                  Executor* executor = nullptr, const Progress* progress = nullptr);

// Adds rows to a graph read from payloads: input covers old and new rows, old ones unchanged; m,
// seed and ef_construction are those of the graph. Costs reading the whole graph, plus the work of
// inserting.
Result<GraphPayloads> extend_graph(const std::vector<wire::ByteSpan>& layer_c,
                                   const GraphInput& input, const GraphParams& params,
                                   Executor* executor = nullptr,
                                   const Progress* progress = nullptr);

// `layer_c` are the payloads in any order, `layer_a` may be empty. With layer A alone the search
// covers only the rows of the top layers (a first, approximate answer while the rest arrives).
// Spans are borrowed for the life of the index. Errors: kCorrupt, kTruncated, kUnsupported; damage
// inside neighbour lists is found when they are read, and counted in stats.bad_lists.
Result<std::unique_ptr<Index>> open_graph(const std::vector<wire::ByteSpan>& layer_c,
                                          wire::ByteSpan layer_a = {});

}  // namespace rvf::index
