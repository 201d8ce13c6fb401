#include "support/trace_file_system.hpp"

#include "support/store_model.hpp"

namespace rvf::testing {
namespace {

using Kind = TraceEvent::Kind;

Error stopped_error() { return {ErrorCode::kIo, "injected: the process is dead"}; }
Error sync_error() { return {ErrorCode::kSyncFailed, "injected: cannot sync"}; }

class TraceFile final : public io::File {
 public:
  TraceFile(std::unique_ptr<io::File> base, std::shared_ptr<Trace> trace, uint64_t inode)
      : base_(std::move(base)), trace_(std::move(trace)), inode_(inode) {}
  Result<uint64_t> size() const override { return base_->size(); }
  Status read(uint64_t offset, std::span<std::byte> out) const override {
    return base_->read(offset, out);
  }
  Status write(uint64_t offset, std::span<const std::span<const std::byte>> parts) override {
    if (trace_->stopped) return stopped_error();
    TraceEvent e{Kind::kWrite, inode_, offset, {}, {}, {}};
    for (const auto& p : parts) e.bytes.insert(e.bytes.end(), p.begin(), p.end());
    trace_->add(std::move(e));
    return base_->write(offset, parts);
  }
  using File::write;
  Status sync() override {
    if (trace_->stopped) return stopped_error();
    if (trace_->sync_fails()) {
      trace_->add({Kind::kSyncFailed, inode_, 0, {}, {}, {}});
      return sync_error();
    }
    trace_->add({Kind::kSync, inode_, 0, {}, {}, {}});
    return base_->sync();
  }
  Status truncate(uint64_t size) override {
    if (trace_->stopped) return stopped_error();
    trace_->add({Kind::kTruncate, inode_, size, {}, {}, {}});
    return base_->truncate(size);
  }
  Result<std::shared_ptr<const io::Mapping>> map(uint64_t length) const override {
    return base_->map(length);
  }
  Result<Identity> identity() const override { return base_->identity(); }
  Status lock() override { return base_->lock(); }
  void unlock() noexcept override { base_->unlock(); }
  Result<bool> is_locked() const override { return base_->is_locked(); }

 private:
  std::unique_ptr<io::File> base_;
  std::shared_ptr<Trace> trace_;
  uint64_t inode_;
};

}  // namespace

void Trace::add(TraceEvent event) {
  std::lock_guard guard(mutex);
  const bool barrier = event.kind == Kind::kSync || event.kind == Kind::kSyncParent;
  if (barrier && lie == DiskLie::kDropsBarriers) return;
  events.push_back(std::move(event));
}

bool Trace::sync_fails() {
  std::lock_guard guard(mutex);
  return ++syncs == failing_sync;
}

TraceFileSystem::TraceFileSystem(Image start, DiskLie lie)
    : start_(std::move(start)), base_(files_of(start_)) {
  trace_->lie = lie;
  for (const auto& [path, bytes] : start_) trace_->inodes[path] = trace_->next_inode++;
}

Result<std::unique_ptr<io::File>> TraceFileSystem::open(const std::string& path,
                                                        io::OpenMode mode) {
  RVF_ASSIGN(auto file, base_->open(path, mode));
  const bool create = mode == io::OpenMode::kCreateNew || mode == io::OpenMode::kCreatePrivate;
  uint64_t inode = 0;
  {
    std::lock_guard guard(trace_->mutex);
    if (create) trace_->inodes[path] = trace_->next_inode++;
    inode = trace_->inodes[path];
  }
  if (create) trace_->add({Kind::kCreate, inode, 0, {}, path, {}});
  return std::unique_ptr<io::File>(new TraceFile(std::move(file), trace_, inode));
}

Status TraceFileSystem::rename(const std::string& from, const std::string& to) {
  if (trace_->stopped) return stopped_error();
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

Status TraceFileSystem::rename_new(const std::string& from, const std::string& to) {
  RVF_ASSIGN(const bool taken, base_->exists(to));
  if (taken) return Error(ErrorCode::kAlreadyExists, to + " exists already");
  return rename(from, to);
}

Status TraceFileSystem::remove(const std::string& path) {
  if (trace_->stopped) return stopped_error();
  RVF_ASSIGN(const bool there, base_->exists(path));
  if (!there) return {};
  RVF_TRY(base_->remove(path));
  trace_->add({Kind::kRemove, 0, 0, {}, path, {}});
  return {};
}

Status TraceFileSystem::sync_parent(const std::string& path) {
  if (trace_->stopped) return stopped_error();
  if (trace_->sync_fails()) return sync_error();
  trace_->add({Kind::kSyncParent, 0, 0, {}, path, {}});
  return base_->sync_parent(path);
}

std::shared_ptr<io::FileSystem> files_of(const Image& image) {
  auto fs = io::memory_file_system();
  for (const auto& [path, bytes] : image) put_bytes(*fs, path, bytes);
  return fs;
}

}  // namespace rvf::testing
