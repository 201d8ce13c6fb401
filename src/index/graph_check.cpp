#include <algorithm>
#include <cstring>
#include <optional>

#include "index/fused_index.hpp"
#include "index/graph.hpp"
#include "index/graph_view.hpp"
#include "index/partition_index.hpp"

namespace rvf::index {
namespace {

// One in so many nodes may be out of reach: old files have such graphs, and a search loses little.
constexpr uint64_t kReachable = 1000;

class GraphChecker {
 public:
  GraphChecker(const GraphView& graph, const FusedBlocks* blocks)
      : graph_(graph), blocks_(blocks), reached_(graph.nodes()) {}

  Status run() {
    for (uint32_t node = 0; node < graph_.nodes(); ++node) {
      const uint32_t layers = graph_.layer_count(node);
      for (uint32_t layer = 0; layer < std::max(layers, 1U); ++layer) {
        RVF_TRY(read(node, layer));
        if (layer == 0 && blocks_ != nullptr && !block_says_the_same(node)) {
          return Error(ErrorCode::kCorrupt, "the block of node " + std::to_string(node) +
                                                " has other neighbours than its list");
        }
      }
    }
    flood(graph_.entry());
    for (uint32_t node = 0; node < graph_.nodes(); ++node) {
      if (graph_.layer_count(node) > 1) flood(node);
    }
    const auto lost = static_cast<uint64_t>(std::ranges::count(reached_, 0));
    if (lost * kReachable <= graph_.nodes()) return {};
    return Error(ErrorCode::kQualityDegraded, std::to_string(lost) + " of " +
                                                  std::to_string(graph_.nodes()) +
                                                  " nodes of the index cannot be reached");
  }

 private:
  Status read(uint32_t node, uint32_t layer) {
    bool bad = false;
    count_ = graph_.neighbours(node, layer, list_, bad);
    if (!bad) return {};
    return Error(ErrorCode::kCorrupt, "the neighbours of node " + std::to_string(node) +
                                          " in layer " + std::to_string(layer) +
                                          " of the index do not decode");
  }

  bool block_says_the_same(uint32_t node) {
    uint32_t ids[kFusedDegree];
    std::memcpy(ids, blocks_->block(node) + blocks_->layout.ids, sizeof(ids));
    std::sort(std::begin(ids), std::end(ids));
    const auto used = static_cast<size_t>(std::find(std::begin(ids), std::end(ids), kNoNode) - ids);
    return used == count_ && std::is_permutation(ids, ids + used, list_);
  }

  void flood(uint32_t from) {
    if (from >= reached_.size() || reached_[from] != 0) return;
    reached_[from] = 1;
    queue_.assign(1, from);
    while (!queue_.empty()) {
      const uint32_t node = queue_.back();
      queue_.pop_back();
      bool bad = false;
      const size_t n = graph_.neighbours(node, 0, list_, bad);
      for (size_t i = 0; i < n; ++i) {
        if (reached_[list_[i]] != 0) continue;
        reached_[list_[i]] = 1;
        queue_.push_back(list_[i]);
      }
    }
  }

  const GraphView& graph_;
  const FusedBlocks* blocks_;
  std::vector<uint8_t> reached_;
  std::vector<uint32_t> queue_;
  uint32_t list_[wire::kMaxListLength] = {};
  size_t count_ = 0;
};

Status check_sign_codes(const FusedIndex& fused) {
  const SignCodes& codes = fused.sign_codes();
  if (codes.parts == nullptr) return {};
  const FusedBlocks& blocks = fused.blocks();
  std::vector<std::byte> expected(codes.layout.sign_bytes);
  for (uint32_t node = 0; node < blocks.nodes; ++node) {
    write_sign_code(codes.layout, blocks.block(node), expected.data());
    if (std::memcmp(expected.data(), codes.record(node), expected.size()) != 0) {
      return Error(ErrorCode::kCorrupt,
                   "the sign code of node " + std::to_string(node) + " is not that of its block");
    }
  }
  return {};
}

}  // namespace

Status check_index(const GraphSpans& index) {
  if (index.layer_c.empty()) {
    if (index.fused.empty()) return {};
    RVF_ASSIGN(const auto partitions, PartitionIndex::open(index.fused.front()));
    return partitions->check();
  }
  RVF_ASSIGN(const GraphView graph, GraphView::open(index.layer_c));
  std::unique_ptr<FusedIndex> fused;
  if (!index.fused.empty()) {
    RVF_ASSIGN(fused, FusedIndex::open(index.fused));
    if (fused->blocks().nodes != graph.nodes()) {
      return Error(ErrorCode::kCorrupt, "the blocks of the index are of another graph");
    }
    RVF_TRY(check_sign_codes(*fused));
  }
  return GraphChecker(graph, fused == nullptr ? nullptr : &fused->blocks()).run();
}

}  // namespace rvf::index
