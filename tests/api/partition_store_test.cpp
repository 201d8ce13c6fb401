// Partitions as the index of a store: when they are made, kept, replaced and ignored.
#include <algorithm>
#include <set>

#include "store_fixture.hpp"

namespace rvf {
namespace {

constexpr uint32_t kDim = 16;
constexpr uint64_t kRows = 6000;

class PartitionStoreTest : public StoreTest {
 protected:
  Store make_partitions(uint64_t rows = kRows) {
    CreateOptions c;
    c.dimension = kDim;
    c.search_layout = SearchLayout::kPartitions;
    auto s = Store::create("s.rvf", c, in_memory());
    EXPECT_TRUE(s.ok());
    data_ = gaussian(rows, kDim, 5);
    EXPECT_TRUE(s->ingest(Vectors::from_f32(data_, kDim)).ok());
    EXPECT_TRUE(s->build_index().ok());
    return std::move(*s);
  }
  std::span<const float> row(size_t i) const { return std::span(data_).subspan(i * kDim, kDim); }

  double recall(const Store& s, uint32_t k = 10) const {
    size_t found = 0;
    size_t wanted = 0;
    for (size_t i = 0; i < 60; ++i) {
      const auto got = s.query(row(i * 37), {.k = k});
      const auto truth = s.query(row(i * 37), {.k = k, .exact = true});
      if (!got.ok() || !truth.ok()) return 0;
      std::set<uint64_t> ids;
      for (const Neighbor& n : truth->neighbors) ids.insert(n.id);
      for (const Neighbor& n : got->neighbors) found += ids.count(n.id);
      wanted += ids.size();
    }
    return static_cast<double>(found) / static_cast<double>(wanted);
  }

  static std::vector<SegmentInfo> segments_of(const Store& s, uint8_t type) {
    std::vector<SegmentInfo> out = *s.snapshot()->segments();
    std::erase_if(out, [&](const SegmentInfo& i) { return i.type != type; });
    return out;
  }

  static constexpr uint8_t kFusedType = 0xF4;
  static constexpr uint8_t kIndexType = 0x02;
  std::vector<float> data_;
};

TEST_F(PartitionStoreTest, AStoreThatAsksForThemHasThemAfterAReopenToo) {
  Store s = make_partitions();
  EXPECT_EQ(s.status().index_kind, "partitions");
  EXPECT_EQ(s.status().search_layout, SearchLayout::kPartitions);
  EXPECT_EQ(s.status().indexed_rows, kRows);
  EXPECT_LT(s.status().index_bytes, kRows * kDim * 4);
  EXPECT_GE(recall(s), 0.97);
  reopen(s);
  EXPECT_EQ(s.status().search_layout, SearchLayout::kPartitions);
  EXPECT_GE(recall(s), 0.97);
  EXPECT_TRUE(s.verify({.deep = true})->problems.empty());
  const uint64_t bytes = s.status().file_bytes;
  ASSERT_RVF_OK(s.build_index());
  EXPECT_EQ(s.status().file_bytes, bytes) << "what is there is not made again";
}

TEST_F(PartitionStoreTest, RowsWrittenLaterAreFoundAndTakenInByTheNextBuild) {
  Store s = make_partitions();
  const auto more = gaussian(500, kDim, 6);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(more, kDim)));
  const auto own = s.query(std::span(more).first(kDim), {.k = 1});
  ASSERT_RVF_OK(own);
  EXPECT_EQ(own->neighbors[0].id, kRows);
  ASSERT_RVF_OK(s.build_index());
  EXPECT_EQ(s.status().indexed_rows, kRows + 500);
  EXPECT_EQ(segments_of(s, kFusedType).size(), 1U);
}

