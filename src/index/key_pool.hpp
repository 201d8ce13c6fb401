// The smallest of many keys, without an order among them until it is asked for: twice as many as are
// wanted are collected, then the larger half is dropped.
// Thread-safety: as a plain value.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rvf::index {

class KeyPool {
 public:
  static constexpr uint64_t kNoLimit = ~uint64_t{0};

  // `wanted` at least 1.
  void start(size_t wanted) {
    wanted_ = wanted;
    limit_ = kNoLimit;
    keys_.clear();
    keys_.reserve(2 * wanted + 64);
  }
  // No key above this belongs to the smallest.
  uint64_t limit() const noexcept { return limit_; }
  void add(uint64_t key) {
    if (key >= limit_) return;
    keys_.push_back(key);
    if (keys_.size() >= 2 * wanted_ + 64) keep_smallest();
  }
  // Drops all but the `wanted` smallest.
  void keep_smallest() {
    if (keys_.size() <= wanted_) return;
    const auto last = keys_.begin() + static_cast<ptrdiff_t>(wanted_ - 1);
    std::nth_element(keys_.begin(), last, keys_.end());
    limit_ = *last;
    keys_.resize(wanted_);
  }
  std::vector<uint64_t>& keys() noexcept { return keys_; }

 private:
  size_t wanted_ = 1;
  uint64_t limit_ = kNoLimit;
  std::vector<uint64_t> keys_;
};

}  // namespace rvf::index
