#include "index/graph_view.hpp"

#include <algorithm>
#include <cmath>

#include "index/covering_index.hpp"

namespace rvf::index {
namespace {

// Clusters within clusters stop narrower beams over lists, whatever the blocks that were calibrated
// need: 200,000 x 128 in 1,000 clusters found .97 of ten with 16 and 1.0 with 48.
constexpr uint32_t kLeastEf = 48;

std::vector<WidthPoint> curve(const std::vector<wire::CalibrationPoint>& points, uint32_t k) {
  std::vector<WidthPoint> out;
  for (const wire::CalibrationPoint& p : points) {
    if (p.k == k && p.ef != 0) out.push_back({static_cast<double>(p.ef), p.recall_e4 / 10000.0});
  }
  return out;
}

}  // namespace

Result<GraphView> GraphView::open(const std::vector<wire::ByteSpan>& payloads) {
  if (payloads.empty()) return Error(ErrorCode::kEmptyIndex, "a graph without INDEX payloads");
  GraphView view;
  for (const wire::ByteSpan payload : payloads) {
    RVF_ASSIGN(wire::IndexView part, wire::IndexView::parse(payload));
    view.parts_.push_back(std::move(part));
  }
  std::sort(view.parts_.begin(), view.parts_.end(),
            [](const auto& a, const auto& b) { return a.meta().first_node < b.meta().first_node; });
  const wire::IndexMeta& first = view.meta();
  uint64_t at = 0;
  for (const wire::IndexView& part : view.parts_) {
    const wire::IndexMeta& m = part.meta();
    if (m.first_node != at || m.node_count == 0 || m.total_nodes != first.total_nodes ||
        m.first_row != first.first_row || m.layer_level != first.layer_level ||
        m.metric != first.metric || m.dim != first.dim || m.dtype != first.dtype) {
      return Error(ErrorCode::kCorrupt, "the INDEX payloads do not make one graph: node " +
                                            std::to_string(m.first_node) + " where " +
                                            std::to_string(at) + " is next");
    }
    at += m.node_count;
  }
  if (at != first.total_nodes) {
    return Error(ErrorCode::kCorrupt, "the INDEX payloads hold " + std::to_string(at) + " of " +
                                          std::to_string(first.total_nodes) + " nodes");
  }
  view.nodes_ = static_cast<uint32_t>(at);
  view.entry_ = first.entry_points.empty() ? 0 : static_cast<uint32_t>(first.entry_points.front());
  return view;
}

uint64_t GraphView::bytes() const noexcept {
  uint64_t sum = 0;
  for (const wire::IndexView& part : parts_) sum += part.bytes();
  return sum;
}

uint32_t GraphView::ef_for(uint32_t k, float target) const noexcept {
  const auto& points = meta().calibration;
  const double ten = width_on_curve(curve(points, 10), target);
  double ef = width_at_k(ten, width_on_curve(curve(points, 100), target), k);
  if (!(ef > 0)) {
    ef = 64 + k;
  } else {
    const double grown = static_cast<double>(nodes_) /
                         static_cast<double>(std::max<uint64_t>(1, meta().calibrated_nodes));
    if (grown > 1) ef *= 1 + 0.2 * std::log2(grown);
  }
  ef = std::max({ef, static_cast<double>(k), static_cast<double>(kLeastEf)});
  return static_cast<uint32_t>(std::min(std::ceil(ef), static_cast<double>(nodes_) + k));
}

}  // namespace rvf::index
