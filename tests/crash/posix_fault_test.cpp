// The system calls below the operating system's file system are interrupted, cut short or fail,
// one after another: the linker puts the functions __wrap_* of this file in front of them. And a
// real limit on the size of files cuts a real write short.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <filesystem>
#include <functional>
#include <string>

#include "../api/store_fixture.hpp"
#include "crash/crash_run.hpp"
#include "support/store_model.hpp"

namespace {

struct Seam {
  enum Kind : unsigned { kNone, kInterrupt, kShort, kShortThenFull, kFail };
  Kind kind = kNone;
  int error = 0;  // of kFail
  uint64_t nth = 0;  // counted from 1 over the calls that the kind concerns
  uint64_t seen = 0, fired = 0;

  // Whether this call is the one; an interruption comes three times in a row.
  bool hits(bool write) {
    if (kind == kNone || ((kind == kShort || kind == kShortThenFull) && !write)) return false;
    const uint64_t number = ++seen;
    const uint64_t times = kind == kInterrupt ? 3 : kind == kShortThenFull ? 2 : 1;
    if (number < nth || number >= nth + times) return false;
    ++fired;
    return true;
  }
  int fail() const {
    errno = kind == kInterrupt ? EINTR : kind == kShortThenFull ? ENOSPC : error;
    return -1;
  }
};
Seam seam;

}  // namespace

extern "C" {
ssize_t __real_pwritev(int fd, const iovec* parts, int count, off_t offset);
ssize_t __real_pread(int fd, void* buffer, size_t count, off_t offset);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_ftruncate(int fd, off_t size);
int __real_rename(const char* from, const char* to);
int __real_open(const char* path, int flags, ...);

ssize_t __wrap_pwritev(int fd, const iovec* parts, int count, off_t offset) {
  if (!seam.hits(true)) return __real_pwritev(fd, parts, count, offset);
  const bool short_now =
      seam.kind == Seam::kShort || (seam.kind == Seam::kShortThenFull && seam.fired == 1);
  if (!short_now) return seam.fail();
  iovec part = parts[count - 1 > 0 ? 0 : count - 1];
  part.iov_len = part.iov_len / 2 + 1;
  return __real_pwritev(fd, &part, 1, offset);
}
ssize_t __wrap_pread(int fd, void* buffer, size_t count, off_t offset) {
  if (seam.hits(false)) return seam.fail();
  // Reading may stop short as well.
  if (seam.kind == Seam::kShort && count > 1) count = count / 2 + 1;
  return __real_pread(fd, buffer, count, offset);
}
int __wrap_fdatasync(int fd) { return seam.hits(false) ? seam.fail() : __real_fdatasync(fd); }
int __wrap_fsync(int fd) { return seam.hits(false) ? seam.fail() : __real_fsync(fd); }
int __wrap_ftruncate(int fd, off_t size) {
  return seam.hits(false) ? seam.fail() : __real_ftruncate(fd, size);
}
int __wrap_rename(const char* from, const char* to) {
  const bool interrupted = seam.kind == Seam::kInterrupt;  // no rename is
  return !interrupted && seam.hits(false) ? seam.fail() : __real_rename(from, to);
}
int __wrap_open(const char* path, int flags, ...) {
  std::va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return seam.hits(false) ? seam.fail() : __real_open(path, flags, mode);
}
}

namespace rvf::testing {
namespace {

constexpr uint32_t kDim = 8;

template <class T>
Status status_of(Result<T> r) {
  if (!r) return std::move(r).error();
  return {};
}

struct PosixWorkload {
  const char* name;
  std::function<Status(Store&)> run;
};

std::vector<PosixWorkload> posix_workloads() {
  const auto ingest = [](uint64_t seed, std::vector<uint64_t> ids) {
    return [seed, ids](Store& s) {
      const auto values = values_of(seed, ids.size(), kDim);
      return status_of(s.ingest(Vectors::from_f32(values, kDim), ids));
    };
  };
  return {
      {"ingest", ingest(1, {100, 101, 102})},
      {"upsert", ingest(2, {1, 2, 3})},
      {"delete", [](Store& s) { return status_of(s.remove(std::vector<uint64_t>{1, 5})); }},
      {"rollback", [](Store& s) { return status_of(s.rollback(2)); }},
      {"compact", [](Store& s) { return status_of(s.compact()); }},
      {"nothing", [](Store&) { return Status(); }},
      {"ingest and compact",
       [ingest](Store& s) -> Status {
         RVF_TRY(ingest(3, {50, 51})(s));
         return status_of(s.compact());
       }},
      {"three commits",
       [ingest](Store& s) -> Status {
         RVF_TRY(ingest(4, {7, 8})(s));
         RVF_TRY(ingest(5, {7, 80})(s));
         return ingest(6, {81})(s);
       }},
  };
}

class PosixFault : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path shm = "/dev/shm";
    const auto parent =
        ::access(shm.c_str(), W_OK) == 0 ? shm : std::filesystem::temp_directory_path();
    std::string name = (parent / "rvf-posix-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/s.rvf";
    auto fs = io::memory_file_system();
    OpenOptions o;
    o.file_system = fs;
    CreateOptions c;
    c.dimension = kDim;
    auto s = Store::create("s", c, o);
    ASSERT_RVF_OK(s);
    for (uint64_t i = 0; i < 3; ++i) {
      ASSERT_RVF_OK(s->ingest(Vectors::from_f32(values_of(i + 50, 4, kDim), kDim)));
    }
    ASSERT_RVF_OK(s->close());
    start_ = bytes_of(*fs, "s");
  }
  void TearDown() override {
    seam = {};
    std::filesystem::remove_all(folder_);
  }
  void start_anew() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      std::filesystem::remove(entry.path());
    }
    put_bytes(*io::posix_file_system(), path_, start_);
  }
  // Opens, runs and closes, as a process would.
  Status whole_life(const PosixWorkload& w) const {
    auto s = Store::open(path_);
    if (!s) return std::move(s).error();
    RVF_TRY(w.run(*s));
    return s->close();
  }
  // What the store holds after each prefix of the workload that a failure may leave.
  std::vector<Model> outcomes(const PosixWorkload& w) const {
    std::vector<Model> all;
    start_anew();
    all.push_back(inspect(path_, io::posix_file_system()).content);
    auto s = Store::open(path_);
    EXPECT_TRUE(s.ok() && w.run(*s).ok());
    const auto epochs = s->epochs();
    EXPECT_TRUE(s->close().ok());
    const auto after = inspect(path_, io::posix_file_system());
    if (std::string_view(w.name) == "three commits") {
      for (const uint32_t epoch : {5U, 6U}) {
        auto past = Store::open(path_);
        EXPECT_TRUE(past.ok() && past->rollback(epoch).ok());
        all.push_back(content_of(*past->snapshot()));
      }
    }
    if (std::string_view(w.name) == "ingest and compact") all.push_back(after.content);
    all.push_back(after.content);
    return all;
  }

  std::string folder_, path_;
  std::vector<std::byte> start_;
};

