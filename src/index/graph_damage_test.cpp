#include <gtest/gtest.h>

#include "index/graph.hpp"
#include "index/test_data.hpp"
#include "wire/fused_codec.hpp"

namespace rvf::index {
namespace {

// Payloads live in buffers of their exact size, so that a sanitizer sees any read outside.
TEST(GraphDamage, ChangedBytesNeverCrashASearchOrAnExtension) {
  const TestSet set = make_set(2200, 16, 8, DType::kF32, 3);
  const auto good = build_graph(set.input(Metric::kL2, 2100), {});
  ASSERT_TRUE(good.ok());
  std::mt19937 rng(6);
  int opened = 0;
  for (int round = 0; round < 1500; ++round) {
    const bool top = round % 4 == 0;
    wire::Bytes bytes = top ? good->layer_a : good->layer_c[0];
    const size_t region = round % 3;
    for (unsigned i = 0; i <= rng() % 8; ++i) {
      const size_t at = region == 0   ? rng() % 80
                        : region == 1 ? bytes.size() - 1 - rng() % 200
                                      : rng() % bytes.size();
      bytes[at] = static_cast<std::byte>(rng());
    }
    const auto index = top ? open_graph({}, bytes) : open_graph({bytes}, {});
    if (!index.ok()) continue;
    ++opened;
    for (const auto& q : set.queries) {
      const SearchResult got = search(**index, set, q, Metric::kL2);
      for (const Hit& h : got.hits) ASSERT_LT(h.row, set.table.size());
    }
    if (!top && round % 10 == 1) {
      (void)regrow_graph({{bytes}, {}}, {}, set.input(Metric::kL2, 2200), {});
    }
  }
  EXPECT_GT(opened, 100);
}

TEST(GraphDamage, APayloadCutShortIsRefused) {
  const TestSet set = make_set(500, 16, 8);
  const auto good = build_graph(set.input(Metric::kL2, 500), {});
  ASSERT_TRUE(good.ok());
  for (size_t size = 0; size < good->layer_c[0].size(); size += size < 300 ? 1 : 97) {
    const wire::Bytes cut(good->layer_c[0].begin(),
                          good->layer_c[0].begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(open_graph({cut}, {}).ok()) << size;
  }
}

TEST(GraphDamage, ACheckReadsEveryListAndEveryBlock) {
  const TestSet set = make_set(3000, 16, 8);
  for (const uint64_t max_payload : {uint64_t{1} << 31, uint64_t{40000}}) {
    GraphParams params;
    params.max_payload_bytes = max_payload;
    auto made = build_graph(set.input(Metric::kL2, 3000), params);
    ASSERT_TRUE(made.ok());
    EXPECT_TRUE(check_index({spans_of(*made), fused_of(*made)}).ok());
    EXPECT_TRUE(check_index({spans_of(*made), {}}).ok());
  }
  auto made = build_graph(set.input(Metric::kL2, 3000), {});
  ASSERT_TRUE(made.ok());
  const auto view = wire::parse_fused(made->fused[0].span());
  ASSERT_TRUE(view.ok());
  const FusedLayout layout = FusedLayout::of(16);
  for (const size_t node : {0U, 1500U, 2999U}) {
    std::byte* slot = made->fused[0].bytes.get() +
                      (view->blocks.data() - made->fused[0].bytes.get()) +
                      node * layout.block_bytes + layout.ids;
    uint32_t id;
    std::memcpy(&id, slot, 4);
    const uint32_t other = (id + 1) % 3000;
    std::memcpy(slot, &other, 4);
    EXPECT_EQ(check_index({spans_of(*made), fused_of(*made)}).error().code, ErrorCode::kCorrupt);
    std::memcpy(slot, &id, 4);
  }
  EXPECT_TRUE(check_index({spans_of(*made), fused_of(*made)}).ok());
}

TEST(GraphDamage, AMissingPartIsReported) {
  const TestSet set = make_set(2000, 16, 8);
  GraphParams params;
  params.max_payload_bytes = 20000;
  const auto parts = build_graph(set.input(Metric::kL2, 2000), params);
  ASSERT_TRUE(parts.ok());
  ASSERT_GT(parts->layer_c.size(), 2u);
  auto spans = spans_of(*parts);
  spans.erase(spans.begin() + 1);
  EXPECT_EQ(open_graph(spans, {}).error().code, ErrorCode::kCorrupt);
  spans.pop_back();
  EXPECT_EQ(open_graph(spans, {}).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace rvf::index
