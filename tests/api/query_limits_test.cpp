// Thresholds, ranges, groups and time: what a query may be told besides k.
#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "store_fixture.hpp"

namespace rvf {
namespace {

class QueryLimitsTest : public StoreTest {
 protected:
  static constexpr size_t kDim = 8;
  static constexpr size_t kRows = 9000;

  void SetUp() override {
    store_.emplace(make(kDim));
    values_ = gaussian(kRows, kDim, 11);
    Column group{"group", FieldType::kI64, {}};
    for (size_t i = 0; i < kRows; ++i) group.values.emplace_back(static_cast<int64_t>(i % 50));
    WriteBatch batch;
    batch.vectors = Vectors::from_f32(values_, kDim);
    batch.columns = std::span(&group, 1);
    ASSERT_TRUE(store_->write(batch).ok());
    ASSERT_TRUE(store_->build_index().ok());
  }
  std::vector<Neighbor> all(std::span<const float> q, const std::string& filter = {}) const {
    QueryOptions o;
    o.k = kRows;
    o.exact = true;
    o.filter = filter;
    return store_->query(q, o)->neighbors;
  }
  QueryResult ask(std::span<const float> q, QueryOptions o) const {
    auto r = store_->query(q, o);
    EXPECT_TRUE(r.ok()) << r.error().message;
    return r ? *r : QueryResult{};
  }

  std::optional<Store> store_;
  std::vector<float> values_;
};

TEST_F(QueryLimitsTest, ARangeHoldsAllThatIsNearEnough) {
  for (const char* filter : {"", "group < 3"}) {
    for (size_t i = 0; i < 20; ++i) {
      const std::span q = std::span(values_).subspan(i * 31 * kDim, kDim);
      const auto truth = all(q, filter);
      for (const size_t wanted : {size_t{1}, size_t{40}, size_t{300}}) {
        const float radius = truth[wanted - 1].distance;
        for (const bool exact : {true, false}) {
          QueryOptions o;
          o.max_distance = radius;
          o.range = true;
          o.exact = exact;
          o.filter = filter;
          const QueryResult r = ask(q, o);
          const auto end = std::find_if(truth.begin(), truth.end(),
                                        [&](const Neighbor& n) { return n.distance > radius; });
          const auto right = static_cast<size_t>(end - truth.begin());
          for (const Neighbor& n : r.neighbors) EXPECT_LE(n.distance, radius);
          if (exact) {
            EXPECT_EQ(r.neighbors, std::vector<Neighbor>(truth.begin(), end));
            EXPECT_TRUE(r.exact);
          } else {
            EXPECT_GE(r.neighbors.size(), right * 95 / 100);
          }
        }
      }
    }
  }
}

TEST_F(QueryLimitsTest, AThresholdCutsTheNearestShort) {
  const std::span q = std::span(values_).subspan(0, kDim);
  const auto truth = all(q);
  QueryOptions o;
  o.k = 10;
  o.max_distance = truth[4].distance;
  EXPECT_EQ(ask(q, o).neighbors.size(), 5U);
  o.max_distance = -1;
  EXPECT_TRUE(ask(q, o).neighbors.empty());
  o.range = true;
  EXPECT_TRUE(ask(q, o).neighbors.empty());
  o.max_distance.reset();
  EXPECT_RVF_ERROR(store_->query(q, o), kBadArgument);
  o.max_distance = std::numeric_limits<float>::quiet_NaN();
  EXPECT_RVF_ERROR(store_->query(q, o), kBadArgument);
}

TEST_F(QueryLimitsTest, OfKResultsAGroupHasAtMostItsSize) {
  const std::span q = std::span(values_).subspan(5 * kDim, kDim);
  for (const uint32_t size : {1U, 3U, 20U}) {
    for (const uint32_t k : {1U, 10U, 60U}) {
      QueryOptions o;
      o.k = k;
      o.group_by = "group";
      o.group_size = size;
      const QueryResult r = ask(q, o);
      EXPECT_EQ(r.neighbors.size(), std::min(k, 50 * size)) << k << " " << size;
      std::map<uint64_t, uint32_t> taken;
      for (const Neighbor& n : r.neighbors) EXPECT_LE(++taken[n.id % 50], size);
      EXPECT_EQ(r.neighbors.front().id, 5U);
    }
  }
}

TEST_F(QueryLimitsTest, EveryVectorIsAGroupOfItsOwnById) {
  const std::span q = std::span(values_).subspan(0, kDim);
  QueryOptions plain;
  plain.k = 12;
  QueryOptions grouped = plain;
  grouped.group_by = "id";
  EXPECT_EQ(ask(q, grouped).neighbors, ask(q, plain).neighbors);
}

TEST_F(QueryLimitsTest, ATimeThatIsOverEndsTheWholeQuery) {
  QueryOptions o;
  o.time_budget_us = 1;
  o.exact = true;
  o.filter = "group != 7 and group != 8 and group != 9";
  const QueryResult r = ask(std::span(values_).subspan(0, kDim), o);
  EXPECT_TRUE(r.timed_out);
  EXPECT_FALSE(r.exact);
}

TEST_F(QueryLimitsTest, AnAnswerByCodesDoesNotCallItselfExact) {
  QueryOptions o;
  o.filter = "group < 10";
  o.strategy = FilterStrategy::kCodes;
  const QueryResult r = ask(std::span(values_).subspan(0, kDim), o);
  EXPECT_EQ(r.exact, r.plan.strategy == FilterStrategy::kPre);
  o.strategy = FilterStrategy::kPre;
  const QueryResult exact = ask(std::span(values_).subspan(0, kDim), o);
  EXPECT_TRUE(exact.exact);
  EXPECT_EQ(exact.plan.strategy, FilterStrategy::kPre);
}

TEST_F(QueryLimitsTest, QueriesOfNobodysDoNotCount) {
  QueryOptions o;
  o.count_access = false;
  for (int i = 0; i < 2000; ++i) (void)ask(std::span(values_).subspan(0, kDim), o);
  ASSERT_RVF_OK(store_->close());
  *store_ = reopen();
  for (const SegmentInfo& s : std::vector(*store_->snapshot()->segments())) {
    EXPECT_NE(s.type, 0x09) << "an access sketch was written";
  }
}

}  // namespace
}  // namespace rvf
