// One process of process_test: process <role> <store> <folder> <planted bug>
// It works until <folder>/stop is there; what it found goes to <folder>/<role>.<pid>: a line
// "checks actions refusals", then the first thing that was wrong, if any.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "concurrency/versions.hpp"
#include "types/planted_bug.hpp"
#include "types/splitmix.hpp"

namespace rvf::testing {
namespace {

class Process {
 public:
  Process(std::string role, std::string path, std::string folder)
      : role_(std::move(role)), path_(std::move(path)), folder_(std::move(folder)) {
    const int fd = ::open((folder_ + "/acknowledged").c_str(), O_RDWR | O_CREAT, 0644);
    if (fd < 0 || ::ftruncate(fd, sizeof(uint64_t)) != 0) std::abort();
    void* at = ::mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) std::abort();
    acknowledged_ = static_cast<std::atomic<uint64_t>*>(at);
  }

  int run() {
    if (role_ == "reader") {
      read();
    } else {
      work();
    }
    std::FILE* out = std::fopen(
        (folder_ + "/" + role_ + "." + std::to_string(::getpid()) + ".result").c_str(), "w");
    if (out == nullptr) return 2;
    std::fprintf(out, "%llu %llu %llu\n%s", static_cast<unsigned long long>(checks_),
                 static_cast<unsigned long long>(actions_),
                 static_cast<unsigned long long>(refusals_), problem_.c_str());
    std::fclose(out);
    return problem_.empty() ? 0 : 1;
  }

 private:
  bool going() const { return problem_.empty() && !std::filesystem::exists(folder_ + "/stop"); }

  // A writer and a compactor take the lock in turns, whoever comes first.
  void work() {
    for (uint64_t turn = static_cast<uint64_t>(::getpid()); going(); ++turn) {
      OpenOptions o;
      o.durability = turn % 8 == 0 ? Durability::kSync : Durability::kFlush;
      auto store = Store::open(path_, o);
      if (!store) {
        if (store.error().code != ErrorCode::kLockHeld ||
            store.error().message.find("process ") == std::string::npos) {
          // Between the lock and its record the holder has no name yet.
          if (store.error().message.find("another writer") == std::string::npos) {
            problem_ = "open for writing: " + store.error().message;
          }
        }
        ++refusals_;
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        continue;
      }
      const auto now = version_of(*store->snapshot());
      // What any writer had acknowledged before this one got the lock.
      if (!now || *now < acknowledged_->load()) {
        problem_ = now ? "an acknowledged version is lost" : now.error().message;
        return;
      }
      std::string wrong = checker_.check(*store->snapshot(), turn);
      ++checks_;
      if (wrong.empty()) wrong = role_ == "writer" ? write(*store, *now, turn) : compact(*store);
      if (wrong.empty()) {
        if (auto closed = store->close(); !closed) wrong = closed.error().message;
      }
      if (!wrong.empty()) problem_ = role_ + ": " + wrong;
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
  }

  std::string write(Store& store, uint64_t version, uint64_t turn) {
    const uint64_t versions = 1 + splitmix64(turn) % 40;
    for (uint64_t i = 0; i < versions && going(); ++i) {
      if (auto done = write_version(store, ++version); !done) return done.error().message;
      acknowledged_->store(version);
      ++actions_;
    }
    return {};
  }

  std::string compact(Store& store) {
    auto done = store.compact();
    ++actions_;
    return done ? std::string() : done.error().message;
  }

  void read() {
    std::optional<Store> store;
    for (uint64_t i = 0; going(); ++i) {
      const uint64_t sure = acknowledged_->load();
      if (!store || i % 64 == 0) {
        auto opened = Store::open_readonly(path_);
        if (!opened) {
          problem_ = "open for reading: " + opened.error().message;
          return;
        }
        store.emplace(std::move(*opened));
        ++actions_;
      } else if (auto fresh = store->refresh(); !fresh.ok()) {
        problem_ = "refresh: " + fresh.error().message;
        return;
      }
      const auto snapshot = store->snapshot();
      const uint64_t before = checker_.version();
      problem_ = snapshot ? checker_.check(*snapshot, i) : snapshot.error().message;
      if (problem_.empty() && checker_.version() < sure) problem_ = stale(sure);
      if (!problem_.empty()) problem_ = "reader: " + problem_;
      checks_ += checker_.version() != before;  // the same one again says little
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
  }

  // A reader that meets a commit in the middle takes the epoch before it, and that may be one back
  // from what the writer acknowledges meanwhile; what was acknowledged before it began must show.
  std::string stale(uint64_t sure) const {
    return "version " + std::to_string(checker_.version()) + " is shown after version " +
           std::to_string(sure) + " was acknowledged";
  }

  std::string role_, path_, folder_;
  std::atomic<uint64_t>* acknowledged_ = nullptr;
  VersionChecker checker_;
  uint64_t checks_ = 0, actions_ = 0, refusals_ = 0;
  std::string problem_;
};

}  // namespace
}  // namespace rvf::testing

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  rvf::planted_bug_now = static_cast<uint32_t>(std::strtoul(argv[4], nullptr, 10));
  return rvf::testing::Process(argv[1], argv[2], argv[3]).run();
}
