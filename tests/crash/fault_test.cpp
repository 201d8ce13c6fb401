// Every call into the file system fails once, and then for good, in every kind of operation: an
// error comes back, what was acknowledged is there after reopening, and an operation is there in
// full or not at all.
#include <gtest/gtest-spi.h>

#include <chrono>
#include <string>

#include "../api/store_fixture.hpp"
#include "crash/crash_run.hpp"
#include "crash/fault_workloads.hpp"
#include "support/fault_file_system.hpp"
#include "support/plant_bug.hpp"

namespace rvf::testing {
namespace {

class Attack {
 public:
  explicit Attack(const FaultWorkload& w) : w_(w), start_(prepared_store(w.rows)) {
    before_ = result_of(nullptr);
    after_ = result_of(w.run);
    EXPECT_EQ(before_ != after_, w.changes) << w.name;
  }

  // Fails call after call until the operation does not reach the failing one any more.
  uint64_t run(Fault fault) {
    uint64_t runs = 0;
    for (fault.nth = 1;; ++fault.nth, ++runs) {
      SCOPED_TRACE(w_.name + ", call " + std::to_string(fault.nth) +
                   (fault.sticky ? ", sticky" : ""));
      if (!once(fault)) return runs;
      if (::testing::Test::HasFailure()) return runs;
    }
  }

 private:
  OpenOptions options(std::shared_ptr<io::FileSystem> fs) const {
    OpenOptions o;
    o.file_system = std::move(fs);
    o.durability = w_.durability;
    return o;
  }

  Model result_of(const Operation& operation) const {
    auto fs = io::memory_file_system();
    put_bytes(*fs, kFaultPath, start_);
    auto s = Store::open(kFaultPath, options(fs));
    EXPECT_TRUE(s.ok());
    // What was written without durability counts only once it is committed, which closing would do.
    const bool prepare = w_.prepare && (operation || w_.durability != Durability::kNone);
    EXPECT_TRUE(!prepare || w_.prepare(*s).ok());
    EXPECT_TRUE(!operation || operation(*s).ok()) << w_.name;
    EXPECT_TRUE(s->close().ok());
    return inspect(kFaultPath, fs).content;
  }

  bool once(const Fault& fault) {
    auto disk = io::memory_file_system();
    put_bytes(*disk, kFaultPath, start_);
    auto faulty = std::make_shared<FaultFileSystem>(disk);
    auto opened = Store::open(kFaultPath, options(faulty));
    EXPECT_TRUE(opened.ok());
    Store s = std::move(*opened);
    EXPECT_TRUE(!w_.prepare || w_.prepare(s).ok());

    faulty->arm(fault);
    const Status done = w_.run(s);
    const bool fired = faulty->fired() > 0;
    const bool barrier = faulty->sync_failed();
    const bool cut = !faulty->cut_failed();
    const bool poisons =
        barrier &&
        (!w_.copies ||
         (faulty->renamed() && faulty->last_kind() == static_cast<uint32_t>(Call::kSyncParent)));
    faulty->disarm();
    if (done.ok()) {
      // A failure may be survived, for example that of a hint; then everything has to be there.
      EXPECT_TRUE(s.close().ok());
      expect_content(disk, {&after_});
      return fired;
    }
    EXPECT_TRUE(fired);
    EXPECT_NE(done.error().message.find("injected"), std::string::npos) << done.error().message;
    // What waits for a commit lies behind the last one; anything else was cut off.
    if (!barrier && cut && w_.durability != Durability::kNone) {
      expect_content(disk, {&before_});
      expect_whole_end(disk);
    }
    check_live(s, barrier, poisons);
    (void)s.close();
    if (barrier || w_.pending || !cut) {
      expect_content(disk, {&before_, &after_});
    } else {
      expect_content(disk, {&before_});
    }
    expect_writable(disk);
    return true;
  }

  // The handle that met the failure shows the state before, and writes again unless nobody can know
  // what is on disk.
  void check_live(Store& s, bool barrier, bool poisons) {
    const auto snapshot = s.snapshot();
    if (!snapshot) return;  // it was closed
    const std::string shown = difference(before_, content_of(*snapshot));
    EXPECT_TRUE(shown.empty() || barrier || w_.pending) << shown;
    const Status again = write_one(s);
    if (poisons) {
      EXPECT_TRUE(!again.ok() && again.error().code == ErrorCode::kWriterPoisoned)
          << "a failed sync poisons the writer";
      return;
    }
    if (!again.ok()) {
      EXPECT_EQ(again.error().code, ErrorCode::kWriterPoisoned) << again.error().message;
      return;
    }
    const Status removed = status_of(has_texts(s) ? s.remove(std::vector<std::string>{"one more"})
                                                  : s.remove(std::vector<uint64_t>{1'000'000}));
    EXPECT_TRUE(removed.ok());
  }
  static bool has_texts(const Store& s) { return s.status().id_kind == IdKind::kTexts; }
  static Status write_one(Store& s) {
    if (!has_texts(s)) return ingest(s, 99, 1, std::vector<uint64_t>{1'000'000});
    const auto values = values_of(99, 1, kFaultDim);
    const std::vector<std::string> key{"one more"};
    return status_of(s.ingest(Vectors::from_f32(values, kFaultDim), key, {}));
  }

