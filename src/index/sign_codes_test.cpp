// Scans of sign codes find what exact scans find, on any data, metric and instruction set.
#include "index/sign_codes.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "index/fused_index.hpp"
#include "index/test_data.hpp"

namespace rvf::index {
namespace {

constexpr uint32_t kResults = 10;

TestSet anisotropic_set(size_t rows, size_t dim) {
  TestSet set = make_set(rows, dim, 0);
  const auto shrink = [&](float* v) {
    for (size_t d = 0; d < dim; ++d) v[d] *= std::pow(0.9F, static_cast<float>(d));
  };
  for (size_t i = 0; i < rows; ++i) {
    shrink(reinterpret_cast<float*>(set.data.get() + i * set.stride));
  }
  for (auto& q : set.queries) shrink(q.data());
  return set;
}

GraphPayloads build(const TestSet& set, Metric metric, uint64_t max_payload = 1U << 31) {
  GraphParams params;
  params.max_payload_bytes = max_payload;
  params.calibrate = false;
  auto r = build_graph(set.input(metric, set.table.size()), params);
  EXPECT_TRUE(r.ok());
  return r.ok() ? std::move(*r) : GraphPayloads{};
}

SearchRequest by_codes(const RowBitmap* filter) {
  SearchRequest r;
  r.filter = filter;
  r.params.k = kResults;
  r.params.codes = true;
  return r;
}

void expect_same(const SearchResult& got, const SearchResult& want) {
  ASSERT_EQ(got.hits.size(), want.hits.size());
  for (size_t i = 0; i < got.hits.size(); ++i) {
    EXPECT_EQ(got.hits[i].row, want.hits[i].row);
    EXPECT_EQ(got.hits[i].distance, want.hits[i].distance);
  }
}

TEST(SignCodes, AScanFindsWhatAnExactScanFinds) {
  const TestSet sets[] = {make_set(4000, 64, 0), make_set(4000, 96, 20), make_set(4000, 384, 7),
                          make_set(3000, 3, 0), anisotropic_set(4000, 100)};
  for (const TestSet& set : sets) {
    for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
      const GraphPayloads payloads = build(set, metric);
      const auto index = FusedIndex::open(fused_of(payloads));
      ASSERT_TRUE(index.ok());
      for (const uint64_t step : {1U, 4U}) {
        const RowBitmap filter = every(set.table.size(), step);
        SearchRequest request = by_codes(&filter);
        EXPECT_GE(recall(**index, set, metric, request), 0.97)
            << set.dim << " dimensions, metric " << metric_name(metric) << ", 1 of " << step;
        request.params.target_recall = 0.99F;
        EXPECT_GE(recall(**index, set, metric, request), 0.99)
            << set.dim << " dimensions, metric " << metric_name(metric) << ", 1 of " << step;
      }
    }
  }
}

TEST(SignCodes, EveryInstructionSetGivesTheSameBounds) {
  for (const size_t dim : {3U, 64U, 100U, 384U, 1100U}) {
    const TestSet set = make_set(600, dim, 5);
    const GraphPayloads payloads = build(set, Metric::kL2);
    const auto index = FusedIndex::open(fused_of(payloads));
    ASSERT_TRUE(index.ok());
    std::vector<uint32_t> numbers;
    for (uint32_t i = 0; i < 600; i += 1 + i % 3) numbers.push_back(i);
    std::vector<float> placed((*index)->blocks().layout.padded);
    for (size_t i = 0; i < dim; ++i) placed[i] = set.queries[0][i];
    std::vector<SignBounds> want;
    for (const kernels::Isa isa : kernels::kAllIsas) {
      if (!kernels::isa_available(isa)) continue;
      SignQuery query(isa);
      query.prepare((*index)->blocks().layout, placed.data());
      std::vector<SignBounds> got;
      query.bounds((*index)->sign_codes(), 0, numbers.data(), numbers.size(), 40.0F, 2, got);
      if (isa == kernels::Isa::kScalar) want = got;
      ASSERT_EQ(got.size(), want.size()) << kernels::isa_name(isa);
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i].low, want[i].low);
        EXPECT_EQ(got[i].high, want[i].high);
        EXPECT_EQ(got[i].node, want[i].node);
      }
    }
  }
}

TEST(SignCodes, FiltersOfNoneOneAndAllRowsAndDeadRowsAreKept) {
  const TestSet set = make_set(2500, 32, 8);
  const GraphPayloads payloads = build(set, Metric::kL2);
  const auto index = FusedIndex::open(fused_of(payloads));
  ASSERT_TRUE(index.ok());
  const FlatIndex flat;
  RowBitmap none;
  RowBitmap one;
  one.set(1234);
  RowBitmap all = every(2500, 1);
  const RowBitmap dead = every(2500, 2);
  for (RowBitmap* filter : {&none, &one, &all}) {
    for (const auto& q : set.queries) {
      SearchRequest request = by_codes(filter);
      for (const RowBitmap* gone : {static_cast<const RowBitmap*>(nullptr), &dead}) {
        request.dead = gone;
        const SearchResult got = search(**index, set, q, Metric::kL2, request);
        const SearchResult want = search(flat, set, q, Metric::kL2, request);
        EXPECT_EQ(got.hits.size(), want.hits.size());
        for (const Hit& h : got.hits) {
          EXPECT_TRUE(filter->test(h.row));
          EXPECT_FALSE(gone != nullptr && gone->test(h.row));
        }
      }
    }
  }
}

