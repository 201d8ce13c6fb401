#include "interop/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace rvf::interop {
namespace {

constexpr size_t kFlushAt = 1 << 20;
constexpr mode_t kAllModes = 07777;

std::string directory_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The file itself, where `path` leads to it over links.
std::string resolved(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr) return path;
  std::string out(real);
  ::free(real);
  return out;
}

}  // namespace

Error OutputFile::error(ErrorCode code, const std::string& what) const {
  return Error(code, fmt::format("{}: {}", shown_, what));
}

Error OutputFile::error_of(int number, const char* doing) const {
  ErrorCode code = ErrorCode::kIo;
  if (number == ENOSPC || number == EDQUOT) code = ErrorCode::kDiskFull;
  if (number == EACCES || number == EPERM || number == EROFS) code = ErrorCode::kPermission;
  if (number == ENOENT || number == ENOTDIR) code = ErrorCode::kNoSuchFile;
  return error(code, fmt::format("{}: {}", doing, std::generic_category().message(number)));
}

Result<std::unique_ptr<OutputFile>> OutputFile::create(const std::string& path) {
  std::unique_ptr<OutputFile> f(new OutputFile);
  f->shown_ = path == "-" ? "standard output" : path;
  if (path == "-") {
    f->fd_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    if (f->fd_ < 0) return f->error_of(errno, "cannot write");
    return f;
  }
  struct stat there{};
  const bool exists = ::stat(path.c_str(), &there) == 0;
  if (exists && S_ISDIR(there.st_mode)) {
    return f->error(ErrorCode::kBadArgument, "is a directory, not a file");
  }
  if (exists && !S_ISREG(there.st_mode)) {
    f->fd_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (f->fd_ < 0) return f->error_of(errno, "cannot write");
    return f;
  }
  if (exists && ::access(path.c_str(), W_OK) != 0) return f->error_of(errno, "cannot replace");
  f->target_ = resolved(path);
  RVF_TRY(f->open_beside(exists ? there.st_mode & kAllModes : 0666));
  if (exists) {
    // Another owner is kept where the system lets us; the mode after it, for it clears bits.
    const bool kept = ::fchown(f->fd_, there.st_uid, there.st_gid) == 0;
    const mode_t mode = there.st_mode & (kept ? kAllModes : mode_t{0777});
    if (::fchmod(f->fd_, mode) != 0) return f->error_of(errno, "cannot set the mode");
  }
  return f;
}

Status OutputFile::open_beside(mode_t mode) {
  constexpr int kAttempts = 100;
  for (int attempt = 0; fd_ < 0; ++attempt) {
    temporary_ = fmt::format("{}.tmp{}-{}", target_, ::getpid(), attempt);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd_ < 0 && (errno != EEXIST || attempt == kAttempts)) {
      return error_of(errno, "cannot create");
    }
  }
  return {};
}

OutputFile::~OutputFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status OutputFile::flush() {
  for (size_t at = 0; at < buffer_.size();) {
    const ssize_t n = ::write(fd_, buffer_.data() + at, buffer_.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return error_of(n < 0 ? errno : ENOSPC, "cannot write");
    at += static_cast<size_t>(n);
  }
  buffer_.clear();
  return {};
}

Status OutputFile::write(std::string_view bytes) {
  if (fd_ < 0) return error(ErrorCode::kBadArgument, "is finished");
  buffer_ += bytes;
  return buffer_.size() >= kFlushAt ? flush() : Status();
}

Status OutputFile::finish() {
  if (fd_ < 0) return error(ErrorCode::kBadArgument, "is finished");
  RVF_TRY(flush());
  if (!temporary_.empty()) {
    if (::fsync(fd_) != 0) return error_of(errno, "cannot sync");
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) return error_of(errno, "cannot rename");
  }
  const bool closed = ::close(fd_) == 0;
  fd_ = -1;
  if (!closed) return error_of(errno, "cannot write");
  if (temporary_.empty()) return {};
  // The name itself must survive a power loss too; a directory that cannot be synced is no failure.
  const int dir = ::open(directory_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0) {
    (void)::fsync(dir);
    ::close(dir);
  }
  return {};
}

bool same_file(const std::string& a, const std::string& b) noexcept {
  struct stat x{}, y{};
  return ::stat(a.c_str(), &x) == 0 && ::stat(b.c_str(), &y) == 0 && x.st_dev == y.st_dev &&
         x.st_ino == y.st_ino;
}

}  // namespace rvf::interop
