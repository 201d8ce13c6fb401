// INDEX_SEG payloads (docs/format.md, "INDEX"): the adjacency of a proximity graph, by node
// ordinal. IndexView reads neighbour lists straight from the payload: parse() checks the frame and
// decodes only the trailer; damage inside a list is found when that list is read and never leads
// out of the payload.
// Ownership: a view borrows the bytes. Thread-safety: views are immutable.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "rvf/result.hpp"
#include "rvf/types.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

inline constexpr uint8_t kIndexTypeHnsw = 0;
inline constexpr uint8_t kIndexLayerA = 0;  // entry points and top layers
inline constexpr uint8_t kIndexLayerB = 1;
inline constexpr uint8_t kIndexLayerC = 2;  // full adjacency
inline constexpr size_t kMaxListLength = 512;  // longer neighbour lists are refused as damaged
inline constexpr uint32_t kMaxGraphNodes = 0x7FFFFFFF;

// A beam width and the recall at k that was measured with it.
struct CalibrationPoint {
  uint16_t k = 0;
  uint16_t recall_e4 = 0;  // recall times 10,000
  uint32_t ef = 0;
};

struct IndexMeta {
  uint8_t layer_level = kIndexLayerC;
  uint16_t m = 0;
  uint32_t ef_construction = 0;
  uint64_t node_count = 0;  // nodes in this payload
  uint32_t max_layer = 0;
  uint64_t total_nodes = 0;  // nodes of the whole graph; neighbour ordinals are below it
  uint64_t first_node = 0;  // ordinal of the first node in this payload
  uint64_t first_row = 0;  // node i is row first_row + i
  uint64_t seed = 0;
  uint64_t calibrated_nodes = 0;  // nodes of the graph when it was calibrated; 0: never
  Metric metric = Metric::kL2;
  DType dtype = DType::kF32;
  uint32_t dim = 0;
  uint32_t base_degree = 0;
  std::vector<uint64_t> entry_points;  // node ordinals, best first
  std::vector<CalibrationPoint> calibration;
  // Layer A: the ordinal, in the full graph, of each node of this payload; ascending. Else empty.
  std::vector<uint32_t> node_map;
};

class IndexView {
 public:
  // Errors: kTruncated, kCorrupt, kUnsupported (another index type, restart interval or trailer
  // version).
  static Result<IndexView> parse(ByteSpan payload);

  const IndexMeta& meta() const noexcept { return meta_; }
  size_t bytes() const noexcept { return payload_.size(); }

  // The neighbours of node first_node + `local` in `layer`, at most kMaxListLength. 0 when the node
  // does not reach that layer. A list that does not decode gives 0 and sets `bad`.
  size_t neighbours(uint64_t local, uint32_t layer, uint32_t* out, bool& bad) const noexcept;
  uint32_t layer_count(uint64_t local) const noexcept;  // 0 if damaged
  // Asks the CPU for what neighbours(local) will read first.
  void prefetch_offset(uint64_t local) const noexcept {
    if (local < meta_.node_count) __builtin_prefetch(offsets_ + local * 4);
  }
  void prefetch_list(uint64_t local) const noexcept;

 private:
  const std::byte* list_start(uint64_t local) const noexcept;

  ByteSpan payload_;
  const std::byte* offsets_ = nullptr;
  const std::byte* adjacency_ = nullptr;
  const std::byte* adjacency_end_ = nullptr;
  IndexMeta meta_;
};

// Writes one payload node by node.
class IndexEncoder {
 public:
  // Layers from 0 up; each list ascending. `layers` may be empty for a node without any.
  void add_node(std::span<const std::span<const uint32_t>> layers);
  uint64_t node_count() const noexcept { return offsets_.size(); }
  // What finish() would give, up to the trailer.
  uint64_t bytes() const noexcept { return 192 + offsets_.size() * 4 + adjacency_.size(); }
  // meta.node_count is taken from what was added. The encoder is empty afterwards.
  Bytes finish(const IndexMeta& meta);

 private:
  std::vector<uint32_t> offsets_;
  Bytes adjacency_;
};

}  // namespace rvf::wire
