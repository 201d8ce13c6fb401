// Files in memory that remember every change and every barrier, and make from them what a disk may
// hold after a crash: some prefix of the changes, or, after a power loss, any mixture of what no
// barrier covered.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "io/file.hpp"

namespace rvf::testing {

struct TraceEvent {
  enum class Kind { kCreate, kWrite, kTruncate, kSync, kRename, kRemove, kSyncParent };
  Kind kind = Kind::kWrite;
  uint64_t inode = 0;
  uint64_t offset = 0;  // or the new size
  std::vector<std::byte> bytes;  // of a write
  std::string path, to;  // of directory events
};

struct Trace {
  std::mutex mutex;
  std::vector<TraceEvent> events;
  std::map<std::string, uint64_t> inodes;  // by path, as it is now
  uint64_t next_inode = 1;
  bool drop_barriers = false;  // a disk that says "synced" and does nothing
  void add(TraceEvent event);
};

// One crash image: what every path holds.
using Image = std::map<std::string, std::vector<std::byte>>;

class TraceFileSystem final : public io::FileSystem {
 public:
  explicit TraceFileSystem(bool drop_barriers = false) { trace_->drop_barriers = drop_barriers; }

  const std::vector<TraceEvent>& events() const { return trace_->events; }
  size_t size() const { return trace_->events.size(); }

  // The process died: the first `count` events happened, the last write only up to `last_bytes` of
  // it.
  Image killed_after(size_t count, uint64_t last_bytes = ~0ULL) const;
  // The power failed: of what no barrier covered, each 4 KiB sector was written, lost, zeroed or
  // garbled, and each directory change happened only if the one before it did.
  Image powerless_after(size_t count, std::mt19937_64& random) const;

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override;
  Result<bool> exists(const std::string& path) override { return base_->exists(path); }
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_parent(const std::string& path) override;
  Result<io::File::Identity> identity(const std::string& path) override {
    return base_->identity(path);
  }
  Result<std::unique_ptr<io::WriterLock>> lock(const std::string& path) override {
    return base_->lock(path);
  }

 private:
  std::shared_ptr<io::FileSystem> base_ = io::memory_file_system();
  std::shared_ptr<Trace> trace_ = std::make_shared<Trace>();
};

// A memory file system with these files.
std::shared_ptr<io::FileSystem> files_of(const Image& image);

}  // namespace rvf::testing
