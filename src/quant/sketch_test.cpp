#include "quant/sketch.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace rvf::quant {
namespace {

TEST(CountMinSketch, NeverEstimatesTooLittle) {
  std::mt19937_64 rng(7);
  CountMinSketch sketch(256, 4);
  std::map<uint64_t, int> truth;
  for (int i = 0; i < 3000; ++i) {
    const uint64_t id = rng() % 500;
    sketch.add(id);
    ++truth[id];
  }
  for (const auto& [id, count] : truth) EXPECT_GE(sketch.estimate(id), std::min(count, 255)) << id;
  EXPECT_EQ(sketch.total(), 3000U);
}

TEST(CountMinSketch, IsNearlyExactWhenWideEnough) {
  CountMinSketch sketch(CountMinSketch::width_for(40000), 4);
  for (uint64_t id = 0; id < 1000; ++id) {
    for (uint64_t n = 0; n < id % 10; ++n) sketch.add(id * 1000003);
  }
  int wrong = 0;
  for (uint64_t id = 0; id < 1000; ++id) wrong += sketch.estimate(id * 1000003) != id % 10;
  EXPECT_LE(wrong, 2);
}

TEST(CountMinSketch, CountersSaturate) {
  CountMinSketch sketch(16, 2);
  for (int i = 0; i < 1000; ++i) sketch.add(5);
  EXPECT_EQ(sketch.estimate(5), 255);
}

TEST(CountMinSketch, AgeingHalves) {
  CountMinSketch sketch(1024);
  for (int i = 0; i < 9; ++i) sketch.add(5);
  sketch.age();
  EXPECT_EQ(sketch.estimate(5), 4);
  EXPECT_EQ(sketch.total(), 4U);
  for (int i = 0; i < 3; ++i) sketch.age();
  EXPECT_EQ(sketch.estimate(5), 0);
}

TEST(CountMinSketch, MergeBoundsTheSumAndRefusesOtherShapes) {
  CountMinSketch a(64, 3);
  CountMinSketch b(64, 3);
  for (int i = 0; i < 200; ++i) {
    a.add(1);
    b.add(1);
    b.add(2);
  }
  ASSERT_TRUE(a.merge(b));
  EXPECT_EQ(a.estimate(1), 255);
  EXPECT_GE(a.estimate(2), 200);
  EXPECT_EQ(a.total(), 600U);
  EXPECT_EQ(a.merge(CountMinSketch(64, 4)).error().code, ErrorCode::kBadArgument);
}

TEST(CountMinSketch, SurvivesTheFile) {
  CountMinSketch sketch(100, 3);
  for (uint64_t i = 0; i < 500; ++i) sketch.add(i * i);
  const auto segment = wire::decode_sketch(wire::encode_sketch(sketch.to_wire()));
  ASSERT_TRUE(segment);
  const auto back = CountMinSketch::from_wire(*segment);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, sketch);
}

TEST(CountMinSketch, PlacesCountersWhereTheFormatSays) {
  CountMinSketch sketch(1000, 2);
  sketch.add(1);
  const wire::SketchSegment segment = sketch.to_wire();
  std::vector<size_t> set;
  for (size_t i = 0; i < segment.blocks[0].counters.size(); ++i) {
    if (segment.blocks[0].counters[i] != std::byte{0}) set.push_back(i);
  }
  EXPECT_EQ(set, (std::vector<size_t>{338, 1087}));
}

}  // namespace
}  // namespace rvf::quant
