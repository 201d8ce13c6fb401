#include "index/fused_searcher.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

namespace rvf::index {

const FusedQuery& FusedSearcher::prepare(const FusedLayout& l, const float* placed) {
  const size_t table_bytes = (size_t{4} * l.padded + 63) / 64 * 64;
  const size_t bytes = table_bytes + size_t{2} * l.vector_bytes;
  if (prepared_bytes_ < bytes) {
    prepared_ = aligned_array<uint8_t>(bytes);
    if (prepared_ == nullptr) throw std::bad_alloc();
    prepared_bytes_ = bytes;
  }
  auto* high = reinterpret_cast<int8_t*>(prepared_.get() + table_bytes);
  kernels_->prepare(placed, l, prepared_.get(), high, high + l.vector_bytes, query_);
  return query_;
}

void FusedSearcher::start(const FusedBlocks& blocks, const float* placed, uint32_t width,
                          uint32_t traced) {
  blocks_ = blocks;
  prepare(blocks.layout, placed);
  const size_t keys = (size_t{width} + 7) / 8 * 8;
  if (near_room_ < keys) {
    near_ = aligned_array<uint64_t>(keys);
    if (near_ == nullptr) throw std::bad_alloc();
    near_room_ = keys;
  }
  std::fill_n(near_.get(), keys, kNoKey);
  if (marks_.size() < blocks.nodes) {
    marks_.assign(blocks.nodes, 0);
    round_ = 0;
  }
  if (++round_ == 0) {
    std::memset(marks_.data(), 0, marks_.size());
    round_ = 1;
  }
  if (trace_.size() < traced) trace_.resize(traced);

  state_ = FusedState{};
  state_.near = near_.get();
  state_.near_keys = static_cast<uint32_t>(keys);
  state_.width = width;
  state_.marks = marks_.data();
  state_.round = round_;
  state_.trace = trace_.data();
  state_.trace_room = traced;
}

void FusedSearcher::collect(uint32_t expansions, float slack, const NodeTest& may_be_returned) {
  // Between two expansions no more is compared than the pool of estimates holds.
  const size_t room = (size_t{expansions} + 2) * kFusedDegree;
  if (trace_.size() < room) trace_.resize(room);
  if (shown_.size() < room) shown_.resize(room);
  state_.trace = trace_.data();
  state_.trace_room = static_cast<uint32_t>(room);
  state_.collected = shown_.data();
  state_.collect_below = std::numeric_limits<float>::infinity();
  state_.collect_slack = slack;
  state_.may_be_returned = may_be_returned;
}

std::span<const uint64_t> FusedSearcher::take_compared() noexcept {
  const std::span<const uint64_t> out(trace_.data(), state_.traced);
  state_.traced = 0;
  return out;
}

std::span<const uint64_t> FusedSearcher::take_shown() noexcept {
  const std::span<const uint64_t> out(shown_.data(), state_.collected_count);
  state_.collected_count = 0;
  return out;
}

}  // namespace rvf::index
