#include "index/partition_train.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "index/byte_row.hpp"
#include "quant/grouped_centroids.hpp"
#include "types/splitmix.hpp"

namespace rvf::index {
namespace {

constexpr uint64_t kSampleOfEach = 40;
constexpr uint64_t kMostSample = uint64_t{1} << 31;  // bytes
constexpr size_t kNearGroups = 6;  // whose centroids a row is compared with

}  // namespace

uint32_t PartitionCentroids::count_for(uint64_t rows) noexcept {
  const auto wanted = static_cast<uint64_t>(4 * std::sqrt(static_cast<double>(rows)));
  return static_cast<uint32_t>(std::clamp<uint64_t>(std::min(wanted, rows / 16), 1, 1U << 18));
}

Result<PartitionCentroids> PartitionCentroids::train(const FusedSpace& space,
                                                     const GraphInput& input, uint64_t seed,
                                                     Executor& executor,
                                                     const std::function<Status(double)>& report) {
  PartitionCentroids c;
  c.padded_ = space.layout().padded;
  const uint32_t wanted = count_for(input.count);
  const uint64_t most = kMostSample / (c.padded_ * sizeof(float));
  const uint64_t rows =
      std::min({input.count, wanted * kSampleOfEach, std::max<uint64_t>(most, 1)});
  std::vector<float> sample(rows * c.padded_);
  executor.parallel_for(rows, 256, [&](size_t, uint64_t b, uint64_t e) {
    std::vector<float> v(input.dim);
    for (uint64_t i = b; i < e; ++i) {
      const uint64_t span = input.count / rows;
      const uint64_t pick = i * span + splitmix64(seed + i) % span;
      place_row(space, input, input.first_row + pick, v, &sample[i * c.padded_]);
    }
  });
  RVF_TRY(report(0.1));

  RVF_ASSIGN(const quant::CentroidGroups trained,
             quant::train_centroid_groups(sample, c.padded_, wanted, seed, executor,
                                          [&](double p) { return report(0.1 + 0.9 * p); }));
  c.groups_ = quant::CentroidTable(trained.heads.centroids, c.padded_);
  c.first_.push_back(0);
  for (const std::vector<float>& own : trained.centroids) {
    c.centroids_.insert(c.centroids_.end(), own.begin(), own.end());
    c.first_.push_back(c.count());
    // A group without rows has no centroids; a table of none cannot be made.
    c.tables_.push_back(own.empty() ? quant::CentroidTable()
                                    : quant::CentroidTable(own, c.padded_));
  }
  return c;
}

void PartitionCentroids::nearest(const float* placed, size_t n, uint32_t* out, Scratch& s) const {
  s.members.resize(tables_.size());
  for (auto& m : s.members) m.clear();
  s.to_groups.resize(groups_.width());
  for (size_t i = 0; i < n; ++i) {
    groups_.distances(placed + i * padded_, s.to_groups.data());
    s.order.clear();
    for (uint32_t g = 0; g < groups_.count(); ++g) {
      if (first_[g + 1] > first_[g]) s.order.emplace_back(s.to_groups[g], g);
    }
    const size_t near = std::min(kNearGroups, s.order.size());
    std::partial_sort(s.order.begin(), s.order.begin() + static_cast<ptrdiff_t>(near),
                      s.order.end());
    for (size_t j = 0; j < near; ++j) {
      s.members[s.order[j].second].push_back(static_cast<uint32_t>(i));
    }
  }
  s.best.assign(n, std::numeric_limits<float>::infinity());
  std::fill_n(out, n, 0);
  for (uint32_t g = 0; g < tables_.size(); ++g) {
    const std::vector<uint32_t>& rows = s.members[g];
    s.gathered.resize(rows.size() * padded_);
    s.index.resize(rows.size());
    s.distance.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      std::copy_n(placed + rows[i] * padded_, padded_, &s.gathered[i * padded_]);
    }
    if (rows.empty()) continue;
    tables_[g].nearest(s.gathered.data(), padded_, rows.size(), s.index.data(), s.distance.data());
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!(s.distance[i] < s.best[rows[i]])) continue;
      s.best[rows[i]] = s.distance[i];
      out[rows[i]] = first_[g] + s.index[i];
    }
  }
}

}  // namespace rvf::index
