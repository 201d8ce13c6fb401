// A graph read straight from its INDEX payloads. Borrows the bytes. Thread-safety: immutable.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "rvf/result.hpp"
#include "wire/index_codec.hpp"

namespace rvf::index {

class GraphView {
 public:
  // The payloads of one layer in any order. Errors: kCorrupt when they do not make one whole graph.
  static Result<GraphView> open(const std::vector<wire::ByteSpan>& payloads);

  uint32_t nodes() const noexcept { return nodes_; }
  const wire::IndexMeta& meta() const noexcept { return parts_.front().meta(); }
  uint64_t bytes() const noexcept;
  uint32_t entry() const noexcept { return entry_; }
  // The row of a node, from the start of the row table.
  uint64_t row_of(uint32_t node) const noexcept {
    return meta().first_row + (meta().node_map.empty() ? node : meta().node_map[node]);
  }
  uint64_t row_end() const noexcept {  // one past the largest row of any node
    return nodes_ == 0 ? meta().first_row : row_of(nodes_ - 1) + 1;
  }

  size_t neighbours(uint32_t node, uint32_t layer, uint32_t* out, bool& bad) const noexcept {
    const wire::IndexView& p = part(node);
    return p.neighbours(node - p.meta().first_node, layer, out, bad);
  }
  uint32_t layer_count(uint32_t node) const noexcept {
    const wire::IndexView& p = part(node);
    return p.layer_count(node - p.meta().first_node);
  }
  void prefetch_offset(uint32_t node) const noexcept {
    const wire::IndexView& p = part(node);
    p.prefetch_offset(node - p.meta().first_node);
  }
  void prefetch_list(uint32_t node) const noexcept {
    const wire::IndexView& p = part(node);
    p.prefetch_list(node - p.meta().first_node);
  }

  // The beam width that reached `target` recall at k when the graph was calibrated, interpolated,
  // and widened for the nodes added since; a safe guess when it never was. At least k.
  uint32_t ef_for(uint32_t k, float target) const noexcept;

 private:
  const wire::IndexView& part(uint32_t node) const noexcept {
    size_t i = parts_.size() - 1;
    while (i != 0 && parts_[i].meta().first_node > node) --i;  // parts are gigabytes: few
    return parts_[i];
  }

  std::vector<wire::IndexView> parts_;
  uint32_t nodes_ = 0;
  uint32_t entry_ = 0;
};

}  // namespace rvf::index
