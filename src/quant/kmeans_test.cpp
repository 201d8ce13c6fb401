#include "quant/kmeans.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <set>

#include "quant/centroid_table.hpp"
#include "quant/test_data.hpp"

namespace rvf::quant {
namespace {

double squared(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t j = 0; j < dim; ++j) sum += (double{a[j]} - b[j]) * (double{a[j]} - b[j]);
  return sum;
}

TEST(CentroidTable, FindsWhatAPlainLoopFindsOnEveryInstructionSet) {
  for (const size_t dim : {1U, 3U, 8U, 50U}) {
    for (const size_t count : {1U, 15U, 16U, 17U, 64U, 100U, 256U}) {
      const auto centroids = gaussian(count, dim, 1);
      const auto rows = gaussian(23, dim, 2);
      const CentroidTable scalar(centroids, dim, kernels::Isa::kScalar);
      std::vector<float> expected(scalar.width());
      for (const auto isa : {kernels::Isa::kScalar, kernels::Isa::kAvx2, kernels::Isa::kAvx512}) {
        if (!kernels::isa_available(isa)) continue;
        const CentroidTable table(centroids, dim, isa);
        std::vector<uint32_t> index(23);
        std::vector<float> distance(23);
        std::vector<float> all(table.width());
        table.nearest(rows.data(), dim, 23, index.data(), distance.data());
        for (size_t r = 0; r < 23; ++r) {
          const float* row = rows.data() + r * dim;
          scalar.distances(row, expected.data());
          table.distances(row, all.data());
          EXPECT_EQ(std::memcmp(all.data(), expected.data(), all.size() * 4), 0);
          const auto best = std::min_element(all.begin(), all.begin() + count);
          EXPECT_EQ(index[r], best - all.begin());
          EXPECT_EQ(distance[r], *best);
          EXPECT_NEAR(distance[r], squared(row, centroids.data() + index[r] * dim, dim),
                      1e-5 * (1 + distance[r]));
        }
        for (size_t c = count; c < all.size(); ++c) EXPECT_TRUE(std::isinf(all[c]));
      }
    }
  }
}

TEST(CentroidTable, TakesTheFirstOfEqualCentroids) {
  std::vector<float> centroids(40 * 2, 1.0F);
  centroids[0] = 5;
  const CentroidTable table(centroids, 2);
  const float row[] = {1, 1};
  uint32_t index = 99;
  float distance = -1;
  table.nearest(row, 2, 1, &index, &distance);
  EXPECT_EQ(index, 1U);
  EXPECT_EQ(distance, 0);
}

TEST(KMeans, FindsWellSeparatedClusters) {
  constexpr size_t kClusters = 20;
  const auto rows = clustered(4000, 16, kClusters, 0.05F, 3);
  const auto result = train_kmeans(rows, 16, {.centroids = kClusters, .iterations = 20});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->count(), kClusters);
  EXPECT_LT(result->mean_distance, 16 * 0.05 * 0.05 * 1.5);
}

TEST(KMeans, GivesTheSameCentroidsWithAnyNumberOfThreads) {
  const auto rows = gaussian(3000, 20, 4);
  const auto pool = make_thread_pool(3);
  const auto alone = train_kmeans(rows, 20, {.centroids = 50});
  const auto shared = train_kmeans(rows, 20, {.centroids = 50, .executor = pool.get()});
  const auto other = train_kmeans(rows, 20, {.centroids = 50, .seed = 2});
  EXPECT_EQ(alone->centroids, shared->centroids);
  EXPECT_EQ(alone->mean_distance, shared->mean_distance);
  EXPECT_NE(alone->centroids, other->centroids);
}

TEST(KMeans, LowersTheErrorWithIterationsAndCentroids) {
  const auto rows = gaussian(5000, 8, 5);
  const auto start = train_kmeans(rows, 8, {.centroids = 64, .iterations = 0});
  const auto trained = train_kmeans(rows, 8, {.centroids = 64, .iterations = 10});
  const auto more = train_kmeans(rows, 8, {.centroids = 128, .iterations = 10});
  EXPECT_LT(trained->mean_distance, start->mean_distance);
  EXPECT_LT(more->mean_distance, trained->mean_distance);
}

TEST(KMeans, LeavesNoCentroidWithoutRows) {
  const auto rows = clustered(2000, 4, 3, 0.01F, 6);
  const auto result = train_kmeans(rows, 4, {.centroids = 100});
  ASSERT_TRUE(result);
  const CentroidTable table(result->centroids, 4);
  std::vector<uint32_t> index(2000);
  std::vector<float> distance(2000);
  table.nearest(rows.data(), 4, 2000, index.data(), distance.data());
  EXPECT_GE(std::set(index.begin(), index.end()).size(), 98U);
}

TEST(KMeans, AcceptsFewAndEqualRows) {
  const std::vector<float> equal(50 * 3, 2.0F);
  const auto one = train_kmeans(equal, 3, {.centroids = 10});
  ASSERT_TRUE(one);
  EXPECT_EQ(one->mean_distance, 0);
  EXPECT_EQ(one->centroids[0], 2);
  const auto few = train_kmeans(gaussian(5, 3, 1), 3, {.centroids = 10});
  EXPECT_EQ(few->count(), 5U);
  EXPECT_NEAR(few->mean_distance, 0, 1e-12);
}

TEST(KMeans, NamesBadInput) {
  EXPECT_EQ(train_kmeans({}, 3, {}).error().code, ErrorCode::kBadArgument);
  EXPECT_EQ(train_kmeans(std::vector<float>{1, 2}, 3, {}).error().code, ErrorCode::kBadArgument);
  EXPECT_EQ(train_kmeans(std::vector<float>{1}, 1, {.centroids = 0}).error().code,
            ErrorCode::kBadArgument);
  EXPECT_EQ(train_kmeans(std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()}, 2, {})
                .error()
                .code,
            ErrorCode::kNotFinite);
}

}  // namespace
}  // namespace rvf::quant
