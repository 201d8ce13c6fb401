// One search at a time over fused blocks, with the memory it needs. Reuse it: it keeps one byte a
// node for what was compared, and clears that in O(1) for 254 of 255 searches.
// Thread-safety: one thread at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/aligned_array.hpp"
#include "index/fused_space.hpp"

namespace rvf::index {

inline constexpr uint32_t kMostTraced = 1024;  // enough for the candidates of a node

class FusedSearcher {
 public:
  explicit FusedSearcher(kernels::Isa isa = kernels::Isa::kBest) : kernels_(&fused_kernels(isa)) {}

  // The query for kernels() to use, valid until the next one; `placed`: FusedSpace::place() of it.
  const FusedQuery& prepare(const FusedLayout& layout, const float* placed);
  const FusedKernels& kernels() const noexcept { return *kernels_; }

  // `placed` as above. `width` at least 1. The first `traced` comparisons
  // are remembered.
  void start(const FusedBlocks& blocks, const float* placed, uint32_t width, uint32_t traced);
  bool run(uint64_t expansions) { return kernels_->walk(blocks_, query_, state_, expansions); }

  // After start(): also remembers what expansions show, see FusedState::collected. What was
  // compared and what was shown must then be taken after every run() of at most `expansions`.
  void collect(uint32_t expansions, float slack, const NodeTest& may_be_returned);
  void collect_below(float distance) noexcept { state_.collect_below = distance; }
  // Valid until the next run().
  std::span<const uint64_t> take_compared() noexcept;
  std::span<const uint64_t> take_shown() noexcept;
  // True the first time, unless the node was compared.
  bool mark(uint32_t node) noexcept {
    const bool first = marks_[node] != round_;
    marks_[node] = round_;
    return first;
  }
  const FusedQuery& query() const noexcept { return query_; }

  // Ascending (distance, node) keys, node shifted by one; kNoKey behind the last.
  std::span<const uint64_t> near() const noexcept { return {state_.near, state_.width}; }
  static uint32_t node_of(uint64_t key) noexcept { return static_cast<uint32_t>(key) >> 1; }
  static float distance_of(uint64_t key) noexcept {
    return unsortable(static_cast<uint32_t>(key >> 32));
  }
  std::span<const uint64_t> trace() const noexcept { return {trace_.data(), state_.traced}; }
  const FusedState& state() const noexcept { return state_; }

 private:
  const FusedKernels* kernels_;
  FusedBlocks blocks_;
  FusedQuery query_;
  FusedState state_;
  AlignedArray<uint8_t> prepared_;
  size_t prepared_bytes_ = 0;
  AlignedArray<uint64_t> near_;
  size_t near_room_ = 0;
  std::vector<uint8_t> marks_;
  uint8_t round_ = 0;
  std::vector<uint64_t> trace_;
  std::vector<uint64_t> shown_;
};

}  // namespace rvf::index
