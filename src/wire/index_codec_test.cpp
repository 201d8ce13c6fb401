#include "wire/index_codec.hpp"

#include <gtest/gtest.h>

namespace rvf::wire {
namespace {

Bytes two_nodes(IndexMeta meta = {}) {
  IndexEncoder encoder;
  const std::vector<uint32_t> a{1};
  const std::vector<uint32_t> b{0, 300};
  const std::vector<uint32_t> c{7};
  const std::span<const uint32_t> first[] = {a};
  const std::span<const uint32_t> second[] = {b, c};
  encoder.add_node(first);
  encoder.add_node(second);
  if (meta.total_nodes == 0) meta.total_nodes = 301;
  return encoder.finish(meta);
}

TEST(IndexCodec, TheBytesAreThoseOfTheTableInTheFormatPage) {
  IndexMeta meta;
  meta.m = 16;
  meta.ef_construction = 128;
  meta.entry_points = {1};
  const Bytes p = two_nodes(meta);
  const auto at = [&](size_t i) { return static_cast<int>(p[i]); };
  EXPECT_EQ(at(0), 0);    // HNSW
  EXPECT_EQ(at(1), 2);    // layer C
  EXPECT_EQ(at(2), 16);   // M
  EXPECT_EQ(at(4), 128);  // ef_construction
  EXPECT_EQ(at(8), 2);    // nodes
  EXPECT_EQ(at(64), 1);   // restart interval
  EXPECT_EQ(at(68), 2);   // restarts
  EXPECT_EQ(at(76), 3);   // second list: after layer count, length, one neighbour
  const int adjacency[] = {1, 1, 1, 2, 2, 0, 0xAC, 0x02, 1, 7};
  for (size_t i = 0; i < std::size(adjacency); ++i) EXPECT_EQ(at(128 + i), adjacency[i]) << i;
  EXPECT_EQ(at(192), 1);  // trailer version
  EXPECT_EQ(p.size(), 192u + 80 + 8 + 8);
  EXPECT_EQ(std::memcmp(p.data() + p.size() - 4, "RVGX", 4), 0);
}

TEST(IndexCodec, WhatIsWrittenIsReadBack) {
  IndexMeta meta;
  meta.m = 5;
  meta.max_layer = 1;
  meta.first_node = 10;
  meta.first_row = 1000;
  meta.seed = 77;
  meta.calibrated_nodes = 9;
  meta.metric = Metric::kCosine;
  meta.dtype = DType::kU8;
  meta.dim = 784;
  meta.base_degree = 10;
  meta.entry_points = {300, 4};
  meta.calibration = {{10, 9500, 40}, {100, 9900, 333}};
  const Bytes p = two_nodes(meta);
  const auto view = IndexView::parse(p);
  ASSERT_TRUE(view.ok());
  const IndexMeta& m = view->meta();
  EXPECT_EQ(m.node_count, 2u);
  EXPECT_EQ(m.first_node, 10u);
  EXPECT_EQ(m.first_row, 1000u);
  EXPECT_EQ(m.seed, 77u);
  EXPECT_EQ(m.calibrated_nodes, 9u);
  EXPECT_EQ(m.metric, Metric::kCosine);
  EXPECT_EQ(m.dtype, DType::kU8);
  EXPECT_EQ(m.entry_points, meta.entry_points);
  ASSERT_EQ(m.calibration.size(), 2u);
  EXPECT_EQ(m.calibration[1].ef, 333u);
  uint32_t list[kMaxListLength];
  bool bad = false;
  EXPECT_EQ(view->layer_count(0), 1u);
  EXPECT_EQ(view->layer_count(1), 2u);
  ASSERT_EQ(view->neighbours(1, 0, list, bad), 2u);
  EXPECT_EQ(list[1], 300u);
  ASSERT_EQ(view->neighbours(1, 1, list, bad), 1u);
  EXPECT_EQ(list[0], 7u);
  EXPECT_EQ(view->neighbours(0, 1, list, bad), 0u);
  EXPECT_FALSE(bad);
  EXPECT_EQ(view->neighbours(2, 0, list, bad), 0u);
  EXPECT_TRUE(bad);
}

TEST(IndexCodec, ANeighbourThatIsNoNodeMakesItsListBad) {
  IndexMeta meta;
  meta.total_nodes = 300;
  const Bytes p = two_nodes(meta);
  const auto view = IndexView::parse(p);
  ASSERT_TRUE(view.ok());
  uint32_t list[kMaxListLength];
  bool bad = false;
  EXPECT_EQ(view->neighbours(0, 0, list, bad), 1u);
  EXPECT_FALSE(bad);
  EXPECT_EQ(view->neighbours(1, 0, list, bad), 0u);
  EXPECT_TRUE(bad);
}

TEST(IndexCodec, OtherLayoutsAreNamedUnsupportedNotDamaged) {
  Bytes p = two_nodes();
  p[64] = std::byte{64};  // the restart interval of the runtime container
  EXPECT_EQ(IndexView::parse(p).error().code, ErrorCode::kUnsupported);
  p = two_nodes();
  p[p.size() - 1] = std::byte{'!'};
  EXPECT_EQ(IndexView::parse(p).error().code, ErrorCode::kUnsupported);
}

TEST(IndexCodec, CountsThatWouldTakeMemoryAreCheckedAgainstTheBytesPresent) {
  Bytes p = two_nodes();
  const uint64_t many = 0x7FFFFFFF;
  std::memcpy(p.data() + 8, &many, 8);
  std::memcpy(p.data() + 68, &many, 4);
  EXPECT_EQ(IndexView::parse(p).error().code, ErrorCode::kTruncated);
  p = two_nodes();
  const uint16_t entries = 0xFFFF;
  std::memcpy(p.data() + 192 + 66, &entries, 2);
  EXPECT_FALSE(IndexView::parse(p).ok());
}

}  // namespace
}  // namespace rvf::wire
