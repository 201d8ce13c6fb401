#include "quant/grouped_centroids.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "exec/inline_executor.hpp"

namespace rvf::quant {
namespace {

constexpr size_t kFlat = 256;  // so many centroids are trained and compared without groups
constexpr size_t kProbes = 8;  // groups that a row is compared with
constexpr uint32_t kIterations = 8;

size_t root_of(size_t n) {
  return static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(n))));
}

// Rows by group: `index` of each row becomes the rows of each group, in row order.
std::vector<std::vector<uint32_t>> members_of(const std::vector<uint32_t>& index, size_t groups) {
  std::vector<std::vector<uint32_t>> out(groups);
  for (uint32_t i = 0; i < index.size(); ++i) out[index[i]].push_back(i);
  return out;
}

std::vector<float> gather(std::span<const float> rows, size_t dim,
                          const std::vector<uint32_t>& which) {
  std::vector<float> out;
  out.reserve(which.size() * dim);
  for (const uint32_t r : which) {
    const float* row = rows.data() + size_t{r} * dim;
    out.insert(out.end(), row, row + dim);
  }
  return out;
}

// Of `total`, in proportion to the groups' sizes, at least one each where there is anything.
std::vector<size_t> shares_of(const std::vector<std::vector<uint32_t>>& groups, size_t total) {
  uint64_t all = 0;
  for (const auto& members : groups) all += members.size();
  std::vector<size_t> shares;
  uint64_t before = 0;
  uint64_t given = 0;
  for (const auto& members : groups) {
    before += members.size();
    const uint64_t until = (before * total + all / 2) / all;
    const uint64_t share = until > given ? until - given : 0;
    shares.push_back(members.empty() ? 0 : std::max<uint64_t>(share, 1));
    given += share;
  }
  return shares;
}

}  // namespace

Result<CentroidGroups> train_centroid_groups(std::span<const float> rows, size_t dim, size_t wanted,
                                             uint64_t seed, Executor& executor,
                                             const std::function<Status(double)>& report) {
  CentroidGroups out;
  KMeansOptions options;
  options.iterations = kIterations;
  options.seed = seed;
  options.executor = &executor;
  options.centroids =
      std::max<size_t>(1, static_cast<size_t>(std::sqrt(static_cast<double>(wanted))));
  RVF_ASSIGN(out.heads, train_kmeans(rows, dim, options));
  const size_t n = rows.size() / dim;
  std::vector<uint32_t> index(n);
  std::vector<float> distance(n);
  CentroidTable(out.heads.centroids, dim)
      .nearest(rows.data(), dim, n, index.data(), distance.data(), &executor);
  RVF_TRY(report(0.3));

  const auto members = members_of(index, out.heads.count());
  const std::vector<size_t> shares = shares_of(members, wanted);
  out.centroids.resize(members.size());
  std::vector<std::optional<Error>> failed(members.size());
  executor.parallel_for(members.size(), 1, [&](size_t, uint64_t begin, uint64_t end) {
    for (uint64_t g = begin; g < end; ++g) {
      if (shares[g] == 0) continue;
      KMeansOptions own;
      own.iterations = kIterations;
      own.seed = seed + g + 1;
      own.centroids = shares[g];
      auto trained = train_kmeans(gather(rows, dim, members[g]), dim, own);
      if (trained) {
        out.centroids[g] = std::move(trained->centroids);
      } else {
        failed[g] = std::move(trained).error();
      }
    }
  });
  for (std::optional<Error>& error : failed) {
    if (error) return *std::move(error);
  }
  RVF_TRY(report(1));
  return out;
}

Result<std::vector<float>> train_grouped_centroids(std::span<const float> rows, size_t dim,
                                                   size_t wanted, uint64_t seed,
                                                   Executor* executor) {
  InlineExecutor here;
  if (executor == nullptr) executor = &here;
  if (wanted <= kFlat) {
    KMeansOptions options;
    options.iterations = kIterations;
    options.seed = seed;
    options.executor = executor;
    options.centroids = std::max<size_t>(wanted, 1);
    RVF_ASSIGN(KMeans flat, train_kmeans(rows, dim, options));
    return std::move(flat.centroids);
  }
  RVF_ASSIGN(const CentroidGroups groups,
             train_centroid_groups(rows, dim, wanted, seed, *executor));
  std::vector<float> all;
  for (const std::vector<float>& own : groups.centroids) {
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

Result<GroupedCentroids> GroupedCentroids::make(std::span<const float> centroids, size_t dim) {
  GroupedCentroids g;
  const size_t count = centroids.size() / dim;
  std::vector<uint32_t> index(count);
  KMeans heads{.dim = dim,
               .centroids = {centroids.begin(), centroids.begin() + static_cast<ptrdiff_t>(dim)}};
  if (count > kFlat) {
    KMeansOptions options;
    options.centroids = root_of(count);
    options.iterations = kIterations;
    RVF_ASSIGN(heads, train_kmeans(centroids, dim, options));
    std::vector<float> distance(count);
    CentroidTable(heads.centroids, dim)
        .nearest(centroids.data(), dim, count, index.data(), distance.data());
  }
  std::vector<float> kept;
  const auto members = members_of(index, heads.count());
  for (size_t h = 0; h < members.size(); ++h) {
    if (members[h].empty()) continue;
    const float* head = heads.centroids.data() + h * dim;
    kept.insert(kept.end(), head, head + dim);
    g.groups_.push_back({CentroidTable(gather(centroids, dim, members[h]), dim), members[h]});
  }
  for (const Group& group : g.groups_) g.widest_ = std::max(g.widest_, group.table.width());
  g.heads_ = CentroidTable(kept, dim);
  return g;
}

GroupedCentroids::Scratch GroupedCentroids::make_scratch() const {
  return {.heads = std::vector<float>(heads_.width()),
          .members = std::vector<float>(widest_),
          .order = std::vector<uint32_t>(groups_.size())};
}

uint32_t GroupedCentroids::nearest(const float* row, Scratch& scratch,
                                   float* distance2) const noexcept {
  heads_.distances(row, scratch.heads.data());
  std::iota(scratch.order.begin(), scratch.order.end(), 0U);
  const size_t probes = std::min(kProbes, groups_.size());
  std::partial_sort(scratch.order.begin(), scratch.order.begin() + static_cast<ptrdiff_t>(probes),
                    scratch.order.end(), [&](uint32_t a, uint32_t b) {
                      return std::pair(scratch.heads[a], a) < std::pair(scratch.heads[b], b);
                    });
  uint32_t best = groups_[scratch.order[0]].numbers[0];
  float least = std::numeric_limits<float>::infinity();
  for (size_t p = 0; p < probes; ++p) {
    const Group& group = groups_[scratch.order[p]];
    group.table.distances(row, scratch.members.data());
    for (size_t i = 0; i < group.numbers.size(); ++i) {
      if (!(scratch.members[i] < least)) continue;
      least = scratch.members[i];
      best = group.numbers[i];
    }
  }
  *distance2 = least;
  return best;
}

}  // namespace rvf::quant
