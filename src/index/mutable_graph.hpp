// The graph while it is built: fixed room for each neighbour list, with the distance of every edge
// kept so that pruning need not compute it again. Lists may grow to 1.5 times their degree before
// they are pruned.
// Thread-safety: lists of different nodes may be written by different threads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/beam.hpp"
#include "index/code_space.hpp"
#include "index/graph_view.hpp"

namespace rvf::index {

// Chooses at most `degree` of `candidates` (ascending): a candidate nearer to a chosen one than to
// the target is passed over (relative neighbourhood rule), then the rule is relaxed step by step
// (alpha of Subramanya et al., 2019), and what room is left goes to the nearest. One a thread.
class Pruner {
 public:
  explicit Pruner(const CodeSpace& space) : query_(space) {}
  void choose(const std::vector<Near>& candidates, size_t degree, std::vector<Near>& out);

 private:
  CodeSpace::Query query_;
  std::vector<float> ratio_;
  std::vector<uint32_t> pending_;
  std::vector<uint32_t> nodes_;
  std::vector<float> distances_;
};

class MutableGraph {
 public:
  struct List {
    uint32_t* nodes;
    float* distances;
    uint16_t* count;
    uint16_t room;
    uint16_t degree;
    void assign(std::span<const Near> edges) const noexcept;
    void push(Near edge) const noexcept;  // count < room
  };

  // Levels of nodes below `kept` are taken from `old`, the others drawn from the seed.
  MutableGraph(uint32_t nodes, uint16_t m, uint64_t seed, const GraphView* old);

  uint32_t nodes() const noexcept { return static_cast<uint32_t>(levels_.size()); }
  uint32_t level(uint32_t node) const noexcept { return levels_[node]; }
  uint16_t m() const noexcept { return m_; }
  List list(uint32_t node, uint32_t layer) noexcept;  // layer <= level(node)

  size_t neighbours(uint32_t node, uint32_t layer, uint32_t* out, bool& bad) const noexcept;
  void prefetch_offset(uint32_t) const noexcept {}
  void prefetch_list(uint32_t node) const noexcept {
    __builtin_prefetch(&base_nodes_[size_t{node} * base_room_]);
    __builtin_prefetch(&base_nodes_[size_t{node} * base_room_ + 16]);
  }

  // Payloads of the nodes; `meta` has everything but node counts.
  GraphPayloads encode(const wire::IndexMeta& meta, uint64_t max_payload_bytes) const;

 private:
  wire::Bytes encode_layer_a(wire::IndexMeta meta) const;
  void sorted_list(uint32_t node, uint32_t layer, std::vector<uint32_t>& out) const;

  uint16_t m_;
  uint16_t base_room_;
  uint16_t upper_room_;
  std::vector<uint8_t> levels_;
  std::vector<uint32_t> base_nodes_;
  std::vector<float> base_distances_;
  std::vector<uint16_t> base_count_;
  std::vector<uint32_t> upper_slot_;  // first slot of a node with level > 0; one slot a layer
  std::vector<uint32_t> upper_nodes_;
  std::vector<float> upper_distances_;
  std::vector<uint16_t> upper_count_;
};

}  // namespace rvf::index
