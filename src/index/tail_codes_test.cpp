// Rows behind a graph are found as an exact scan finds them, while ever more of them have codes.
#include "index/tail_codes.hpp"

#include <gtest/gtest.h>

#include "index/test_data.hpp"

namespace rvf::index {
namespace {

constexpr uint64_t kCovered = 3000;
constexpr uint64_t kRows = 8000;  // the others are 19 blocks and a piece of one

std::unique_ptr<Index> over_first_rows(const TestSet& set, Metric metric, GraphPayloads& p,
                                       SearchLayout layout = SearchLayout::kFused) {
  GraphParams params;
  params.layout = layout;
  auto built = build_graph(set.input(metric, kCovered), params);
  EXPECT_TRUE(built.ok());
  p = std::move(*built);
  auto index = open_fused(fused_of(p));
  EXPECT_TRUE(index.ok());
  return std::move(*index);
}

SearchRequest wide() {
  SearchRequest r;
  r.params.ef = 400;
  return r;
}

void search_until_all_have_codes(const Index& index, const TestSet& set, Metric metric) {
  for (int i = 0; i < 30; ++i) search(index, set, set.queries[0], metric);
}

TEST(TailCodes, FindWhatAnExactScanFindsInFarFewerComparisons) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kU8}) {
    const TestSet set = make_set(kRows, 96, 40, dtype);
    for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
      GraphPayloads p;
      const auto index = over_first_rows(set, metric, p);
      const SearchResult before = search(*index, set, set.queries[0], metric, wide());
      EXPECT_GT(before.stats.distances, kRows - kCovered - TailCodes::kBlockRows);
      search_until_all_have_codes(*index, set, metric);
      const SearchResult after = search(*index, set, set.queries[0], metric, wide());
      EXPECT_LT(after.stats.distances, (kRows - kCovered) / 2);
      EXPECT_GE(recall(*index, set, metric, wide()), 0.99)
          << dtype_name(dtype) << " " << metric_name(metric);
    }
  }
}

TEST(TailCodes, RowsBehindPartitionsHaveThemToo) {
  const TestSet set = make_set(kRows, 48, 30, DType::kF16);
  GraphPayloads p;
  const auto index = over_first_rows(set, Metric::kL2, p, SearchLayout::kPartitions);
  search_until_all_have_codes(*index, set, Metric::kL2);
  const SearchResult after = search(*index, set, set.queries[0], Metric::kL2, wide());
  EXPECT_LT(after.stats.distances, (kRows - kCovered) / 2);
  EXPECT_GE(recall(*index, set, Metric::kL2, wide()), 0.99);
}

TEST(TailCodes, BitsAreFoundByHamming) {
  const TestSet set = make_set(kRows, 256, 40, DType::kBinary);
  GraphPayloads p;
  const auto index = over_first_rows(set, Metric::kHamming, p);
  search_until_all_have_codes(*index, set, Metric::kHamming);
  for (const auto& q : set.queries) {
    const SearchResult want = search(FlatIndex(), set, q, Metric::kHamming);
    const SearchResult got = search(*index, set, q, Metric::kHamming, wide());
    ASSERT_EQ(got.hits.size(), want.hits.size());
    EXPECT_LE(got.hits.back().distance, want.hits.back().distance + 1);
  }
}

TEST(TailCodes, OnlyRowsThatMayBeReturnedAre) {
  const TestSet set = make_set(kRows, 64, 20);
  GraphPayloads p;
  const auto index = over_first_rows(set, Metric::kL2, p);
  search_until_all_have_codes(*index, set, Metric::kL2);
  const RowBitmap filter = every(kRows, 3);
  const RowBitmap dead = every(kRows, 2);
  SearchRequest request = wide();
  request.filter = &filter;
  request.dead = &dead;
  EXPECT_GE(recall(*index, set, Metric::kL2, request), 0.99);
  for (const auto& q : set.queries) {
    for (const Hit& h : search(*index, set, q, Metric::kL2, request).hits) {
      EXPECT_EQ(h.row % 3, 0U);
      EXPECT_EQ(h.row % 2, 1U);
    }
  }
  // All k come of the tail where nothing of the graph may be returned.
  RowBitmap behind;
  for (uint64_t row = kCovered; row < kRows; ++row) behind.set(row);
  request.filter = &behind;
  request.dead = nullptr;
  EXPECT_GE(recall(*index, set, Metric::kL2, request), 0.99);
}

TEST(TailCodes, OtherRowsAtTheSamePlacesAreNotTakenForTheOldOnes) {
  const TestSet set = make_set(kRows, 32, 20);
  const TestSet other = make_set(kRows, 32, 7);
  GraphPayloads p;
  const auto index = over_first_rows(set, Metric::kL2, p);
  search_until_all_have_codes(*index, set, Metric::kL2);
  RowBitmap behind;
  for (uint64_t row = kCovered; row < kRows; ++row) behind.set(row);
  SearchRequest request;
  request.filter = &behind;
  EXPECT_GE(recall(*index, other, Metric::kL2, request), 0.999);
}

TEST(TailCodes, AShorterTableSeesOnlyItsRows) {
  const TestSet set = make_set(kRows, 32, 20);
  TestSet fewer = make_set(kRows, 32, 20);
  GraphPayloads p;
  const auto index = over_first_rows(set, Metric::kL2, p);
  search_until_all_have_codes(*index, set, Metric::kL2);
  fewer.table = RowTable();
  ASSERT_TRUE(fewer.table.append_run({0, kCovered + 1500, set.data.get(), set.stride}).ok());
  for (const auto& q : set.queries) {
    for (const Hit& h : search(*index, fewer, q, Metric::kL2).hits) {
      EXPECT_LT(h.row, kCovered + 1500);
    }
  }
  EXPECT_GE(recall(*index, fewer, Metric::kL2, wide()), 0.99);
}

}  // namespace
}  // namespace rvf::index
