#include "runtime/path_guard.hpp"

#include <algorithm>
#include <thread>
#include <type_traits>

namespace rvf::runtime {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kMostNames = 100;

// `attempt` until it is not another writer that stops it, or the patience of the options ends.
template <class Attempt>
std::invoke_result_t<Attempt> wait_for_lock(const OpenOptions& options, const Attempt& attempt) {
  constexpr milliseconds kLongestPause{50};
  const auto begin = std::chrono::steady_clock::now();
  for (milliseconds pause{1};; pause = std::min(pause * 2, kLongestPause)) {
    auto done = attempt();
    if (done || done.error().code != ErrorCode::kLockHeld) return done;
    const auto waited =
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
    if (waited >= options.lock_wait) return done;
    if (options.lock_progress != nullptr &&
        !(*options.lock_progress)(static_cast<uint64_t>(waited.count()),
                                  static_cast<uint64_t>(options.lock_wait.count()))) {
      return Error(ErrorCode::kCancelled, "stopped while waiting: " + done.error().message);
    }
    std::this_thread::sleep_for(std::min(pause, options.lock_wait - waited));
  }
}

Result<Locked> open_once(io::FileSystem& fs, const std::string& path) {
  Locked out;
  RVF_ASSIGN(out.lock, fs.lock(path));
  // A compaction may give the name to another file between opening and locking this one.
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; ++i) {
    RVF_ASSIGN(auto file, fs.open(path, io::OpenMode::kReadWrite));
    RVF_TRY(file->lock());
    const Status named = check_named(fs, path, *file);
    if (named) {
      out.file = std::move(file);
      return out;
    }
    if (named.error().code != ErrorCode::kPathLost) return named.error();
  }
  return Error(ErrorCode::kLockHeld, path + " is being replaced again and again; try later");
}

}  // namespace

Result<Locked> open_locked(io::FileSystem& fs, const std::string& path,
                           const OpenOptions& options) {
  return wait_for_lock(options, [&] { return open_once(fs, path); });
}

Result<std::unique_ptr<io::WriterLock>> lock_name(io::FileSystem& fs, const std::string& path,
                                                  const OpenOptions& options) {
  return wait_for_lock(options, [&] { return fs.lock(path); });
}

std::string numbered_name(const std::string& path, unsigned number) {
  return number == 0 ? path : path + "." + std::to_string(number);
}

Result<std::string> free_name(io::FileSystem& fs, const std::string& path) {
  for (unsigned number = 0; number < kMostNames; ++number) {
    std::string name = numbered_name(path, number);
    RVF_ASSIGN(const bool taken, fs.exists(name));
    if (!taken) return name;
  }
  return Error(ErrorCode::kAlreadyExists, path + " and a hundred numbers behind it exist already");
}

Result<Beside> create_beside(io::FileSystem& fs, const std::string& path, io::OpenMode mode) {
  for (unsigned number = 0;; ++number) {
    Beside out{numbered_name(path, number), nullptr};
    auto file = fs.open(out.path, mode);
    if (!file && file.error().code == ErrorCode::kAlreadyExists && number < kMostNames) continue;
    RVF_ASSIGN(out.file, std::move(file));
    return out;
  }
}

Status check_named(io::FileSystem& fs, const std::string& path, const io::File& file) {
  RVF_ASSIGN(const auto mine, file.identity());
  const auto there = fs.identity(path);
  if (there && *there == mine) return {};
  if (!there && there.error().code != ErrorCode::kNoSuchFile) return there.error();
  return Error(ErrorCode::kPathLost,
               path +
                   (there ? " was replaced by another file"
                          : " was deleted, or it or its folder was renamed") +
                   " while it was open for writing; nothing more is written to the file that was "
                   "opened. Open the store anew, by the name that it has now");
}

}  // namespace rvf::runtime
