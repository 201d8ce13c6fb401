#include "io/lock_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "io/errno_error.hpp"
#include "io/ofd_lock.hpp"
#include "io/uninterrupted.hpp"
#include "types/limits.hpp"
#include "types/planted_bug.hpp"

namespace rvf::io {
namespace {

constexpr uint32_t kLockMagic = 0x52564C46;

// Byte for byte what lies in the lock file; docs/format.md, "Lock file".
struct LockRecord {
  uint32_t magic;
  uint32_t pid;
  char host[64];
  uint64_t since_ns;
  uint8_t writer[16];
  uint32_t version;
  uint32_t crc32;  // CRC-32/IEEE of the 100 bytes before
};
static_assert(sizeof(LockRecord) == kLockRecordSize);

uint32_t record_crc(const LockRecord& r) {
  return static_cast<uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(&r), offsetof(LockRecord, crc32)));
}

LockRecord own_record() {
  LockRecord r{};
  r.magic = kLockMagic;
  r.pid = static_cast<uint32_t>(::getpid());
  if (::gethostname(r.host, sizeof(r.host) - 1) != 0) r.host[0] = '\0';
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  r.since_ns =
      static_cast<uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<uint64_t>(now.tv_nsec);
  // Only tells two writers apart in a log; a short read merely makes it less unique.
  (void)!::getrandom(r.writer, sizeof(r.writer), 0);
  r.version = 1;
  r.crc32 = record_crc(r);
  return r;
}

std::string describe_holder(int fd) {
  LockRecord r{};
  if (::pread(fd, &r, sizeof(r), 0) != static_cast<ssize_t>(sizeof(r)) || r.magic != kLockMagic ||
      r.crc32 != record_crc(r)) {
    return "another writer";
  }
  r.host[sizeof(r.host) - 1] = '\0';
  std::array<char, 32> when{};
  const auto seconds = static_cast<time_t>(r.since_ns / 1'000'000'000U);
  tm utc{};
  if (::gmtime_r(&seconds, &utc) != nullptr) {
    (void)std::strftime(when.data(), when.size(), "%Y-%m-%d %H:%M:%S UTC", &utc);
  }
  return "process " + std::to_string(r.pid) + " on " + r.host + " since " + when.data();
}

// A lock on a file that was unlinked meanwhile protects nothing: the next writer makes a new file.
bool still_at_path(int fd, const std::string& path) noexcept {
  struct stat mine{};
  struct stat there{};
  return ::fstat(fd, &mine) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

class PosixLock final : public WriterLock {
 public:
  explicit PosixLock(std::string path) : path_(std::move(path)) {}
  ~PosixLock() override {
    if (process_ == ::getpid()) {
      // Before the lock goes: then it may be somebody else's file.
      if (still_at_path(fd_, path_)) ::unlink(path_.c_str());
      (void)set_ofd_lock(fd_, F_UNLCK);  // which closing does not do while a child has the handle
    }
    if (fd_ >= 0) ::close(fd_);
  }
  Status is_ours() const override {
    if (process_ == ::getpid()) return {};
    return Error(ErrorCode::kLockHeld,
                 "the right to write belongs to process " + std::to_string(process_) +
                     ", from which this one was forked; open the store anew in this process");
  }
  // False, with errno, or with ENOENT if the file that was there went meanwhile.
  bool open(const std::string& store_path) noexcept {
    struct stat store{};
    const bool known = ::stat(store_path.c_str(), &store) == 0;
    const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    fd_ = uninterrupted(
        [&] { return ::open(path_.c_str(), flags | O_CREAT | O_EXCL, known ? 0600 : 0666); });
    if (fd_ < 0 && errno == EEXIST) {
      fd_ = uninterrupted([&] { return ::open(path_.c_str(), flags); });
    } else if (fd_ >= 0 && known) {
      // Who may write the store may lock it, and nobody else learns who does.
      (void)!::fchown(fd_, static_cast<uid_t>(-1), store.st_gid);
      (void)!::fchmod(fd_, store.st_mode & 0666);
    }
    return fd_ >= 0;
  }
  // Whatever else has the name must not be written over.
  bool is_a_lock_file() const noexcept {
    struct stat st{};
    return ::fstat(fd_, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink <= 1 &&
           (st.st_size == 0 || static_cast<uint64_t>(st.st_size) == kLockRecordSize);
  }
  int fd() const noexcept { return fd_; }
  void hold() noexcept { process_ = ::getpid(); }

 private:
  int fd_ = -1;
  pid_t process_ = 0;  // that holds it
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<WriterLock>> lock_store_file(const std::string& store_path) {
  const std::string path = store_path + ".lock";
  for (int attempt = 0; attempt < 100; ++attempt) {
    // Before the file is opened, so that nothing that fails later leaves it open, and locked.
    auto lock = std::make_unique<PosixLock>(path);
    const bool opened = lock->open(store_path);
    if (!opened && errno == ENOENT && attempt < 3) continue;  // it went, or there is no such folder
    const bool other = opened ? !lock->is_a_lock_file() : errno == ELOOP || errno == EISDIR;
    if (!opened && !other) return errno_error(errno, "create the lock file", path);
    const int fd = lock->fd();
    if (other) {
      return Error(ErrorCode::kAlreadyExists,
                   path + " is not a lock file, so it was left as it is; move it away to write " +
                       store_path);
    }
    if (!set_ofd_lock(fd, F_WRLCK) && !planted(PlantedBug::kTakeNoLock)) {
      const int error_number = errno;
      if (is_held_by_another(error_number)) {
        const std::string holder = describe_holder(fd);
        return Error(ErrorCode::kLockHeld,
                     store_path + " is being written by " + holder +
                         "; wait for it to finish, or open the store read-only");
      }
      return errno_error(error_number, "lock", path);
    }
    if (!still_at_path(fd, path)) continue;
    const LockRecord record = own_record();
    if (::pwrite(fd, &record, sizeof(record), 0) != static_cast<ssize_t>(sizeof(record)) ||
        uninterrupted([&] { return ::ftruncate(fd, sizeof(record)); }) != 0) {
      return errno_error(errno, "write the lock file", path);
    }
    lock->hold();
    return std::unique_ptr<WriterLock>(std::move(lock));
  }
  return Error(ErrorCode::kLockHeld, store_path + " is contended by several writers; try again");
}

}  // namespace rvf::io
