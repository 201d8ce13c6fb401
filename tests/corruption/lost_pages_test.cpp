// Another program cuts the file under readers: they get an error that names the file, or answers
// from before; never a signal, never zeros for content.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "../api/store_fixture.hpp"
#include "corruption/stopwatch.hpp"
#include "io/lost_pages.hpp"
#include "support/plant_bug.hpp"
#include "support/reliability_line.hpp"
#include "support/rich_store.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {
namespace {

constexpr uint32_t kDim = 64;
constexpr size_t kRows = 4000;

class LostPages : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "lost_pages_" + std::to_string(::getpid()) + ".rvf";
    make();
  }
  void TearDown() override {
    for (const char* more : {"", ".lock", ".compact"}) std::filesystem::remove(path_ + more);
  }
  void make() {
    std::filesystem::remove(path_);
    CreateOptions c;
    c.dimension = kDim;
    OpenOptions o;
    o.durability = Durability::kFlush;
    o.index_policy = IndexPolicy::kManual;
    auto s = Store::create(path_, c, o);
    ASSERT_RVF_OK(s);
    const auto values = values_of(1, kRows, kDim);
    std::vector<Column> columns = {{"n", FieldType::kI64, {}}};
    for (size_t i = 0; i < kRows; ++i) columns[0].values.emplace_back(static_cast<int64_t>(i));
    WriteBatch batch;
    batch.vectors = Vectors::from_f32(values, kDim);
    batch.columns = columns;
    ASSERT_RVF_OK(s->write(batch));
    ASSERT_RVF_OK(s->close());
  }
  // Runs in a process of its own, so that a signal is a failure and not the end of the tests.
  static int in_child(const std::function<int()>& body) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  OpenOptions large() const {
    OpenOptions o;
    o.verify_at_open = 0;  // so that opening does not read every page
    o.index_policy = IndexPolicy::kManual;
    o.survive_lost_pages = true;
    return o;
  }
  void cut(uint64_t size) const { std::filesystem::resize_file(path_, size); }
  std::string path_;
};

enum Outcome { kFine = 0, kWrongAnswer = 1, kOtherError = 2, kNotOpened = 3, kNoError = 4 };

// One query after the cut: an error that names the file, or the answer of before.
int query_once(const Store& s, const std::string& path, const QueryResult& before) {
  QueryOptions o;
  o.k = 5;
  o.exact = true;
  const auto r = s.query(values_of(2, 1, kDim), o);
  if (r) return r->neighbors == before.neighbors ? kFine : kWrongAnswer;
  if (r.error().code != ErrorCode::kTruncated) return kOtherError;
  return r.error().message.find(path) == std::string::npos ? kOtherError : kFine;
}

int read_under_a_cut(const std::string& path, const OpenOptions& options, uint64_t size) {
  const auto whole = Store::open_readonly(path, options);
  QueryOptions o;
  o.k = 5;
  o.exact = true;
  if (!whole) return kNotOpened;
  const auto before = whole->query(values_of(2, 1, kDim), o);
  const auto s = Store::open_readonly(path, options);
  if (!before || !s) return kNotOpened;
  std::filesystem::resize_file(path, size);
  const int first = query_once(*s, path, *before);
  if (first != kFine) return first;
  // Everything else that reads says the same.
  const auto snapshot = s->snapshot();
  if (!snapshot) return kOtherError;
  const bool refused = !snapshot->get(0) && !snapshot->count("n > 5") && !s->verify() &&
                       !snapshot->record(3) && !snapshot->intact();
  return refused ? kFine : kNoError;
}

TEST_F(LostPages, AFileCutUnderAReaderIsAnErrorThatNamesIt) {
  const Stopwatch watch;
  uint64_t runs = 0;
  uint64_t failures = 0;
  const uint64_t bytes = std::filesystem::file_size(path_);
  for (uint64_t size = 0; size < bytes - 200000; size += long_form() ? 4096 : 200000) {
    make();
    const int outcome = in_child([&] { return read_under_a_cut(path_, large(), size); });
    ++runs;
    failures += outcome != kFine;
    EXPECT_EQ(outcome, kFine) << "cut to " << size;
  }
  print_reliability("truncation under a reader", runs, failures, 0, watch.seconds(),
                    "a process each");
}

