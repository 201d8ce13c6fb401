// How much of the true answers a store still gives after something changed what it keeps of its
// vectors: questions are made and answered exactly before, and asked again after.
// Ownership: holds no snapshot after take(). Thread-safety: immutable; any thread.
#pragma once
#include <cstdint>
#include <vector>

#include "rvf/store.hpp"

namespace rvf {

class RecallSample {
 public:
  static constexpr uint32_t kNeighbors = 10;

  // At most `queries` questions like the stored vectors: each is one of them moved by half the
  // difference of two of its neighbours. Fewer for a store so large that comparing all would take
  // long, none for an empty one. Errors of Snapshot::query(). `executor` may be null.
  static Result<RecallSample> take(const Snapshot& before, size_t queries, Executor* executor);

  size_t size() const noexcept { return truth_.size(); }
  // The share of the ten nearest of before that default queries find now, over all questions; 1
  // where there are none. Errors of Snapshot::query_batch().
  Result<double> recall(const Snapshot& now, Executor* executor) const;

 private:
  size_t dimension_ = 0;
  std::vector<float> questions_;
  std::vector<QueryResult> truth_;
};

}  // namespace rvf
