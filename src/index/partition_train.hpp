// Centroids for partitions: k-means in two levels, so that training and finding the nearest of ten
// thousands stay cheap. The same for a given seed, whatever the executor's width.
// Immutable after train(); thread-safe.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "index/fused_space.hpp"
#include "quant/centroid_table.hpp"
#include "rvf/executor.hpp"

namespace rvf::index {

class PartitionCentroids {
 public:
  // How many partitions suit so many rows: as many as four times their square root.
  static uint32_t count_for(uint64_t rows) noexcept;

  // From a sample of the rows. Errors: kCancelled, those of k-means.
  static Result<PartitionCentroids> train(const FusedSpace& space, const GraphInput& input,
                                          uint64_t seed, Executor& executor,
                                          const std::function<Status(double)>& report);

  uint32_t count() const noexcept { return static_cast<uint32_t>(centroids_.size() / padded_); }
  const float* centroid(uint32_t i) const noexcept {
    return centroids_.data() + size_t{i} * padded_;
  }

  // Working memory of nearest(); one a thread, reusable.
  struct Scratch {
    std::vector<float> to_groups;
    std::vector<std::pair<float, uint32_t>> order;
    std::vector<std::vector<uint32_t>> members;  // of each group: rows to compare with it
    std::vector<float> gathered;
    std::vector<uint32_t> index;
    std::vector<float> distance;
    std::vector<float> best;
  };
  // The nearest centroid of each of n placed rows, as far as the groups nearest to it tell.
  void nearest(const float* placed, size_t n, uint32_t* out, Scratch& scratch) const;

 private:
  size_t padded_ = 0;
  std::vector<float> centroids_;  // [count][padded], group after group
  quant::CentroidTable groups_;
  std::vector<uint32_t> first_;  // [groups + 1]: centroids of each group
  std::vector<quant::CentroidTable> tables_;  // [groups]
};

}  // namespace rvf::index
