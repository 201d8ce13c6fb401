#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "io/errno_error.hpp"
#include "io/file.hpp"
#include "io/lock_file.hpp"
#include "io/lost_pages.hpp"
#include "io/ofd_lock.hpp"
#include "io/posix_names.hpp"
#include "io/uninterrupted.hpp"
#include "types/planted_bug.hpp"

namespace rvf::io {
namespace {

class PosixMapping final : public Mapping {
 public:
  explicit PosixMapping(std::string path) : path_(std::move(path)) {}
  ~PosixMapping() override {
    guard_.reset();
    if (address_ != MAP_FAILED) ::munmap(address_, length_);
  }
  // Apart from the constructor, so that nothing can fail between mapping and being unmapped.
  bool map(int fd, size_t length, bool survive_lost_pages) noexcept {
    address_ = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, 0);
    if (address_ == MAP_FAILED) return false;
    length_ = length;
    if (survive_lost_pages) guard_.emplace(address_, length_);
    return true;
  }
  Status intact() const override {
    if (!guard_ || !guard_->lost()) return {};
    return Error(ErrorCode::kTruncated,
                 path_ + " was cut off, or cannot be read, while it was open; open it again, and " +
                     "see what `rvf verify` says of it");
  }
  std::span<const std::byte> bytes() const noexcept override {
    return {static_cast<const std::byte*>(address_), length_};
  }
  void will_need(uint64_t offset, uint64_t length) const noexcept override {
    // One call reads ahead no more than the device's window, so a long range takes many.
    constexpr uint64_t kStep = 2U << 20;
    for (uint64_t at = 0; at < length; at += kStep) {
      advise(offset + at, std::min(kStep, length - at), MADV_WILLNEED);
    }
  }
  void expect_random() const noexcept override { advise(0, length_, MADV_RANDOM); }

 private:
  void advise(uint64_t offset, uint64_t length, int advice) const noexcept {
    const uint64_t page = 4096;
    const uint64_t begin = offset / page * page;
    if (begin >= length_) return;
    const uint64_t end = std::min<uint64_t>(offset + length, length_);
    (void)::madvise(static_cast<std::byte*>(address_) + begin, end - begin, advice);
  }
  void* address_ = MAP_FAILED;
  size_t length_ = 0;
  std::optional<PageGuard> guard_;
  std::string path_;
};

class PosixFile final : public File {
 public:
  PosixFile(std::string path, bool survive_lost_pages)
      : path_(std::move(path)), survive_lost_pages_(survive_lost_pages) {}
  ~PosixFile() override {
    unlock();
    if (fd_ >= 0 && !planted(PlantedBug::kLeakFile)) ::close(fd_);
  }
  // Apart from the constructor, so that nothing can fail between opening and being closed.
  bool open(int flags, mode_t mode) noexcept {
    fd_ = uninterrupted([&] { return ::open(path_.c_str(), flags, mode); });
    return fd_ >= 0;
  }
  int fd() const noexcept { return fd_; }

  Result<uint64_t> size() const override {
    struct stat st{};
    if (::fstat(fd_, &st) != 0) return errno_error(errno, "read the size of", path_);
    return static_cast<uint64_t>(st.st_size);
  }

  Status read(uint64_t offset, std::span<std::byte> out) const override {
    while (!out.empty()) {
      const ssize_t n = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
      if (n < 0) {
        if (errno == EINTR) continue;
        return errno_error(errno, "read", path_);
      }
      if (n == 0) {
        return Error(ErrorCode::kTruncated, path_ + " ends before the bytes asked for", 0, offset);
      }
      out = out.subspan(static_cast<size_t>(n));
      offset += static_cast<uint64_t>(n);
    }
    return {};
  }

  Status write(uint64_t offset, std::span<const std::span<const std::byte>> parts) override {
    std::vector<iovec> vectors;
    vectors.reserve(parts.size());
    for (const auto& p : parts) {
      if (!p.empty()) vectors.push_back({const_cast<std::byte*>(p.data()), p.size()});
    }
    size_t first = 0;
    while (first < vectors.size()) {
      const int count = static_cast<int>(std::min<size_t>(vectors.size() - first, 512));
      const ssize_t n = ::pwritev(fd_, vectors.data() + first, count, static_cast<off_t>(offset));
      if (n < 0) {
        if (errno == EINTR) continue;
        return errno_error(errno, "write", path_);
      }
      if (n == 0) return errno_error(ENOSPC, "write", path_);
      offset += static_cast<uint64_t>(n);
      auto left = static_cast<size_t>(n);
      while (first < vectors.size() && left >= vectors[first].iov_len) {
        left -= vectors[first].iov_len;
        ++first;
      }
      if (left > 0) {
        vectors[first].iov_base = static_cast<std::byte*>(vectors[first].iov_base) + left;
        vectors[first].iov_len -= left;
      }
    }
    return {};
  }
  using File::write;

  Status sync() override {
    if (uninterrupted([&] { return ::fdatasync(fd_); }) != 0) {
      Error e = errno_error(errno, "sync", path_);
      if (e.code == ErrorCode::kIo) e.code = ErrorCode::kSyncFailed;
      return e;
    }
    return {};
  }

  Status truncate(uint64_t size) override {
    if (uninterrupted([&] { return ::ftruncate(fd_, static_cast<off_t>(size)); }) != 0) {
      return errno_error(errno, "truncate", path_);
    }
    return {};
  }

