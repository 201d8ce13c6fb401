// The fused search layout as part of a store: whose it is, when it is used, and that damage in it
// costs time or quality but never a wrong answer.
#include <algorithm>
#include <random>
#include <set>

#include "manifest/tail_scan.hpp"
#include "runtime/convert.hpp"
#include "runtime/live_state.hpp"
#include "runtime/writer.hpp"
#include "store_fixture.hpp"

namespace rvf {
namespace {

constexpr uint8_t kFusedType = 0xF4;
constexpr uint16_t kHot = 1 << 6;
constexpr uint32_t kDim = 8;
constexpr uint64_t kRows = 5000;

class FusedStoreTest : public StoreTest {
 protected:
  // As a store that is too large to be hashed at open.
  Store reopen_as_large() {
    OpenOptions o = in_memory();
    o.verify_at_open = 0;
    auto s = Store::open("s.rvf", o);
    EXPECT_TRUE(s.ok()) << (s.ok() ? "" : s.error().message);
    return std::move(*s);
  }
  void SetUp() override {
    data_ = gaussian(kRows, kDim, 7);
    Store s = make(kDim);
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data_, kDim)));
    ASSERT_RVF_OK(s.build_index());
    ASSERT_EQ(s.status().search_layout, SearchLayout::kFused);
    const auto fused = fused_of(s);
    ASSERT_EQ(fused.size(), 1U);
    fused_ = fused.front();
    ASSERT_RVF_OK(s.close());
    const auto file = fs_->open("s.rvf", io::OpenMode::kRead);
    whole_.resize(static_cast<size_t>(*(*file)->size()));
    ASSERT_RVF_OK((*file)->read(0, whole_));
    const auto view = wire::parse_fused(
        wire::ByteSpan(whole_).subspan(payload_at(), static_cast<size_t>(fused_.payload_bytes)));
    ASSERT_RVF_OK(view);
    blocks_at_ = static_cast<size_t>(view->blocks.data() - whole_.data());
    block_bytes_ = view->header.block_bytes;
  }

  static std::vector<SegmentInfo> fused_of(const Store& s) {
    std::vector<SegmentInfo> out;
    for (const SegmentInfo& i : std::vector(*s.snapshot()->segments())) {
      if (i.type == kFusedType) out.push_back(i);
    }
    return out;
  }
  size_t payload_at() const { return static_cast<size_t>(fused_.offset) + kSegmentHeaderSize; }
  void write(size_t at, std::span<const std::byte> bytes) {
    const auto file = fs_->open("s.rvf", io::OpenMode::kReadWrite);
    ASSERT_RVF_OK((*file)->write(at, bytes));
  }
  template <class T>
  void put(size_t at, T value) {
    write(at, std::as_bytes(std::span(&value, 1)));
  }
  std::span<const float> row(size_t i) const { return std::span(data_).subspan(i * kDim, kDim); }

  // k different ids of live vectors, with their true distances, in order.
  void expect_sound(const Store& s, std::span<const float> query, uint32_t k,
                    const std::string& what) {
    const auto r = s.query(query, {.k = k});
    ASSERT_TRUE(r.ok()) << what << ": " << r.error().message;
    EXPECT_EQ(r->neighbors.size(), std::min<uint64_t>(k, s.status().vectors)) << what;
    std::set<uint64_t> seen;
    float last = 0;
    for (const Neighbor& n : r->neighbors) {
      EXPECT_TRUE(seen.insert(n.id).second) << what;
      ASSERT_LT(n.id, kRows) << what;
      float distance = 0;
      for (size_t d = 0; d < kDim; ++d) {
        const float by = query[d] - row(n.id)[d];
        distance += by * by;
      }
      EXPECT_NEAR(n.distance, distance, 1e-3F * (1 + distance)) << what;
      EXPECT_GE(n.distance, last) << what;
      last = n.distance;
    }
  }

  std::vector<float> data_;
  std::vector<std::byte> whole_;  // the file as it was written
  SegmentInfo fused_;
  size_t blocks_at_ = 0;  // in the file
  size_t block_bytes_ = 0;
};

