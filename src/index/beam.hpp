// Best-first search over one layer of a graph, shared by building (mutable graph, int8 codes) and
// by queries (mapped bytes, stored rows). Internal to src/index.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "wire/index_codec.hpp"

namespace rvf::index {

// A set of node ordinals that is emptied in O(1): one byte a node holds the number of the round.
class VisitedMarks {
 public:
  void start(size_t nodes) {
    if (marks_.size() < nodes) {
      marks_.assign(nodes, 0);
      round_ = 0;
    }
    if (++round_ == 0) {
      std::memset(marks_.data(), 0, marks_.size());
      round_ = 1;
    }
  }
  bool insert(uint32_t node) noexcept {  // true if it was not in
    if (marks_[node] == round_) return false;
    marks_[node] = round_;
    return true;
  }
  bool contains(uint32_t node) const noexcept { return marks_[node] == round_; }

 private:
  std::vector<uint8_t> marks_;
  uint8_t round_ = 0;
};

struct Near {
  float distance;
  uint32_t node;
  bool operator<(const Near& o) const noexcept {
    return distance != o.distance ? distance < o.distance : node < o.node;
  }
};

// The ef best nodes seen, ascending, each expanded once. The top bit of `node` marks the expanded
// ones.
class BeamPool {
 public:
  static constexpr uint32_t kExpanded = 0x80000000;

