// The k best rows in (distance, id) order, whatever order they are offered in.
// Ids are looked up only when two distances are equal, so the result is exactly the k smallest
// pairs (distance, id) at no cost for data without ties. A NaN distance counts as infinity.
// Thread-safety: as a plain value; use one a worker and merge().
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace rvf::index {

struct Hit {
  uint64_t row = 0;
  float distance = 0;
};

// From row ordinal to id. Default: a row is its own id. Does not own `context`; must be callable
// from any thread.
struct IdLookup {
  const void* context = nullptr;
  uint64_t (*id_of)(const void* context, uint64_t row) = nullptr;
  uint64_t operator()(uint64_t row) const { return id_of == nullptr ? row : id_of(context, row); }
};

class TopK {
 public:
  TopK() = default;
  TopK(size_t k, IdLookup ids) { reset(k, ids); }

  void reset(size_t k, IdLookup ids) {
    k_ = k;
    ids_ = ids;
    heap_.clear();
    bound_ =
        k == 0 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
  }
  // A distance above this cannot enter; one equal to it can, by its id.
  float bound() const noexcept { return bound_; }
  size_t size() const noexcept { return heap_.size(); }
  bool full() const noexcept { return heap_.size() >= k_; }

  void offer(uint64_t row, float distance) {
    if (!(distance <= bound_)) {
      if (distance == distance || full()) return;
      distance = std::numeric_limits<float>::infinity();
    }
    insert({row, distance});
  }
  void merge(const TopK& other) {
    for (const Hit& h : other.heap_) offer(h.row, h.distance);
  }
  // Ascending by (distance, id); empties the collector.
  void finish(std::vector<Hit>& out) {
    out.assign(heap_.begin(), heap_.end());
    std::sort(out.begin(), out.end(), Less{ids_});
    heap_.clear();
  }

 private:
  struct Less {
    IdLookup ids;
    bool operator()(const Hit& a, const Hit& b) const {
      if (a.distance != b.distance) return a.distance < b.distance;
      const uint64_t x = ids(a.row);
      const uint64_t y = ids(b.row);
      return x != y ? x < y : a.row < b.row;
    }
  };
  void insert(Hit h) {
    const Less less{ids_};
    if (heap_.size() < k_) {
      heap_.push_back(h);
      std::push_heap(heap_.begin(), heap_.end(), less);
    } else if (k_ != 0 && less(h, heap_.front())) {
      std::pop_heap(heap_.begin(), heap_.end(), less);
      heap_.back() = h;
      std::push_heap(heap_.begin(), heap_.end(), less);
    }
    if (full() && k_ != 0) bound_ = heap_.front().distance;
  }

  std::vector<Hit> heap_;
  IdLookup ids_;
  size_t k_ = 0;
  float bound_ = std::numeric_limits<float>::infinity();
};

}  // namespace rvf::index