TEST_F(FusedStoreTest, TheLayoutCanNeitherBeAttachedNorDetached) {
  Store s = reopen();
  Attachment a;
  a.type = kFusedType;
  a.flags = kHot;
  a.payload.resize(100);
  WriteBatch batch;
  batch.attach = std::span(&a, 1);
  EXPECT_RVF_ERROR(s.write(batch), kBadArgument);
  a.flags = 0;
  const auto w = s.write(batch);
  ASSERT_RVF_OK(w);
  const std::vector<uint64_t> own = {fused_.segment_id};
  WriteBatch removal;
  removal.detach = own;
  EXPECT_RVF_ERROR(s.write(removal), kBadArgument);
  removal.detach = w->attached;
  ASSERT_RVF_OK(s.write(removal));
  EXPECT_EQ(s.status().search_layout, SearchLayout::kFused);
}

TEST_F(FusedStoreTest, AConversionLeavesItOut) {
  runtime::ConvertOptions options;
  options.file_system = fs_;
  const auto report = runtime::convert_to_runtime("s.rvf", "r.rvf", options);
  ASSERT_RVF_OK(report);
  for (const std::string& line : report->carried) {
    EXPECT_EQ(line.find("other segments"), std::string::npos) << line;
  }
  const auto back = runtime::convert_to_native("r.rvf", "n.rvf", options);
  ASSERT_RVF_OK(back);
  const auto s = Store::open("n.rvf", in_memory());
  ASSERT_RVF_OK(s);
  EXPECT_EQ(s->status().vectors, kRows);
  EXPECT_LE(fused_of(*s).size(), 1U);
}

TEST_F(FusedStoreTest, WhatSaysOtherThanStoreAndIndexIsIgnored) {
  struct Change {
    const char* what;
    size_t at;
    uint64_t value;
    size_t bytes;
  };
  // The offsets of docs/format.md.
  for (const Change& c :
       {Change{"version", 0, 2, 2}, Change{"first_row", 8, 1, 8},
        Change{"first_row, large", 8, ~uint64_t{0}, 8}, Change{"total_nodes", 16, kRows - 1, 8},
        Change{"total_nodes, more", 16, kRows + 1, 8}, Change{"index_segment", 48, 1, 8},
        Change{"metric", 72, 2, 1}, Change{"dtype", 73, 2, 1}, Change{"dim", 76, kDim - 1, 4},
        Change{"scale", 80, 0, 4}, Change{"root_groups", 88, 0, 4}}) {
    write(0, whole_);
    write(payload_at() + c.at, std::as_bytes(std::span(&c.value, 1)).first(c.bytes));
    Store s = reopen();
    EXPECT_EQ(s.status().search_layout, SearchLayout::kStandard) << c.what;
    EXPECT_EQ(s.status().indexed_rows, kRows) << c.what;
    expect_sound(s, row(17), 10, c.what);
    EXPECT_EQ(s.query(row(17), {.k = 1})->neighbors[0].id, 17U) << c.what;
    ASSERT_RVF_OK(s.close());
  }
}

TEST_F(FusedStoreTest, WhatIsDamagedIsMadeAgainByBuildIndex) {
  write(payload_at(), std::vector<std::byte>(64));  // not even a header
  Store s = reopen();
  EXPECT_EQ(s.status().search_layout, SearchLayout::kStandard);
  ASSERT_RVF_OK(s.build_index());
  EXPECT_EQ(s.status().search_layout, SearchLayout::kFused);
  reopen(s);
  EXPECT_EQ(s.status().search_layout, SearchLayout::kFused);
  EXPECT_TRUE(s.verify({.deep = true})->problems.empty());
  EXPECT_EQ(fused_of(s).size(), 1U);
  // What is intact is left alone.
  const uint64_t bytes = s.status().file_bytes;
  ASSERT_RVF_OK(s.build_index());
  EXPECT_EQ(s.status().file_bytes, bytes);
}

TEST_F(FusedStoreTest, DamageThatOnlyTheHashTellsIsMendedToo) {
  put(blocks_at_ + 4000 * block_bytes_ + 100, uint64_t{0x1234567890ABCDEF});
  Store s = reopen_as_large();
  EXPECT_EQ(s.status().search_layout, SearchLayout::kFused);
  EXPECT_EQ(s.verify()->problems.size(), 1U);
  ASSERT_RVF_OK(s.build_index());
  EXPECT_TRUE(s.verify({.deep = true})->problems.empty());
}

