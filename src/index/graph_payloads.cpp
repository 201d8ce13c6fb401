#include "index/graph_payloads.hpp"

#include <algorithm>

#include "index/neighbour_chooser.hpp"

namespace rvf::index {
namespace {

// The leaders as a graph of their own: layer 1 of the whole graph, and all of layer A.
struct LeaderLayer {
  std::vector<uint32_t> nodes;  // ascending
  std::vector<std::vector<uint32_t>> lists;  // ascending positions in `nodes`
  uint32_t entry = 0;  // position of the one nearest to all the others
};

LeaderLayer leader_layer(const FusedGraph& graph, const RowCodes& codes, size_t degree) {
  LeaderLayer layer;
  layer.nodes = graph.leaders();
  std::sort(layer.nodes.begin(), layer.nodes.end());
  layer.nodes.erase(std::unique(layer.nodes.begin(), layer.nodes.end()), layer.nodes.end());
  const size_t n = layer.nodes.size();
  layer.lists.resize(n);
  RowCodes::Query query(codes);
  NeighbourChooser chooser(codes);
  std::vector<float> distances(n);
  std::vector<Near> candidates;
  std::vector<Near> chosen;
  double least = 0;
  for (size_t i = 0; i < n; ++i) {
    query.set(layer.nodes[i]);
    query.distances(layer.nodes.data(), n, distances.data());
    candidates.clear();
    double sum = 0;
    for (size_t j = 0; j < n; ++j) {
      sum += static_cast<double>(distances[j]);
      if (j != i) candidates.push_back({distances[j], layer.nodes[j]});
    }
    if (i == 0 || sum < least) {
      least = sum;
      layer.entry = static_cast<uint32_t>(i);
    }
    std::sort(candidates.begin(), candidates.end());
    chooser.choose(candidates, degree, chosen);
    for (const Near& c : chosen) {
      const auto at = std::lower_bound(layer.nodes.begin(), layer.nodes.end(), c.node);
      layer.lists[i].push_back(static_cast<uint32_t>(at - layer.nodes.begin()));
    }
    std::sort(layer.lists[i].begin(), layer.lists[i].end());
  }
  return layer;
}

wire::Bytes layer_a_of(const LeaderLayer& layer, wire::IndexMeta meta) {
  wire::IndexEncoder encoder;
  for (const auto& list : layer.lists) {
    const std::span<const uint32_t> only[] = {list};
    encoder.add_node(only);
  }
  meta.layer_level = wire::kIndexLayerA;
  meta.node_map = layer.nodes;
  meta.total_nodes = layer.nodes.size();
  meta.first_node = 0;
  meta.max_layer = 0;
  meta.base_degree = meta.m;
  meta.entry_points = {layer.entry};
  return encoder.finish(meta);
}

std::vector<wire::Bytes> layer_c_of(const FusedGraph& graph, const LeaderLayer& layer,
                                    wire::IndexMeta meta, uint64_t max_payload_bytes) {
  std::vector<wire::Bytes> payloads;
  wire::IndexEncoder encoder;
  meta.total_nodes = graph.nodes();
  meta.first_node = 0;
  meta.max_layer = 1;
  meta.entry_points = {layer.nodes[layer.entry]};
  std::vector<uint32_t> base;
  std::vector<uint32_t> upper;
  std::vector<std::span<const uint32_t>> lists;
  size_t leader = 0;
  for (uint32_t node = 0; node < graph.nodes(); ++node) {
    const auto list = graph.neighbours(node);
    base.assign(list.begin(), list.end());
    std::sort(base.begin(), base.end());
    lists.assign(1, base);
    if (leader < layer.nodes.size() && layer.nodes[leader] == node) {
      upper.clear();
      for (const uint32_t position : layer.lists[leader]) upper.push_back(layer.nodes[position]);
      lists.emplace_back(upper);
      ++leader;
    }
    encoder.add_node(lists);
    if (encoder.bytes() >= max_payload_bytes || node + 1 == graph.nodes()) {
      payloads.push_back(encoder.finish(meta));
      meta.first_node = uint64_t{node} + 1;
    }
  }
  return payloads;
}

}  // namespace

GraphPayloads make_payloads(FusedGraph& graph, const RowCodes& codes, const wire::IndexMeta& meta,
                            wire::FusedHeader header, const GraphParams& params,
                            Executor& executor) {
  GraphPayloads out;
  const LeaderLayer layer = leader_layer(graph, codes, meta.m);
  out.layer_a = layer_a_of(layer, meta);
  out.layer_c = layer_c_of(graph, layer, meta, params.max_payload_bytes);
  if (params.layout != SearchLayout::kFused) return out;
  header.total_nodes = graph.nodes();
  header.sign_codes = true;
  graph.write_sign_codes(executor);
  const size_t node_bytes =
      header.block_bytes + static_cast<size_t>(wire::sign_code_bytes(header.centre.size()));
  const auto root = graph.root();
  const size_t prefix =
      wire::fused_prefix_bytes(header.centre.size(), header.calibration.size(), root.size());
  for (size_t i = 0; i < graph.pieces(); ++i) {
    header.first_node = i * uint64_t{graph.piece_nodes()};
    header.node_count = std::min<uint64_t>(graph.piece_nodes(), graph.nodes() - header.first_node);
    LargePayload payload;
    payload.size = prefix + static_cast<size_t>(header.node_count) * node_bytes;
    payload.bytes = graph.take_piece(i);
    wire::write_fused_prefix(header, root, payload.bytes.get());
    out.fused.push_back(std::move(payload));
  }
  return out;
}

}  // namespace rvf::index
