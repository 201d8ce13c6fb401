// What a user of a lossy storage relies on: recall, sizes, and that nothing else changes.
#include <algorithm>
#include <cmath>

#include "rvf/recall.hpp"
#include "rvf/repair.hpp"
#include "store_fixture.hpp"

namespace rvf {
namespace {

constexpr size_t kDim = 32;
constexpr size_t kRows = 6000;

// Clusters of six dimensions in thirty-two, not centred.
std::vector<float> clustered(size_t count, uint64_t seed) {
  constexpr size_t kClusters = 40;
  constexpr size_t kInner = 6;
  const std::vector<float> centres = gaussian(kClusters, kDim, 1);
  const std::vector<float> bases = gaussian(kClusters * kInner, kDim, 2);
  const std::vector<float> inner = gaussian(count, kInner, seed);
  std::vector<float> out(count * kDim);
  for (size_t i = 0; i < count; ++i) {
    const size_t c = i % kClusters;
    for (size_t d = 0; d < kDim; ++d) {
      float v = 1 + 2 * centres[c * kDim + d];
      for (size_t k = 0; k < kInner; ++k) {
        v += inner[i * kInner + k] * bases[(c * kInner + k) * kDim + d] / 3;
      }
      out[i * kDim + d] = v;
    }
  }
  return out;
}

struct Shape {
  Storage storage;
  DType dtype;
  Metric metric;
};

class StorageTest : public StoreTest {
 protected:
  Store make_stored(const Shape& shape) const {
    CreateOptions c;
    c.dimension = kDim;
    c.dtype = shape.dtype;
    c.metric = shape.metric;
    c.storage = shape.storage;
    c.search_layout = SearchLayout::kStandard;
    auto s = Store::create("s.rvf", c, in_memory());
    EXPECT_TRUE(s.ok()) << (s.ok() ? "" : s.error().message);
    return std::move(*s);
  }
  Store compacted(Storage storage) {
    Store s = make_stored({storage, DType::kF32, Metric::kL2});
    EXPECT_TRUE(s.ingest(Vectors::from_f32(data_, kDim)).ok());
    EXPECT_TRUE(s.compact().ok());
    return s;
  }
  static double recall(const RecallSample& sample, const Store& s) {
    auto r = sample.recall(*s.snapshot(), nullptr);
    EXPECT_TRUE(r.ok());
    return r.ok() ? *r : 0;
  }
  std::span<const float> row(size_t i) const { return std::span(data_).subspan(i * kDim, kDim); }

  std::vector<float> data_ = clustered(kRows, 3);
};

TEST_F(StorageTest, QueriesStillFindWhatTheyFoundBefore) {
  for (const Storage storage : {Storage::kInt8, Storage::kRaBitQ4}) {
    for (const DType dtype : {DType::kF32, DType::kF16}) {
      for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
        fs_ = io::memory_file_system();
        Store s = make_stored({storage, dtype, metric});
        ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data_, kDim)));
        const auto sample = RecallSample::take(*s.snapshot(), 100, nullptr);
        ASSERT_RVF_OK(sample);
        const auto report = s.compact();
        ASSERT_RVF_OK(report);
        EXPECT_EQ(report->tier_rows[storage == Storage::kInt8 ? 1 : 2], kRows);
        // Large products differ by less than their codes err.
        const bool hard = storage == Storage::kRaBitQ4 && metric == Metric::kInnerProduct;
        const double bar = hard ? 0.93 : 0.95;
        const std::string what = std::string(storage_name(storage)) + " " + dtype_name(dtype) +
                                 " " + metric_name(metric);
        EXPECT_GE(recall(*sample, s), bar) << what;
        reopen(s);
        EXPECT_EQ(s.status().storage, storage);
        EXPECT_EQ(s.status().coded_rows, kRows);
        EXPECT_GE(recall(*sample, s), bar) << what;
        EXPECT_TRUE(s.verify({.deep = true})->problems.empty()) << what;
      }
    }
  }
}

TEST_F(StorageTest, NewRowsAreExactUntilTheNextCompactionAndCodesAreNotCodedAgain) {
  for (const Storage storage : {Storage::kInt8, Storage::kRaBitQ4}) {
    fs_ = io::memory_file_system();
    Store s = compacted(storage);
    const std::vector<float> seven = *s.get(7);
    const std::vector<float> hundred = *s.get(100);
    const std::vector<float> fresh = clustered(300, 9);
    std::vector<uint64_t> ids(300);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i < 50 ? 1000 + i : 100000 + i;
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(fresh, kDim), ids));
    const std::vector<float> exact = *s.get(1003);
    EXPECT_TRUE(std::equal(exact.begin(), exact.end(), fresh.begin() + 3 * kDim));
    for (int i = 0; i < 3; ++i) {
      ASSERT_RVF_OK(s.remove(std::vector<uint64_t>{static_cast<uint64_t>(2000 + i)}));
      ASSERT_RVF_OK(s.compact());
      reopen(s);
      EXPECT_EQ(*s.get(7), seven) << "a code is taken over as it is";
      EXPECT_EQ(*s.get(100), hundred);
      EXPECT_EQ(s.status().coded_rows, s.status().vectors);
    }
    const std::vector<float> coded = *s.get(1003);
    EXPECT_FALSE(std::equal(coded.begin(), coded.end(), fresh.begin() + 3 * kDim));
    EXPECT_FALSE(s.get(2001).ok());
    EXPECT_TRUE(s.verify({.deep = true})->problems.empty());
  }
}