TEST_F(PartitionStoreTest, ADeletionACompactionAndARollbackKeepAnswersRight) {
  Store s = make_partitions();
  const uint32_t before = s.status().epoch;
  std::vector<uint64_t> gone;
  for (uint64_t id = 0; id < kRows; id += 2) gone.push_back(id);
  ASSERT_RVF_OK(s.remove(gone));
  const auto r = s.query(row(1), {.k = 50});
  ASSERT_RVF_OK(r);
  for (const Neighbor& n : r->neighbors) EXPECT_EQ(n.id % 2, 1U);
  EXPECT_GE(recall(s), 0.95);
  ASSERT_RVF_OK(s.rollback(before));
  EXPECT_EQ(s.status().vectors, kRows);
  EXPECT_EQ(s.query(row(2), {.k = 1})->neighbors[0].id, 2U);
  ASSERT_RVF_OK(s.remove(gone));
  ASSERT_RVF_OK(s.compact());
  EXPECT_EQ(s.status().vectors, kRows / 2);
  EXPECT_EQ(s.query(row(3), {.k = 1})->neighbors[0].id, 3U);
  EXPECT_TRUE(s.verify({.deep = true})->problems.empty());
}

TEST_F(PartitionStoreTest, ACompactionChangesBetweenThemAndAGraph) {
  Store s = make_partitions(10'000);
  CompactOptions to_graph;
  to_graph.search_layout = SearchLayout::kFused;
  ASSERT_RVF_OK(s.compact(to_graph));
  EXPECT_EQ(s.status().index_kind, "graph");
  EXPECT_EQ(s.status().search_layout, SearchLayout::kFused);
  EXPECT_GE(recall(s), 0.97);
  CompactOptions back;
  back.search_layout = SearchLayout::kPartitions;
  ASSERT_RVF_OK(s.compact(back));
  EXPECT_EQ(s.status().search_layout, SearchLayout::kPartitions);
  EXPECT_EQ(s.status().indexed_rows, 10'000U);
  EXPECT_GE(recall(s), 0.97);
  EXPECT_TRUE(segments_of(s, kIndexType).empty()) << "the graph is left";
}

TEST_F(PartitionStoreTest, WhereAGraphWouldTakeTooMuchMemoryTheyAreMadeInstead) {
  OpenOptions o = in_memory();
  o.memory_budget = 2 << 20;
  CreateOptions c;
  c.dimension = kDim;
  auto s = Store::create("s.rvf", c, o);
  ASSERT_RVF_OK(s);
  data_ = gaussian(kRows, kDim, 5);
  ASSERT_RVF_OK(s->ingest(Vectors::from_f32(data_, kDim)));
  ASSERT_RVF_OK(s->build_index());
  EXPECT_EQ(s->status().search_layout, SearchLayout::kPartitions);
  EXPECT_GE(recall(*s), 0.97);
  ASSERT_RVF_OK(s->close());
  // With more memory the next build makes the graph that the profile asks for.
  Store again = reopen();
  EXPECT_EQ(again.status().search_layout, SearchLayout::kPartitions);
  ASSERT_RVF_OK(again.build_index());
  EXPECT_EQ(again.status().search_layout, SearchLayout::kFused);
}

TEST_F(PartitionStoreTest, DamageIsFoundByVerifyAndMendedByBuildIndex) {
  Store s = make_partitions();
  const SegmentInfo lists = segments_of(s, kFusedType).front();
  ASSERT_RVF_OK(s.close());
  const auto file = fs_->open("s.rvf", io::OpenMode::kReadWrite);
  ASSERT_RVF_OK(file);
  const std::vector<std::byte> junk(64, std::byte{0x5A});
  ASSERT_RVF_OK((*file)->write(lists.offset + lists.payload_bytes - 4096, junk));
  Store damaged = reopen();
  EXPECT_FALSE(damaged.verify()->problems.empty());
  const auto r = damaged.query(row(9), {.k = 10});
  ASSERT_RVF_OK(r);
  EXPECT_EQ(r->neighbors.size(), 10U);
  ASSERT_RVF_OK(damaged.build_index());
  EXPECT_TRUE(damaged.verify({.deep = true})->problems.empty());
}

}  // namespace
}  // namespace rvf
