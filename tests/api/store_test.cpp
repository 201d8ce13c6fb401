#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "store_fixture.hpp"

namespace rvf {
namespace {

std::vector<uint64_t> ids_of(const QueryResult& r) {
  std::vector<uint64_t> ids;
  for (const Neighbor& n : r.neighbors) ids.push_back(n.id);
  return ids;
}

TEST_F(StoreTest, AVectorIsFoundAfterIngestAndAfterReopening) {
  const auto data = gaussian(100, 8, 1);
  {
    Store s = make(8);
    auto r = s.ingest(Vectors::from_f32(data, 8));
    ASSERT_RVF_OK(r);
    EXPECT_EQ(r->added, 100U);
    EXPECT_EQ(r->first_id, 0U);
    auto q = s.query(std::span(data).subspan(42 * 8, 8), {.k = 3});
    ASSERT_RVF_OK(q);
    EXPECT_EQ(q->neighbors[0].id, 42U);
    EXPECT_EQ(q->neighbors[0].distance, 0.0F);
  }
  Store s = reopen();
  EXPECT_EQ(s.status().vectors, 100U);
  EXPECT_FALSE(s.status().recovery.recovered);
  auto q = s.query(std::span(data).subspan(42 * 8, 8), {.k = 3});
  ASSERT_RVF_OK(q);
  EXPECT_EQ(q->neighbors[0].id, 42U);
  auto v = s.get(17);
  ASSERT_RVF_OK(v);
  EXPECT_TRUE(std::equal(v->begin(), v->end(), data.begin() + 17 * 8));
}

TEST_F(StoreTest, MetricDimensionAndDtypeSurviveReopening) {
  for (const Metric m : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
    fs_ = io::memory_file_system();
    {
      make(5, m, DType::kF16);
    }
    Store s = reopen();
    EXPECT_EQ(s.status().metric, m);
    EXPECT_EQ(s.status().dtype, DType::kF16);
    EXPECT_EQ(s.status().dimension, 5U);
  }
}

TEST_F(StoreTest, AnIdThatIsIngestedAgainShowsTheNewVector) {
  Store s = make(2);
  const std::vector<float> first = {1, 1, 2, 2};
  const std::vector<float> second = {9, 9};
  const std::vector<uint64_t> ids = {10, 20};
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(first, 2), ids));
  auto r = s.ingest(Vectors::from_f32(second, 2), std::span(ids).first(1));
  ASSERT_RVF_OK(r);
  EXPECT_EQ(r->replaced, 1U);
  EXPECT_EQ(s.status().vectors, 2U);
  EXPECT_EQ(s.status().deleted, 1U);
  EXPECT_EQ((*s.get(10))[0], 9.0F);
  reopen(s);
  EXPECT_EQ((*s.get(10))[0], 9.0F);
  EXPECT_EQ(s.status().vectors, 2U);
}

TEST_F(StoreTest, AnIdThatWasDeletedCanBeIngestedAgainAndSurvivesCompaction) {
  Store s = make(2);
  const std::vector<float> v = {1, 2};
  const std::vector<uint64_t> id = {7};
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(v, 2), id));
  auto d = s.remove(id);
  ASSERT_RVF_OK(d);
  EXPECT_EQ(d->deleted, 1U);
  EXPECT_RVF_ERROR(s.get(7), kNotFound);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(v, 2), id));
  ASSERT_RVF_OK(s.get(7));
  ASSERT_RVF_OK(s.compact());
  ASSERT_RVF_OK(s.get(7));
  reopen(s);
  ASSERT_RVF_OK(s.get(7));
  EXPECT_EQ(s.status().vectors, 1U);
}

TEST_F(StoreTest, DeletedVectorsAreNeverReturned) {
  const auto data = gaussian(1000, 4, 2);
  Store s = make(4);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data, 4)));
  ASSERT_RVF_OK(s.remove_range(100, 899));
  EXPECT_EQ(s.status().vectors, 200U);
  auto q = s.query(std::span(data).subspan(500 * 4, 4), {.k = 1000});
  ASSERT_RVF_OK(q);
  EXPECT_EQ(q->neighbors.size(), 200U);
  for (const Neighbor& n : q->neighbors) EXPECT_TRUE(n.id < 100 || n.id > 899);
  reopen(s);
  EXPECT_EQ(s.status().vectors, 200U);
  EXPECT_EQ(s.snapshot()->ids()->size(), 200U);
}