TEST_F(StorageTest, RowsUnlikeAllOthersGetAQuantiserOfTheirOwn) {
  for (const Storage storage : {Storage::kInt8, Storage::kRaBitQ4}) {
    fs_ = io::memory_file_system();
    Store s = compacted(storage);
    const std::vector<float> seven = *s.get(7);
    std::vector<float> far = clustered(500, 21);
    for (float& v : far) v = 40 + 10 * v;
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(far, kDim)));
    ASSERT_RVF_OK(s.compact());
    EXPECT_EQ(*s.get(7), seven);
    const std::vector<float> got = *s.get(kRows + 5);
    for (size_t d = 0; d < kDim; ++d) EXPECT_NEAR(got[d], far[5 * kDim + d], 8);
    size_t quantisers = 0;
    for (const SegmentInfo& i : std::vector(*s.snapshot()->segments()))
      quantisers += i.type == 0x06;
    EXPECT_EQ(quantisers, 2U);
  }
}

TEST_F(StorageTest, AColdQueryDecodesFewRows) {
  Store s = make_stored({Storage::kRaBitQ4, DType::kF32, Metric::kL2});
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data_, kDim)));
  CompactOptions partitions;
  partitions.search_layout = SearchLayout::kPartitions;
  ASSERT_RVF_OK(s.compact(partitions));
  reopen(s);
  EXPECT_EQ(s.status().decoded_rows, 0U) << "opening decodes nothing";
  ASSERT_RVF_OK(s.query(row(11)));
  EXPECT_GT(s.status().decoded_rows, 0U);
  EXPECT_LT(s.status().decoded_rows, kRows / 4);
  EXPECT_EQ(s.query(row(11))->neighbors[0].id, 11U);
}

TEST_F(StorageTest, TheMemoryBudgetCountsWhatDecodingMayComeToTake) {
  ASSERT_RVF_OK(compacted(Storage::kRaBitQ4).close());
  OpenOptions open = in_memory();
  open.memory_budget = kRows * kDim * 4 / 2;
  EXPECT_RVF_ERROR(Store::open("s.rvf", open), kBudgetExceeded);
  open.memory_budget = kRows * kDim * 4 * 2;
  ASSERT_RVF_OK(Store::open("s.rvf", open));
}

TEST_F(StorageTest, SnapshotsAndRollbackSeeWhatTheySaw) {
  Store s = make_stored({Storage::kRaBitQ4, DType::kF32, Metric::kL2});
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data_, kDim)));
  const Snapshot before = *s.snapshot();
  ASSERT_RVF_OK(s.compact());
  const std::vector<float> exact = *before.get(9);
  EXPECT_TRUE(std::equal(exact.begin(), exact.end(), data_.begin() + 9 * kDim));
  const Snapshot coded = *s.snapshot();
  const std::vector<float> nine = *coded.get(9);
  const uint32_t epoch = s.status().epoch;
  ASSERT_RVF_OK(s.remove(std::vector<uint64_t>{9}));
  EXPECT_FALSE(s.get(9).ok());
  ASSERT_RVF_OK(s.rollback(epoch));
  EXPECT_EQ(*s.get(9), nine);
  EXPECT_EQ(s.status().storage, Storage::kRaBitQ4);
  ASSERT_RVF_OK(s.compact());
  ASSERT_RVF_OK(s.close());
  EXPECT_EQ(*coded.get(9), nine) << "of a snapshot that outlives the store";
}

TEST_F(StorageTest, ARepairSavesCodedRows) {
  Store s = compacted(Storage::kRaBitQ4);
  const std::vector<float> nine = *s.get(9);
  ASSERT_RVF_OK(s.close());
  RepairOptions options;
  options.file_system = fs_;
  const auto report = repair("s.rvf", "saved.rvf", options);
  ASSERT_RVF_OK(report);
  EXPECT_EQ(report->vectors, kRows);
  const auto saved = Store::open("saved.rvf", in_memory());
  ASSERT_RVF_OK(saved);
  EXPECT_EQ(*saved->get(9), nine);
}

TEST_F(StorageTest, WhatCannotBeStoredSoIsRefused) {
  CreateOptions c;
  c.dimension = 8;
  c.dtype = DType::kU8;
  c.storage = Storage::kInt8;
  EXPECT_RVF_ERROR(Store::create("u.rvf", c, in_memory()), kBadArgument);
  c.dtype = DType::kF32;
  c.storage = static_cast<Storage>(9);
  EXPECT_RVF_ERROR(Store::create("u.rvf", c, in_memory()), kBadArgument);
  Store s = compacted(Storage::kInt8);
  CompactOptions tiers;
  tiers.tiers = true;
  EXPECT_RVF_ERROR(s.compact(tiers), kBadArgument);
  tiers.storage = Storage::kExact;
  ASSERT_RVF_OK(s.compact(tiers));
  EXPECT_EQ(s.status().storage, Storage::kExact);
  CompactOptions exact;
  const std::vector<float> nine = *s.get(9);
  ASSERT_RVF_OK(s.compact(exact));
  EXPECT_EQ(s.status().coded_rows, 0U);
  EXPECT_EQ(*s.get(9), nine) << "exact storage keeps what there is";
}

}  // namespace
}  // namespace rvf
