// The k nearest of the nodes whose bytes were compared so far, and all that were: what scans of
// codes and walks under a filter share. The keys lie in scratch memory that is borrowed.
// Thread-safety: one thread at a time.
#pragma once
#include <algorithm>
#include <limits>
#include <vector>

#include "index/fused_searcher.hpp"

namespace rvf::index {

class NearestByBytes {
 public:
  // `query` must be prepared in `searcher`. Both vectors are emptied.
  NearestByBytes(const FusedBlocks& blocks, const FusedSearcher& searcher, const FusedQuery& query,
                 size_t k, std::vector<uint64_t>& compared, std::vector<uint64_t>& nearest)
      : blocks_(blocks),
        kernels_(searcher.kernels()),
        query_(query),
        k_(k),
        compared_(compared),
        nearest_(nearest) {
    compared_.clear();
    nearest_.clear();
  }

  // Of the k-th; infinite while there are fewer.
  float within() const noexcept { return within_; }
  bool full() const noexcept { return nearest_.size() >= k_; }

  // Takes a key of a node that was compared already.
  void add(uint64_t key) {
    compared_.push_back(key);
    if (full()) {
      if (key > nearest_.front()) return;
      std::pop_heap(nearest_.begin(), nearest_.end());
      nearest_.pop_back();
    }
    nearest_.push_back(key);
    std::push_heap(nearest_.begin(), nearest_.end());
    if (full()) within_ = FusedSearcher::distance_of(nearest_.front());
  }

  // Asks the memory for what comparing the node reads.
  void ask(uint32_t node) const {
    const std::byte* head = blocks_.block(node);
    for (uint32_t at = 0; at < blocks_.layout.ids; at += 64) __builtin_prefetch(head + at);
  }

  // Compares the nodes node(0), node(1), ... while wanted(i) holds.
  template <class Node, class Wanted>
  void compare(size_t n, Node&& node, Wanted&& wanted) {
    const auto ask_for = [&](size_t from) {
      for (size_t i = from; i < std::min(from + kAtOnce, n); ++i) ask(node(i));
    };
    ask_for(0);
    for (size_t i = 0; i < n && wanted(i); ++i) {
      if (i % kAtOnce == 0) ask_for(i + kAtOnce);
      const uint32_t number = node(i);
      const float d = kernels_.head_distance(blocks_.layout, blocks_.block(number), query_);
      add(static_cast<uint64_t>(sortable(d)) << 32 | uint64_t{number} << 1);
    }
  }

 private:
  static constexpr size_t kAtOnce = 8;  // asked for before they are compared

  const FusedBlocks& blocks_;
  const FusedKernels& kernels_;
  const FusedQuery& query_;
  size_t k_;
  std::vector<uint64_t>& compared_;
  std::vector<uint64_t>& nearest_;
  float within_ = std::numeric_limits<float>::infinity();
};

}  // namespace rvf::index
