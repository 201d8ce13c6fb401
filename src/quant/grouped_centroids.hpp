// Many centroids: trained on a sample in two levels, and the nearest of them found among those of a
// few groups, so that coding n rows with 4 sqrt(n) centroids does not take n sqrt(n) distances.
// Depends on rows and options only, not on the number of threads. Immutable; thread-safe.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "quant/centroid_table.hpp"
#include "quant/kmeans.hpp"
#include "rvf/executor.hpp"

namespace rvf::quant {

struct CentroidGroups {
  KMeans heads;
  std::vector<std::vector<float>> centroids;  // of each group; none of a group without rows
};

// About `wanted` centroids of `rows` ([n][dim], n at least 1): sqrt(wanted) groups first, then each
// group's share of `wanted` by its rows, trained on those. `report` hears of progress from 0 to 1
// and may stop the training with an error. Errors: those of train_kmeans().
Result<CentroidGroups> train_centroid_groups(
    std::span<const float> rows, size_t dim, size_t wanted, uint64_t seed, Executor& executor,
    const std::function<Status(double)>& report = [](double) { return Status(); });

// The same in one list. Few are trained without groups. `executor` may be null.
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
