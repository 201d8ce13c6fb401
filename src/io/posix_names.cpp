#include "io/posix_names.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "io/errno_error.hpp"
#include "io/uninterrupted.hpp"

namespace rvf::io {
namespace {

constexpr int kMostLinks = 40;  // as the kernel follows
constexpr char kAccessList[] = "system.posix_acl_access";

// Empty where it does not exist.
Result<std::string> real_path(const std::string& path) {
  char* found = ::realpath(path.c_str(), nullptr);
  if (found == nullptr) {
    if (errno == ENOENT) return std::string();
    return errno_error(errno, "look up", path);
  }
  std::string out(found);
  std::free(found);
  return out;
}

// Empty where it is no symbolic link.
Result<std::string> link_target(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
  if (n < 0) {
    if (errno == EINVAL || errno == ENOENT) return std::string();
    return errno_error(errno, "look up", path);
  }
  target.resize(static_cast<size_t>(n));
  return target;
}

class Handle {
 public:
  explicit Handle(const std::string& path)
      : fd_(uninterrupted([&] {
          return ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        })) {}
  ~Handle() {
    if (fd_ >= 0) ::close(fd_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

// Empty where the file system has no such attributes.
std::vector<std::string> attribute_names(int fd) {
  std::vector<char> names(64 << 10);
  const ssize_t n = ::flistxattr(fd, names.data(), names.size());
  std::vector<std::string> out;
  for (ssize_t at = 0; at < n;) {
    out.emplace_back(names.data() + at);
    at += static_cast<ssize_t>(out.back().size()) + 1;
  }
  return out;
}

// Those that a user sets; security modules set their own.
bool is_kept(std::string_view name) { return name.starts_with("user.") || name == kAccessList; }

Status copy_extended_attributes(int from, int to, const std::string& path) {
  const std::vector<std::string> wanted = attribute_names(from);
  // What the folder gave to the new file, above all an access list that lets others in.
  for (const std::string& name : attribute_names(to)) {
    if (is_kept(name) && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) {
      (void)::fremovexattr(to, name.c_str());
    }
  }
  std::vector<char> value(64 << 10);
  for (const std::string& name : wanted) {
    if (!is_kept(name)) continue;
    const ssize_t n = ::fgetxattr(from, name.c_str(), value.data(), value.size());
    if (n < 0 || ::fsetxattr(to, name.c_str(), value.data(), static_cast<size_t>(n), 0) != 0) {
      return errno_error(errno, "keep the attribute " + name + " of", path);
    }
  }
  return {};
}

}  // namespace

Result<std::string> resolve_path(const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    return Error(ErrorCode::kBadArgument, "an empty name, or one with a zero byte, is no file's");
  }
  std::string name = path;
  for (int links = 0; links < kMostLinks; ++links) {
    RVF_ASSIGN(std::string found, real_path(name));
    if (!found.empty()) return found;
    const size_t slash = name.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : name.substr(0, slash + 1);
    const std::string last = slash == std::string::npos ? name : name.substr(slash + 1);
    if (last.empty()) return Error(ErrorCode::kNotAStore, path + " names a folder, not a file");
    RVF_ASSIGN(std::string parent, real_path(folder));
    if (parent.empty()) {
      return Error(ErrorCode::kNoSuchFile, "there is no folder " + folder +
                                               (name == path ? "" : ", where " + path + " leads"));
    }
    if (parent.back() != '/') parent += '/';
    name = parent + last;
    RVF_ASSIGN(const std::string target, link_target(name));
    if (target.empty()) return name;
    name = target.front() == '/' ? target : parent + target;
  }
  return errno_error(ELOOP, "look up", path);
}

Status copy_file_attributes(const std::string& from, const std::string& to) {
  const Handle source(from);
  if (source.fd() < 0) return errno_error(errno, "open", from);
  const Handle target(to);
  if (target.fd() < 0) return errno_error(errno, "open", to);
  struct stat st{};
  if (::fstat(source.fd(), &st) != 0) return errno_error(errno, "look up", from);
  // Giving a file away takes a privilege; giving it to a group of one's own does not.
  if (::fchown(target.fd(), st.st_uid, st.st_gid) != 0) {
    (void)!::fchown(target.fd(), static_cast<uid_t>(-1), st.st_gid);
  }
  RVF_TRY(copy_extended_attributes(source.fd(), target.fd(), to));
  // Last: with an access list the group's bits are its mask.
  if (::fchmod(target.fd(), st.st_mode & 07777) != 0) {
    return errno_error(errno, "set the mode of", to);
  }
  return {};
}

}  // namespace rvf::io