TEST_F(StoreTest, EqualDistancesAreOrderedById) {
  Store s = make(2);
  const std::vector<float> same(2 * 50, 1.0F);
  std::vector<uint64_t> ids(50);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = 1000 - i * 7;
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(same, 2), ids));
  const std::vector<float> q = {1, 1};
  auto r = s.query(q, {.k = 10});
  ASSERT_RVF_OK(r);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids_of(*r), std::vector<uint64_t>(ids.begin(), ids.begin() + 10));
}

TEST_F(StoreTest, ASnapshotKeepsItsEpochThroughLaterWritesAndCompaction) {
  const auto data = gaussian(300, 4, 3);
  Store s = make(4);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data, 4)));
  auto before = s.snapshot();
  ASSERT_RVF_OK(before);
  const std::vector<uint64_t> gone = {1, 2, 3};
  ASSERT_RVF_OK(s.remove(gone));
  const std::vector<float> moved = {5, 5, 5, 5};
  const std::vector<uint64_t> id = {9};
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(moved, 4), id));
  ASSERT_RVF_OK(s.compact());
  EXPECT_EQ(*before->size(), 300U);
  EXPECT_TRUE(*before->contains(2));
  EXPECT_EQ((*before->get(9))[0], data[9 * 4]);
  EXPECT_EQ(*s.snapshot()->size(), 297U);
  EXPECT_FALSE(*s.snapshot()->contains(2));
  EXPECT_EQ((*s.get(9))[0], 5.0F);
}

TEST_F(StoreTest, ManySmallCommitsReadBackTheSame) {
  const auto data = gaussian(700, 3, 4);
  Store s = make(3);
  for (size_t i = 0; i < 700; ++i) {
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(std::span(data).subspan(i * 3, 3), 3)));
    if (i % 5 == 4) {
      const std::vector<uint64_t> id = {i - 2};
      ASSERT_RVF_OK(s.remove(id));
    }
  }
  const auto expected = *s.snapshot()->ids();
  EXPECT_EQ(expected.size(), 560U);
  reopen(s);
  EXPECT_EQ(*s.snapshot()->ids(), expected);
  EXPECT_FALSE(s.status().recovery.recovered);
  auto report = s.verify({.deep = true});
  ASSERT_RVF_OK(report);
  EXPECT_TRUE(report->problems.empty());
  ASSERT_RVF_OK(s.compact());
  EXPECT_EQ(*s.snapshot()->ids(), expected);
}

TEST_F(StoreTest, RollbackBringsAnEarlierEpochBackAndCanBeUndone) {
  const auto data = gaussian(40, 3, 5);
  Store s = make(3);
  std::vector<uint32_t> epochs;
  for (size_t i = 0; i < 40; ++i) {
    auto r = s.ingest(Vectors::from_f32(std::span(data).subspan(i * 3, 3), 3));
    ASSERT_RVF_OK(r);
    epochs.push_back(r->epoch);
  }
  auto r = s.rollback(epochs[9]);
  ASSERT_RVF_OK(r);
  EXPECT_EQ(s.status().vectors, 10U);
  const std::vector<float> v = {1, 2, 3};
  auto more = s.ingest(Vectors::from_f32(v, 3));
  ASSERT_RVF_OK(more);
  EXPECT_EQ(more->first_id, 40U) << "ids of the abandoned epochs are not given out again";
  EXPECT_EQ(s.status().vectors, 11U);
  reopen(s);
  EXPECT_EQ(s.status().vectors, 11U);
  ASSERT_RVF_OK(s.rollback(epochs[39]));
  EXPECT_EQ(s.status().vectors, 40U);
  EXPECT_RVF_ERROR(s.rollback(9999), kNotFound);
}

TEST_F(StoreTest, CompactionKeepsAttachmentsByteForByteAndDropsDeadRows) {
  const auto data = gaussian(2000, 16, 6);
  Store s = make(16);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data, 16)));
  Attachment a;
  a.type = 0xF7;
  a.payload.resize(1000, std::byte{42});
  a.compress = true;
  Attachment unknown;
  unknown.type = 0x77;
  unknown.flags = 0x8123;
  unknown.payload.resize(77, std::byte{9});
  const std::vector<Attachment> both = {a, unknown};
  WriteBatch batch;
  batch.attach = both;
  auto w = s.write(batch);
  ASSERT_RVF_OK(w);
  ASSERT_EQ(w->attached.size(), 2U);
  ASSERT_RVF_OK(s.remove_range(0, 999));
  auto report = s.compact();
  ASSERT_RVF_OK(report);
  EXPECT_EQ(report->rows_dropped, 1000U);
  EXPECT_LT(report->bytes_after, report->bytes_before * 6 / 10);
  for (int pass = 0; pass < 2; ++pass) {
    auto snap = s.snapshot();
    ASSERT_RVF_OK(snap);
    EXPECT_EQ(*snap->payload(w->attached[0]), a.payload);
    EXPECT_EQ(*snap->payload(w->attached[1]), unknown.payload);
    for (const SegmentInfo& i : std::vector(*snap->segments())) {
      if (i.segment_id == w->attached[1]) {
        EXPECT_EQ(i.flags, 0x8123);
      }
    }
    reopen(s);
  }
  WriteBatch detach;
  detach.detach = std::span(w->attached).first(1);
  ASSERT_RVF_OK(s.write(detach));
  EXPECT_RVF_ERROR(s.snapshot()->payload(w->attached[0]), kNotFound);
}