TEST_F(LostPages, ReadersOnManyThreadsSurviveACut) {
  const int outcome = in_child([&] {
    const auto s = Store::open_readonly(path_, large());
    if (!s) return static_cast<int>(kNotOpened);
    QueryOptions o;
    o.k = 5;
    o.exact = true;
    const auto before = s->query(values_of(2, 1, kDim), o);
    if (!before) return static_cast<int>(kNotOpened);
    std::atomic<int> worst{kFine};
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (int t = 0; t < 4; ++t) {
      readers.emplace_back([&] {
        while (!stop) {
          const int outcome_here = query_once(*s, path_, *before);
          if (outcome_here != kFine) worst = outcome_here;
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cut(8192);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop = true;
    for (std::thread& t : readers) t.join();
    if (worst != kFine) return worst.load();
    return s->query(values_of(2, 1, kDim), o) ? static_cast<int>(kNoError)
                                              : static_cast<int>(kFine);
  });
  EXPECT_EQ(outcome, kFine);
}

TEST_F(LostPages, ACompactionOfAFileThatIsCutLeavesItAsItIs) {
  const int outcome = in_child([&] {
    auto s = Store::open(path_, large());
    if (!s) return static_cast<int>(kNotOpened);
    cut(100000);
    const auto compacted = s->compact();
    if (compacted) return static_cast<int>(kWrongAnswer);
    const std::vector<float> one(kDim, 1.0F);
    const std::vector<uint64_t> id = {3};
    const bool written = s->ingest(Vectors::from_f32(one, kDim), id).ok();
    return static_cast<int>(written && std::filesystem::file_size(path_) < 100000 ? kNoError
                                                                                  : kFine);
  });
  EXPECT_EQ(outcome, kFine);
}

TEST_F(LostPages, ARenameOverTheFileChangesNothing) {
  const int outcome = in_child([&] {
    const auto s = Store::open_readonly(path_, large());
    const auto before = s->query(values_of(2, 1, kDim), {.k = 5});
    std::ofstream(path_ + ".compact") << "something else";
    std::filesystem::rename(path_ + ".compact", path_);
    const auto after = s->query(values_of(2, 1, kDim), {.k = 5});
    if (!before || !after) return static_cast<int>(kOtherError);
    return static_cast<int>(before->neighbors == after->neighbors ? kFine : kWrongAnswer);
  });
  EXPECT_EQ(outcome, kFine);
}

TEST_F(LostPages, AnAccessOfOthersGoesToTheHandlerBefore) {
  // A handler of the program, installed before the library's, ends the process with its own code.
  const int outcome = in_child([&] {
    struct sigaction mine{};
    mine.sa_handler = [](int) { ::_exit(77); };
    ::sigaction(SIGBUS, &mine, nullptr);
    const auto s = Store::open_readonly(path_, large());
    const std::string other = path_ + ".compact";
    std::ofstream(other) << std::string(8192, 'x');
    FILE* f = std::fopen(other.c_str(), "r+");
    void* p = ::mmap(nullptr, 8192, PROT_READ, MAP_SHARED, fileno(f), 0);
    std::filesystem::resize_file(other, 0);
    return static_cast<int>(*static_cast<volatile char*>(p));
  });
  EXPECT_EQ(outcome, 77);
}

TEST_F(LostPages, NoHandlerIsInstalledForWhoDoesNotAskForIt) {
  // A program of its own: in this one it may be installed already.
  const int outcome = in_child([] {
    ::execl("/proc/self/exe", "lost_pages_test", "--gtest_filter=*ReadsUnderACut",
            "--gtest_also_run_disabled_tests", "--gtest_brief=1", nullptr);
    return static_cast<int>(kOtherError);
  });
  EXPECT_EQ(outcome, 1000 + SIGBUS);
}

TEST_F(LostPages, DISABLED_ReadsUnderACut) {
  ::signal(SIGBUS, SIG_DFL);  // sanitizers have a handler of their own
  OpenOptions o = large();
  o.survive_lost_pages = false;
  ::_exit(read_under_a_cut(path_, o, 8192));
}

TEST_F(LostPages, AStoreThatLostPagesLeavesNothingBehindForTheNextOne) {
  const int outcome = in_child([&] {
    {
      const auto s = Store::open_readonly(path_, large());
      cut(8192);
      if (!s || s->verify()) return static_cast<int>(kNoError);
    }
    if (io::any_pages_lost()) return static_cast<int>(kWrongAnswer);
    make();
    return static_cast<int>(Store::open_readonly(path_, large())->verify() ? kFine : kOtherError);
  });
  EXPECT_EQ(outcome, kFine);
}

TEST_F(LostPages, ALibraryThatTakesZerosForContentIsCaught) {
  const Stopwatch watch;
  const int outcome = in_child([&] {
    const PlantBug bug(PlantedBug::kIgnoreLostPages);
    return read_under_a_cut(path_, large(), 8192);
  });
  print_reliability("planted: lost pages ignored", 1, outcome == kFine, 0, watch.seconds(), "");
  EXPECT_NE(outcome, kFine);
  EXPECT_LT(outcome, 1000);
}

}  // namespace
}  // namespace rvf::testing