  void expect_content(std::shared_ptr<io::FileSystem> disk,
                      const std::vector<const Model*>& allowed) {
    const Inspection found = inspect(kFaultPath, std::move(disk));
    EXPECT_EQ(found.problem, "");
    std::string reasons;
    for (const Model* m : allowed) {
      const std::string d = difference(*m, found.content);
      if (d.empty()) return;
      reasons += d + "; ";
    }
    ADD_FAILURE() << reasons;
  }

  // What a failed call wrote was cut off, so the file ends with a commit.
  void expect_whole_end(std::shared_ptr<io::FileSystem> disk) {
    const Inspection found = inspect(kFaultPath, std::move(disk));
    EXPECT_EQ(found.status.recovery.ignored_bytes, 0U);
  }

  void expect_writable(std::shared_ptr<io::FileSystem> disk) {
    auto s = Store::open(kFaultPath, options(disk));
    ASSERT_TRUE(s.ok()) << s.error().message;
    EXPECT_TRUE(w_.run(*s).ok()) << "the operation works once the fault is gone";
  }

  const FaultWorkload& w_;
  std::vector<std::byte> start_;
  Model before_, after_;
};

// How calls fail: any of them with an error of the disk, those that write also for want of space;
// once or from then on; before anything, half of it or all of it was written.
struct FaultKind {
  const char* name;
  ErrorCode code;
  uint32_t calls;
  bool sticky;
  double written;
};
constexpr FaultKind kFaultKinds[] = {
    {"EIO, half written", ErrorCode::kIo, kAllCalls, false, 0.5},
    {"ENOSPC from then on, half written", ErrorCode::kDiskFull, kWritingCalls, true, 0.5},
    {"ENOSPC, nothing written", ErrorCode::kDiskFull, kWritingCalls, false, 0},
    {"EIO, all written", ErrorCode::kIo, kWritingCalls, false, 1},
    {"EIO from then on", ErrorCode::kIo, kAllCalls, true, 0.25},
    {"short write", ErrorCode::kIo, static_cast<uint32_t>(Call::kWrite), false, 0.9},
};

// All calls of all workloads of this program, for one figure.
struct FaultTotals {
  uint64_t runs = 0, workloads = 0, failures = 0;
  double seconds = 0;
};
FaultTotals totals;

uint64_t attack_all(const FaultWorkload& w, size_t kinds) {
  Attack attack(w);
  uint64_t runs = 0;
  for (size_t i = 0; i < kinds; ++i) {
    const FaultKind& kind = kFaultKinds[i];
    SCOPED_TRACE(kind.name);
    Fault fault;
    fault.code = kind.code;
    fault.calls = kind.calls;
    fault.sticky = kind.sticky;
    fault.written = kind.written;
    runs += attack.run(fault);
  }
  return runs;
}

class FaultTest : public ::testing::Test {
 protected:
  static void TearDownTestSuite() {
    print_reliability("I/O faults", totals.runs, totals.failures, 0, totals.seconds,
                      std::to_string(totals.workloads) + " workloads, all N, each reached");
  }
  void attack(const FaultWorkload& w, size_t kinds = std::size(kFaultKinds)) {
    const auto begin = std::chrono::steady_clock::now();
    const uint64_t runs = attack_all(w, kinds);
    EXPECT_GE(runs, kinds);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    totals.seconds += seconds.count();
    totals.runs += runs;
    totals.failures += HasFailure();
    ++totals.workloads;
  }
};

TEST_F(FaultTest, EveryFailedCallOfAWriteIsAnErrorAndLeavesWhatWasAcknowledged) {
  for (const FaultWorkload& w : fault_workloads()) {
    attack(w);
    if (HasFailure()) return;
  }
}

TEST_F(FaultTest, EveryFailedCallOfAWriteOfMetadataLeavesWhatWasAcknowledged) {
  for (const FaultWorkload& w : metadata_fault_workloads()) {
    attack(w);
    if (HasFailure()) return;
  }
}

TEST_F(FaultTest, EveryFailedCallOfAnIndexBuildLeavesTheVectors) {
  // A run takes tenths of a second.
  attack(index_fault_workload(), long_form() ? std::size(kFaultKinds) : 1);
}

TEST_F(FaultTest, EveryFailedCallOfATieringCompactionLeavesTheOldStore) {
  for (const FaultWorkload& w : tier_fault_workloads()) attack(w);
}

TEST_F(FaultTest, EveryFailedCallOfCreateIsAnErrorAndCreateWorksAfterwards) {
  CreateOptions c;
  c.dimension = kFaultDim;
  for (const bool sticky : {false, true}) {
    for (uint64_t n = 1;; ++n) {
      SCOPED_TRACE("call " + std::to_string(n));
      auto disk = io::memory_file_system();
      auto faulty = std::make_shared<FaultFileSystem>(disk);
      Fault fault;
      fault.nth = n;
      fault.sticky = sticky;
      if (sticky) fault.calls = kWritingCalls;
      faulty->arm(fault);
      OpenOptions o;
      o.file_system = faulty;
      {
        const auto s = Store::create(kFaultPath, c, o);
        if (faulty->fired() == 0) {
          ASSERT_RVF_OK(s);
          break;
        }
        EXPECT_FALSE(s.ok());
      }
      faulty->disarm();
      ASSERT_RVF_OK(Store::create(kFaultPath, c, o));
    }
  }
}

TEST_F(FaultTest, RowsAreAcknowledgedAlsoWhereTheirIndexCannotBeWritten) {
  auto disk = io::memory_file_system();
  auto faulty = std::make_shared<FaultFileSystem>(disk);
  OpenOptions o;
  o.file_system = faulty;
  CreateOptions c;
  c.dimension = kFaultDim;
  c.graph_m = 4;
  c.ef_construction = 8;
  auto s = Store::create(kFaultPath, c, o);
  ASSERT_RVF_OK(s);
  Fault third_write;  // after the rows and the manifest comes the index
  third_write.nth = 3;
  third_write.calls = static_cast<uint32_t>(Call::kWrite);
  faulty->arm(third_write);
  ASSERT_RVF_OK(ingest(*s, 1, 20000));
  EXPECT_EQ(faulty->fired(), 1U);
  EXPECT_EQ(s->status().vectors, 20000U);
  EXPECT_EQ(s->status().index_kind, "none");
  ASSERT_RVF_OK(s->build_index());
  EXPECT_EQ(s->status().indexed_rows, 20000U);
}

TEST_F(FaultTest, ClosingSaysSoWhenWhatWasPutOffIsLost) {
  auto faulty = std::make_shared<FaultFileSystem>(io::memory_file_system());
  OpenOptions o;
  o.file_system = faulty;
  o.durability = Durability::kNone;
  CreateOptions c;
  c.dimension = kFaultDim;
  auto s = Store::create(kFaultPath, c, o);
  ASSERT_RVF_OK(s);
  ASSERT_RVF_OK(ingest(*s, 1, 3));
  Fault fault;
  fault.nth = 1;
  fault.calls = static_cast<uint32_t>(Call::kSync);
  faulty->arm(fault);
  EXPECT_RVF_ERROR(s->commit(), kSyncFailed);
  EXPECT_RVF_ERROR(s->close(), kWriterPoisoned);
}

TEST_F(FaultTest, EveryFailedCallOfOpenIsAnErrorAndNeverShowsAnOlderEpoch) {
  const auto bytes = prepared_store(20);
  for (uint64_t n = 1;; ++n) {
    SCOPED_TRACE("call " + std::to_string(n));
    auto disk = io::memory_file_system();
    put_bytes(*disk, kFaultPath, bytes);
    auto faulty = std::make_shared<FaultFileSystem>(disk);
    Fault fault;
    fault.nth = n;
    faulty->arm(fault);
    OpenOptions o;
    o.file_system = faulty;
    auto s = Store::open(kFaultPath, o);
    const bool fired = faulty->fired() > 0;
    faulty->disarm();
    if (s.ok()) {
      EXPECT_EQ(s->status().vectors, 20U);
    }
    if (!fired) break;
    s = Store::open(kFaultPath, o);
  }
}

// Counts what the checks above would have said, without saying it.
TEST(FaultTestPlanted, MistakesPlantedInTheLibraryAreFound) {
  const std::pair<PlantedBug, const char*> bugs[] = {
      {PlantedBug::kKeepFailedWrite, "failed write not cut off"},
      {PlantedBug::kSwallowWriteError, "failed write reported as done"},
      {PlantedBug::kKeepPoisonedWriter, "writer goes on after a failed fsync"},
  };
  const FaultWorkload w = fault_workloads().front();
  for (const auto& [bug, name] : bugs) {
    ::testing::TestPartResultArray said;
    {
      const ::testing::ScopedFakeTestPartResultReporter listener(
          ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &said);
      const PlantBug planted(bug);
      attack_all(w, std::size(kFaultKinds));
    }
    int found = 0;
    for (int i = 0; i < said.size(); ++i) found += said.GetTestPartResult(i).failed();
    EXPECT_GT(found, 0) << name;
    print_reliability(std::string("planted: ") + name, 1, found == 0, 0, 0,
                      std::to_string(found) + " violations");
  }
}

}  // namespace
}  // namespace rvf::testing