  void start(size_t ef) {
    if (items_.size() < ef + 1) items_.resize(ef + 1);
    ef_ = ef;
    size_ = 0;
    cursor_ = 0;
  }
  size_t size() const noexcept { return size_; }
  Near operator[](size_t i) const noexcept {
    return {items_[i].distance, items_[i].node & ~kExpanded};
  }
  float bound() const noexcept {
    return size_ < ef_ ? std::numeric_limits<float>::infinity() : items_[size_ - 1].distance;
  }
  void offer(float distance, uint32_t node) noexcept {
    if (!(distance == distance)) distance = std::numeric_limits<float>::infinity();
    const Near item{distance, node};
    if (size_ == ef_) {
      if (!less(item, items_[size_ - 1])) return;
      --size_;
    }
    size_t low = 0;
    size_t high = size_;
    while (low < high) {
      const size_t mid = (low + high) / 2;
      if (less(items_[mid], item)) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    std::memmove(&items_[low + 1], &items_[low], (size_ - low) * sizeof(Near));
    items_[low] = item;
    ++size_;
    if (low < cursor_) cursor_ = low;
  }
  // The nearest node not yet expanded, which becomes expanded; false when there is none.
  bool next(uint32_t& node) noexcept {
    while (cursor_ < size_ && (items_[cursor_].node & kExpanded) != 0) ++cursor_;
    if (cursor_ == size_) return false;
    node = items_[cursor_].node;
    items_[cursor_++].node |= kExpanded;
    return true;
  }
  bool peek(uint32_t& node) const noexcept {
    for (size_t i = cursor_; i < size_; ++i) {
      if ((items_[i].node & kExpanded) == 0) {
        node = items_[i].node;
        return true;
      }
    }
    return false;
  }

 private:
  static bool less(const Near& a, const Near& b) noexcept {
    if (a.distance != b.distance) return a.distance < b.distance;
    return (a.node & ~kExpanded) < (b.node & ~kExpanded);
  }
  std::vector<Near> items_;
  size_t ef_ = 0;
  size_t size_ = 0;
  size_t cursor_ = 0;
};

struct BeamCounts {
  uint64_t distances = 0;
  uint64_t expansions = 0;
  uint64_t bad_lists = 0;
};

// Expands `pool`, which holds the entry nodes (marked visited), until nothing is left to expand or
// stop() says so. Graph: size_t neighbours(node, layer, uint32_t* out, bool& bad),
// prefetch_offset(node), prefetch_list(node). Space: prefetch(node), distances(nodes, n, out).
// seen(node, distance) is called for every node whose distance is computed.
template <class Graph, class Space, class Seen, class Stop>
void expand_beam(const Graph& graph, uint32_t layer, const Space& space, BeamPool& pool,
                 VisitedMarks& visited, BeamCounts& counts, Seen&& seen, Stop&& stop) {
  uint32_t list[wire::kMaxListLength];
  float distances[wire::kMaxListLength];
  uint32_t node;
  while (pool.next(node)) {
    bool bad = false;
    const size_t all = graph.neighbours(node, layer, list, bad);
    counts.bad_lists += bad ? 1 : 0;
    size_t n = 0;
    for (size_t i = 0; i < all; ++i) {
      const uint32_t other = list[i];
      if (!visited.insert(other)) continue;
      list[n++] = other;
      space.prefetch(other);
    }
    uint32_t after;
    if (pool.peek(after)) graph.prefetch_list(after);
    space.distances(list, n, distances);
    counts.distances += n;
    ++counts.expansions;
    for (size_t i = 0; i < n; ++i) {
      seen(list[i], distances[i]);
      if (distances[i] <= pool.bound()) {
        pool.offer(distances[i], list[i]);
        graph.prefetch_offset(list[i]);
      }
    }
    if (stop()) return;
  }
}

// A step of a filtered search wants so many matching nodes to compare ...
inline constexpr size_t kFilteredStep = 24;
// ... and goes through nodes that do not match where it finds fewer than this.
inline constexpr size_t kLeastFilteredStep = 4;

// The same for a search that returns only nodes that match: the beam walks the matching nodes and
// steps over one that does not match to its neighbours (as ACORN does: Patel et al., "ACORN:
// performant and predicate-agnostic search over vector embeddings and structured data", 2024), but
// takes no more of them than a plain step would. Nodes that do not match enter the beam only where
// hardly any other is near, to lead out of such regions.
template <class Graph, class Space, class Match, class Seen, class Stop>
void expand_filtered(const Graph& graph, const Space& space, BeamPool& pool, VisitedMarks& visited,
                     BeamCounts& counts, Match&& match, Seen&& seen, Stop&& stop) {
  uint32_t list[wire::kMaxListLength];
  uint32_t taken[wire::kMaxListLength];
  uint32_t passed_over[wire::kMaxListLength];
  float distances[wire::kMaxListLength];
  uint32_t node;
  while (pool.next(node)) {
    bool bad = false;
    size_t n = 0;
    size_t others = 0;
    const size_t near = graph.neighbours(node, 0, list, bad);
    counts.bad_lists += bad ? 1 : 0;
    for (size_t i = 0; i < near; ++i) {
      if (!visited.insert(list[i])) continue;
      if (match(list[i])) {
        taken[n++] = list[i];
        space.prefetch(list[i]);
      } else {
        passed_over[others++] = list[i];
        graph.prefetch_offset(list[i]);
      }
    }
    for (size_t o = 0; o < others && n < kFilteredStep; ++o) {
      if (o + 1 < others) graph.prefetch_list(passed_over[o + 1]);
      const size_t all = graph.neighbours(passed_over[o], 0, list, bad);
      for (size_t i = 0; i < all && n < kFilteredStep; ++i) {
        if (visited.contains(list[i]) || !match(list[i])) continue;
        visited.insert(list[i]);
        taken[n++] = list[i];
        space.prefetch(list[i]);
      }
    }
    const size_t matching = n;
    if (n < kLeastFilteredStep) {
      for (size_t o = 0; o < others && n < wire::kMaxListLength; ++o) {
        taken[n++] = passed_over[o];
        space.prefetch(passed_over[o]);
      }
    }
    space.distances(taken, n, distances);
    counts.distances += n;
    ++counts.expansions;
    for (size_t i = 0; i < n; ++i) {
      if (i < matching) seen(taken[i], distances[i]);
      if (distances[i] <= pool.bound()) {
        pool.offer(distances[i], taken[i]);
        graph.prefetch_offset(taken[i]);
      }
    }
    if (stop()) return;
  }
}

}  // namespace rvf::index