TEST(SignCodes, EqualRowsComeInTheOrderOfTheirIds) {
  TestSet set = make_set(2400, 32, 0);
  for (size_t i = 1; i < 60; ++i) {
    std::memcpy(set.data.get() + i * 37 * set.stride, set.data.get(), set.stride);
  }
  set.queries.resize(5);
  std::memcpy(set.queries[0].data(), set.data.get(), 32 * 4);
  const GraphPayloads payloads = build(set, Metric::kL2);
  const auto index = FusedIndex::open(fused_of(payloads));
  ASSERT_TRUE(index.ok());
  SearchRequest request = by_codes(nullptr);
  request.ids.id_of = [](const void*, uint64_t row) { return 100000 - row; };
  expect_same(search(**index, set, set.queries[0], Metric::kL2, request),
              search(FlatIndex(), set, set.queries[0], Metric::kL2, request));
}

TEST(SignCodes, SeveralPayloadsAnswerAsWellAsOne) {
  const TestSet set = make_set(3000, 32, 6);
  const RowBitmap filter = every(3000, 3);
  const GraphPayloads whole = build(set, Metric::kL2);
  const GraphPayloads split = build(set, Metric::kL2, uint64_t{1} << 20);
  ASSERT_EQ(whole.fused.size(), 1U);
  ASSERT_GT(split.fused.size(), 1U);
  const auto a = FusedIndex::open(fused_of(whole));
  const auto b = FusedIndex::open(fused_of(split));
  ASSERT_TRUE(a.ok() && b.ok());
  SearchRequest request = by_codes(&filter);
  request.params.target_recall = 0.99F;
  EXPECT_GE(recall(**a, set, Metric::kL2, request), 0.99);
  EXPECT_GE(recall(**b, set, Metric::kL2, request), 0.99);
}

TEST(SignCodes, ManyMatchesAreScannedByCodesWithoutBeingAskedTo) {
  const TestSet set = make_set(20000, 32, 0, DType::kF32, 20);
  const GraphPayloads payloads = build(set, Metric::kL2);
  const auto index = FusedIndex::open(fused_of(payloads));
  ASSERT_TRUE(index.ok());
  const RowBitmap filter = every(20000, 10);
  SearchRequest request = by_codes(&filter);
  request.params.codes = false;
  request.params.no_walk = true;
  const SearchResult got = search(**index, set, set.queries[0], Metric::kL2, request);
  EXPECT_FALSE(got.stats.exact);
  EXPECT_EQ(got.stats.ef, 0U);
  EXPECT_LT(got.stats.distances, 1000U);
  EXPECT_GE(recall(**index, set, Metric::kL2, request), 0.99);
}

TEST(SignCodes, DamagedCodesCostRecallOnly) {
  const TestSet set = make_set(2500, 32, 8);
  GraphPayloads payloads = build(set, Metric::kL2);
  const auto view = wire::parse_fused(payloads.fused[0].span());
  ASSERT_TRUE(view.ok());
  auto* codes = const_cast<std::byte*>(view->sign_codes.data());
  const RowBitmap filter = every(2500, 3);
  std::mt19937 rng(8);
  for (const int damage : {0, 1, 2, 3}) {
    for (size_t i = 0; i < view->sign_codes.size(); ++i) {
      if (damage != 3 || rng() % 50 == 0) {
        codes[i] = damage == 0 ? std::byte{0xFF} : static_cast<std::byte>(rng());
      }
    }
    const auto index = FusedIndex::open(fused_of(payloads));
    ASSERT_TRUE(index.ok());
    for (const auto& q : set.queries) {
      const SearchResult got = search(**index, set, q, Metric::kL2, by_codes(&filter));
      ASSERT_EQ(got.hits.size(), kResults);
      for (const Hit& h : got.hits) ASSERT_TRUE(filter.test(h.row));
    }
    EXPECT_EQ(check_index({spans_of(payloads), fused_of(payloads)}).error().code,
              ErrorCode::kCorrupt);
  }
}

TEST(SignCodes, PayloadsWithoutThemAreSearchedAsBefore) {
  const TestSet set = make_set(2500, 32, 8);
  GraphPayloads payloads = build(set, Metric::kL2);
  const auto view = wire::parse_fused(payloads.fused[0].span());
  ASSERT_TRUE(view.ok());
  payloads.fused[0].size -= view->sign_codes.size();
  payloads.fused[0].bytes[0] = std::byte{1};
  const auto index = FusedIndex::open(fused_of(payloads));
  ASSERT_TRUE(index.ok()) << index.error().message;
  EXPECT_EQ((*index)->sign_codes().parts, nullptr);
  const RowBitmap filter = every(2500, 3);
  EXPECT_GE(recall(**index, set, Metric::kL2, by_codes(&filter)), 0.99);
  EXPECT_TRUE(check_index({spans_of(payloads), fused_of(payloads)}).ok());
}

TEST(SignCodes, AnyNumberOfThreadsWritesTheSameBytes) {
  const TestSet set = make_set(2500, 32, 8);
  GraphParams params;
  params.calibrate = false;
  const auto pool = make_thread_pool(3);
  const auto a = build_graph(set.input(Metric::kL2, 2500), params);
  const auto b = build_graph(set.input(Metric::kL2, 2500), params, pool.get());
  ASSERT_TRUE(a.ok() && b.ok());
  const auto x = a->fused[0].span();
  const auto y = b->fused[0].span();
  EXPECT_TRUE(std::equal(x.begin(), x.end(), y.begin(), y.end()));
}

}  // namespace
}  // namespace rvf::index
