// Readers, a writer, a compactor and a second, refreshing handle on one file at the same time. What
// each reader sees must be one epoch, whole. Meant to be run under ThreadSanitizer as well.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "../api/store_fixture.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {
namespace {

constexpr uint32_t kDim = 8;
constexpr uint64_t kGroup = 10;  // ids are written in groups of ten with equal vectors

// All ten rows of a group carry the same values, so a reader can tell a torn epoch from a whole
// one.
std::vector<float> group_values(uint64_t version) {
  const auto one = values_of(version, 1, kDim);
  std::vector<float> all;
  for (uint64_t i = 0; i < kGroup; ++i) all.insert(all.end(), one.begin(), one.end());
  return all;
}

std::vector<uint64_t> group_ids(uint64_t group) {
  std::vector<uint64_t> ids(kGroup);
  for (uint64_t i = 0; i < kGroup; ++i) ids[i] = group * kGroup + i;
  return ids;
}

class ConcurrencyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "rvf-threads-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/s.rvf";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void problem(const std::string& text) {
    std::lock_guard guard(mutex_);
    if (problems_++ == 0) ADD_FAILURE() << text;
    stop_ = true;
  }

  // A snapshot holds whole groups whose rows are equal, and keeps them.
  void check_snapshot(const Snapshot& s, uint64_t seed) {
    if (s.size() % kGroup != 0) problem("half a group is visible");
    std::mt19937_64 random(seed);
    const uint64_t group = random() % kGroups;
    const auto first = s.get(group * kGroup);
    for (uint64_t i = 1; i < kGroup; ++i) {
      const auto other = s.get(group * kGroup + i);
      if (first.ok() != other.ok() || (first.ok() && *first != *other)) problem("a group is torn");
    }
    const auto q = values_of(random(), 1, kDim);
    const auto found = s.query(q, {.k = 10, .exact = random() % 2 == 0});
    if (!found) return problem("a query failed: " + found.error().message);
    for (const Neighbor& n : found->neighbors) {
      if (!s.contains(n.id)) problem("a query found what is not there");
    }
  }

  static constexpr uint64_t kGroups = 60;
  std::string folder_, path_;
  std::mutex mutex_;
  uint64_t problems_ = 0;
  std::atomic<bool> stop_ = false;
};

TEST_F(ConcurrencyTest, ReadersSeeWholeEpochsWhileAWriterACompactorAndARefreshingReaderWork) {
  CreateOptions c;
  c.dimension = kDim;
  OpenOptions o;
  o.durability = Durability::kFlush;
  auto created = Store::create(path_, c, o);
  ASSERT_RVF_OK(created);
  Store& store = *created;
  ASSERT_RVF_OK(store.ingest(Vectors::from_f32(group_values(0), kDim), group_ids(0)));
  std::atomic<uint64_t> reads = 0;
  std::atomic<uint64_t> writes = 0;
  std::atomic<uint64_t> compactions = 0;
  std::atomic<uint64_t> refreshes = 0;

  std::vector<std::thread> threads;
  for (uint64_t r = 0; r < 3; ++r) {
    threads.emplace_back([&, r] {
      for (uint64_t i = 0; !stop_; ++i, ++reads) {
        const auto held = store.snapshot();
        if (!held) return problem("no snapshot: " + held.error().message);
        const uint64_t size = held->size();
        check_snapshot(*held, r * 1'000'000 + i);
        if (i % 16 == 0) std::this_thread::yield();
        if (held->size() != size || held->ids().size() != size) problem("a snapshot changed");
        (void)store.status();
        if (i % 50 == 0 && !store.epochs()) problem("no epochs");
      }
    });
  }
  threads.emplace_back([&] {
    std::mt19937_64 random(1);
    for (uint64_t i = 1; !stop_; ++i, ++writes) {
      const uint64_t group = random() % kGroups;
      const auto values = group_values(i);
      const auto ids = group_ids(group);
      const bool remove = random() % 4 == 0;
      const auto done =
          remove ? store.remove(ids) : store.ingest(Vectors::from_f32(values, kDim), ids);
      if (!done) return problem("a write failed: " + done.error().message);
    }
  });
  threads.emplace_back([&] {
    for (uint64_t i = 0; !stop_; ++i, ++compactions) {
      CompactOptions options;
      options.tiers = false;
      const auto done = store.compact(options);
      if (!done) return problem("a compaction failed: " + done.error().message);
      if (i % 4 == 0) {
        const auto report = store.verify({.deep = true});
        if (!report || !report->problems.empty()) {
          return problem("verify: " +
                         (report ? report->problems[0].message : report.error().message));
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  threads.emplace_back([&] {
    auto reader = Store::open_readonly(path_);
    if (!reader) return problem("no second handle: " + reader.error().message);
    uint32_t epoch = 0;
    for (uint64_t i = 0; !stop_; ++i, ++refreshes) {
      const auto fresh = reader->refresh();
      if (!fresh) return problem("refresh failed: " + fresh.error().message);
      const auto s = reader->snapshot();
      if (!s) return problem("no snapshot");
      if (s->epoch() < epoch) problem("the reader went back in time");
      epoch = s->epoch();
      check_snapshot(*s, 7'000'000 + i);
    }
  });
  const uint64_t seconds = number_from_env("RVF_THREADS_SECONDS", 5);
  for (uint64_t i = 0; i < seconds * 10 && !stop_; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  stop_ = true;
  for (std::thread& t : threads) t.join();
  std::printf("threads: reads=%llu writes=%llu compactions=%llu refreshes=%llu problems=%llu\n",
              static_cast<unsigned long long>(reads), static_cast<unsigned long long>(writes),
              static_cast<unsigned long long>(compactions),
              static_cast<unsigned long long>(refreshes),
              static_cast<unsigned long long>(problems_));
  EXPECT_GT(reads, 0U);
  EXPECT_GT(writes, 0U);
  EXPECT_GT(compactions, 0U);
  EXPECT_GT(refreshes, 0U);
  const Model expected = content_of(*store.snapshot());
  ASSERT_RVF_OK(store.close());
  const Inspection after = inspect(path_, io::posix_file_system());
  EXPECT_EQ(after.problem, "");
  EXPECT_EQ(difference(expected, after.content), "");
}

TEST_F(ConcurrencyTest, ClosingWhileOthersReadEndsTheirCallsWithAnError) {
  CreateOptions c;
  c.dimension = kDim;
  for (int round = 0; round < 20; ++round) {
    const std::string path = path_ + std::to_string(round);
    auto store = Store::create(path, c);
    ASSERT_RVF_OK(store);
    ASSERT_RVF_OK(store->ingest(Vectors::from_f32(group_values(0), kDim), group_ids(0)));
    std::vector<std::thread> threads;
    for (int r = 0; r < 2; ++r) {
      threads.emplace_back([&] {
        while (true) {
          const auto found = store->query(values_of(1, 1, kDim), {.k = 3});
          if (!found) {
            if (found.error().code != ErrorCode::kBadArgument) problem(found.error().message);
            return;
          }
          if (found->neighbors.size() != 3) problem("an answer is incomplete");
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::microseconds(300));
    ASSERT_RVF_OK(store->close());
    for (std::thread& t : threads) t.join();
  }
}

}  // namespace
}  // namespace rvf::testing
