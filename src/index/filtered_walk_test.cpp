// Walks under a filter keep recall whether the filter has to do with distance or not, return only
// what matches, and give the same answers on every instruction set.
#include "index/filtered_walk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "index/test_data.hpp"

namespace rvf::index {
namespace {

GraphPayloads build(const TestSet& set, Metric metric = Metric::kL2) {
  auto r = build_graph(set.input(metric, set.table.size()), GraphParams{});
  EXPECT_TRUE(r.ok());
  return r.ok() ? std::move(*r) : GraphPayloads{};
}

// The `share` of the rows that are nearest to row 0, or farthest.
RowBitmap by_distance(const TestSet& set, double share, bool nearest) {
  std::vector<float> anchor(set.dim);
  EXPECT_TRUE(kernels::decode_row(set.table[0], set.dtype, anchor).ok());
  const auto q = kernels::prepare(anchor, Metric::kL2, set.dtype, set.dim);
  const size_t rows = set.table.size();
  std::vector<const std::byte*> all(rows);
  for (size_t i = 0; i < rows; ++i) all[i] = set.table[i];
  std::vector<float> distances(rows);
  q->distances(all.data(), rows, distances.data());
  std::vector<uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return distances[a] < distances[b]; });
  if (!nearest) std::reverse(order.begin(), order.end());
  RowBitmap out;
  const auto some = static_cast<size_t>(share * static_cast<double>(rows));
  for (size_t i = 0; i < some; ++i) out.set(order[i]);
  return out;
}

SearchRequest under(const RowBitmap& filter, bool walk) {
  SearchRequest r;
  r.filter = &filter;
  r.params.k = 10;
  r.params.walk = walk;
  return r;
}

TEST(FilteredWalk, RecallIsKeptWhereTheFilterHasNothingToDoWithDistance) {
  for (const TestSet& set : {make_set(20000, 24, 30), make_set(12000, 64, 0)}) {
    const GraphPayloads payloads = build(set);
    const auto index = FusedIndex::open(fused_of(payloads));
    ASSERT_TRUE(index.ok());
    for (const uint64_t step : {2U, 5U, 10U, 25U}) {
      const RowBitmap filter = every(set.table.size(), step);
      EXPECT_GE(recall(**index, set, Metric::kL2, under(filter, true)), 0.96)
          << set.dim << " dimensions, 1 of " << step;
      for (const auto& q : set.queries) {
        const SearchResult got = search(**index, set, q, Metric::kL2, under(filter, true));
        ASSERT_EQ(got.hits.size(), 10U);
        for (const Hit& h : got.hits) ASSERT_TRUE(filter.test(h.row));
        ASSERT_NE(got.stats.layers & kLayerC, 0U);
      }
    }
  }
}

TEST(FilteredWalk, RecallIsKeptWhereTheFilterFollowsDistance) {
  const TestSet set = make_set(20000, 24, 30);
  const GraphPayloads payloads = build(set);
  const auto index = FusedIndex::open(fused_of(payloads));
  ASSERT_TRUE(index.ok());
  for (const double share : {0.5, 0.2, 0.1}) {
    for (const bool nearest : {true, false}) {
      const RowBitmap filter = by_distance(set, share, nearest);
      EXPECT_GE(recall(**index, set, Metric::kL2, under(filter, false)), 0.97)
          << share << (nearest ? " near" : " far");
    }
  }
}

TEST(FilteredWalk, WhereNothingNearTheQueryMatchesAnotherWayIsTaken) {
  const TestSet set = make_set(20000, 24, 30);
  const GraphPayloads payloads = build(set);
  const auto index = FusedIndex::open(fused_of(payloads));
  ASSERT_TRUE(index.ok());
  const RowBitmap filter = by_distance(set, 0.5, false);
  std::vector<float> anchor(set.dim);
  ASSERT_TRUE(kernels::decode_row(set.table[0], set.dtype, anchor).ok());
  SearchRequest request = under(filter, false);
  const SearchResult got = search(**index, set, anchor, Metric::kL2, request);
  EXPECT_NE(got.stats.layers & kLayerScan, 0U);
  request.params.exact = true;
  const SearchResult truth = search(**index, set, anchor, Metric::kL2, request);
  ASSERT_EQ(got.hits.size(), truth.hits.size());
  for (size_t i = 0; i < got.hits.size(); ++i) EXPECT_EQ(got.hits[i].row, truth.hits[i].row);
}

