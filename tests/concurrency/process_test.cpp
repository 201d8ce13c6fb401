// One store in several processes: writers that are killed, a compactor, readers that refresh and
// open anew. Every snapshot has to be one whole version, none that was acknowledged may be missing,
// and the right to write has to die with its owner.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "../api/store_fixture.hpp"
#include "concurrency/versions.hpp"
#include "support/plant_bug.hpp"
#include "support/reliability_form.hpp"
#include "support/reliability_line.hpp"
#include "support/store_model.hpp"
#include "types/splitmix.hpp"

namespace rvf::testing {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kSeed = 20261121;

struct Tally {
  uint64_t checks = 0, commits = 0, compactions = 0, opens = 0, refusals = 0, kills = 0;
  uint64_t problems = 0;
  std::string problem;  // the first
};

class ProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "rvf-processes-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/s.rvf";
    CreateOptions c;
    c.dimension = kVersionDim;
    auto made = Store::create(path_, c);
    ASSERT_RVF_OK(made);
    ASSERT_RVF_OK(write_version(*made, 1));
    ASSERT_RVF_OK(made->close());
  }
  void TearDown() override { fs::remove_all(folder_); }

  pid_t start(const std::string& role, PlantedBug bug) const {
    const std::string number = std::to_string(static_cast<uint32_t>(bug));
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl(RVF_PROCESS, RVF_PROCESS, role.c_str(), path_.c_str(), folder_.c_str(),
              number.c_str(), nullptr);
      ::_exit(127);
    }
    return child;
  }

  // Two writers, a compactor and two readers for some seconds; a writer is killed now and then.
  Tally crowd(double seconds, uint64_t seed, PlantedBug bug) {
    Tally tally;
    const Stopwatch watch;
    std::vector<pid_t> writers = {start("writer", bug), start("writer", bug)};
    std::vector<pid_t> others = {start("compactor", bug), start("reader", bug),
                                 start("reader", bug)};
    uint64_t turn = seed;
    while (watch.seconds() < seconds && !ended(others)) {
      std::this_thread::sleep_for(std::chrono::microseconds(20000 + splitmix64(++turn) % 200000));
      pid_t& victim = writers[splitmix64(++turn) % writers.size()];
      ::kill(victim, SIGKILL);
      int status = 0;
      ::waitpid(victim, &status, 0);
      if (!WIFSIGNALED(status)) break;  // it ended by itself: it found something
      ++tally.kills;
      victim = start("writer", bug);
    }
    std::ofstream(folder_ + "/stop") << "";
    for (const pid_t child : writers) ::waitpid(child, nullptr, 0);
    for (const pid_t child : others) ::waitpid(child, nullptr, 0);
    gather(tally);
    if (tally.problem.empty()) tally.problem = inspect(path_, io::posix_file_system()).problem;
    return tally;
  }

  static bool ended(const std::vector<pid_t>& children) {
    for (const pid_t child : children) {
      siginfo_t info{};
      ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT);
      if (info.si_pid != 0) return true;
    }
    return false;
  }

  void gather(Tally& tally) const {
    std::ifstream acknowledged(folder_ + "/acknowledged", std::ios::binary);
    acknowledged.read(reinterpret_cast<char*>(&tally.commits), sizeof(tally.commits));
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (entry.path().extension() != ".result") continue;
      std::ifstream in(entry.path());
      uint64_t checks = 0;
      uint64_t actions = 0;
      uint64_t refusals = 0;
      std::string text;
      in >> checks >> actions >> refusals;
      std::getline(in, text);
      std::getline(in, text);
      const std::string name = entry.path().filename();
      tally.checks += checks;
      tally.refusals += refusals;
      if (name[0] == 'c') tally.compactions += actions;
      if (name[0] == 'r') tally.opens += actions;
      if (text.empty()) continue;
      ++tally.problems;
      if (tally.problem.empty()) tally.problem = text;
    }
  }

  void expect_caught(PlantedBug bug, const char* name) {
    const Stopwatch watch;
    Tally tally;
    for (uint64_t round = 0; round < 5 && tally.problem.empty(); ++round) {
      if (round > 0) {
        TearDown();
        SetUp();
      }
      tally = crowd(3, kSeed + round, bug);
    }
    EXPECT_NE(tally.problem, "") << name << " was not found";
    std::printf("%s\n", tally.problem.c_str());
    print_reliability(std::string("planted: ") + name, 1, tally.problem.empty() ? 1 : 0, kSeed,
                      watch.seconds(), "processes");
  }

  std::string folder_, path_;
};

TEST_F(ProcessTest, ReadersSeeWholeEpochsWhileOtherProcessesWriteCompactAndAreKilled) {
  const uint64_t seed = number_from_env("RVF_SEED", kSeed);
  const auto seconds =
      static_cast<double>(number_from_env("RVF_PROCESS_SECONDS", is_long_form() ? 1800 : 8));
  const Stopwatch watch;
  const Tally t = crowd(seconds, seed, PlantedBug::kNone);
  EXPECT_EQ(t.problem, "");
  EXPECT_GT(t.kills, 0U);
  EXPECT_GT(t.commits, 0U);
  EXPECT_GT(t.compactions, 0U);
  EXPECT_GT(t.opens, 0U);
  const auto n = [](uint64_t x) { return std::to_string(x); };
  print_reliability(
      "processes", t.checks, std::max<uint64_t>(t.problems, t.problem.empty() ? 0 : 1), seed,
      watch.seconds(),
      "versions checked of " + n(t.commits) + " acknowledged; writers killed " + n(t.kills) +
          ", compactions " + n(t.compactions) + ", lock refused " + n(t.refusals));
}

// kill -9 of whoever holds the right to write: the next one has it at once.
TEST_F(ProcessTest, ALockDiesWithItsOwner) {
  const Stopwatch watch;
  const uint64_t runs = is_long_form() ? 1000 : 50;
  uint64_t failures = 0;
  for (uint64_t i = 0; i < runs; ++i) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t owner = ::fork();
    if (owner == 0) {
      auto held = Store::open(path_);
      const char c = held ? 'h' : 'x';
      (void)!::write(ends[1], &c, 1);
      while (true) ::pause();
    }
    char c = 0;
    ASSERT_EQ(::read(ends[0], &c, 1), 1);
    ASSERT_EQ(c, 'h');
    ::close(ends[0]);
    ::close(ends[1]);
    const auto refused = Store::open(path_);
    const bool named =
        !refused && refused.error().code == ErrorCode::kLockHeld &&
        refused.error().message.find("process " + std::to_string(owner)) != std::string::npos;
    EXPECT_TRUE(named) << (refused.ok() ? "a second writer was let in" : refused.error().message);
    const auto reader = Store::open_readonly(path_);
    EXPECT_TRUE(reader.ok()) << "a reader needs no lock";
    ::kill(owner, SIGKILL);
    ::waitpid(owner, nullptr, 0);
    const auto next = Store::open(path_);
    EXPECT_TRUE(next.ok()) << next.error().message;
    failures += named && reader.ok() && next.ok() ? 0 : 1;
  }
  print_reliability("locks of killed processes", runs, failures, 0, watch.seconds(),
                    "refused with the name of the holder, then taken over at once");
}

TEST_F(ProcessTest, ALockThatIsNotTakenIsFound) {
  expect_caught(PlantedBug::kTakeNoLock, "two processes write at once");
}

TEST_F(ProcessTest, AReaderThatKeepsItsOldSnapshotIsFound) {
  expect_caught(PlantedBug::kStaleSnapshot, "a refreshed reader shows the old snapshot");
}

}  // namespace
}  // namespace rvf::testing
