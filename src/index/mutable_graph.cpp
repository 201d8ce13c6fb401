#include "index/mutable_graph.hpp"

#include <cmath>
#include <limits>

#include "types/splitmix.hpp"

namespace rvf::index {
namespace {

// Steps of the relaxation, on squared distances.
constexpr float kAlpha[] = {1.0F, 1.15F, 1.32F, 1.52F, 1.75F, 2.01F};
constexpr uint32_t kMaxLevel = 12;

uint8_t draw_level(uint64_t seed, uint32_t node, uint16_t m) {
  const double u = (static_cast<double>(splitmix64(seed ^ node) >> 11) + 0.5) * 0x1p-53;
  const double level = -std::log(u) / std::log(static_cast<double>(m));
  return static_cast<uint8_t>(std::min<double>(level, kMaxLevel));
}

}  // namespace

void Pruner::choose(const std::vector<Near>& c, size_t degree, std::vector<Near>& out) {
  out.clear();
  if (c.size() <= degree / 2) {
    out = c;
    return;
  }
  constexpr float kTaken = std::numeric_limits<float>::infinity();
  const float widest = kAlpha[std::size(kAlpha) - 1];
  ratio_.assign(c.size(), 0.0F);
  for (const float alpha : kAlpha) {
    for (uint32_t i = 0; i < c.size(); ++i) {
      if (ratio_[i] > alpha) continue;
      out.push_back(c[i]);
      ratio_[i] = kTaken;
      if (out.size() == degree) return;
      pending_.clear();
      nodes_.clear();
      for (uint32_t j = i + 1; j < c.size(); ++j) {
        if (ratio_[j] > widest) continue;
        pending_.push_back(j);
        nodes_.push_back(c[j].node);
      }
      if (nodes_.empty()) continue;
      distances_.resize(nodes_.size());
      query_.set(c[i].node);
      for (size_t at = 0; at < nodes_.size(); at += 512) {
        query_.distances(&nodes_[at], std::min<size_t>(512, nodes_.size() - at), &distances_[at]);
      }
      for (size_t p = 0; p < pending_.size(); ++p) {
        const uint32_t j = pending_[p];
        // A copy of a chosen node adds nothing: 3 is past the last step, but not taken.
        const float r = distances_[p] > 0 ? std::min(c[j].distance / distances_[p], 3.0F) : 3.0F;
        if (r > ratio_[j]) ratio_[j] = r;
      }
    }
  }
  for (uint32_t i = 0; i < c.size() && out.size() < degree; ++i) {
    if (ratio_[i] != kTaken) out.push_back(c[i]);
  }
}

void MutableGraph::List::assign(std::span<const Near> edges) const noexcept {
  for (size_t i = 0; i < edges.size(); ++i) {
    nodes[i] = edges[i].node;
    distances[i] = edges[i].distance;
  }
  *count = static_cast<uint16_t>(edges.size());
}

void MutableGraph::List::push(Near edge) const noexcept {
  nodes[*count] = edge.node;
  distances[*count] = edge.distance;
  ++*count;
}

MutableGraph::MutableGraph(uint32_t nodes, uint16_t m, uint64_t seed, const GraphView* old)
    : m_(m),
      base_room_(static_cast<uint16_t>(m * 3)),
      upper_room_(static_cast<uint16_t>(m * 3 / 2)) {
  levels_.resize(nodes);
  upper_slot_.assign(nodes, 0);
  uint32_t slots = 0;
  for (uint32_t i = 0; i < nodes; ++i) {
    levels_[i] = draw_level(seed, i, m);
    if (old != nullptr && i < old->nodes()) {
      const uint32_t layers = old->layer_count(i);
      levels_[i] = static_cast<uint8_t>(layers == 0 ? 0 : std::min(layers - 1, kMaxLevel));
    }
    upper_slot_[i] = slots;
    slots += levels_[i];
  }
  base_nodes_.resize(size_t{nodes} * base_room_);
  base_distances_.resize(size_t{nodes} * base_room_);
  base_count_.assign(nodes, 0);
  upper_nodes_.resize(size_t{slots} * upper_room_);
  upper_distances_.resize(size_t{slots} * upper_room_);
  upper_count_.assign(slots, 0);
}

MutableGraph::List MutableGraph::list(uint32_t node, uint32_t layer) noexcept {
  if (layer == 0) {
    const size_t at = size_t{node} * base_room_;
    return {&base_nodes_[at], &base_distances_[at], &base_count_[node], base_room_,
            static_cast<uint16_t>(m_ * 2)};
  }
  const size_t slot = upper_slot_[node] + layer - 1;
  const size_t at = slot * upper_room_;
  return {&upper_nodes_[at], &upper_distances_[at], &upper_count_[slot], upper_room_, m_};
}

size_t MutableGraph::neighbours(uint32_t node, uint32_t layer, uint32_t* out,
                                bool&) const noexcept {
  if (layer > levels_[node]) return 0;
  const size_t slot = layer == 0 ? node : upper_slot_[node] + layer - 1;
  const size_t count = layer == 0 ? base_count_[slot] : upper_count_[slot];
  const uint32_t* from =
      layer == 0 ? &base_nodes_[slot * base_room_] : &upper_nodes_[slot * upper_room_];
  std::memcpy(out, from, count * sizeof(uint32_t));
  return count;
}

void MutableGraph::sorted_list(uint32_t node, uint32_t layer, std::vector<uint32_t>& out) const {
  uint32_t list[wire::kMaxListLength];
  bool bad = false;
  const size_t n = neighbours(node, layer, list, bad);
  out.assign(list, list + n);
  std::sort(out.begin(), out.end());
}

GraphPayloads MutableGraph::encode(const wire::IndexMeta& base, uint64_t max_payload_bytes) const {
  GraphPayloads payloads;
  wire::IndexMeta meta = base;
  meta.total_nodes = nodes();
  meta.first_node = 0;
  wire::IndexEncoder encoder;
  std::vector<std::vector<uint32_t>> lists(kMaxLevel + 1);
  std::vector<std::span<const uint32_t>> layers;
  for (uint32_t node = 0; node < nodes(); ++node) {
    layers.clear();
    for (uint32_t l = 0; l <= levels_[node]; ++l) {
      sorted_list(node, l, lists[l]);
      layers.emplace_back(lists[l]);
    }
    encoder.add_node(layers);
    if (encoder.bytes() >= max_payload_bytes || node + 1 == nodes()) {
      payloads.layer_c.push_back(encoder.finish(meta));
      meta.first_node = uint64_t{node} + 1;
    }
  }
  payloads.layer_a = encode_layer_a(base);
  return payloads;
}

wire::Bytes MutableGraph::encode_layer_a(wire::IndexMeta meta) const {
  meta.node_map.clear();
  std::vector<uint32_t> ordinal(nodes(), 0);
  for (uint32_t node = 0; node < nodes(); ++node) {
    if (levels_[node] == 0) continue;
    ordinal[node] = static_cast<uint32_t>(meta.node_map.size());
    meta.node_map.push_back(node);
  }
  if (meta.node_map.empty()) return {};
  wire::IndexEncoder encoder;
  std::vector<std::vector<uint32_t>> lists(kMaxLevel);
  std::vector<std::span<const uint32_t>> layers;
  for (const uint32_t node : meta.node_map) {
    layers.clear();
    for (uint32_t l = 1; l <= levels_[node]; ++l) {
      sorted_list(node, l, lists[l - 1]);
      for (uint32_t& other : lists[l - 1]) other = ordinal[other];  // keeps the order
      layers.emplace_back(lists[l - 1]);
    }
    encoder.add_node(layers);
  }
  meta.layer_level = wire::kIndexLayerA;
  meta.total_nodes = meta.node_map.size();
  meta.first_node = 0;
  meta.max_layer -= 1;
  meta.base_degree = m_;
  for (uint64_t& entry : meta.entry_points) entry = ordinal[entry];
  return encoder.finish(meta);
}

}  // namespace rvf::index
