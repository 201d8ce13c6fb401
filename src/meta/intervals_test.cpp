#include "meta/intervals.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <random>

#include "wire/meta_pack.hpp"
#include "wire/metaidx_codec.hpp"

namespace rvf::meta {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Filter leaf(FilterOp op, std::vector<Value> values) { return {op, 1, std::move(values), {}}; }

bool admits(const std::vector<Interval>& intervals, uint64_t key) {
  for (const Interval& i : intervals) {
    if (i.low <= key && key <= i.high) return true;
  }
  return false;
}

bool admits_i64(const Filter& f, int64_t v) {
  return admits(intervals_of(f, FieldType::kI64), wire::sort_key(v));
}
bool admits_f64(const Filter& f, double v) {
  return admits(intervals_of(f, FieldType::kF64),
                key_of(std::bit_cast<uint64_t>(v), FieldType::kF64));
}

TEST(Intervals, OfOneTypeEndWhereTheTypeEnds) {
  for (const int64_t edge : {INT64_MIN, INT64_MIN + 1, int64_t{-1}, int64_t{0}, INT64_MAX}) {
    for (const int64_t v : {INT64_MIN, INT64_MIN + 1, int64_t{-1}, int64_t{0}, INT64_MAX}) {
      EXPECT_EQ(admits_i64(leaf(FilterOp::kEq, {edge}), v), v == edge);
      EXPECT_EQ(admits_i64(leaf(FilterOp::kLt, {edge}), v), v < edge);
      EXPECT_EQ(admits_i64(leaf(FilterOp::kLe, {edge}), v), v <= edge);
      EXPECT_EQ(admits_i64(leaf(FilterOp::kGt, {edge}), v), v > edge);
      EXPECT_EQ(admits_i64(leaf(FilterOp::kGe, {edge}), v), v >= edge);
    }
  }
  EXPECT_TRUE(intervals_of(leaf(FilterOp::kLt, {uint64_t{0}}), FieldType::kU64).empty());
  EXPECT_TRUE(intervals_of(leaf(FilterOp::kGt, {UINT64_MAX}), FieldType::kU64).empty());
}

TEST(Intervals, OfListsAreMergedAndAscend) {
  const auto v =
      intervals_of(leaf(FilterOp::kIn, {uint64_t{9}, uint64_t{2}, uint64_t{1}, uint64_t{3},
                                        UINT64_MAX, UINT64_MAX - 1, uint64_t{0}}),
                   FieldType::kU64);
  EXPECT_EQ(v, (std::vector<Interval>{{0, 3}, {9, 9}, {UINT64_MAX - 1, UINT64_MAX}}));
  EXPECT_TRUE(
      intervals_of(leaf(FilterOp::kBetween, {int64_t{5}, int64_t{4}}), FieldType::kI64).empty());
}

TEST(Intervals, OfDoublesKnowNoNaNAndOneZero) {
  const double values[] = {
      -kInf, std::numeric_limits<double>::lowest(), -1, -5e-324, -0.0, 0.0, 5e-324, 1e308, kInf,
      kNaN};
  for (const double a : values) {
    for (const double v : values) {
      EXPECT_EQ(admits_f64(leaf(FilterOp::kEq, {a}), v), v == a) << v << " " << a;
      EXPECT_EQ(admits_f64(leaf(FilterOp::kLt, {a}), v), v < a) << v << " " << a;
      EXPECT_EQ(admits_f64(leaf(FilterOp::kLe, {a}), v), v <= a) << v << " " << a;
      EXPECT_EQ(admits_f64(leaf(FilterOp::kGt, {a}), v), v > a) << v << " " << a;
      EXPECT_EQ(admits_f64(leaf(FilterOp::kGe, {a}), v), v >= a) << v << " " << a;
      EXPECT_EQ(admits_f64(leaf(FilterOp::kBetween, {a, 1.0}), v), v >= a && v <= 1)
          << v << " " << a;
    }
  }
}

// Whoever scans doubles turns the ends back into doubles, and -0 would equal 0.
TEST(Intervals, OfDoublesNeverEndBetweenTheZeros) {
  constexpr uint64_t kNegativeZero = (uint64_t{1} << 63) - 1;
  for (const FilterOp op : {FilterOp::kLt, FilterOp::kLe, FilterOp::kGt, FilterOp::kGe}) {
    for (const double a : {-5e-324, -0.0, 0.0, 5e-324}) {
      for (const Interval& i : intervals_of(leaf(op, {a}), FieldType::kF64)) {
        EXPECT_NE(i.low, kNegativeZero) << a;
        EXPECT_NE(i.high, kNegativeZero) << a;
      }
    }
  }
}

// A field that has been widened: the values of old parts are integers, the literals doubles.
TEST(Intervals, OfIntegersUnderDoublesCompareAsDoubles) {
  constexpr int64_t kBig = int64_t{1} << 53;
  const int64_t values[] = {
      INT64_MIN, INT64_MIN + 1, -kBig - 1, -kBig,           -1,       0, 1, 2, kBig - 1,
      kBig,      kBig + 1,      kBig + 2,  INT64_MAX - 512, INT64_MAX};
  const double literals[] = {-kInf, -1e300, -0x1p63,    -0x1p53, -1.5,  -0.0, 0.5,
                             1,     0x1p53, 0x1p53 + 2, 0x1p63,  1e300, kInf, kNaN};
  for (const double a : literals) {
    for (const int64_t v : values) {
      const auto x = static_cast<double>(v);
      EXPECT_EQ(admits_i64(leaf(FilterOp::kEq, {a}), v), x == a) << v << " " << a;
      EXPECT_EQ(admits_i64(leaf(FilterOp::kLt, {a}), v), x < a) << v << " " << a;
      EXPECT_EQ(admits_i64(leaf(FilterOp::kLe, {a}), v), x <= a) << v << " " << a;
      EXPECT_EQ(admits_i64(leaf(FilterOp::kGt, {a}), v), x > a) << v << " " << a;
      EXPECT_EQ(admits_i64(leaf(FilterOp::kGe, {a}), v), x >= a) << v << " " << a;
      const auto u = static_cast<uint64_t>(v);
      const auto y = static_cast<double>(u);
      EXPECT_EQ(admits(intervals_of(leaf(FilterOp::kLe, {a}), FieldType::kU64), u), y <= a) << u;
      EXPECT_EQ(admits(intervals_of(leaf(FilterOp::kGt, {a}), FieldType::kU64), u), y > a) << u;
    }
  }
}

// Every offset of a packing is in exactly if its value is.
void expect_same(const wire::NumberPacking& p, FieldType type, const Filter& f, uint64_t largest) {
  const auto keys = intervals_of(f, type);
  const auto offsets = offset_intervals(keys, p, type);
  uint64_t end = 0;
  for (const Interval& i : offsets) {
    EXPECT_LE(i.low, i.high);
    EXPECT_TRUE(end == 0 || i.low > end);
    end = i.high;
  }
  for (uint64_t o = 0; o <= largest; ++o) {
    uint64_t bits = p.integer(o);
    if (type == FieldType::kF64) {
      bits = std::bit_cast<uint64_t>(wire::decimal_value(static_cast<int64_t>(bits), p.decimals));
    }
    ASSERT_EQ(admits(offsets, o), admits(keys, key_of(bits, type))) << "offset " << o;
  }
}

TEST(Intervals, OfPackedColumnsFollowTheirValues) {
  std::mt19937_64 random(20261121);
  constexpr FilterOp kOps[] = {FilterOp::kEq, FilterOp::kLt, FilterOp::kLe, FilterOp::kGt,
                               FilterOp::kGe};
  struct Case {
    wire::NumberPacking packing;
    FieldType type;
    uint64_t largest;  // offset that a row could have
  };
  constexpr uint64_t kTop = uint64_t{1} << 63;
  const Case cases[] = {
      {{1, 0, 1, 0}, FieldType::kU64, 255},
      {{1, 0, 1, UINT64_MAX - 200}, FieldType::kU64, 200},
      {{2, 0, 1000, static_cast<uint64_t>(-77'000)}, FieldType::kI64, 65535},
      {{1, 0, uint64_t{1} << 55, kTop}, FieldType::kI64, 255},
      {{1, 0, 1, kTop - 100}, FieldType::kTimestamp, 99},
      {{2, 2, 25, static_cast<uint64_t>(-500)}, FieldType::kF64, 65535},
      {{1, 9, 1, static_cast<uint64_t>(-100)}, FieldType::kF64, 255},
  };
  for (const Case& c : cases) {
    for (int round = 0; round < 40; ++round) {
      const uint64_t at = c.packing.integer(random() % (c.largest + 1)) + random() % 3 - 1;
      Value literal = at;
      if (c.type == FieldType::kI64 || c.type == FieldType::kTimestamp)
        literal = static_cast<int64_t>(at);
      if (c.type == FieldType::kF64) {
        literal = wire::decimal_value(static_cast<int64_t>(at), c.packing.decimals);
      }
      expect_same(c.packing, c.type, leaf(kOps[random() % 5], {literal}), c.largest);
      if (c.type == FieldType::kF64) continue;
      // A wider literal over the same column.
      const double wide = c.type == FieldType::kU64 ? static_cast<double>(at)
                                                    : static_cast<double>(static_cast<int64_t>(at));
      expect_same(c.packing, c.type, leaf(kOps[random() % 5], {wide + 0.5}), c.largest);
    }
  }
}

TEST(Intervals, OffsetsThatPassTheLargestValueAreAboveEverything) {
  // Of the 256 offsets only the first 100 are numbers of the type.
  const wire::NumberPacking p{1, 0, 1, UINT64_MAX - 99};
  const auto above = intervals_of(leaf(FilterOp::kGe, {UINT64_MAX - 50}), FieldType::kU64);
  const auto below = intervals_of(leaf(FilterOp::kLt, {UINT64_MAX - 50}), FieldType::kU64);
  EXPECT_EQ(offset_intervals(below, p, FieldType::kU64), (std::vector<Interval>{{0, 48}}));
  EXPECT_EQ(offset_intervals(above, p, FieldType::kU64).at(0).low, 49U);
  const wire::NumberPacking steep{4, 0, uint64_t{1} << 40, 0};
  const auto one = intervals_of(leaf(FilterOp::kEq, {uint64_t{1} << 40}), FieldType::kU64);
  EXPECT_EQ(offset_intervals(one, steep, FieldType::kU64), (std::vector<Interval>{{1, 1}}));
  const auto none = intervals_of(leaf(FilterOp::kEq, {uint64_t{5}}), FieldType::kU64);
  EXPECT_TRUE(offset_intervals(none, steep, FieldType::kU64).empty());
}

}  // namespace
}  // namespace rvf::meta
