#include "index/fused_graph.hpp"

#include <algorithm>
#include <cstring>

#include "index/sign_codes.hpp"
#include "types/splitmix.hpp"

namespace rvf::index {

Result<FusedGraph> FusedGraph::make(const FusedSpace& space, const RowCodes& codes, uint32_t nodes,
                                    uint64_t seed, uint64_t piece_bytes, size_t prefix_bytes) {
  FusedGraph g;
  g.space_ = &space;
  g.codes_ = &codes;
  g.kernels_ = &fused_kernels();
  g.nodes_ = nodes;
  g.prefix_bytes_ = prefix_bytes;
  g.edges_.resize(size_t{nodes} * kFusedDegree);
  g.lengths_.resize(size_t{nodes} * kFusedDegree);
  g.counts_.assign(nodes, 0);
  const size_t block = space.layout().block_bytes + size_t{space.layout().sign_bytes};
  while ((uint64_t{2} << g.part_shift_) * block <= piece_bytes && g.part_shift_ < 30)
    ++g.part_shift_;
  for (uint64_t at = 0; at < nodes; at += g.piece_nodes()) {
    const uint64_t n = std::min<uint64_t>(g.piece_nodes(), nodes - at);
    auto piece = aligned_array<std::byte>(prefix_bytes + n * block);
    if (piece == nullptr) return Error(ErrorCode::kOutOfMemory, "no memory for the search layout");
    std::memset(piece.get(), 0, prefix_bytes + n * block);
    g.parts_.push_back(piece.get() + prefix_bytes);
    g.pieces_.push_back(std::move(piece));
  }
  g.choose_leaders(seed);
  return g;
}

uint32_t FusedGraph::leaders_for(uint32_t nodes) noexcept {
  constexpr uint32_t kFew = 256;
  constexpr uint32_t kMany = 4096;
  return std::min(nodes, std::clamp(nodes / 4096, kFew, kMany));
}

void FusedGraph::choose_leaders(uint64_t seed) {
  const uint32_t wanted = leaders_for(nodes_);
  for (uint32_t i = 0; i < wanted; ++i) {
    leaders_.push_back(static_cast<uint32_t>(wanted == nodes_
                                                 ? i
                                                 : uint64_t{i} * nodes_ / wanted +
                                                       splitmix64(seed ^ i) % (nodes_ / wanted)));
  }
  root_groups_ = fused_groups(wanted);
  const FusedLayout& l = space_->layout();
  root_ = aligned_array<std::byte>(size_t{root_groups_} * l.group_bytes());
  if (root_ == nullptr) throw std::bad_alloc();
  std::memset(root_.get(), 0, size_t{root_groups_} * l.group_bytes());
  const std::vector<int8_t> centre(l.vector_bytes, 0);
  for (uint32_t g = 0; g < root_groups_; ++g) {
    const uint32_t first = g * kFusedDegree;
    write_group_of(root_.get() + size_t{g} * l.group_bytes(), centre.data(), 0,
                   std::span(leaders_).subspan(first, std::min(wanted - first, kFusedDegree)));
  }
}

void FusedGraph::assign(uint32_t node, const std::vector<Near>& edges) noexcept {
  const size_t at = size_t{node} * kFusedDegree;
  for (size_t i = 0; i < edges.size(); ++i) {
    edges_[at + i] = edges[i].node;
    lengths_[at + i] = edges[i].distance;
  }
  counts_[node] = static_cast<uint8_t>(edges.size());
}

void FusedGraph::write_group_of(std::byte* group, const int8_t* centre, float centre_scale,
                                std::span<const uint32_t> nodes) const noexcept {
  GroupMember members[kFusedDegree];
  for (size_t i = 0; i < nodes.size(); ++i) members[i] = codes_->member(nodes[i]);
  write_group(*kernels_, space_->layout(), centre, centre_scale, {members, nodes.size()}, group);
}

void FusedGraph::encode(uint32_t node) noexcept {
  const FusedLayout& l = space_->layout();
  std::byte* block = pieces_[node >> part_shift_].get() + prefix_bytes_ +
                     size_t{node & (piece_nodes() - 1)} * l.block_bytes;
  write_head(l, codes_->code(node), codes_->row(node), block);
  write_group_of(block + l.ids, codes_->code(node), codes_->scale(node), neighbours(node));
}

void FusedGraph::encode_all(Executor& executor) {
  executor.parallel_for(nodes_, 64, [&](size_t, uint64_t b, uint64_t e) {
    for (uint64_t i = b; i < e; ++i) encode(static_cast<uint32_t>(i));
  });
}

uint64_t FusedGraph::nodes_of_piece(size_t i) const noexcept {
  return std::min<uint64_t>(piece_nodes(), nodes_ - i * uint64_t{piece_nodes()});
}

void FusedGraph::write_sign_codes(Executor& executor) noexcept {
  const FusedLayout& l = space_->layout();
  executor.parallel_for(nodes_, 1024, [&](size_t, uint64_t b, uint64_t e) {
    for (uint64_t node = b; node < e; ++node) {
      const size_t piece = node >> part_shift_;
      const uint64_t at = node & (piece_nodes() - 1);
      std::byte* blocks = pieces_[piece].get() + prefix_bytes_;
      write_sign_code(l, blocks + at * l.block_bytes,
                      blocks + nodes_of_piece(piece) * l.block_bytes + at * l.sign_bytes);
    }
  });
}

FusedBlocks FusedGraph::blocks() const noexcept {
  FusedBlocks b;
  b.parts = parts_.data();
  b.part_shift = part_shift_;
  b.nodes = nodes_;
  b.layout = space_->layout();
  b.root = root_.get();
  b.root_groups = root_groups_;
  return b;
}

}  // namespace rvf::index
