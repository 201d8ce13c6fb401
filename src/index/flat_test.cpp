#include "index/flat.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "index/test_data.hpp"

namespace rvf::index {
namespace {

TEST(TopK, ItKeepsExactlyTheSmallestPairsOfDistanceAndIdInAnyOrderOfOffers) {
  std::mt19937 rng(5);
  const auto id_of = [](const void*, uint64_t row) { return 1000 - row; };
  for (int round = 0; round < 200; ++round) {
    std::vector<Hit> all;
    for (uint64_t row = 0; row < 100; ++row) all.push_back({row, static_cast<float>(rng() % 7)});
    std::shuffle(all.begin(), all.end(), rng);
    const size_t k = rng() % 30 + 1;
    TopK best(k, {nullptr, id_of});
    for (const Hit& h : all) best.offer(h.row, h.distance);
    std::vector<Hit> got;
    best.finish(got);
    std::sort(all.begin(), all.end(), [](const Hit& a, const Hit& b) {
      return a.distance != b.distance ? a.distance < b.distance : a.row > b.row;
    });
    ASSERT_EQ(got.size(), k);
    for (size_t i = 0; i < k; ++i) ASSERT_EQ(got[i].row, all[i].row);
  }
}

TEST(TopK, ANanDistanceComesLast) {
  TopK best(2, {});
  best.offer(1, std::numeric_limits<float>::quiet_NaN());
  best.offer(2, 5.0F);
  best.offer(3, std::numeric_limits<float>::quiet_NaN());
  best.offer(4, 6.0F);
  std::vector<Hit> got;
  best.finish(got);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].row, 2u);
  EXPECT_EQ(got[1].row, 4u);
}

TEST(Flat, DeadRowsAndTheFilterAreLeftOutAndAPoolGivesTheSameBits) {
  TestSet set = make_set(30000, 24, 10);
  FlatIndex flat;
  DeadRows dead;
  RowBitmap filter;
  for (uint64_t r = 0; r < 30000; ++r) {
    if (r % 5 == 0) dead.set(r);
    if (r % 3 == 0) filter.set(r);
  }
  const auto pool = make_thread_pool(3);
  SearchRequest one;
  one.dead = &dead;
  one.filter = &filter;
  one.params.k = 20;
  SearchRequest many = one;
  many.executor = pool.get();
  for (const auto& query : set.queries) {
    const SearchResult a = search(flat, set, query, Metric::kCosine, one);
    const SearchResult b = search(flat, set, query, Metric::kCosine, many);
    ASSERT_EQ(a.hits.size(), 20u);
    ASSERT_EQ(b.hits.size(), 20u);
    EXPECT_TRUE(a.stats.exact);
    for (size_t i = 0; i < 20; ++i) {
      EXPECT_TRUE(a.hits[i].row % 3 == 0 && a.hits[i].row % 5 != 0);
      EXPECT_EQ(a.hits[i].row, b.hits[i].row);
      EXPECT_EQ(a.hits[i].distance, b.hits[i].distance);
    }
  }
}

TEST(Flat, EqualDistancesComeInTheOrderOfTheirIds) {
  TestSet set = make_set(600, 8, 0);
  for (size_t r = 0; r < 600; ++r) std::memset(set.data.get() + r * set.stride, 0, set.stride);
  SearchRequest more;
  more.params.k = 5;
  more.ids.id_of = [](const void*, uint64_t row) { return 10000 - row; };
  const SearchResult got = search(FlatIndex(), set, set.queries[0], Metric::kL2, more);
  ASSERT_EQ(got.hits.size(), 5u);
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(got.hits[i].row, 599 - i);
}

TEST(Flat, AsMuchAsExistsIsReturnedWhenKIsLargerAndKOfZeroIsRefused) {
  TestSet set = make_set(7, 8, 0);
  SearchRequest more;
  more.params.k = 50;
  EXPECT_EQ(search(FlatIndex(), set, set.queries[0], Metric::kL2, more).hits.size(), 7u);
  auto q = kernels::prepare(set.queries[0], Metric::kL2, DType::kF32, 8);
  more.query = &*q;
  more.rows = &set.table;
  more.params.k = 0;
  SearchScratch scratch;
  SearchResult out;
  EXPECT_EQ(FlatIndex().search(more, scratch, out).error().code, ErrorCode::kBadK);
}

}  // namespace
}  // namespace rvf::index
