#include "runtime/convert_graph.hpp"

#include <algorithm>

#include "index/graph.hpp"
#include "types/segment.hpp"
#include "wire/vec_codec.hpp"

namespace rvf::runtime {
namespace {

// Published engines use the graph of a file from this many vectors on.
constexpr uint64_t kFewestRows = 1024;

// The store's own graph: payloads of all its adjacency, hashes checked.
Result<std::vector<wire::Bytes>> stored_graph(const Snapshot& snapshot) {
  std::vector<wire::Bytes> payloads;
  RVF_ASSIGN(const std::vector<SegmentInfo> segments, snapshot.segments());
  for (const SegmentInfo& s : segments) {
    if (static_cast<SegmentType>(s.type) != SegmentType::kIndex) continue;
    RVF_ASSIGN(wire::Bytes payload, snapshot.payload(s.segment_id));
    RVF_ASSIGN(const wire::IndexView view, wire::IndexView::parse(payload));
    if (view.meta().layer_level == wire::kIndexLayerC) payloads.push_back(std::move(payload));
  }
  return payloads;
}

Result<std::vector<wire::Bytes>> new_graph(const Snapshot& snapshot, const std::vector<RowAt>& rows,
                                           Executor* executor, const Progress* progress) {
  index::RowTable table;
  // With the stride of stored rows, those that follow one another join into runs.
  const size_t stride = wire::row_stride(snapshot.dtype(), snapshot.dimension());
  for (size_t i = 0; i < rows.size(); ++i) {
    RVF_TRY(table.append_run({i, 1, rows[i].values, stride}));
  }
  index::GraphInput input;
  input.rows = &table;
  input.count = rows.size();
  input.dtype = snapshot.dtype();
  input.dim = snapshot.dimension();
  input.metric = snapshot.metric();
  index::GraphParams params;
  params.calibrate = false;
  params.layout = SearchLayout::kStandard;
  RVF_ASSIGN(index::GraphPayloads made, index::build_graph(input, params, executor, progress));
  return std::move(made.layer_c);
}

}  // namespace

Result<std::vector<RowAt>> rows_by_id(const Snapshot& snapshot) {
  std::vector<RowAt> rows;
  RVF_TRY(snapshot.for_each([&](uint64_t id, std::span<const std::byte> values) {
    rows.push_back({id, values.data(), rows.size()});
    return true;
  }));
  std::sort(rows.begin(), rows.end(), [](const RowAt& a, const RowAt& b) { return a.id < b.id; });
  return rows;
}

Status OrderedGraph::parse(uint64_t nodes) {
  parts_.clear();
  for (const wire::Bytes& payload : payloads_) {
    RVF_ASSIGN(wire::IndexView view, wire::IndexView::parse(payload));
    parts_.push_back(std::move(view));
  }
  std::sort(parts_.begin(), parts_.end(),
            [](const auto& a, const auto& b) { return a.meta().first_node < b.meta().first_node; });
  uint64_t next = 0;
  for (const wire::IndexView& part : parts_) {
    if (part.meta().first_node != next || part.meta().first_row != 0 ||
        part.meta().total_nodes != nodes) {
      return Error(ErrorCode::kCorrupt, "the graph is of other rows, or parts of it are missing");
    }
    next += part.meta().node_count;
  }
  if (next != nodes) return Error(ErrorCode::kEmptyIndex, "the graph covers other rows");
  return {};
}

Result<std::optional<OrderedGraph>> OrderedGraph::make(const Snapshot& snapshot,
                                                       const std::vector<RowAt>& rows,
                                                       bool rows_are_all, Executor* executor,
                                                       const Progress* progress) {
  std::optional<OrderedGraph> none;
  if (rows.size() < kFewestRows || rows.size() > wire::kMaxGraphNodes) return none;
  OrderedGraph g;
  // Damage in the graph is no reason to fail: it can be made again.
  auto stored = rows_are_all ? stored_graph(snapshot) : Result(std::vector<wire::Bytes>());
  if (stored) g.payloads_ = std::move(*stored);
  if (!g.payloads_.empty() && g.parse(rows.size())) {
    g.node_of_ordinal_.resize(rows.size());
    g.ordinal_of_node_.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      g.node_of_ordinal_[i] = static_cast<uint32_t>(rows[i].row);
      g.ordinal_of_node_[rows[i].row] = static_cast<uint32_t>(i);
    }
  } else {
    RVF_ASSIGN(g.payloads_, new_graph(snapshot, rows, executor, progress));
    RVF_TRY(g.parse(rows.size()));
  }
  g.max_layer_ = g.parts_.front().meta().max_layer;
  RVF_ASSIGN(g.entry_, g.top_node());
  return std::optional<OrderedGraph>(std::move(g));
}

const wire::IndexView& OrderedGraph::part_of(uint64_t node, uint64_t& local) const {
  const auto after =
      std::upper_bound(parts_.begin(), parts_.end(), node,
                       [](uint64_t n, const auto& part) { return n < part.meta().first_node; });
  const wire::IndexView& part = *(after - 1);
  local = node - part.meta().first_node;
  return part;
}

// Readers start on the highest layer at the entry, which must reach up there.
Result<uint64_t> OrderedGraph::top_node() const {
  const auto reaches_up = [&](uint64_t node) {
    uint64_t local = 0;
    const wire::IndexView& part = part_of(node, local);
    return part.layer_count(local) == max_layer_ + 1;
  };
  uint64_t nodes = parts_.back().meta().first_node + parts_.back().meta().node_count;
  for (const uint64_t node : parts_.front().meta().entry_points) {
    if (node < nodes && reaches_up(node)) {
      return ordinal_of_node_.empty() ? node : ordinal_of_node_[node];
    }
  }
  for (uint64_t node = 0; node < nodes; ++node) {
    if (reaches_up(node)) return ordinal_of_node_.empty() ? node : ordinal_of_node_[node];
  }
  return Error(ErrorCode::kCorrupt, "no node of the graph is on its highest layer");
}

Status OrderedGraph::layers_of(uint64_t ordinal, std::vector<std::vector<uint32_t>>& out) const {
  const uint64_t node = node_of_ordinal_.empty() ? ordinal : node_of_ordinal_[ordinal];
  uint64_t local = 0;
  const wire::IndexView& part = part_of(node, local);
  uint32_t list[wire::kMaxListLength];
  bool bad = false;
  const uint32_t layers = part.layer_count(local);
  for (uint32_t layer = 0; layer < layers; ++layer) {
    const size_t n = part.neighbours(local, layer, list, bad);
    if (bad) return Error(ErrorCode::kCorrupt, "a neighbour list of the graph is damaged");
    std::vector<uint32_t> neighbours(list, list + n);
    if (!ordinal_of_node_.empty()) {
      for (uint32_t& node_number : neighbours) node_number = ordinal_of_node_[node_number];
      std::sort(neighbours.begin(), neighbours.end());
    }
    out.push_back(std::move(neighbours));
  }
  return {};
}

layouts::RuntimeGraph OrderedGraph::view() const {
  layouts::RuntimeGraph graph;
  graph.m = parts_.front().meta().m;
  graph.ef_construction = parts_.front().meta().ef_construction;
  graph.max_layer = max_layer_;
  graph.entry = entry_;
  graph.layers = [this](uint64_t node, std::vector<std::vector<uint32_t>>& out) {
    return layers_of(node, out);
  };
  return graph;
}

}  // namespace rvf::runtime
