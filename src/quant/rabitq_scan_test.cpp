#include "quant/rabitq_scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "kernels/convert.hpp"
#include "quant/test_data.hpp"

namespace rvf::quant {
namespace {

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};

StoredRows view(const std::vector<float>& rows, size_t dim) {
  return {.data = reinterpret_cast<const std::byte*>(rows.data()),
          .stride = dim * sizeof(float),
          .count = rows.size() / dim,
          .dim = dim,
          .dtype = DType::kF32};
}

std::vector<ScanHit> truth(const StoredRows& rows, Metric metric, std::span<const float> query,
                           size_t k) {
  const auto q = kernels::prepare(query, metric, rows.dtype, rows.dim);
  std::vector<ScanHit> all;
  for (size_t i = 0; i < rows.count; ++i)
    all.push_back({i, q->distance(rows.data + i * rows.stride)});
  std::ranges::sort(all, [](const ScanHit& a, const ScanHit& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
  });
  all.resize(std::min(k, all.size()));
  return all;
}

size_t found(const std::vector<ScanHit>& hits, const std::vector<ScanHit>& expected) {
  return static_cast<size_t>(std::ranges::count_if(hits, [&](const ScanHit& h) {
    return std::ranges::any_of(
        expected, [&](const ScanHit& e) { return e.row == h.row && e.distance == h.distance; });
  }));
}

TEST(BoundMask, IsTheSameOnEveryInstructionSetAndDoubtsNaN) {
  std::mt19937_64 rng(3);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 200; ++round) {
    BlockFactors f;
    uint32_t sums[kBlockRows];
    for (size_t i = 0; i < kBlockRows; ++i) {
      f.add[i] = normal(rng);
      f.scale[i] = -std::abs(normal(rng));
      f.error[i] = std::abs(normal(rng));
      sums[i] = static_cast<uint32_t>(rng() % 60000);
    }
    f.add[7] = std::numeric_limits<float>::quiet_NaN();
    const BoundTerms terms{
        .step = 1e-5F, .bias = normal(rng), .add = normal(rng), .error = 0.5F, .threshold = 0};
    const uint32_t expected = bound_mask(kernels::Isa::kScalar)(sums, f, terms);
    EXPECT_NE(expected & 1U << 7, 0U);
    for (const auto isa : kernels::kAllIsas) {
      if (!kernels::isa_available(isa)) continue;
      EXPECT_EQ(bound_mask(isa)(sums, f, terms), expected);
    }
  }
}

TEST(RaBitQScan, FindsTheNearestRowsOfEveryMetricAndAnyNumberOfBits) {
  constexpr size_t kQueries = 50;
  for (const bool clusters : {false, true}) {
    const auto rows = clusters ? clustered(6000, 40, 30, 0.3F, 1) : gaussian(6000, 40, 1);
    const auto queries =
        clusters ? clustered(kQueries, 40, 30, 0.3F, 1) : gaussian(kQueries, 40, 9);
    for (const Metric metric : kMetrics) {
      for (const unsigned bits : {0U, 4U, 8U}) {
        const auto scan = RaBitQScan::build(view(rows, 40), metric, {.refine_bits = bits});
        ASSERT_TRUE(scan) << scan.error().message;
        size_t hits = 0;
        ScanCounts counts;
        for (size_t i = 0; i < kQueries; ++i) {
          const auto query = std::span(queries).subspan(i * 40, 40);
          const auto result = scan->search(query, 10, kDefaultDeviations, &counts);
          EXPECT_EQ(result->size(), 10U);
          hits += found(*result, truth(view(rows, 40), metric, query, 10));
        }
        EXPECT_GE(hits, kQueries * 10 * 99 / 100)
            << metric_name(metric) << ", " << bits << " bits, clusters " << clusters;
        EXPECT_LT(counts.exact, 6000U);
      }
    }
  }
}

TEST(RaBitQScan, LooksCloserOnlyWhereItMust) {
  const auto rows = gaussian(20000, 128, 1);
  const auto query = gaussian(1, 128, 2);
  ScanCounts plain;
  ScanCounts four;
  ScanCounts eight;
  for (auto [bits, counts] : {std::pair{0U, &plain}, {4U, &four}, {8U, &eight}}) {
    const auto scan =
        RaBitQScan::build(view(rows, 128), Metric::kL2, {.partitions = 1, .refine_bits = bits});
    EXPECT_TRUE(scan->search(query, 10, kDefaultDeviations, counts));
    EXPECT_EQ(counts->estimated, 20000U);
  }
  EXPECT_LT(four.exact, plain.exact / 3);
  EXPECT_LT(eight.exact, four.exact);
}

TEST(RaBitQScan, SkipsPartitionsThatAreTooFar) {
  const auto rows = clustered(8000, 64, 40, 0.1F, 5);
  const auto scan = RaBitQScan::build(view(rows, 64), Metric::kL2, {.partitions = 40});
  ScanCounts counts;
  const auto query = std::span(rows).first(64);
  EXPECT_EQ((*scan->search(query, 5, kDefaultDeviations, &counts))[0].row, 0U);
  EXPECT_LT(counts.partitions, 4U);
}

