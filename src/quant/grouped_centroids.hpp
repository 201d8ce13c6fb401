// Many centroids: trained on a sample in two levels, and the nearest of them found among those of a
// few groups, so that coding n rows with 4 sqrt(n) centroids does not take n sqrt(n) distances.
// Depends on rows and options only, not on the number of threads. Immutable; thread-safe.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "quant/centroid_table.hpp"
#include "quant/kmeans.hpp"

namespace rvf::quant {

// At most `wanted` centroids of `rows` ([n][dim], n at least 1): sqrt(wanted) groups first, then
// each group's share. Errors of train_kmeans().
Result<std::vector<float>> train_grouped_centroids(std::span<const float> rows, size_t dim,
                                                   size_t wanted, uint64_t seed,
                                                   Executor* executor);

class GroupedCentroids {
 public:
  // `centroids` is [count][dim], at least one, finite.
  static Result<GroupedCentroids> make(std::span<const float> centroids, size_t dim);

  struct Scratch {
    std::vector<float> heads, members;
    std::vector<uint32_t> order;
  };
  Scratch make_scratch() const;
  // Nearly always the nearest centroid. Allocates nothing with a scratch of make_scratch().
  uint32_t nearest(const float* row, Scratch& scratch, float* distance2) const noexcept;

 private:
  struct Group {
    CentroidTable table;
    std::vector<uint32_t> numbers;
  };
  CentroidTable heads_;
  size_t widest_ = 0;  // distances to the members of a group, at most
  std::vector<Group> groups_;
};

}  // namespace rvf::quant