TEST_F(StoreTest, AGraphIsWrittenAtCommitAndUsedAfterReopening) {
  const size_t n = 20000;
  const size_t dim = 16;
  const auto data = gaussian(n, dim, 7);
  const auto queries = gaussian(50, dim, 8);
  Store s = make(dim);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data, dim)));
  EXPECT_EQ(s.status().index_kind, "graph");
  EXPECT_EQ(s.status().indexed_rows, n);
  reopen(s);
  EXPECT_EQ(s.status().index_kind, "graph");
  size_t found = 0;
  for (size_t i = 0; i < 50; ++i) {
    const auto q = std::span(queries).subspan(i * dim, dim);
    const auto fast = ids_of(*s.query(q, {.k = 10}));
    const auto exact = ids_of(*s.query(q, {.k = 10, .exact = true}));
    for (const uint64_t id : fast) found += std::count(exact.begin(), exact.end(), id);
  }
  EXPECT_GE(found, 475U);
  // Rows after the index are searched as well.
  const std::vector<float> far(dim, 50.0F);
  const std::vector<uint64_t> id = {777777};
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(far, dim), id));
  EXPECT_EQ(s.query(far, {.k = 1})->neighbors[0].id, 777777U);
  ASSERT_RVF_OK(s.remove_range(0, 9999));
  ASSERT_RVF_OK(s.compact());
  EXPECT_EQ(s.status().index_kind, "graph");
  EXPECT_EQ(s.query(far, {.k = 1})->neighbors[0].id, 777777U);
  auto deep = s.verify({.deep = true});
  ASSERT_RVF_OK(deep);
  EXPECT_TRUE(deep->problems.empty());
}

TEST_F(StoreTest, TiersTakeLessSpaceAndKeepTheNeighbours) {
  const size_t n = 6000;
  const size_t dim = 64;
  const auto data = gaussian(n, dim, 9);
  Store s = make(dim);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data, dim)));
  for (int pass = 0; pass < 4; ++pass) {
    for (size_t i = 0; i < 300; ++i) {
      ASSERT_RVF_OK(s.query(std::span(data).subspan(i * dim, dim), {.k = 1}));
    }
  }
  CompactOptions tiers;
  tiers.tiers = true;
  tiers.search_layout = SearchLayout::kStandard;
  auto report = s.compact(tiers);
  ASSERT_RVF_OK(report);
  EXPECT_EQ(report->tier_rows[0] + report->tier_rows[1] + report->tier_rows[2], n);
  EXPECT_GE(report->tier_rows[0], 250U);
  EXPECT_GT(report->tier_rows[2], 5000U);
  const uint64_t raw = n * dim * 4;
  EXPECT_LT(report->bytes_after, raw * 11 / 20);
  reopen(s);
  EXPECT_EQ(s.status().vectors, n);
  EXPECT_EQ((*s.get(5))[3], data[5 * dim + 3]) << "a hot vector is exact";
  size_t found = 0;
  for (size_t i = 1000; i < 1100; ++i) {
    auto q = s.query(std::span(data).subspan(i * dim, dim), {.k = 1});
    ASSERT_RVF_OK(q);
    found += q->neighbors[0].id == i;
  }
  EXPECT_GE(found, 99U);
  bool hot_segment = false;
  for (const SegmentInfo& i : std::vector(*s.snapshot()->segments()))
    hot_segment = hot_segment || i.type == 0x08;
  EXPECT_TRUE(hot_segment);
  ASSERT_RVF_OK(s.compact());
  EXPECT_EQ(s.status().vectors, n);
}

