// Files in memory that remember every change and every barrier. support/crash_images.hpp makes from
// them what a disk may hold after a crash.
// Thread-safe as the memory file system is; events are those of all threads in one order.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/file.hpp"

namespace rvf::testing {

struct TraceEvent {
  enum class Kind {
    kCreate,
    kWrite,
    kTruncate,
    kSync,
    kSyncFailed,  // what it should have made durable no later barrier will
    kRename,
    kRemove,
    kSyncParent
  };
  Kind kind = Kind::kWrite;
  uint64_t inode = 0;
  uint64_t offset = 0;  // or the new size
  std::vector<std::byte> bytes;  // of a write
  std::string path, to;  // of directory events
};

// What every path holds.
using Image = std::map<std::string, std::vector<std::byte>>;

// How a disk may lie; both are found out by the tests of crash images.
enum class DiskLie {
  kNone,
  kDropsBarriers,  // says "synced" and does nothing
  kBarriersLag,  // a barrier only covers what was written before the barrier before it
};

struct Trace {
  std::mutex mutex;
  std::vector<TraceEvent> events;
  std::map<std::string, uint64_t> inodes;  // by path, as it is now
  uint64_t next_inode = 1;
  DiskLie lie = DiskLie::kNone;
  bool stopped = false;
  uint64_t syncs = 0;
  uint64_t failing_sync = 0;  // counted from 1 over all files; 0: none
  void add(TraceEvent event);
  // Counts a barrier; true if it is the one that has to fail.
  bool sync_fails();
};

class TraceFileSystem final : public io::FileSystem {
 public:
  // Starts with these files, all of them durable.
  explicit TraceFileSystem(Image start = {}, DiskLie lie = DiskLie::kNone);

  const Image& start() const { return start_; }
  const std::vector<TraceEvent>& events() const { return trace_->events; }
  size_t size() const { return trace_->events.size(); }
  DiskLie lie() const { return trace_->lie; }
  // The n-th barrier from now on, of a file or of a folder, fails once.
  void fail_sync(uint64_t n) {
    trace_->syncs = 0;
    trace_->failing_sync = n;
  }
  // Every change fails and leaves no event until go_on(): how a test lets a process die.
  void stop() { trace_->stopped = true; }
  void go_on() { trace_->stopped = false; }
  bool sync_has_failed() const {
    return trace_->failing_sync != 0 && trace_->syncs >= trace_->failing_sync;
  }

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override;
  Result<bool> exists(const std::string& path) override { return base_->exists(path); }
  Result<std::string> resolve(const std::string& path) override { return base_->resolve(path); }
  Result<uint64_t> link_count(const std::string& path) override { return base_->link_count(path); }
  Status copy_attributes(const std::string&, const std::string&) override { return {}; }
  Status rename(const std::string& from, const std::string& to) override;
  Status rename_new(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_parent(const std::string& path) override;
  Result<io::File::Identity> identity(const std::string& path) override {
    return base_->identity(path);
  }
  Result<std::unique_ptr<io::WriterLock>> lock(const std::string& path) override {
    return base_->lock(path);
  }

 private:
  Image start_;
  std::shared_ptr<io::FileSystem> base_;
  std::shared_ptr<Trace> trace_ = std::make_shared<Trace>();
};

// A memory file system with these files.
std::shared_ptr<io::FileSystem> files_of(const Image& image);

}  // namespace rvf::testing
