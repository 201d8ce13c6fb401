// Reading an index ahead of the queries, and which layers these say answered them.
#include "store_fixture.hpp"

namespace rvf {
namespace {

constexpr uint32_t kDim = 16;
constexpr uint64_t kRows = 6000;

class LoadAheadTest : public StoreTest {
 protected:
  Store make_indexed(SearchLayout layout) {
    CreateOptions c;
    c.dimension = kDim;
    c.search_layout = layout;
    auto s = Store::create("s.rvf", c, in_memory());
    EXPECT_TRUE(s.ok());
    EXPECT_TRUE(s->ingest(Vectors::from_f32(gaussian(kRows, kDim, 5), kDim)).ok());
    EXPECT_TRUE(s->build_index().ok());
    return std::move(*s);
  }
  static uint32_t layers_of(const Store& s, const QueryOptions& options = {}) {
    const auto found = s.query(gaussian(1, kDim, 6), options);
    EXPECT_TRUE(found.ok());
    return found ? found->layers : 0;
  }
};

TEST_F(LoadAheadTest, AllOfTheIndexIsReadAndTheRowsIfAsked) {
  for (const SearchLayout layout :
       {SearchLayout::kFused, SearchLayout::kStandard, SearchLayout::kPartitions}) {
    const Store s = make_indexed(layout);
    const auto index = s.snapshot()->load_ahead();
    ASSERT_RVF_OK(index);
    EXPECT_GT(index->layer_a, 0U);
    EXPECT_EQ(index->layer_c > 0, layout != SearchLayout::kPartitions);
    EXPECT_EQ(index->rows, 0U);
    EXPECT_GE(index->layer_a + index->layer_c, s.status().index_bytes);
    const auto all = s.snapshot()->load_ahead({.rows = true});
    ASSERT_RVF_OK(all);
    EXPECT_GE(all->rows, kRows * kDim * sizeof(float));
    ASSERT_RVF_OK(fs_->remove("s.rvf"));
  }
}

TEST_F(LoadAheadTest, ItStopsWhereItIsTold) {
  const Store s = make_indexed(SearchLayout::kFused);
  const auto some = s.snapshot()->load_ahead({.most_bytes = 10'000});
  ASSERT_RVF_OK(some);
  EXPECT_EQ(some->layer_a + some->layer_c, 10'000U);
  const Progress stop = [](uint64_t, uint64_t) { return false; };
  EXPECT_RVF_ERROR(s.snapshot()->load_ahead({.progress = &stop}), kCancelled);
}

TEST_F(LoadAheadTest, AStoreWithoutAnIndexHasNothingToRead) {
  const Store s = make(kDim);
  const auto none = s.snapshot()->load_ahead({.rows = true});
  ASSERT_RVF_OK(none);
  EXPECT_EQ(none->layer_a + none->layer_c + none->rows, 0U);
}

TEST_F(LoadAheadTest, QueriesTellWhichLayersAnswered) {
  EXPECT_EQ(layers_of(make(kDim)), 0U);
  ASSERT_RVF_OK(fs_->remove("s.rvf"));
  Store s = make_indexed(SearchLayout::kFused);
  EXPECT_EQ(layers_of(s), kLayerA | kLayerC);
  EXPECT_EQ(layers_of(s, {.exact = true}), kLayerScan);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(gaussian(5, kDim, 7), kDim)));
  EXPECT_EQ(layers_of(s), kLayerA | kLayerC | kLayerScan);
  EXPECT_STREQ(layers_text(layers_of(s)), "A+C+scan");
  ASSERT_RVF_OK(s.close());
  ASSERT_RVF_OK(fs_->remove("s.rvf"));
  EXPECT_STREQ(layers_text(layers_of(make_indexed(SearchLayout::kPartitions))), "A");
}

}  // namespace
}  // namespace rvf