TEST_F(FusedStoreTest, WhatAnotherProgramDroppedIsMadeAgainByBuildIndex) {
  {
    auto opened = fs_->open("s.rvf", io::OpenMode::kReadWrite);
    ASSERT_RVF_OK(opened);
    const std::shared_ptr<io::File> file = std::move(*opened);
    auto found = manifest::find_manifest(*file, [](const auto&) { return Status(); });
    ASSERT_RVF_OK(found);
    const uint32_t next = found->log.epoch() + 1;
    runtime::Writer writer(file, std::move(found->log), whole_.size(), next);
    writer.begin_batch();
    writer.batch().removed.push_back(fused_.segment_id);
    ASSERT_RVF_OK(writer.end_batch(Durability::kSync));
  }
  Store s = reopen();
  EXPECT_TRUE(fused_of(s).empty());
  EXPECT_EQ(s.status().search_layout, SearchLayout::kStandard);
  expect_sound(s, row(3), 10, "standard");
  ASSERT_RVF_OK(s.build_index());
  EXPECT_EQ(s.status().search_layout, SearchLayout::kFused);
  expect_sound(s, row(3), 10, "fused");
  EXPECT_TRUE(s.verify({.deep = true})->problems.empty());
}

TEST_F(FusedStoreTest, AStoreThatWantsNoneKeepsNone) {
  Store s = reopen();
  CompactOptions standard;
  standard.search_layout = SearchLayout::kStandard;
  ASSERT_RVF_OK(s.compact(standard));
  ASSERT_RVF_OK(s.build_index());
  EXPECT_TRUE(fused_of(s).empty());
  EXPECT_EQ(s.status().search_layout, SearchLayout::kStandard);
}

TEST_F(FusedStoreTest, ADeepVerificationWalksTheBlocks) {
  // Every node leads nowhere, and says that it is near nothing.
  write(blocks_at_, std::vector<std::byte>(kRows * block_bytes_, std::byte{0xFF}));
  Store s = reopen_as_large();
  ASSERT_EQ(s.status().search_layout, SearchLayout::kFused);
  const auto report = s.verify({.deep = true});
  ASSERT_RVF_OK(report);
  const bool missed =
      std::any_of(report->problems.begin(), report->problems.end(),
                  [](const Error& e) { return e.code == ErrorCode::kQualityDegraded; });
  EXPECT_TRUE(missed);
}

TEST_F(FusedStoreTest, DamagedBlocksNeverGiveAWrongAnswer) {
  std::mt19937_64 random(20261121);
  const size_t length = static_cast<size_t>(fused_.payload_bytes);
  for (int round = 0; round < 60; ++round) {
    std::vector<std::byte> bytes(whole_.begin() + static_cast<ptrdiff_t>(payload_at()),
                                 whole_.begin() + static_cast<ptrdiff_t>(payload_at() + length));
    const size_t from = round % 3 == 0 ? 0 : blocks_at_ - payload_at();
    // From a few bytes to most of them; every fourth time all of one value.
    const size_t changes = size_t{1} << (random() % 20);
    const auto fill = static_cast<std::byte>(random());
    for (size_t i = 0; i < changes; ++i) {
      bytes[from + random() % (length - from)] =
          round % 4 == 0 ? fill : static_cast<std::byte>(random());
    }
    if (round % 10 == 9) std::fill(bytes.begin() + static_cast<ptrdiff_t>(from), bytes.end(), fill);
    write(payload_at(), bytes);
    Store s = reopen_as_large();
    const std::string what = "round " + std::to_string(round);
    for (const uint32_t k : {1U, 10U, 300U}) {
      expect_sound(s, row(random() % kRows), k, what);
      const std::vector<float> far(kDim, 1e6F);
      const auto r = s.query(far, {.k = k});
      ASSERT_RVF_OK(r);
      EXPECT_EQ(r->neighbors.size(), k) << what;
    }
    ASSERT_RVF_OK(s.close());
  }
}

}  // namespace
}  // namespace rvf
