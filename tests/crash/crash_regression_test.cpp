// What the crash tests once found, each in the smallest form that shows it.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "../api/store_fixture.hpp"
#include "crash/crash_history.hpp"

namespace rvf::testing {
namespace {

using Kind = TraceEvent::Kind;

OpenOptions on(const std::shared_ptr<io::FileSystem>& fs, Durability durability) {
  OpenOptions o;
  o.file_system = fs;
  o.durability = durability;
  return o;
}

// A store of three commits.
Image three_commits(Durability durability) {
  auto fs = io::memory_file_system();
  CreateOptions c;
  c.dimension = 2;
  auto s = Store::create(kStorePath, c, on(fs, durability));
  EXPECT_TRUE(s.ok());
  for (uint64_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(s->ingest(Vectors::from_f32(values_of(i, 3, 2), 2)).ok());
  }
  EXPECT_TRUE(s->close().ok());
  return {{kStorePath, bytes_of(*fs, kStorePath)}};
}

TEST(CrashRegression, CommitAlsoMakesDurableWhatADeadProcessHadFlushed) {
  auto fs = std::make_shared<TraceFileSystem>(three_commits(Durability::kFlush));
  auto s = Store::open(kStorePath, on(fs, Durability::kSync));
  ASSERT_RVF_OK(s);
  ASSERT_RVF_OK(s->commit());
  ASSERT_EQ(fs->size(), 1U);
  EXPECT_EQ(fs->events()[0].kind, Kind::kSync);
  ASSERT_RVF_OK(s->close());
  EXPECT_EQ(fs->size(), 1U) << "once is enough";
}

TEST(CrashRegression, AStoreWhoseLastManifestIsZeroedIsStillANativeStore) {
  Image image = three_commits(Durability::kSync);
  auto fs = files_of(image);
  uint64_t last_manifest = 0;
  {
    const auto s = Store::open_readonly(kStorePath, on(fs, Durability::kSync));
    ASSERT_RVF_OK(s);
    last_manifest = s->epochs()->front().manifest_offset;
  }
  std::vector<std::byte>& bytes = image[kStorePath];
  // Its header is torn before the hash: what follows reads as an empty manifest of another layout.
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(last_manifest + 40), bytes.end(),
            std::byte{0});
  fs = files_of(image);
  auto s = Store::open(kStorePath, on(fs, Durability::kSync));
  ASSERT_RVF_OK(s);
  EXPECT_EQ(s->status().vectors, 3U);
  EXPECT_TRUE(s->status().recovery.recovered);
}

TEST(CrashRegression, AShardsNameIsDurableBeforeAStoreNamesIt) {
  auto fs = std::make_shared<TraceFileSystem>();
  CreateOptions c;
  c.dimension = 32;
  auto s = Store::create(kStorePath, c, on(fs, Durability::kSync));
  ASSERT_RVF_OK(s);
  ASSERT_RVF_OK(s->ingest(Vectors::from_f32(values_of(1, 40, 32), 32)));
  for (int i = 0; i < 50; ++i) ASSERT_RVF_OK(s->query(std::vector<float>(32, 0.5F), {.k = 3}));
  CompactOptions cold;
  cold.tiers = cold.cold_shard = true;
  ASSERT_RVF_OK(s->compact(cold));
  const auto& events = fs->events();
  const auto shard = std::find_if(events.begin(), events.end(), [](const TraceEvent& e) {
    return e.kind == Kind::kCreate && e.path.find(".cold.") != std::string::npos;
  });
  ASSERT_NE(shard, events.end());
  const auto rename = std::find_if(shard, events.end(),
                                   [](const TraceEvent& e) { return e.kind == Kind::kRename; });
  EXPECT_TRUE(
      std::any_of(shard, rename, [](const TraceEvent& e) { return e.kind == Kind::kSyncParent; }));
}

TEST(CrashRegression, GarbageThatAsksForANewerVersionIsDamageAndTheEpochBeforeOpens) {
  const Image image = three_commits(Durability::kFlush);
  SegmentInfo last;
  {
    const auto s = Store::open_readonly(kStorePath, on(files_of(image), Durability::kSync));
    ASSERT_RVF_OK(s);
    const auto snapshot = s->snapshot();
    for (const SegmentInfo& i : std::vector(*snapshot->segments())) {
      if (i.rows > 0) last = i;
    }
  }
  for (uint64_t at = 0; at < 64 + last.payload_bytes; ++at) {
    SCOPED_TRACE("byte " + std::to_string(at));
    Image damaged = image;
    std::byte& b = damaged[kStorePath][last.offset + at];
    b = b == std::byte{0x73} ? std::byte{0x74} : std::byte{0x73};
    auto s = Store::open(kStorePath, on(files_of(damaged), Durability::kSync));
    ASSERT_RVF_OK(s);
    const uint64_t vectors = s->status().vectors;
    EXPECT_TRUE(vectors == 3 || (vectors == 6 && at < 64)) << vectors;
  }
}

}  // namespace
}  // namespace rvf::testing
