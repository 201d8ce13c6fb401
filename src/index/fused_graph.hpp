// A graph under construction: neighbour lists of at most 32 with the distance of every edge, and
// the fused blocks made of them.
// Thread-safety: lists and blocks of different nodes may be written by different threads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/beam.hpp"
#include "index/row_codes.hpp"
#include "rvf/executor.hpp"

namespace rvf::index {

class FusedGraph {
 public:
  // Leaders of a root for so many nodes.
  static uint32_t leaders_for(uint32_t nodes) noexcept;

  // Blocks lie in one or more pieces of at most `piece_bytes`, behind `prefix_bytes` that are left
  // free at the start of each, as is room for the nodes' sign codes at the end. Errors:
  // kOutOfMemory.
  static Result<FusedGraph> make(const FusedSpace& space, const RowCodes& codes, uint32_t nodes,
                                 uint64_t seed, uint64_t piece_bytes, size_t prefix_bytes = 0);

  uint32_t nodes() const noexcept { return nodes_; }
  std::span<const uint32_t> neighbours(uint32_t node) const noexcept {
    return {&edges_[size_t{node} * kFusedDegree], counts_[node]};
  }
  std::span<const float> distances(uint32_t node) const noexcept {
    return {&lengths_[size_t{node} * kFusedDegree], counts_[node]};
  }
  void assign(uint32_t node, const std::vector<Near>& edges) noexcept;  // at most 32

  // Makes the node's block say what its list says.
  void encode(uint32_t node) noexcept;
  void encode_all(Executor& executor);
  FusedBlocks blocks() const noexcept;
  std::span<const std::byte> root() const noexcept {
    return {root_.get(), size_t{root_groups_} * space_->layout().group_bytes()};
  }
  const std::vector<uint32_t>& leaders() const noexcept { return leaders_; }

  // Writes the nodes' sign codes behind the blocks, which are final.
  void write_sign_codes(Executor& executor) noexcept;

  uint32_t piece_nodes() const noexcept { return 1U << part_shift_; }
  size_t pieces() const noexcept { return pieces_.size(); }
  // With the prefix; the graph is done with it.
  AlignedArray<std::byte> take_piece(size_t i) noexcept { return std::move(pieces_[i]); }

 private:
  void choose_leaders(uint64_t seed);
  uint64_t nodes_of_piece(size_t i) const noexcept;
  void write_group_of(std::byte* group, const int8_t* centre, float centre_scale,
                      std::span<const uint32_t> nodes) const noexcept;

  const FusedSpace* space_ = nullptr;
  const RowCodes* codes_ = nullptr;
  const FusedKernels* kernels_ = nullptr;
  uint32_t nodes_ = 0;
  uint32_t part_shift_ = 0;
  size_t prefix_bytes_ = 0;
  uint32_t root_groups_ = 0;
  std::vector<uint32_t> edges_;
  std::vector<float> lengths_;
  std::vector<uint8_t> counts_;
  std::vector<AlignedArray<std::byte>> pieces_;
  std::vector<const std::byte*> parts_;  // first block of each piece
  std::vector<uint32_t> leaders_;
  AlignedArray<std::byte> root_;
};

}  // namespace rvf::index
