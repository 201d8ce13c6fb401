#include "index/graph.hpp"

#include <gtest/gtest.h>

#include <set>

#include "index/graph_view.hpp"
#include "index/test_data.hpp"

namespace rvf::index {
namespace {

GraphPayloads build(const TestSet& set, Metric metric, uint64_t count, Executor* e = nullptr) {
  auto r = build_graph(set.input(metric, count), {}, e);
  EXPECT_TRUE(r.ok());
  return r.ok() ? std::move(*r) : GraphPayloads{};
}

// Every test of answers runs over the standard payloads and over the fused ones.
enum class Layout { kStandard, kFused };

std::unique_ptr<Index> open(const GraphPayloads& p, Layout layout = Layout::kFused) {
  auto r = layout == Layout::kFused ? open_fused(fused_of(p)) : open_graph(spans_of(p), p.layer_a);
  EXPECT_TRUE(r.ok()) << (r.ok() ? "" : r.error().message);
  return r.ok() ? std::move(*r) : nullptr;
}

TEST(Graph, RecallAtTheDefaultWidthIsHighOnClustersForEveryMetricAndDtype) {
  for (DType t : {DType::kF32, DType::kF16, DType::kI8, DType::kU8}) {
    const TestSet set = make_set(6000, 40, 60, t);
    for (Metric m : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
      const GraphPayloads p = build(set, m, 6000);
      const auto index = open(p);
      ASSERT_NE(index, nullptr);
      EXPECT_GE(recall(*index, set, m), 0.95) << dtype_name(t) << " " << metric_name(m);
    }
  }
}

TEST(Graph, RecallAtTheDefaultWidthIsHighOnAGaussianCloudWhereNeighboursAreHardToTell) {
  const TestSet set = make_set(10000, 64, 0);
  const GraphPayloads p = build(set, Metric::kL2, 10000);
  EXPECT_GE(recall(*open(p), set, Metric::kL2), 0.94);
}

TEST(Graph, BinaryRowsAreIndexedByHamming) {
  const TestSet set = make_set(4000, 256, 40, DType::kBinary);
  const GraphPayloads p = build(set, Metric::kHamming, 4000);
  SearchRequest more;
  more.params.ef = 200;  // many ties: the k nearest are not unique
  double sum = 0;
  const auto index = open(p);
  for (const auto& q : set.queries) {
    const SearchResult truth = search(FlatIndex(), set, q, Metric::kHamming);
    const SearchResult got = search(*index, set, q, Metric::kHamming, more);
    ASSERT_EQ(got.hits.size(), 10u);
    sum += got.hits.back().distance <= truth.hits.back().distance ? 1 : 0;
  }
  EXPECT_GE(sum / static_cast<double>(set.queries.size()), 0.9);
}

TEST(Graph, TheSameSeedGivesTheSameBytesWhateverTheNumberOfThreads) {
  const TestSet set = make_set(5000, 32, 20);
  const auto pool = make_thread_pool(3);
  const GraphPayloads a = build(set, Metric::kL2, 5000);
  const GraphPayloads b = build(set, Metric::kL2, 5000, pool.get());
  EXPECT_EQ(a.layer_c, b.layer_c);
  EXPECT_EQ(a.layer_a, b.layer_a);
}

TEST(Graph, SplittingOverSeveralPayloadsChangesNoAnswer) {
  const TestSet set = make_set(5000, 32, 20);
  GraphParams params;
  params.max_payload_bytes = 40000;
  auto split = build_graph(set.input(Metric::kL2, 5000), params);
  ASSERT_TRUE(split.ok());
  EXPECT_GT(split->layer_c.size(), 4u);
  const GraphPayloads whole = build(set, Metric::kL2, 5000);
  ASSERT_EQ(whole.layer_c.size(), 1u);
  std::reverse(split->layer_c.begin(), split->layer_c.end());
  const auto a = open(*split);
  const auto b = open(whole);
  for (const auto& q : set.queries) {
    const SearchResult x = search(*a, set, q, Metric::kL2);
    const SearchResult y = search(*b, set, q, Metric::kL2);
    ASSERT_EQ(x.hits.size(), y.hits.size());
    for (size_t i = 0; i < x.hits.size(); ++i) EXPECT_EQ(x.hits[i].row, y.hits[i].row);
    EXPECT_EQ(x.stats.distances, y.stats.distances);
  }
}

TEST(Graph, ExtendingKeepsRecallAndRowsNotYetInTheGraphAreScanned) {
  const TestSet set = make_set(9000, 32, 30);
  GraphPayloads p = build(set, Metric::kL2, 4000);
  EXPECT_GE(recall(*open(p), set, Metric::kL2), 0.95);  // 5000 rows by scan
  for (uint64_t count : {4001, 5000, 7500, 9000}) {
    auto more = regrow_graph({spans_of(p), fused_of(p)}, {}, set.input(Metric::kL2, count), {});
    ASSERT_TRUE(more.ok());
    p = std::move(*more);
    const auto index = open(p);
    EXPECT_EQ(index->describe().rows, count);
    EXPECT_GE(recall(*index, set, Metric::kL2), 0.95) << count;
  }
}

TEST(Graph, ListsBecomeShorterOrLongerWhereALayoutAsksForIt) {
  const TestSet set = make_set(6000, 24, 40);
  GraphParams small;
  small.layout = SearchLayout::kStandard;
  const auto longest = [](const GraphPayloads& p) {
    const auto view = GraphView::open(spans_of(p));
    uint32_t list[wire::kMaxListLength];
    bool bad = false;
    size_t most = 0;
    for (uint32_t node = 0; node < view->nodes(); ++node) {
      most = std::max(most, view->neighbours(node, 0, list, bad));
    }
    EXPECT_FALSE(bad);
    return most;
  };
  const GraphPayloads fused = build(set, Metric::kL2, 5500);
  EXPECT_EQ(longest(fused), kFusedDegree);
  const auto shorter =
      regrow_graph({spans_of(fused), fused_of(fused)}, {}, set.input(Metric::kL2, 6000), small);
  ASSERT_TRUE(shorter.ok());
  EXPECT_EQ(longest(*shorter), GraphParams::kStandardDegree);
  EXPECT_TRUE(check_index({spans_of(*shorter), {}}).ok());
  EXPECT_GE(recall(*open(*shorter, Layout::kStandard), set, Metric::kL2), 0.95);
  const auto longer = regrow_graph({spans_of(*shorter), {}}, {}, set.input(Metric::kL2, 6000), {});
  ASSERT_TRUE(longer.ok());
  EXPECT_EQ(longest(*longer), kFusedDegree);
  EXPECT_GE(recall(*open(*longer), set, Metric::kL2), 0.95);
}

TEST(Graph, DeadRowsRouteButNeverAnswer) {
  const TestSet set = make_set(6000, 32, 30);
  const GraphPayloads p = build(set, Metric::kL2, 6000);
  const auto index = open(p);
  DeadRows dead;
  for (uint64_t r = 0; r < 6000; ++r) {
    if (r % 10 < 6) dead.set(r);
  }
  SearchRequest more;
  more.dead = &dead;
  for (const auto& q : set.queries) {
    const SearchResult got = search(*index, set, q, Metric::kL2, more);
    ASSERT_EQ(got.hits.size(), 10u);
    for (const Hit& h : got.hits) EXPECT_FALSE(dead.test(h.row));
  }
  EXPECT_GE(recall(*index, set, Metric::kL2, more), 0.95);
}

TEST(Graph, AFilterReturnsOnlyItsRowsAndASelectiveOneIsAnsweredExactly) {
  const TestSet set = make_set(20000, 24, 30);
  const GraphPayloads p = build(set, Metric::kL2, 20000);
  const auto index = open(p);
  for (uint64_t every : {2U, 7U, 400U, 5000U}) {
    RowBitmap filter;
    for (uint64_t r = 0; r < 20000; r += every) filter.set(r);
    SearchRequest more;
    more.filter = &filter;
    for (const auto& q : set.queries) {
      const SearchResult got = search(*index, set, q, Metric::kL2, more);
      EXPECT_EQ(got.hits.size(), std::min<uint64_t>(10, filter.count()));
      for (const Hit& h : got.hits) EXPECT_TRUE(filter.test(h.row));
      EXPECT_TRUE(every < 400 || got.stats.exact);
    }
    EXPECT_GE(recall(*index, set, Metric::kL2, more), 0.95) << every;
  }
}

TEST(Graph, CopiesOfOneVectorAreAllFoundInTheOrderOfTheirIds) {
  TestSet set = make_set(3000, 16, 5);
  for (size_t r = 1000; r < 1200; ++r) {
    std::memcpy(set.data.get() + r * set.stride, set.data.get() + 1000 * set.stride, set.stride);
  }
  const GraphPayloads p = build(set, Metric::kL2, 3000);
  std::vector<float> q(16);
  std::memcpy(q.data(), set.data.get() + 1000 * set.stride, 64);
  SearchRequest more;
  more.params.ef = 400;
  const SearchResult got = search(*open(p), set, q, Metric::kL2, more);
  ASSERT_EQ(got.hits.size(), 10u);
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(got.hits[i].row, 1000 + i);
    EXPECT_EQ(got.hits[i].distance, 0.0F);
  }
}

TEST(Graph, NoAnswerHoldsARowTwice) {
  const TestSet set = make_set(4000, 24, 8);
  const GraphPayloads p = build(set, Metric::kL2, 4000);
  const auto index = open(p);
  for (const auto& q : set.queries) {
    std::set<uint64_t> rows;
    const SearchResult got = search(*index, set, q, Metric::kL2);
    for (const Hit& h : got.hits) rows.insert(h.row);
    EXPECT_EQ(rows.size(), got.hits.size());
  }
}

TEST(Graph, TinySetsAndSetsOfEqualRowsBuild) {
  for (size_t n : {1, 2, 3, 40}) {
    TestSet set = make_set(n, 8, 0);
    const GraphPayloads p = build(set, Metric::kCosine, n);
    EXPECT_EQ(search(*open(p), set, set.queries[0], Metric::kCosine).hits.size(),
              std::min<size_t>(10, n));
  }
  TestSet same = make_set(2500, 8, 0);
  std::memset(same.data.get(), 0, 2500 * same.stride);
  const GraphPayloads p = build(same, Metric::kL2, 2500);
  EXPECT_EQ(search(*open(p), same, same.queries[0], Metric::kL2).hits.size(), 10u);
}

TEST(Graph, TheTopLayersAloneGiveAFirstAnswer) {
  const TestSet set = make_set(8000, 24, 10);
  const GraphPayloads p = build(set, Metric::kL2, 8000);
  auto top = open_graph({}, p.layer_a);
  ASSERT_TRUE(top.ok());
  EXPECT_LT(p.layer_a.size(), p.layer_c[0].size() / 8);
  const SearchResult got = search(**top, set, set.queries[0], Metric::kL2);
  ASSERT_EQ(got.hits.size(), 10u);
  EXPECT_EQ(got.stats.layers, kLayerA);
}

TEST(Graph, ATimeBudgetEndsTheSearchEarlyAndSaysSo) {
  const TestSet set = make_set(6000, 64, 0);
  const GraphPayloads p = build(set, Metric::kL2, 6000);
  SearchRequest more;
  more.params.ef = 300;
  more.params.deadline_ns = 1;
  const SearchResult got = search(*open(p), set, set.queries[0], Metric::kL2, more);
  EXPECT_TRUE(got.stats.timed_out);
  EXPECT_LT(got.stats.expansions, 200u);
}

TEST(Graph, AStopFromProgressCancelsTheBuild) {
  const TestSet set = make_set(3000, 16, 0);
  const Progress stop = [](uint64_t done, uint64_t) { return done < 500; };
  const auto r = build_graph(set.input(Metric::kL2, 3000), {}, nullptr, &stop);
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, ErrorCode::kCancelled);
}

