#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "io/file.hpp"
#include "types/limits.hpp"

namespace rvf::io {
namespace {

// Rows are searched straight from the mapping, so the buffer starts on a cache line.
struct AlignedBuffer {
  explicit AlignedBuffer(size_t n)
      : data(static_cast<std::byte*>(::operator new(n, std::align_val_t{64}))), capacity(n) {
    std::memset(data, 0, n);
  }
  ~AlignedBuffer() { ::operator delete(data, std::align_val_t{64}); }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;

  std::byte* data;
  size_t capacity;
};

class MemoryMapping final : public Mapping {
 public:
  MemoryMapping(std::shared_ptr<AlignedBuffer> buffer, size_t size)
      : buffer_(std::move(buffer)), size_(size) {}
  std::span<const std::byte> bytes() const noexcept override { return {buffer_->data, size_}; }

 private:
  std::shared_ptr<AlignedBuffer> buffer_;
  size_t size_;
};

// Shared between all handles of one file. Growth moves to a new buffer; mappings keep the old one,
// which gets what is written later as far as it reaches: a file that was cut and written anew shows
// it everywhere.
struct MemoryNode {
  mutable std::shared_mutex mutex;
  std::shared_ptr<AlignedBuffer> buffer = std::make_shared<AlignedBuffer>(4096);
  size_t size = 0;
  std::atomic<const void*> writer = nullptr;  // the file that holds the lock
  std::vector<std::weak_ptr<AlignedBuffer>> outgrown;  // that mappings may still hold

  void grow(size_t need) {
    if (need <= buffer->capacity) return;
    auto bigger = std::make_shared<AlignedBuffer>(std::max(need, buffer->capacity * 2));
    std::memcpy(bigger->data, buffer->data, size);
    std::erase_if(outgrown, [](const auto& old) { return old.expired(); });
    outgrown.push_back(buffer);
    buffer = std::move(bigger);
  }
  void put(size_t offset, std::span<const std::byte> part) {
    if (part.empty()) return;
    std::memcpy(buffer->data + offset, part.data(), part.size());
    for (const auto& weak : outgrown) {
      const auto old = weak.lock();
      if (old == nullptr || offset >= old->capacity) continue;
      std::memcpy(old->data + offset, part.data(), std::min(part.size(), old->capacity - offset));
    }
  }
};

class MemoryFile final : public File {
 public:
  explicit MemoryFile(std::shared_ptr<MemoryNode> node, bool writable)
      : node_(std::move(node)), writable_(writable) {}
  ~MemoryFile() override { unlock(); }

  Result<uint64_t> size() const override {
    std::shared_lock lock(node_->mutex);
    return uint64_t{node_->size};
  }

  Status read(uint64_t offset, std::span<std::byte> out) const override {
    std::shared_lock lock(node_->mutex);
    if (offset > node_->size || out.size() > node_->size - offset) {
      return Error(ErrorCode::kTruncated, "read past the end of a memory file", 0, offset);
    }
    if (!out.empty()) std::memcpy(out.data(), node_->buffer->data + offset, out.size());
    return {};
  }

  Status write(uint64_t offset, std::span<const std::span<const std::byte>> parts) override {
    if (!writable_) return Error(ErrorCode::kReadOnly, "the memory file was opened for reading");
    std::unique_lock lock(node_->mutex);
    size_t end = offset;
    for (const auto& p : parts) end += p.size();
    node_->grow(end);
    for (const auto& p : parts) {
      node_->put(offset, p);
      offset += p.size();
    }
    node_->size = std::max(node_->size, end);
    return {};
  }
  using File::write;

  Status sync() override { return {}; }

  Status truncate(uint64_t size) override {
    if (!writable_) return Error(ErrorCode::kReadOnly, "the memory file was opened for reading");
    std::unique_lock lock(node_->mutex);
    node_->grow(size);
    if (size < node_->size) std::memset(node_->buffer->data + size, 0, node_->size - size);
    node_->size = size;
    return {};
  }

  Result<std::shared_ptr<const Mapping>> map(uint64_t length) const override {
    std::shared_lock lock(node_->mutex);
    std::shared_ptr<const Mapping> m = std::make_shared<MemoryMapping>(
        node_->buffer, std::min<size_t>(length, node_->buffer->capacity));
    return m;
  }

  Result<Identity> identity() const override {
    return Identity{0, reinterpret_cast<uintptr_t>(node_.get())};
  }

