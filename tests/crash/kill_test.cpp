// A writer is killed (SIGKILL) at a random moment; whatever it had acknowledged has to be there.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "../api/store_fixture.hpp"
#include "crash/crash_operations.hpp"
#include "crash/crash_run.hpp"
#include "types/planted_bug.hpp"

namespace rvf::testing {
namespace {

// What the writer said of itself, also while it lives.
struct Said {
  std::atomic<int64_t> begun = -1;  // the last operation that it began
  std::atomic<int64_t> acknowledged = -1;
};

struct Outcome {
  int64_t begun = -1;
  int64_t acknowledged = -1;
  bool killed = false;
};

struct Writer {
  pid_t pid = -1;
  std::FILE* says = nullptr;
};

Writer start_writer(const std::string& path, const std::string& mode, uint64_t seed,
                    PlantedBug bug) {
  Writer writer;
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) return writer;
  const std::string seed_text = std::to_string(seed);
  const std::string bug_text = std::to_string(static_cast<uint32_t>(bug));
  writer.pid = ::fork();
  if (writer.pid == 0) {
    ::dup2(pipe_ends[1], 1);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
    ::execl(RVF_CRASH_WRITER, RVF_CRASH_WRITER, path.c_str(), mode.c_str(), seed_text.c_str(),
            bug_text.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  writer.says = ::fdopen(pipe_ends[0], "r");
  return writer;
}

// Lets the writer say `lines` lines or so, waits a moment more and kills it.
Outcome kill_writer(const Writer& writer, uint64_t lines, uint64_t microseconds, Said& said) {
  Outcome out;
  char line[64];
  bool sent = false;
  for (uint64_t seen = 0; std::fgets(line, sizeof(line), writer.says) != nullptr; ++seen) {
    // The last line may be cut in two by the kill; then its operation was not acknowledged to
    // anybody.
    if (std::string_view(line).back() != '\n') break;
    (line[0] == 'A' ? out.acknowledged : out.begun) = std::atoll(line + 2);
    said.begun = out.begun;
    said.acknowledged = out.acknowledged;
    if (seen >= lines && !sent) {
      std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
      ::kill(writer.pid, SIGKILL);
      sent = true;
    }
  }
  std::fclose(writer.says);
  int status = 0;
  ::waitpid(writer.pid, &status, 0);
  out.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  return out;
}

// The store after the operations 0 to `last`.
Model after_operations(const std::string& mode, uint64_t seed, int64_t last) {
  Model m;
  for (int64_t n = 0; n <= last; ++n) run(operation(mode, seed, static_cast<uint64_t>(n)), m);
  return m;
}

// What a reader in this process was shown, and what was acknowledged before it looked.
struct Reading {
  int64_t sure = -1;
  Model content;
};

// Opens and reads a store that another process writes until told to stop.
std::string read_beside(const std::string& path, const Said& said, const std::atomic<bool>& stop,
                        std::vector<Reading>& readings) {
  constexpr size_t kEnough = 200;
  while (!stop && readings.size() < kEnough) {
    const int64_t sure = said.acknowledged;
    auto store = Store::open_readonly(path);
    if (!store) return "does not open beside its writer: " + store.error().message;
    readings.push_back({sure, content_of(*store->snapshot())});
  }
  return {};
}

// Each reading shows all that was acknowledged before it, and whole operations only.
std::string check_readings(const std::vector<Reading>& readings, const std::string& mode,
                           uint64_t seed, int64_t last) {
  int64_t n = -1;  // readings never go back
  Model m;
  for (const Reading& r : readings) {
    std::string nearest;
    for (;; ++n) {
      const std::string d = difference(m, r.content);
      if (d.empty() && n >= r.sure) break;
      if (nearest.empty()) nearest = d;
      if (n >= last) return "shows a reader what no commit had: " + nearest;
      run(operation(mode, seed, static_cast<uint64_t>(n + 1)), m);
    }
  }
  return {};
}

struct Campaign {
  const char* mode;
  uint64_t share;  // of 1,000 runs
  uint64_t max_lines;
  bool reader = false;
};

class KillTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // The disk is of no account here: the system outlives the writer.
    const std::filesystem::path shm = "/dev/shm";
    const auto parent =
        ::access(shm.c_str(), W_OK) == 0 ? shm : std::filesystem::temp_directory_path();
    std::string name = (parent / "rvf-kill-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Counts into figure; `acknowledged` counts the runs that had something to lose.
  void campaign(const Campaign& c, uint64_t runs, PlantedBug bug, Figure& figure) {
    std::mt19937_64 random(figure.seed);
    uint64_t acknowledged = 0;
    uint64_t reads = 0;
    for (uint64_t i = 0; i < runs; ++i) {
      const std::string path = folder_ + "/s" + std::to_string(i) + ".rvf";
      CreateOptions create;
      create.dimension = kCrashDim;
      create.graph_m = 4;
      create.ef_construction = 8;
      ASSERT_RVF_OK(Store::create(path, create));
      const uint64_t seed = random();
      Said said;
      std::atomic<bool> stop = false;
      std::string seen;
      std::vector<Reading> readings;
      const Writer writer = start_writer(path, c.mode, seed, bug);
      ASSERT_NE(writer.says, nullptr);
      std::thread reader;
      if (c.reader) {
        reader = std::thread([&] { seen = read_beside(path, said, stop, readings); });
      }
      const Outcome o = kill_writer(writer, random() % c.max_lines, random() % 4000, said);
      stop = true;
      if (reader.joinable()) reader.join();
      reads += readings.size();
      // Of its last words one line may be missing.
      if (seen.empty()) seen = check_readings(readings, c.mode, seed, o.begun + 1);
      ASSERT_TRUE(o.killed) << "the writer ended by itself";
      acknowledged += o.acknowledged >= 0;
      const auto where = [&] { return std::string(c.mode) + ", run " + std::to_string(i); };
      figure.count(seen.empty() ? check(path, c.mode, seed, o) : seen, where);
      for (const char* suffix : {"", ".compact", ".lock"}) std::filesystem::remove(path + suffix);
      if (bug != PlantedBug::kNone && figure.failures > 0) return;
    }
    if (bug != PlantedBug::kNone) return;
    EXPECT_GT(acknowledged * 2, runs) << "most runs acknowledge something before they are killed";
    EXPECT_TRUE(!c.reader || reads > runs) << "the reader reads";
  }

  static std::string check(const std::string& path, const std::string& mode, uint64_t seed,
                           const Outcome& o) {
    const Model sure = after_operations(mode, seed, o.acknowledged);
    Model perhaps = sure;  // with the operation that was under way
    if (o.begun > o.acknowledged) {
      run(operation(mode, seed, static_cast<uint64_t>(o.begun)), perhaps);
    }
    const Inspection found = inspect(path, io::posix_file_system());
    if (!found.problem.empty()) return found.problem;
    const std::string without = difference(sure, found.content);
    if (!without.empty() && !difference(perhaps, found.content).empty()) {
      return "has lost something: " + without;
    }
    auto store = Store::open(path);  // the dead writer's lock does not hold anybody up
    if (!store) return "does not open for writing: " + store.error().message;
    const CrashOperation more = operation("ingest", seed + 1, 1);
    if (!run(more, *store)) return "cannot be written";
    if (!store->compact({.rebuild_index = false})) return "cannot be compacted";
    Model after = found.content;
    run(more, after);
    const std::string changed = difference(after, content_of(*store->snapshot()));
    return changed.empty() ? changed : "changes in recovery: " + changed;
  }

  std::string folder_;
};

TEST_F(KillTest, NothingAcknowledgedIsLostWhereverAWriterDies) {
  const uint64_t total = number_from_env("RVF_KILL_RUNS", long_form() ? 10000 : 1000);
  const Campaign campaigns[] = {
      {"ingest", 250, 30},      {"single", 200, 100},      {"flush", 100, 40},
      {"put off", 80, 30},      {"compact", 240, 30},      {"index", 10, 8},
      {"ingest", 40, 60, true}, {"compact", 80, 60, true},
  };
  Figure figure;
  for (const Campaign& c : campaigns) {
    campaign(c, std::max<uint64_t>(1, total * c.share / 1000), PlantedBug::kNone, figure);
    ASSERT_FALSE(HasFatalFailure());
  }
  figure.print("kill -9 of a writer", "ingest, flush, put off, compact, index, also with a reader");
  EXPECT_EQ(figure.failures, 0U) << figure.explain();
}

TEST_F(KillTest, MistakesPlantedInTheLibraryAreFound) {
  const struct {
    PlantedBug bug;
    const char* name;
    Campaign campaign;
  } planted[] = {
      {PlantedBug::kAcknowledgeBeforeWrite, "acknowledged before it is written", {"ingest", 0, 30}},
      {PlantedBug::kRenameBeforeWhole,
       "compacted file renamed before it is whole",
       {"compact", 0, 30}},
  };
  for (const auto& p : planted) {
    Figure figure;
    campaign(p.campaign, 500, p.bug, figure);
    EXPECT_GT(figure.failures, 0U) << p.name;
    print_reliability(std::string("planted: ") + p.name, 1, figure.failures == 0, figure.seed, 0,
                      "found in run " + std::to_string(figure.runs));
  }
}

}  // namespace
}  // namespace rvf::testing