TEST_F(StoreTest, ColdVectorsCanLieInAShardBesideTheStore) {
  const size_t dim = 32;
  const auto data = gaussian(1000, dim, 21);
  Store s = make(dim);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data, dim)));
  for (size_t i = 0; i < 50; ++i) {
    ASSERT_RVF_OK(s.query(std::span(data).subspan(i * dim, dim), {.k = 1}));
  }
  CompactOptions cold;
  cold.tiers = cold.cold_shard = true;
  auto report = s.compact(cold);
  ASSERT_RVF_OK(report);
  EXPECT_GT(report->tier_rows[2], 800U);
  EXPECT_TRUE(*fs_->exists("s.rvf.cold.0"));
  reopen(s);
  EXPECT_EQ(s.status().vectors, 1000U);
  EXPECT_EQ(s.query(std::span(data).subspan(700 * dim, dim), {.k = 1})->neighbors[0].id, 700U);
  EXPECT_TRUE(s.verify({.deep = true})->problems.empty());
  ASSERT_RVF_OK(s.compact(cold));
  EXPECT_TRUE(*fs_->exists("s.rvf.cold.1"));
  EXPECT_FALSE(*fs_->exists("s.rvf.cold.0")) << "the old shard goes with the old store";
  ASSERT_RVF_OK(s.compact());
  EXPECT_FALSE(*fs_->exists("s.rvf.cold.1"));
  reopen(s);
  EXPECT_EQ(s.status().vectors, 1000U);
  EXPECT_EQ(s.query(std::span(data).subspan(700 * dim, dim), {.k = 1})->neighbors[0].id, 700U);
}

TEST_F(StoreTest, AStoreWhoseShardIsMissingSaysSo) {
  const auto data = gaussian(200, 8, 22);
  {
    Store s = make(8);
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data, 8)));
    ASSERT_RVF_OK(s.query(std::span(data).first(8), {.k = 1}));
    CompactOptions cold;
    cold.tiers = cold.cold_shard = true;
    ASSERT_RVF_OK(s.compact(cold));
  }
  ASSERT_RVF_OK(fs_->remove("s.rvf.cold.0"));
  EXPECT_RVF_ERROR(Store::open_readonly("s.rvf", in_memory()), kNoSuchFile);
}

TEST_F(StoreTest, AnInterruptedCompactionIsContinued) {
  const auto data = gaussian(3000, 16, 23);
  Store s = make(16);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data, 16)));
  ASSERT_RVF_OK(s.remove_range(0, 99));
  const Progress stop = [](uint64_t, uint64_t) { return false; };
  CompactOptions stopped;
  stopped.progress = &stop;
  EXPECT_RVF_ERROR(s.compact(stopped), kCancelled);
  EXPECT_EQ(s.status().deleted, 100U);
  reopen(s);
  auto report = s.compact();
  ASSERT_RVF_OK(report);
  EXPECT_TRUE(report->resumed);
  EXPECT_EQ(s.status().vectors, 2900U);
  EXPECT_EQ(s.status().deleted, 0U);
  EXPECT_FALSE(*fs_->exists("s.rvf.compact"));
  EXPECT_TRUE(s.verify({.deep = true})->problems.empty());
}

TEST_F(StoreTest, DamageInAnIndexOrAnAttachmentTakesNoVectorsAway) {
  const auto data = gaussian(5000, 8, 24);
  uint64_t attachment = 0;
  {
    Store s = make(8);
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data, 8)));
    ASSERT_RVF_OK(s.build_index());
    Attachment a;
    a.type = 0xF7;
    a.payload.resize(5000, std::byte{1});
    WriteBatch batch;
    batch.attach = std::span(&a, 1);
    auto w = s.write(batch);
    ASSERT_RVF_OK(w);
    attachment = w->attached[0];
    for (const SegmentInfo& i : std::vector(*s.snapshot()->segments())) {
      if (i.type != 0x02 && i.type != 0xF7) continue;
      auto file = fs_->open("s.rvf", io::OpenMode::kReadWrite);
      std::array<std::byte, 1> byte{};
      const uint64_t at = i.offset + 64 + i.payload_bytes / 2;
      ASSERT_RVF_OK((*file)->read(at, byte));
      byte[0] ^= std::byte{4};
      ASSERT_RVF_OK((*file)->write(at, byte));
    }
  }
  Store s = reopen();
  EXPECT_EQ(s.status().vectors, 5000U);
  EXPECT_FALSE(s.status().recovery.recovered);
  EXPECT_EQ(s.query(std::span(data).subspan(77 * 8, 8), {.k = 1, .exact = true})->neighbors[0].id,
            77U);
  EXPECT_RVF_ERROR(s.snapshot()->payload(attachment), kBadChecksum);
  EXPECT_GE(s.verify()->problems.size(), 2U);
}