// With doubt beyond measure every row of a partition is compared exactly: what is missing then was
// lost by skipping a partition.
TEST(RaBitQScan, SkipsNoPartitionThatHoldsANearRow) {
  for (const float spread : {0.05F, 0.5F, 2.0F}) {
    auto rows = clustered(3000, 12, 25, spread, 3);
    std::fill_n(rows.begin() + 120, 12, 0.0F);
    const auto queries = clustered(60, 12, 25, 2 * spread, 3);
    for (const Metric metric : kMetrics) {
      const auto scan = RaBitQScan::build(view(rows, 12), metric, {.partitions = 40});
      uint64_t visited = 0;
      for (size_t i = 0; i < 60; ++i) {
        ScanCounts counts;
        const auto query = std::span(queries).subspan(i * 12, 12);
        const auto hits = scan->search(query, 10, 1e6F, &counts);
        EXPECT_EQ(found(*hits, truth(view(rows, 12), metric, query, 10)), 10U)
            << metric_name(metric) << ", spread " << spread;
        visited += counts.partitions;
      }
      if (spread < 0.1F && metric != Metric::kInnerProduct) {
        EXPECT_LT(visited, 60 * 10);
      }
    }
  }
}

TEST(RaBitQScan, AnswersWithEqualRowsOddShapesAndAnyK) {
  const std::vector<float> equal(70 * 5, 1.5F);
  for (const Metric metric : kMetrics) {
    const auto scan = RaBitQScan::build(view(equal, 5), metric, {});
    ASSERT_TRUE(scan);
    const auto query = std::span(equal).first(5);
    const auto hits = scan->search(query, 3);
    ASSERT_EQ(hits->size(), 3U);
    EXPECT_EQ((*hits)[2].row, 2U) << "ties by row";
    EXPECT_EQ(scan->search(query, 1000)->size(), 70U);
    EXPECT_TRUE(scan->search(query, 0)->empty());
  }
  for (const size_t n : {1U, 2U, 31U, 33U}) {
    const auto rows = gaussian(n, 3, n);
    const auto scan = RaBitQScan::build(view(rows, 3), Metric::kL2, {.partitions = 4});
    EXPECT_EQ(scan->search(std::span(rows).first(3), 5)->size(), std::min<size_t>(n, 5));
  }
}

TEST(RaBitQScan, ReadsRowsOfOtherTypesAndTakesHugeOnesExactly) {
  auto values = gaussian(500, 16, 3);
  values[0] = 60000;  // squares of it are far beyond the others
  std::vector<std::byte> half(500 * 32);
  for (size_t i = 0; i < 500; ++i) {
    ASSERT_TRUE(kernels::encode_row(std::span(values).subspan(i * 16, 16), DType::kF16,
                                    half.data() + i * 32));
  }
  const StoredRows rows{
      .data = half.data(), .stride = 32, .count = 500, .dim = 16, .dtype = DType::kF16};
  const auto scan = RaBitQScan::build(rows, Metric::kL2, {});
  ASSERT_TRUE(scan);
  const auto query = gaussian(1, 16, 4);
  EXPECT_EQ(found(*scan->search(query, 500), truth(rows, Metric::kL2, query, 500)), 500U);

  std::vector<float> huge = gaussian(64, 8, 1);
  for (size_t j = 0; j < 8; ++j) huge[j] = 1e30F;
  const auto odd = RaBitQScan::build(view(huge, 8), Metric::kL2, {.partitions = 1});
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->search(std::span(huge).subspan(8, 8), 64)->size(), 64U);
  for (const Metric metric : {Metric::kL2, Metric::kCosine}) {
    const auto found_at = RaBitQScan::build(view(huge, 8), metric, {.partitions = 3});
    for (size_t i = 0; i < 64; ++i) {
      const auto hits = found_at->search(std::span(huge).subspan(i * 8, 8), 1);
      EXPECT_EQ((*hits)[0].row, i) << metric_name(metric);
    }
  }
}

TEST(RaBitQScan, TheExecutorChangesNothing) {
  const auto rows = gaussian(3000, 24, 1);
  const auto pool = make_thread_pool(3);
  const auto alone = RaBitQScan::build(view(rows, 24), Metric::kL2, {});
  const auto shared = RaBitQScan::build(view(rows, 24), Metric::kL2, {.executor = pool.get()});
  ScanCounts a;
  ScanCounts b;
  const auto query = gaussian(1, 24, 2);
  (void)alone->search(query, 10, 1.0F, &a);
  (void)shared->search(query, 10, 1.0F, &b);
  EXPECT_EQ(a.exact, b.exact);
  EXPECT_EQ(a.refined, b.refined);
}

TEST(RaBitQScan, NamesBadInput) {
  auto rows = gaussian(10, 4, 1);
  const auto code = [](const auto& result) { return result.error().code; };
  EXPECT_EQ(code(RaBitQScan::build(view(rows, 4), Metric::kHamming, {})), ErrorCode::kWrongMetric);
  EXPECT_EQ(code(RaBitQScan::build(view(rows, 4), Metric::kL2, {.refine_bits = 3})),
            ErrorCode::kBadArgument);
  EXPECT_EQ(code(RaBitQScan::build({}, Metric::kL2, {})), ErrorCode::kBadArgument);
  const auto scan = RaBitQScan::build(view(rows, 4), Metric::kL2, {});
  EXPECT_EQ(code(scan->search(rows, 1)), ErrorCode::kWrongDimension);
  rows[5] = std::nanf("");
  EXPECT_EQ(code(RaBitQScan::build(view(rows, 4), Metric::kL2, {})), ErrorCode::kNotFinite);
}

}  // namespace
}  // namespace rvf::quant
