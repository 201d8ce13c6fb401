#include "support/trace_file_system.hpp"

#include <algorithm>
#include <cstring>

#include "support/store_model.hpp"

namespace rvf::testing {
namespace {

using Kind = TraceEvent::Kind;
constexpr uint64_t kSector = 4096;

class TraceFile final : public io::File {
 public:
  TraceFile(std::unique_ptr<io::File> base, std::shared_ptr<Trace> trace, uint64_t inode)
      : base_(std::move(base)), trace_(std::move(trace)), inode_(inode) {}
  Result<uint64_t> size() const override { return base_->size(); }
  Status read(uint64_t offset, std::span<std::byte> out) const override {
    return base_->read(offset, out);
  }
  Status write(uint64_t offset, std::span<const std::span<const std::byte>> parts) override {
    TraceEvent e{Kind::kWrite, inode_, offset, {}, {}, {}};
    for (const auto& p : parts) e.bytes.insert(e.bytes.end(), p.begin(), p.end());
    trace_->add(std::move(e));
    return base_->write(offset, parts);
  }
  using File::write;
  Status sync() override {
    trace_->add({Kind::kSync, inode_, 0, {}, {}, {}});
    return base_->sync();
  }
  Status truncate(uint64_t size) override {
    trace_->add({Kind::kTruncate, inode_, size, {}, {}, {}});
    return base_->truncate(size);
  }
  Result<std::shared_ptr<const io::Mapping>> map(uint64_t length) const override {
    return base_->map(length);
  }
  Result<Identity> identity() const override { return base_->identity(); }

 private:
  std::unique_ptr<io::File> base_;
  std::shared_ptr<Trace> trace_;
  uint64_t inode_;
};

void put(std::vector<std::byte>& file, uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  if (file.size() < offset + bytes.size()) file.resize(offset + bytes.size());
  std::memcpy(file.data() + offset, bytes.data(), bytes.size());
}

// Names and contents while events are played back.
struct Disk {
  std::map<std::string, uint64_t> names;
  std::map<uint64_t, std::vector<std::byte>> files;

  void apply(const TraceEvent& e, uint64_t limit = ~0ULL) {
    switch (e.kind) {
      case Kind::kCreate:
        names[e.path] = e.inode;
        files[e.inode];
        break;
      case Kind::kWrite: {
        const auto part = std::span(e.bytes).first(std::min<uint64_t>(limit, e.bytes.size()));
        put(files[e.inode], e.offset, part);
        break;
      }
      case Kind::kTruncate: files[e.inode].resize(e.offset); break;
      case Kind::kRename:
        names[e.to] = e.inode;
        names.erase(e.path);
        break;
      case Kind::kRemove: names.erase(e.path); break;
      case Kind::kSync:
      case Kind::kSyncParent: break;
    }
  }
  Image image() {
    Image out;
    for (const auto& [path, inode] : names) out[path] = files[inode];
    return out;
  }
};

bool names_something(Kind k) {
  return k == Kind::kCreate || k == Kind::kRename || k == Kind::kRemove;
}

void apply_torn(std::vector<std::byte>& file, const TraceEvent& e, std::mt19937_64& random) {
  for (uint64_t at = 0; at < e.bytes.size();) {
    const uint64_t begin = e.offset + at;
    const uint64_t length = std::min(kSector - begin % kSector, e.bytes.size() - at);
    std::vector<std::byte> sector(e.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                  e.bytes.begin() + static_cast<std::ptrdiff_t>(at + length));
    const uint64_t fate = random() % 8;
    if (fate == 6) std::fill(sector.begin(), sector.end(), std::byte{0});
    if (fate == 7) {
      for (std::byte& b : sector) b = static_cast<std::byte>(random());
    }
    if (fate >= 4) put(file, begin, sector);  // else lost
    at += length;
  }
}

}  // namespace

void Trace::add(TraceEvent event) {
  std::lock_guard guard(mutex);
  if (drop_barriers && (event.kind == Kind::kSync || event.kind == Kind::kSyncParent)) return;
  events.push_back(std::move(event));
}

Image TraceFileSystem::killed_after(size_t count, uint64_t last_bytes) const {
  Disk disk;
  for (size_t i = 0; i < count; ++i)
    disk.apply(trace_->events[i], i + 1 == count ? last_bytes : ~0ULL);
  return disk.image();
}

Image TraceFileSystem::powerless_after(size_t count, std::mt19937_64& random) const {
  const std::vector<TraceEvent>& events = trace_->events;
  std::map<uint64_t, size_t> synced;  // by inode: events before this one are safe
  size_t names_synced = 0;
  for (size_t i = 0; i < count; ++i) {
    if (events[i].kind == Kind::kSync) synced[events[i].inode] = i;
    if (events[i].kind == Kind::kSyncParent) names_synced = i;
  }
  std::vector<size_t> loose_names;
  for (size_t i = names_synced; i < count; ++i) {
    if (names_something(events[i].kind)) loose_names.push_back(i);
  }
  const size_t kept = random() % (loose_names.size() + 1);
  const size_t first_lost_name = kept < loose_names.size() ? loose_names[kept] : count;

  Disk disk;
  for (size_t i = 0; i < count; ++i) {
    const TraceEvent& e = events[i];
    if (names_something(e.kind)) {
      if (i < first_lost_name) disk.apply(e);
      continue;
    }
    const auto safe = synced.find(e.inode);
    if (safe != synced.end() && i < safe->second) {
      disk.apply(e);
    } else if (e.kind == Kind::kWrite) {
      apply_torn(disk.files[e.inode], e, random);
    } else if (e.kind == Kind::kTruncate && random() % 2 == 0) {
      disk.apply(e);
    }
  }
  return disk.image();
}

Result<std::unique_ptr<io::File>> TraceFileSystem::open(const std::string& path,
                                                        io::OpenMode mode) {
  RVF_ASSIGN(auto file, base_->open(path, mode));
  uint64_t inode = 0;
  {
    std::lock_guard guard(trace_->mutex);
    if (mode == io::OpenMode::kCreateNew) trace_->inodes[path] = trace_->next_inode++;
    inode = trace_->inodes[path];
  }
  if (mode == io::OpenMode::kCreateNew) trace_->add({Kind::kCreate, inode, 0, {}, path, {}});
  return std::unique_ptr<io::File>(new TraceFile(std::move(file), trace_, inode));
}

Status TraceFileSystem::rename(const std::string& from, const std::string& to) {
  RVF_TRY(base_->rename(from, to));
  uint64_t inode = 0;
  {
    std::lock_guard guard(trace_->mutex);
    inode = trace_->inodes[from];
    trace_->inodes.erase(from);
    trace_->inodes[to] = inode;
  }
  trace_->add({Kind::kRename, inode, 0, {}, from, to});
  return {};
}

Status TraceFileSystem::remove(const std::string& path) {
  RVF_ASSIGN(const bool there, base_->exists(path));
  if (!there) return {};
  RVF_TRY(base_->remove(path));
  trace_->add({Kind::kRemove, 0, 0, {}, path, {}});
  return {};
}

Status TraceFileSystem::sync_parent(const std::string& path) {
  trace_->add({Kind::kSyncParent, 0, 0, {}, path, {}});
  return base_->sync_parent(path);
}

std::shared_ptr<io::FileSystem> files_of(const Image& image) {
  auto fs = io::memory_file_system();
  for (const auto& [path, bytes] : image) put_bytes(*fs, path, bytes);
  return fs;
}

}  // namespace rvf::testing
