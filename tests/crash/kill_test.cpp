// A writer is killed (SIGKILL) at a random moment; whatever it had acknowledged has to be there.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "../api/store_fixture.hpp"
#include "crash/crash_operations.hpp"

namespace rvf::testing {
namespace {

struct Outcome {
  int64_t begun = -1;  // the last operation that the writer began
  int64_t acknowledged = -1;
  bool killed = false;
};

// Starts the writer, lets it acknowledge `lines` lines or so, waits a moment more and kills it.
Outcome kill_writer(const std::string& path, const std::string& mode, uint64_t seed, uint64_t lines,
                    uint64_t microseconds) {
  Outcome out;
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) return out;
  const std::string seed_text = std::to_string(seed);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe_ends[1], 1);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
    ::execl(RVF_CRASH_WRITER, RVF_CRASH_WRITER, path.c_str(), mode.c_str(), seed_text.c_str(),
            nullptr);
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  std::FILE* in = ::fdopen(pipe_ends[0], "r");
  char line[64];
  bool sent = false;
  for (uint64_t seen = 0; std::fgets(line, sizeof(line), in) != nullptr; ++seen) {
    // The last line may be cut in two by the kill; then its operation was not acknowledged to
    // anybody.
    if (std::string_view(line).back() != '\n') break;
    (line[0] == 'A' ? out.acknowledged : out.begun) = std::atoll(line + 2);
    if (seen >= lines && !sent) {
      std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
      ::kill(child, SIGKILL);
      sent = true;
    }
  }
  std::fclose(in);
  int status = 0;
  ::waitpid(child, &status, 0);
  out.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  return out;
}

class KillTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "rvf-kill-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void campaign(const std::string& mode, uint64_t default_runs, uint64_t max_lines) {
    const uint64_t runs = number_from_env("RVF_KILL_RUNS", default_runs);
    constexpr uint64_t kSeed = 20261121;
    const auto start = std::chrono::steady_clock::now();
    std::mt19937_64 random(kSeed);
    uint64_t lost = 0;
    uint64_t unopenable = 0;
    uint64_t finished = 0;
    for (uint64_t i = 0; i < runs; ++i) {
      const std::string path = folder_ + "/s" + std::to_string(i) + ".rvf";
      CreateOptions c;
      c.dimension = kCrashDim;
      c.graph_m = 4;
      c.ef_construction = 16;
      ASSERT_RVF_OK(Store::create(path, c));
      const uint64_t seed = random();
      const Outcome o = kill_writer(path, mode, seed, random() % max_lines, random() % 4000);
      ASSERT_TRUE(o.killed) << "the writer ended by itself";
      finished += o.acknowledged >= 0;
      const std::string problem = check(path, mode, seed, o);
      if (!problem.empty()) {
        (problem.rfind("does not open", 0) == 0 ? unopenable : lost) += 1;
        ADD_FAILURE() << mode << " run " << i << ": " << problem;
      }
      std::filesystem::remove(path);
      std::filesystem::remove(path + ".compact");
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("kill: %s: runs=%llu lost=%llu unopenable=%llu seed=%llu seconds=%.1f\n",
                mode.c_str(), static_cast<unsigned long long>(runs),
                static_cast<unsigned long long>(lost), static_cast<unsigned long long>(unopenable),
                static_cast<unsigned long long>(kSeed), seconds.count());
    EXPECT_GT(finished * 2, runs) << "most runs acknowledge something before they are killed";
  }

  static std::string check(const std::string& path, const std::string& mode, uint64_t seed,
                           const Outcome& o) {
    Model sure;
    for (int64_t n = 0; n <= o.acknowledged; ++n) {
      run(operation(mode, seed, static_cast<uint64_t>(n)), sure);
    }
    Model perhaps = sure;  // with the operation that was under way
    if (o.begun > o.acknowledged)
      run(operation(mode, seed, static_cast<uint64_t>(o.begun)), perhaps);
    const Inspection found = inspect(path, io::posix_file_system());
    if (!found.problem.empty()) return found.problem;
    const std::string without = difference(sure, found.content);
    if (!without.empty() && !difference(perhaps, found.content).empty()) return without;
    auto store = Store::open(path);  // the dead writer's lock does not hold anybody up
    if (!store) return "does not open for writing: " + store.error().message;
    const CrashOperation more = operation("ingest", seed + 1, 1);
    if (!run(more, *store)) return "cannot be written";
    if (!store->compact({.rebuild_index = false})) return "cannot be compacted";
    Model after = found.content;
    run(more, after);
    return difference(after, content_of(*store->snapshot()));
  }

  std::string folder_;
};

TEST_F(KillTest, NothingAcknowledgedIsLostWhenAWriterDiesDuringIngest) {
  campaign("ingest", 100, 30);
}

TEST_F(KillTest, NothingAcknowledgedIsLostAmongManySmallCommits) { campaign("single", 100, 100); }

TEST_F(KillTest, NothingAcknowledgedIsLostWhenAWriterDiesDuringCompaction) {
  campaign("compact", 100, 30);
}

TEST_F(KillTest, NothingAcknowledgedIsLostWhenACompactionDiesWhileItBuildsAnIndex) {
  campaign("index", 20, 8);
}

}  // namespace
}  // namespace rvf::testing
