#include <gtest/gtest.h>

#include <set>

#include "index/fused_searcher.hpp"
#include "index/partition_index.hpp"
#include "index/partition_train.hpp"
#include "index/test_data.hpp"

namespace rvf::index {
namespace {

GraphPayloads build(const TestSet& set, Metric metric, uint64_t count, Executor* e = nullptr) {
  GraphParams params;
  params.layout = SearchLayout::kPartitions;
  auto r = build_graph(set.input(metric, count), params, e);
  EXPECT_TRUE(r.ok()) << (r.ok() ? "" : r.error().message);
  return r.ok() ? std::move(*r) : GraphPayloads{};
}

// An index with the payload that it reads.
struct Built {
  GraphPayloads payloads;
  std::unique_ptr<Index> index;
  const Index& operator*() const { return *index; }
  const Index* operator->() const { return index.get(); }
};

Built open(GraphPayloads p) {
  auto r = open_fused(fused_of(p));
  EXPECT_TRUE(r.ok()) << (r.ok() ? "" : r.error().message);
  return {std::move(p), r.ok() ? std::move(*r) : nullptr};
}

SearchRequest walking() {
  SearchRequest r;
  r.params.walk = true;
  return r;
}

TEST(Partitions, TheDefaultWidthReachesItsRecallForEveryMetricAndDtype) {
  for (const DType t : {DType::kF32, DType::kF16, DType::kI8, DType::kU8}) {
    const TestSet set = make_set(8000, 40, 60, t);
    for (const Metric m : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
      const auto index = open(build(set, m, 8000));
      EXPECT_TRUE(index.payloads.layer_c.empty());
      EXPECT_EQ(index->describe().layout, SearchLayout::kPartitions);
      EXPECT_EQ(index->describe().rows, 8000U);
      EXPECT_GE(recall(*index, set, m, walking()), 0.96) << dtype_name(t) << " " << metric_name(m);
    }
  }
}

TEST(Partitions, ACloudWithoutClustersIsSearchedAsWell) {
  const TestSet set = make_set(10000, 64, 0);
  EXPECT_GE(recall(*open(build(set, Metric::kL2, 10000)), set, Metric::kL2, walking()), 0.96);
}

TEST(Partitions, TheSameSeedGivesTheSameBytesWhateverTheNumberOfThreads) {
  const TestSet set = make_set(9000, 32, 20);
  const auto pool = make_thread_pool(3);
  const GraphPayloads a = build(set, Metric::kL2, 9000);
  const GraphPayloads b = build(set, Metric::kL2, 9000, pool.get());
  ASSERT_EQ(a.fused.size(), 1U);
  ASSERT_EQ(a.fused[0].size, b.fused[0].size);
  EXPECT_EQ(std::memcmp(a.fused[0].bytes.get(), b.fused[0].bytes.get(), a.fused[0].size), 0);
}

TEST(Partitions, EveryRowIsInOneListAndAWidthOfAllRowsIsExact) {
  const TestSet set = make_set(5003, 24, 10);
  const auto index = open(build(set, Metric::kL2, 5003));
  SearchRequest all = walking();
  all.params.ef = 5003;
  all.params.k = 5003;
  const SearchResult r = search(*index, set, set.queries[0], Metric::kL2, all);
  std::set<uint64_t> rows;
  for (const Hit& h : r.hits) rows.insert(h.row);
  EXPECT_EQ(rows.size(), 5003U);
  EXPECT_TRUE(check_index({{}, fused_of(index.payloads)}).ok());
  all.params.k = 10;
  EXPECT_EQ(recall(*index, set, Metric::kL2, all), 1.0);
}

TEST(Partitions, DeadAndFilteredRowsAreNotReturnedAndTheRestIsFound) {
  const TestSet set = make_set(8000, 32, 40);
  const auto index = open(build(set, Metric::kL2, 8000));
  DeadRows dead;
  RowBitmap filter;
  for (uint64_t row = 0; row < 8000; ++row) {
    if (row % 3 == 0) dead.set(row);
    if (row % 2 == 0) filter.set(row);
  }
  SearchRequest more = walking();
  more.dead = &dead;
  EXPECT_GE(recall(*index, set, Metric::kL2, more), 0.95);
  more.filter = &filter;
  EXPECT_GE(recall(*index, set, Metric::kL2, more), 0.95);
  for (const auto& query : set.queries) {
    for (const Hit& h : search(*index, set, query, Metric::kL2, more).hits) {
      EXPECT_FALSE(dead.test(h.row));
      EXPECT_TRUE(filter.test(h.row));
    }
  }
}

TEST(Partitions, RowsBehindThoseOfTheIndexAreScanned) {
  const TestSet set = make_set(8000, 32, 40);
  const auto index = open(build(set, Metric::kL2, 7000));
  EXPECT_GE(recall(*index, set, Metric::kL2, walking()), 0.96);
}

TEST(Partitions, FewOrEqualRowsAreNoTrouble) {
  for (const size_t n : {1U, 2U, 15U, 16U, 33U, 700U}) {
    const TestSet set = make_set(n, 16, 3);
    EXPECT_EQ(recall(*open(build(set, Metric::kL2, n)), set, Metric::kL2, walking()), 1.0) << n;
  }
  TestSet same = make_set(3000, 16, 1);
  for (size_t i = 1; i < 3000; ++i) {
    std::memcpy(same.data.get() + i * same.stride, same.data.get(), same.stride);
  }
  const auto index = open(build(same, Metric::kL2, 3000));
  const SearchResult r = search(*index, same, same.queries[0], Metric::kL2, walking());
  EXPECT_EQ(r.hits.size(), 10U);
}

// Any bits in lists and heads give an answer of sound rows; so does a payload that lost its tail.
TEST(Partitions, DamageInListsCostsRecallOnly) {
  const TestSet set = make_set(5000, 16, 20);
  const GraphPayloads whole = build(set, Metric::kL2, 5000);
  const auto view = wire::parse_fused(whole.fused[0].span());
  ASSERT_TRUE(view.ok());
  const auto first = static_cast<size_t>(view->root.data() - whole.fused[0].bytes.get());
  std::mt19937_64 random(3);
  for (int round = 0; round < 40; ++round) {
    std::vector<uint64_t> bytes((whole.fused[0].size + 7) / 8);
    auto* data = reinterpret_cast<std::byte*>(bytes.data());
    std::memcpy(data, whole.fused[0].bytes.get(), whole.fused[0].size);
    for (int i = 0; i < 2000; ++i) {
      data[first + random() % (whole.fused[0].size - first)] = static_cast<std::byte>(random());
    }
    auto index = open_fused({wire::ByteSpan(data, whole.fused[0].size)});
    ASSERT_TRUE(index.ok());
    EXPECT_FALSE(check_index({{}, {wire::ByteSpan(data, whole.fused[0].size)}}).ok());
    const SearchResult r = search(**index, set, set.queries[0], Metric::kL2, walking());
    std::set<uint64_t> rows;
    for (const Hit& h : r.hits) {
      EXPECT_LT(h.row, 5000U);
      EXPECT_TRUE(rows.insert(h.row).second);
    }
    EXPECT_FALSE(open_fused({wire::ByteSpan(data, whole.fused[0].size - 64)}).ok());
  }
}

TEST(Partitions, ScansGiveTheSameBitsOnEveryInstructionSet) {
  const TestSet set = make_set(3000, 100, 5);
  const GraphPayloads p = build(set, Metric::kL2, 3000);
  auto index = PartitionIndex::open(p.fused[0].span());
  ASSERT_TRUE(index.ok());
  const PartitionLists& lists = (*index)->lists();
  std::mt19937 random(9);
  std::normal_distribution<float> normal;
  AlignedArray<float> query = aligned_array<float>(lists.layout.padded);
  for (uint32_t i = 0; i < lists.layout.padded; ++i) query[i] = normal(random);
  std::vector<uint64_t> want(lists.group_count * kFusedDegree);
  std::vector<uint64_t> got = want;
  const auto scan = [&](kernels::Isa isa, std::vector<uint64_t>& out, float& head) {
    FusedSearcher searcher(isa);
    const FusedQuery q = searcher.prepare(lists.layout, query.get());
    head = searcher.kernels().head_distance(lists.layout, lists.head(1), q);
    return searcher.kernels().scan(lists.layout, lists.groups,
                                   static_cast<uint32_t>(lists.group_count), q, 70.0F, 75.0F,
                                   out.data());
  };
  float head = 0;
  const uint32_t n = scan(kernels::Isa::kScalar, want, head);
  EXPECT_GT(n, 100U);
  EXPECT_LT(n, 3000U);
  for (const kernels::Isa isa : {kernels::Isa::kAvx2, kernels::Isa::kAvx512}) {
    if (!kernels::isa_includes(kernels::best_isa(), isa)) continue;
    float other = 0;
    EXPECT_EQ(scan(isa, got, other), n);
    EXPECT_EQ(head, other);
    EXPECT_TRUE(std::equal(want.begin(), want.begin() + n, got.begin()));
  }
}

TEST(Partitions, TheirNumberGrowsWithTheSquareRootOfTheRows) {
  EXPECT_EQ(PartitionCentroids::count_for(1), 1U);
  EXPECT_EQ(PartitionCentroids::count_for(10'000), 400U);
  EXPECT_EQ(PartitionCentroids::count_for(1'000'000), 4000U);
}

}  // namespace
}  // namespace rvf::index