TEST(FilteredWalk, DeadRowsAreNotReturnedAndCostLittleRecall) {
  const TestSet set = make_set(12000, 48, 12);
  const GraphPayloads payloads = build(set);
  const auto index = FusedIndex::open(fused_of(payloads));
  ASSERT_TRUE(index.ok());
  const RowBitmap dead = every(set.table.size(), 3);
  const RowBitmap filter = every(set.table.size(), 2);
  SearchRequest request;
  request.dead = &dead;
  EXPECT_GE(recall(**index, set, Metric::kL2, request), 0.97);
  request.filter = &filter;
  request.params.walk = true;
  EXPECT_GE(recall(**index, set, Metric::kL2, request), 0.96);
  for (const Hit& h : search(**index, set, set.queries[0], Metric::kL2, request).hits) {
    EXPECT_TRUE(filter.test(h.row) && !dead.test(h.row));
  }
}

TEST(FilteredWalk, ATimeThatIsOverLeavesWhatWasFound) {
  const TestSet set = make_set(12000, 64, 0);
  const GraphPayloads payloads = build(set);
  const auto index = FusedIndex::open(fused_of(payloads));
  ASSERT_TRUE(index.ok());
  const RowBitmap filter = every(set.table.size(), 2);
  SearchRequest request = under(filter, true);
  request.params.ef = 4000;
  request.params.deadline_ns = 1;
  const SearchResult got = search(**index, set, set.queries[0], Metric::kL2, request);
  EXPECT_TRUE(got.stats.timed_out);
  for (const Hit& h : got.hits) EXPECT_TRUE(filter.test(h.row));
}

TEST(FilteredWalk, EveryInstructionSetShowsTheSameNeighbours) {
  for (const size_t dim : {3U, 100U, 800U}) {
    const TestSet set = make_set(900, dim, 5);
    const GraphPayloads payloads = build(set);
    const auto index = FusedIndex::open(fused_of(payloads));
    ASSERT_TRUE(index.ok());
    const FusedBlocks& blocks = (*index)->blocks();
    std::vector<float> placed(blocks.layout.padded);
    for (size_t i = 0; i < dim; ++i) placed[i] = set.queries[0][i];
    const RowBitmap filter = every(set.table.size(), 3);
    std::vector<const uint64_t*> chunks;
    filter.list_chunks(set.table.size(), chunks);
    NodeTest third;
    third.passing = chunks.data();
    for (const float below : {std::numeric_limits<float>::infinity(), 60.0F}) {
      std::vector<uint64_t> want;
      for (const kernels::Isa isa : kernels::kAllIsas) {
        if (!kernels::isa_available(isa)) continue;
        FusedSearcher searcher(isa);
        searcher.start(blocks, placed.data(), 20, 0);
        searcher.collect(4, 0.1F, third);
        std::vector<uint64_t> got;
        for (bool ended = false; !ended;) {
          searcher.collect_below(below);
          ended = searcher.run(4);
          for (const uint64_t key : searcher.take_compared()) got.push_back(key);
          for (const uint64_t key : searcher.take_shown()) {
            EXPECT_TRUE(filter.test(static_cast<uint32_t>(key)));
            got.push_back(key);
          }
        }
        ASSERT_GT(got.size(), 20U);
        if (isa == kernels::Isa::kScalar) want = got;
        EXPECT_EQ(got, want) << kernels::isa_name(isa) << ", " << dim << " dimensions";
      }
    }
  }
}

}  // namespace
}  // namespace rvf::index