  Result<std::shared_ptr<const Mapping>> map(uint64_t length) const override {
    auto mapping = std::make_shared<PosixMapping>(path_);
    if (!mapping->map(fd_, std::max<uint64_t>(length, 1), survive_lost_pages_)) {
      return errno_error(errno, "map", path_);
    }
    return std::shared_ptr<const Mapping>(std::move(mapping));
  }

  Result<Identity> identity() const override {
    struct stat st{};
    if (::fstat(fd_, &st) != 0) return errno_error(errno, "identify", path_);
    return Identity{static_cast<uint64_t>(st.st_dev), static_cast<uint64_t>(st.st_ino)};
  }

  Status lock() override {
    if (set_ofd_lock(fd_, F_WRLCK) || planted(PlantedBug::kTakeNoLock)) {
      locked_by_ = ::getpid();
      return {};
    }
    if (!is_held_by_another(errno)) return errno_error(errno, "lock", path_);
    return Error(ErrorCode::kLockHeld, path_ +
                                           " is being written by another writer, perhaps under "
                                           "another name; wait for it to finish, or open the "
                                           "store read-only");
  }

  // A forked child that closes its copy must not take the lock from its parent.
  void unlock() noexcept override {
    if (locked_by_ == ::getpid()) (void)set_ofd_lock(fd_, F_UNLCK);
    locked_by_ = 0;
  }

  Result<bool> is_locked() const override {
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(fd_, F_OFD_GETLK, &whole) != 0) return errno_error(errno, "look up", path_);
    return whole.l_type != F_UNLCK;
  }

  Status reserve(uint64_t offset, uint64_t length) override {
#ifdef FALLOC_FL_KEEP_SIZE
    // Blocks beyond the end are taken without changing the size, so a crash leaves no zeros at the
    // tail.
    if (::fallocate(fd_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(length)) != 0 &&
        (errno == ENOSPC || errno == EDQUOT)) {
      return errno_error(errno, "write", path_);
    }
#endif
    return {};
  }

 private:
  int fd_ = -1;
  std::string path_;
  bool survive_lost_pages_;
  pid_t locked_by_ = 0;
};

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

class PosixFileSystem final : public FileSystem {
 public:
  explicit PosixFileSystem(bool survive_lost_pages) : survive_lost_pages_(survive_lost_pages) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;  // O_NONBLOCK: a FIFO must not hang the caller
    if (mode == OpenMode::kRead) flags |= O_RDONLY;
    if (mode == OpenMode::kReadWrite) flags |= O_RDWR | O_NOFOLLOW;
    const bool create = mode == OpenMode::kCreateNew || mode == OpenMode::kCreatePrivate;
    if (create) flags |= O_RDWR | O_CREAT | O_EXCL;  // O_EXCL follows no link either
    auto file = std::make_unique<PosixFile>(path, survive_lost_pages_);
    if (!file->open(flags, mode == OpenMode::kCreatePrivate ? 0600 : 0666)) {
      return errno_error(errno, create ? "create" : "open", path);
    }
    struct stat st{};
    if (::fstat(file->fd(), &st) != 0) return errno_error(errno, "open", path);
    if (!S_ISREG(st.st_mode)) {
      return Error(
          ErrorCode::kNotAStore,
          path + (S_ISDIR(st.st_mode) ? " is a directory, not a file" : " is not a regular file"));
    }
    return std::unique_ptr<File>(std::move(file));
  }

  Result<bool> exists(const std::string& path) override {
    struct stat st{};
    if (::lstat(path.c_str(), &st) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return errno_error(errno, "look up", path);
  }

  Result<std::string> resolve(const std::string& path) override { return resolve_path(path); }

  Result<uint64_t> link_count(const std::string& path) override {
    struct stat st{};
    if (::stat(path.c_str(), &st) != 0) return errno_error(errno, "look up", path);
    return static_cast<uint64_t>(st.st_nlink);
  }

  Status copy_attributes(const std::string& from, const std::string& to) override {
    return copy_file_attributes(from, to);
  }

  Status rename_new(const std::string& from, const std::string& to) override {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno != EINVAL && errno != ENOSYS) return errno_error(errno, "rename to", to);
    // A file system without that call: a second name, which is never given over another, then
    // without the first.
    if (::link(from.c_str(), to.c_str()) != 0) return errno_error(errno, "rename to", to);
    return remove(from);
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return errno_error(errno, "rename", from);
    return {};
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error(errno, "remove", path);
    return {};
  }

  Status sync_parent(const std::string& path) override {
    const std::string parent = parent_of(path);
    const int fd =
        uninterrupted([&] { return ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return errno_error(errno, "open the folder", parent);
    const int rc = uninterrupted([&] { return ::fsync(fd); });
    const int error_number = errno;
    ::close(fd);
    // Some file systems cannot sync a folder and say so with EINVAL; nothing better exists there.
    if (rc != 0 && error_number != EINVAL) {
      Error e = errno_error(error_number, "sync the folder", parent);
      e.code = ErrorCode::kSyncFailed;
      return e;
    }
    return {};
  }

  Result<File::Identity> identity(const std::string& path) override {
    struct stat st{};
    if (::stat(path.c_str(), &st) != 0) return errno_error(errno, "look up", path);
    return File::Identity{static_cast<uint64_t>(st.st_dev), static_cast<uint64_t>(st.st_ino)};
  }

  Result<std::unique_ptr<WriterLock>> lock(const std::string& store_path) override {
    return lock_store_file(store_path);
  }

 private:
  bool survive_lost_pages_;
};

}  // namespace

std::shared_ptr<FileSystem> posix_file_system(bool survive_lost_pages) {
  return std::make_shared<PosixFileSystem>(survive_lost_pages);
}

}  // namespace rvf::io