  Status lock() override {
    const void* free = nullptr;
    if (node_->writer.compare_exchange_strong(free, this) || free == this) return {};
    return Error(ErrorCode::kLockHeld, "a memory file is held by another writer of this process");
  }
  void unlock() noexcept override {
    const void* mine = this;
    node_->writer.compare_exchange_strong(mine, nullptr);
  }
  Result<bool> is_locked() const override {
    const void* holder = node_->writer;
    return holder != nullptr && holder != this;
  }

 private:
  std::shared_ptr<MemoryNode> node_;
  bool writable_;
};

struct MemoryDirectory {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<MemoryNode>> files;
  std::set<std::string> locked;
};

class MemoryLock final : public WriterLock {
 public:
  MemoryLock(std::shared_ptr<MemoryDirectory> dir, std::string path)
      : dir_(std::move(dir)), path_(std::move(path)) {}
  ~MemoryLock() override {
    if (dir_ == nullptr) return;
    std::lock_guard guard(dir_->mutex);
    dir_->locked.erase(path_);
  }
  void hold(std::shared_ptr<MemoryDirectory> dir) noexcept { dir_ = std::move(dir); }

 private:
  std::shared_ptr<MemoryDirectory> dir_;
  std::string path_;
};

class MemoryFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    std::lock_guard guard(dir_->mutex);
    auto it = dir_->files.find(path);
    if (mode == OpenMode::kCreateNew || mode == OpenMode::kCreatePrivate) {
      if (it != dir_->files.end())
        return Error(ErrorCode::kAlreadyExists, path + " exists already");
      it = dir_->files.emplace(path, std::make_shared<MemoryNode>()).first;
    } else if (it == dir_->files.end()) {
      return Error(ErrorCode::kNoSuchFile, "no such file: " + path);
    }
    return std::unique_ptr<File>(new MemoryFile(it->second, mode != OpenMode::kRead));
  }
  Result<bool> exists(const std::string& path) override {
    std::lock_guard guard(dir_->mutex);
    return dir_->files.contains(path);
  }
  Result<std::string> resolve(const std::string& path) override { return path; }
  Result<uint64_t> link_count(const std::string&) override { return uint64_t{1}; }
  Status copy_attributes(const std::string&, const std::string&) override { return {}; }
  Status rename_new(const std::string& from, const std::string& to) override {
    RVF_ASSIGN(const bool taken, exists(to));
    if (taken) return Error(ErrorCode::kAlreadyExists, to + " exists already");
    return rename(from, to);
  }
  Status rename(const std::string& from, const std::string& to) override {
    std::lock_guard guard(dir_->mutex);
    auto it = dir_->files.find(from);
    if (it == dir_->files.end()) return Error(ErrorCode::kNoSuchFile, "no such file: " + from);
    auto node = it->second;
    dir_->files.erase(it);
    dir_->files[to] = std::move(node);
    return {};
  }
  Status remove(const std::string& path) override {
    std::lock_guard guard(dir_->mutex);
    dir_->files.erase(path);
    return {};
  }
  Status sync_parent(const std::string&) override { return {}; }
  Result<File::Identity> identity(const std::string& path) override {
    RVF_ASSIGN(auto file, open(path, OpenMode::kRead));
    return file->identity();
  }
  Result<std::unique_ptr<WriterLock>> lock(const std::string& path) override {
    auto lock = std::make_unique<MemoryLock>(nullptr, path);
    std::lock_guard guard(dir_->mutex);
    if (!dir_->locked.insert(path).second) {
      return Error(ErrorCode::kLockHeld, path + " is held by another writer of this process");
    }
    lock->hold(dir_);
    return std::unique_ptr<WriterLock>(std::move(lock));
  }

 private:
  std::shared_ptr<MemoryDirectory> dir_ = std::make_shared<MemoryDirectory>();
};

}  // namespace

std::shared_ptr<FileSystem> memory_file_system() { return std::make_shared<MemoryFileSystem>(); }

std::unique_ptr<File> memory_file(std::vector<std::byte> content) {
  auto node = std::make_shared<MemoryNode>();
  node->grow(content.size());
  if (!content.empty()) std::memcpy(node->buffer->data, content.data(), content.size());
  node->size = content.size();
  return std::make_unique<MemoryFile>(std::move(node), true);
}

}  // namespace rvf::io
