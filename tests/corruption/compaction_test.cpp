// Compaction writes fresh, valid checksums: what is damaged must not get one.
#include "../api/store_fixture.hpp"
#include "corruption/judge.hpp"
#include "support/store_model.hpp"
#include "types/limits.hpp"

namespace rvf::testing {
namespace {

// The store with one byte changed in the middle of the newest live segment of this type.
std::shared_ptr<io::FileSystem> damaged(const RichStore& store, uint8_t type) {
  OpenOptions o;
  o.file_system = store.fs;
  uint64_t at = 0;
  const auto whole = Store::open_readonly(store.path, o);
  for (const SegmentInfo& s : std::vector(*whole->snapshot()->segments())) {
    if (s.type == type) at = s.offset + kSegmentHeaderSize + s.payload_bytes / 2;
  }
  EXPECT_NE(at, 0U);
  auto bytes = store.bytes;
  bytes[at] ^= std::byte{0x10};
  auto fs = io::memory_file_system();
  put_bytes(*fs, store.path, bytes);
  return fs;
}

OpenOptions as_large(std::shared_ptr<io::FileSystem> fs) {
  OpenOptions o;
  o.file_system = std::move(fs);
  o.verify_at_open = 0;
  return o;
}

TEST(CompactionOfDamage, DamagedMetadataAndVectorsAreNotCopied) {
  const RichStore rich = make_rich_store();
  for (const uint8_t type : {uint8_t{0x01}, uint8_t{0x07}, uint8_t{0x33}}) {
    auto fs = damaged(rich, type);
    auto store = Store::open(rich.path, as_large(fs));
    ASSERT_RVF_OK(store);
    const auto compacted = store->compact();
    ASSERT_FALSE(compacted.ok()) << "type " << int{type};
    EXPECT_EQ(compacted.error().code, ErrorCode::kBadChecksum);
    ASSERT_RVF_OK(store->close());
    EXPECT_FALSE(Store::open_readonly(rich.path, as_large(fs))->verify()->problems.empty());
  }
}

TEST(CompactionOfDamage, ADamagedGraphIsMadeAnew) {
  const RichStore graph = make_graph_store();
  for (const uint8_t type : {uint8_t{0x02}, uint8_t{0xF4}}) {
    for (const bool compact : {true, false}) {
      auto fs = damaged(graph, type);
      auto store = Store::open(graph.path, as_large(fs));
      ASSERT_RVF_OK(store);
      EXPECT_FALSE(store->verify()->problems.empty());
      if (compact) {
        ASSERT_RVF_OK(store->compact());
      } else {
        ASSERT_RVF_OK(store->build_index());
      }
      EXPECT_EQ(store->status().index_kind, "graph");
      const auto report = store->verify({.deep = true});
      ASSERT_RVF_OK(report);
      EXPECT_TRUE(report->problems.empty()) << report->problems.front().message;
    }
  }
}

}  // namespace
}  // namespace rvf::testing
