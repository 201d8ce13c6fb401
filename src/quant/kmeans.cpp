#include "quant/kmeans.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "quant/centroid_table.hpp"
#include "quant/shape.hpp"
#include "types/splitmix.hpp"

namespace rvf::quant {
namespace {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() noexcept {
    const uint64_t value = splitmix64(state_);
    state_ += kSplitmixStep;
    return value;
  }
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }  // [0, 1)
  uint64_t below(uint64_t n) noexcept { return next() % n; }

 private:
  uint64_t state_;
};

// One row at random from each of `wanted` equal stretches.
std::vector<float> sample_rows(std::span<const float> rows, size_t dim, size_t wanted,
                               Random& random) {
  const size_t n = rows.size() / dim;
  if (wanted >= n) return {rows.begin(), rows.end()};
  std::vector<float> out(wanted * dim);
  for (size_t i = 0; i < wanted; ++i) {
    const size_t begin = static_cast<size_t>(uint64_t{i} * n / wanted);
    const size_t end = static_cast<size_t>(uint64_t{i + 1} * n / wanted);
    const size_t pick = begin + random.below(end - begin);
    std::copy_n(rows.data() + pick * dim, dim, out.data() + i * dim);
  }
  return out;
}

// The row at which `left` of the sum of weights is used up.
size_t draw(const std::vector<double>& weights, double left) noexcept {
  size_t pick = 0;
  for (; pick + 1 < weights.size(); ++pick) {
    left -= weights[pick];
    if (left < 0) break;
  }
  return pick;
}

// Greedy k-means++: a few candidates for each start are drawn with a chance proportional to their
// squared distance from the nearest start so far; the one that lowers their sum most is taken.
std::vector<float> starts(std::span<const float> rows, size_t dim, size_t count, Random& random) {
  constexpr size_t kCandidates = 4;
  const size_t n = rows.size() / dim;
  const CentroidTable table(rows, dim);  // the rows stand where centroids usually do
  std::vector<float> distances(kCandidates * table.width());
  std::vector<double> nearest(n, std::numeric_limits<double>::max());
  double total = 0;
  std::vector<float> out;
  out.reserve(count * dim);
  while (out.size() < count * dim) {
    const float* candidates[kCandidates];
    for (const float*& c : candidates) {
      const bool weighted = !out.empty() && total > 0 && std::isfinite(total);
      const size_t pick = weighted ? draw(nearest, random.unit() * total) : random.below(n);
      c = rows.data() + pick * dim;
    }
    table.distances(candidates, distances.data());
    double least = std::numeric_limits<double>::infinity();
    size_t best = 0;
    for (size_t c = 0; c < kCandidates; ++c) {
      const float* to = distances.data() + c * table.width();
      double sum = 0;
      for (size_t i = 0; i < n; ++i) sum += std::min(nearest[i], double{to[i]});
      if (sum < least) {
        least = sum;
        best = c;
      }
    }
    const float* to = distances.data() + best * table.width();
    for (size_t i = 0; i < n; ++i) nearest[i] = std::min(nearest[i], double{to[i]});
    total = least;
    out.insert(out.end(), candidates[best], candidates[best] + dim);
  }
  return out;
}

class Lloyd {
 public:
  Lloyd(std::span<const float> rows, size_t dim, Executor* executor)
      : rows_(rows),
        dim_(dim),
        n_(rows.size() / dim),
        executor_(executor),
        index_(n_),
        distance_(n_) {}

  // Mean squared distance.
  double assign(const std::vector<float>& centroids) {
    CentroidTable(centroids, dim_)
        .nearest(rows_.data(), dim_, n_, index_.data(), distance_.data(), executor_);
    double total = 0;
    for (const float d : distance_) total += d;
    return total / static_cast<double>(n_);
  }

  void update(std::vector<float>& centroids) {
    const size_t count = centroids.size() / dim_;
    std::vector<uint32_t> ends(count + 1);
    for (const uint32_t c : index_) ++ends[c + 1];
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    std::vector<uint32_t> members(n_);
    std::vector<uint32_t> at(ends.begin(), ends.end() - 1);
    for (size_t i = 0; i < n_; ++i) members[at[index_[i]]++] = static_cast<uint32_t>(i);
    const auto body = [&](size_t, uint64_t begin, uint64_t end) {
      std::vector<double> sum(dim_);
      for (uint64_t c = begin; c < end; ++c) {
        mean(std::span(members).subspan(ends[c], ends[c + 1] - ends[c]), sum,
             centroids.data() + c * dim_);
      }
    };
    if (executor_ == nullptr) {
      body(0, 0, count);
    } else {
      executor_->parallel_for(count, std::max<size_t>(1, count / 64), body);
    }
    repair(ends, centroids);
  }

 private:
  void mean(std::span<const uint32_t> members, std::vector<double>& sum, float* centroid) const {
    if (members.empty()) return;
    std::ranges::fill(sum, 0.0);
    for (const uint32_t m : members) {
      const float* row = rows_.data() + m * dim_;
      for (size_t j = 0; j < dim_; ++j) sum[j] += double{row[j]};
    }
    const auto size = static_cast<double>(members.size());
    for (size_t j = 0; j < dim_; ++j) centroid[j] = static_cast<float>(sum[j] / size);
  }

  // A centroid without rows moves to the row that is worst served.
  void repair(const std::vector<uint32_t>& ends, std::vector<float>& centroids) {
    for (size_t c = 0; c + 1 < ends.size(); ++c) {
      if (ends[c] != ends[c + 1]) continue;
      const auto worst = std::ranges::max_element(distance_);
      if (!(*worst > 0)) return;
      const auto row = static_cast<size_t>(worst - distance_.begin());
      std::copy_n(rows_.data() + row * dim_, dim_, centroids.data() + c * dim_);
      *worst = 0;
    }
  }

  std::span<const float> rows_;
  size_t dim_;
  size_t n_;
  Executor* executor_;
  std::vector<uint32_t> index_;
  std::vector<float> distance_;
};

}  // namespace

Result<KMeans> train_kmeans(std::span<const float> rows, size_t dim, const KMeansOptions& options) {
  RVF_TRY(check_rows(rows, dim));
  if (options.centroids == 0) return Error(ErrorCode::kBadArgument, "0 centroids were asked for");
  const size_t n = rows.size() / dim;
  const size_t count = std::min(options.centroids, n);
  const size_t per = options.sample_per_centroid;
  Random random(options.seed);
  const size_t wanted = per == 0 || count > n / per ? n : count * per;
  const std::vector<float> sample = sample_rows(rows, dim, wanted, random);
  KMeans result{.dim = dim, .centroids = {}};
  {
    constexpr size_t kStartRowsPerCentroid = 16;
    const size_t few = count > n / kStartRowsPerCentroid ? n : count * kStartRowsPerCentroid;
    result.centroids = starts(sample_rows(sample, dim, few, random), dim, count, random);
  }
  Lloyd lloyd(sample, dim, options.executor);
  result.mean_distance = lloyd.assign(result.centroids);
  while (result.iterations < options.iterations) {
    lloyd.update(result.centroids);
    ++result.iterations;
    const double before = result.mean_distance;
    result.mean_distance = lloyd.assign(result.centroids);
    constexpr double kLeastGain = 1e-4;
    if (!(result.mean_distance < before * (1 - kLeastGain))) break;
  }
  return result;
}

}  // namespace rvf::quant