TEST(Graph, ABuildThatWouldTakeTooMuchMemoryIsRefusedBeforeItBegins) {
  const TestSet set = make_set(3000, 16, 0);
  GraphParams params;
  params.memory_limit = 1 << 20;
  const auto r = build_graph(set.input(Metric::kL2, 3000), params);
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, ErrorCode::kOutOfMemory);
  EXPECT_NE(r.error().message.find("MiB"), std::string::npos);
}

TEST(Graph, TheWrongMetricOrTooFewRowsAreRefused) {
  TestSet set = make_set(2100, 16, 0);
  const GraphPayloads p = build(set, Metric::kL2, 2100);
  const auto index = open(p);
  EXPECT_TRUE(search(*index, set, set.queries[0], Metric::kCosine).hits.empty());
  RowTable shorter;
  ASSERT_TRUE(shorter.append_run({0, 2099, set.data.get(), set.stride}).ok());
  set.table = shorter;
  EXPECT_TRUE(search(*index, set, set.queries[0], Metric::kL2).hits.empty());
  const GraphInput wrong = set.input(Metric::kCosine, 2099);
  EXPECT_EQ(regrow_graph({spans_of(p), {}}, {}, wrong, {}).error().code, ErrorCode::kBadArgument);
}

}  // namespace
}  // namespace rvf::index