TEST_F(StoreTest, WritesWithoutDurabilityAppearToOthersAtCommit) {
  OpenOptions lazy = in_memory();
  lazy.durability = Durability::kNone;
  CreateOptions c;
  c.dimension = 2;
  auto writer = Store::create("lazy.rvf", c, lazy);
  ASSERT_RVF_OK(writer);
  const std::vector<float> v = {1, 2};
  ASSERT_RVF_OK(writer->ingest(Vectors::from_f32(v, 2)));
  EXPECT_EQ(writer->status().vectors, 1U);
  auto reader = Store::open_readonly("lazy.rvf", in_memory());
  ASSERT_RVF_OK(reader);
  EXPECT_EQ(reader->status().vectors, 0U);
  ASSERT_RVF_OK(writer->commit());
  EXPECT_TRUE(*reader->refresh());
  EXPECT_EQ(reader->status().vectors, 1U);
  EXPECT_FALSE(*reader->refresh());
}

TEST_F(StoreTest, AReaderFollowsTheWriterThroughCompaction) {
  const auto data = gaussian(50, 4, 10);
  Store writer = make(4);
  ASSERT_RVF_OK(writer.ingest(Vectors::from_f32(data, 4)));
  auto reader = Store::open_readonly("s.rvf", in_memory());
  ASSERT_RVF_OK(reader);
  ASSERT_RVF_OK(writer.remove_range(0, 9));
  ASSERT_RVF_OK(writer.compact());
  EXPECT_EQ(reader->status().vectors, 50U);
  EXPECT_TRUE(*reader->refresh());
  EXPECT_EQ(reader->status().vectors, 40U);
}

TEST_F(StoreTest, AStoreOpensFromBytes) {
  const auto data = gaussian(30, 4, 11);
  {
    Store s = make(4);
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data, 4)));
  }
  auto file = fs_->open("s.rvf", io::OpenMode::kRead);
  ASSERT_RVF_OK(file);
  std::vector<std::byte> bytes(*(*file)->size());
  ASSERT_RVF_OK((*file)->read(0, bytes));
  auto s = Store::from_bytes(bytes);
  ASSERT_RVF_OK(s);
  EXPECT_EQ(s->status().vectors, 30U);
  ASSERT_RVF_OK(s->ingest(Vectors::from_f32(data, 4)));
  EXPECT_EQ(s->status().vectors, 60U);
}

TEST_F(StoreTest, ATornTailFallsBackToTheLastCommitAndSaysSo) {
  const auto data = gaussian(20, 4, 12);
  uint32_t last = 0;
  {
    Store s = make(4);
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(std::span(data).first(40), 4)));
    last = s.status().epoch;
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(std::span(data).subspan(40), 4)));
  }
  auto file = fs_->open("s.rvf", io::OpenMode::kReadWrite);
  ASSERT_RVF_OK(file);
  ASSERT_RVF_OK((*file)->truncate(*(*file)->size() - 100));
  Store s = reopen();
  EXPECT_EQ(s.status().vectors, 10U);
  EXPECT_EQ(s.status().epoch, last);
  EXPECT_TRUE(s.status().recovery.recovered);
  EXPECT_GT(s.status().recovery.ignored_bytes, 0U);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(std::span(data).subspan(40), 4)));
  reopen(s);
  EXPECT_EQ(s.status().vectors, 20U);
  EXPECT_FALSE(s.status().recovery.recovered);
}

TEST_F(StoreTest, IntegerAndBinaryStoresTakeAndGiveTheirOwnDtype) {
  for (const DType t : {DType::kU8, DType::kI8, DType::kBF16, DType::kF16}) {
    fs_ = io::memory_file_system();
    Store s = make(6, Metric::kL2, t);
    const std::vector<float> v = {0, 1, 2, 3, 100, 5};
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(v, 6)));
    EXPECT_EQ(*s.get(0), v) << dtype_name(t);
  }
  fs_ = io::memory_file_system();
  Store s = make(10, Metric::kHamming, DType::kBinary);
  const std::vector<uint8_t> bits = {0b10110101, 0b01, 0b10110100, 0b11};
  ASSERT_RVF_OK(s.ingest({bits.data(), DType::kBinary, 2, 10}));
  const std::vector<float> q = {1, 0, 1, 0, 1, 1, 0, 1, 1, 0};
  auto r = s.query(q, {.k = 2});
  ASSERT_RVF_OK(r);
  EXPECT_EQ(r->neighbors[0], (Neighbor{0, 0.0F}));
  EXPECT_EQ(r->neighbors[1], (Neighbor{1, 2.0F}));
}

}  // namespace
}  // namespace rvf
