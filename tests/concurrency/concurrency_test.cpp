// Readers, a writer, a compactor and a second, refreshing handle on one file at the same time. What
// each reader sees must be one version, whole. Meant to be run under ThreadSanitizer as well.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "../api/store_fixture.hpp"
#include "concurrency/versions.hpp"
#include "support/plant_bug.hpp"
#include "support/reliability_form.hpp"
#include "support/reliability_line.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {
namespace {

// Threads that work on one store until the time is over or one of them finds something wrong.
class Crowd {
 public:
  explicit Crowd(std::string path) : path_(std::move(path)) {}

  // The first thing that was wrong, or empty.
  std::string run(double seconds) {
    CreateOptions c;
    c.dimension = kVersionDim;
    OpenOptions o;
    o.durability = Durability::kFlush;
    auto created = Store::create(path_, c, o);
    if (!created) return created.error().message;
    Store& store = *created;
    if (auto first = write_version(store, 1); !first) return first.error().message;
    std::vector<std::thread> threads;
    for (uint64_t r = 0; r < 3; ++r) threads.emplace_back([&, r] { read(store, r); });
    threads.emplace_back([&] { write(store); });
    threads.emplace_back([&] { compact(store); });
    threads.emplace_back([&] { refresh(); });
    const Stopwatch watch;
    while (watch.seconds() < seconds && !stop_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    stop_ = true;
    for (std::thread& t : threads) t.join();
    if (!problem_.empty()) return problem_;
    return check_end(store);
  }

  std::atomic<uint64_t> reads = 0, writes = 0, compactions = 0, refreshes = 0;
  uint64_t problems = 0;

 private:
  void problem(const std::string& text) {
    std::lock_guard guard(mutex_);
    if (problems++ == 0) problem_ = text;
    stop_ = true;
  }

  void read(Store& store, uint64_t r) {
    VersionChecker checker;
    for (uint64_t i = 0; !stop_; ++i, ++reads) {
      const auto held = store.snapshot();
      if (!held) return problem("no snapshot: " + held.error().message);
      const uint64_t size = *held->size();
      const std::string wrong = checker.check(*held, r * 1'000'000'007 + i);
      if (!wrong.empty()) return problem(wrong);
      if (i % 16 == 0) std::this_thread::yield();
      if (*held->size() != size || held->ids()->size() != size) problem("a snapshot changed");
      (void)store.status();
      if (i % 50 == 0 && !store.epochs()) problem("no epochs");
    }
  }

  void write(Store& store) {
    for (uint64_t v = 2; !stop_; ++v, ++writes) {
      const auto done = write_version(store, v);
      if (!done) return problem("a write failed: " + done.error().message);
    }
  }

  void compact(Store& store) {
    for (uint64_t i = 0; !stop_; ++i, ++compactions) {
      const auto done = store.compact();
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
  }

  void refresh() {
    auto reader = Store::open_readonly(path_);
    if (!reader) return problem("no second handle: " + reader.error().message);
    VersionChecker checker;
    for (uint64_t i = 0; !stop_; ++i, ++refreshes) {
      const auto fresh = reader->refresh();
      if (!fresh.ok()) return problem("refresh failed: " + fresh.error().message);
      const auto s = reader->snapshot();
      if (!s) return problem("no snapshot");
      const std::string wrong = checker.check(*s, 7'000'000 + i);
      if (!wrong.empty()) return problem("after a refresh, " + wrong);
    }
  }

  std::string check_end(Store& store) {
    const Model expected = content_of(*store.snapshot());
    if (auto closed = store.close(); !closed) return closed.error().message;
    const Inspection after = inspect(path_, io::posix_file_system());
    return after.problem.empty() ? difference(expected, after.content) : after.problem;
  }

  std::string path_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::string problem_;
};

class ConcurrencyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "rvf-threads-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/s.rvf";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void expect_caught(PlantedBug bug, const char* name) {
    const Stopwatch watch;
    std::string caught;
    for (int round = 0; round < 10 && caught.empty(); ++round) {
      const PlantBug plant(bug);
      Crowd crowd(path_ + std::to_string(round));
      caught = crowd.run(1);
    }
    EXPECT_NE(caught, "") << name << " was not found";
    std::printf("%s\n", caught.c_str());
    print_reliability(std::string("planted: ") + name, 1, caught.empty() ? 1 : 0, 0,
                      watch.seconds(), "threads");
  }

  std::string folder_, path_;
};

TEST_F(ConcurrencyTest, ReadersSeeWholeEpochsWhileAWriterACompactorAndARefreshingReaderWork) {
  const Stopwatch watch;
  Crowd crowd(path_);
  const std::string wrong = crowd.run(
      static_cast<double>(number_from_env("RVF_THREADS_SECONDS", is_long_form() ? 1800 : 8)));
  EXPECT_EQ(wrong, "");
  EXPECT_TRUE(crowd.reads > 0 && crowd.writes > 0 && crowd.compactions > 0 && crowd.refreshes > 0);
  const auto n = [](uint64_t x) { return std::to_string(x); };
  print_reliability("threads", crowd.reads + crowd.refreshes,
                    std::max<uint64_t>(crowd.problems, wrong.empty() ? 0 : 1), 0, watch.seconds(),
                    "checked snapshots of 4 readers; commits " + n(crowd.writes) +
                        ", compactions " + n(crowd.compactions));
}

TEST_F(ConcurrencyTest, HalfABatchThatIsVisibleIsFound) {
  expect_caught(PlantedBug::kShowHalfBatch, "half a batch is visible");
}

TEST_F(ConcurrencyTest, IdsOfBeforeACompactionAreFound) {
  expect_caught(PlantedBug::kKeepIdsAfterCompaction, "ids lead to rows of before a compaction");
}

TEST_F(ConcurrencyTest, ClosingWhileOthersReadEndsTheirCallsWithAnError) {
  CreateOptions c;
  c.dimension = kVersionDim;
  std::atomic<uint64_t> problems = 0;
  for (int round = 0; round < 20; ++round) {
    const std::string path = path_ + std::to_string(round);
    auto store = Store::create(path, c);
    ASSERT_RVF_OK(store);
    ASSERT_RVF_OK(store->ingest(Vectors::from_f32(values_of(1, 10, kVersionDim), kVersionDim)));
    std::vector<std::thread> threads;
    for (int r = 0; r < 2; ++r) {
      threads.emplace_back([&] {
        while (true) {
          const auto found = store->query(values_of(1, 1, kVersionDim), {.k = 3});
          if (!found) {
            if (found.error().code != ErrorCode::kBadArgument) ++problems;
            return;
          }
          if (found->neighbors.size() != 3) ++problems;
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::microseconds(300));
    ASSERT_RVF_OK(store->close());
    for (std::thread& t : threads) t.join();
  }
  EXPECT_EQ(problems, 0U);
}

}  // namespace
}  // namespace rvf::testing