TEST_F(PosixFault, InterruptedAndShortCallsAreGoneOnWithAndFailedOnesLoseNothing) {
  Figure figure;
  struct Fault {
    const char* name;
    Seam::Kind kind;
    int error;
    bool harmless;
  };
  const Fault faults[] = {
      {"EINTR", Seam::kInterrupt, 0, true},
      {"short", Seam::kShort, 0, true},
      {"short, then ENOSPC", Seam::kShortThenFull, 0, false},
      {"EIO", Seam::kFail, EIO, false},
      {"ENOSPC", Seam::kFail, ENOSPC, false},
      {"EDQUOT", Seam::kFail, EDQUOT, false},
  };
  const auto workloads = posix_workloads();
  for (const PosixWorkload& w : workloads) {
    const std::vector<Model> allowed = outcomes(w);
    for (const Fault& fault : faults) {
      for (uint64_t n = 1;; ++n) {
        start_anew();
        seam = {fault.kind, fault.error, n, 0, 0};
        const Status done = whole_life(w);
        const bool fired = seam.fired > 0;
        seam = {};
        if (!fired) {
          ASSERT_TRUE(done.ok()) << w.name << ": " << done.error().message;
          break;
        }
        const auto where = [&] {
          return std::string(w.name) + ", " + fault.name + ", call " + std::to_string(n);
        };
        if (!done && fault.harmless) {
          figure.count("failed: " + done.error().message, where);
          continue;
        }
        const Inspection found = inspect(path_, io::posix_file_system());
        std::string problem = found.problem;
        if (problem.empty() && done) problem = difference(allowed.back(), found.content);
        if (problem.empty() && !done) {
          const bool known = std::any_of(allowed.begin(), allowed.end(), [&](const Model& m) {
            return difference(m, found.content).empty();
          });
          if (!known) problem = "holds something that nobody wrote";
        }
        if (problem.empty()) {
          if (const Status again = whole_life({"nothing", [](Store&) { return Status(); }});
              !again) {
            problem = "does not open again: " + again.error().message;
          }
        }
        figure.count(problem, where);
      }
    }
  }
  figure.print("system call faults", std::to_string(workloads.size()) +
                                         " workloads, EINTR, short, EIO, ENOSPC, EDQUOT, all N");
  EXPECT_EQ(figure.failures, 0U) << figure.explain();
  EXPECT_GT(figure.runs, 300U);
}

TEST_F(PosixFault, AFileThatMayNotGrowTakesNoBatchInHalf) {
  Figure figure;
  start_anew();
  const Model before = inspect(path_, io::posix_file_system()).content;
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const std::vector<uint64_t> ids = {100, 101, 102};
  const auto values = values_of(1, ids.size(), kDim);
  bool accepted = false;
  for (uint64_t room = 0; !accepted; room += 61) {
    start_anew();
    auto s = Store::open(path_);
    ASSERT_RVF_OK(s);
    rlimit limit = old_limit;
    limit.rlim_cur = start_.size() + room;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    const auto done = s->ingest(Vectors::from_f32(values, kDim), ids);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old_limit), 0);
    accepted = done.ok();
    std::string problem;
    if (!accepted) {
      const Inspection found = inspect(path_, io::posix_file_system());
      problem = found.problem.empty() ? difference(before, found.content) : found.problem;
      if (problem.empty() && found.status.recovery.ignored_bytes > 0) {
        problem = "was not cut back to its last commit";
      }
    }
    // Once there is room, the same handle writes again.
    if (!accepted && !s->ingest(Vectors::from_f32(values, kDim), ids)) {
      problem = "cannot be written when there is room again";
    }
    figure.count(problem, [&] { return "room for " + std::to_string(room) + " bytes"; });
    ASSERT_LT(room, 1U << 20);
  }
  std::signal(SIGXFSZ, old_handler);
  figure.print("file size limit", "real short writes, EFBIG");
  EXPECT_EQ(figure.failures, 0U) << figure.explain();
  EXPECT_GT(figure.runs, 20U);
}

}  // namespace
}  // namespace rvf::testing
