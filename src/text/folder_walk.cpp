#include "text/folder_walk.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

namespace rvf::text {
namespace {

constexpr std::array<std::string_view, 5> kSkippedFolders = {".git", ".hg", ".svn", "__pycache__",
                                                             "node_modules"};
// Sorted. ".gz" is not here: compressed text is welcome; archives show by the name before it.
constexpr std::array<std::string_view, 52> kBinaryExtensions = {
    "7z",   "a",     "avi",  "bin",  "bmp",  "bz2",   "class", "db",     "deb",  "dll", "doc",
    "docx", "dylib", "exe",  "flac", "gif",  "ico",   "iso",   "jar",    "jpeg", "jpg", "lib",
    "mkv",  "mo",    "mov",  "mp3",  "mp4",  "npy",   "o",     "obj",    "odt",  "ogg", "onnx",
    "pdf",  "png",   "pyc",  "rar",  "rpm",  "rvf",   "so",    "sqlite", "tar",  "tgz", "tif",
    "tiff", "ttf",   "wasm", "webp", "woff", "woff2", "xz",    "zip"};

std::string_view extension_of(std::string_view name) {
  const size_t dot = name.find_last_of('.');
  return dot == std::string_view::npos || dot == 0 ? "" : name.substr(dot + 1);
}

bool binary_name(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::string_view n = name;
  if (n.ends_with(".gz")) n.remove_suffix(3);
  return std::binary_search(kBinaryExtensions.begin(), kBinaryExtensions.end(), extension_of(n));
}

std::string message_of(int number) { return std::generic_category().message(number); }

class Walk {
 public:
  Walk(std::string root, const WalkOptions& options) : root_(std::move(root)), options_(options) {
    while (root_.size() > 1 && root_.back() == '/') root_.pop_back();
  }

  Result<WalkResult> run() {
    if (int e = visit("", 0); e != 0) {
      ErrorCode code = ErrorCode::kIo;
      if (e == ENOENT) code = ErrorCode::kNoSuchFile;
      if (e == ENOTDIR) code = ErrorCode::kBadArgument;
      if (e == EACCES || e == EPERM) code = ErrorCode::kPermission;
      return Error(code, root_ + ": " + message_of(e));
    }
    // Folders found on the way wait in a list: depth of the tree is no depth of the stack.
    while (!waiting_.empty()) {
      if (options_.progress != nullptr && !(*options_.progress)(out_.files.size(), 0)) {
        return Error(ErrorCode::kCancelled, root_ + ": the search for files was stopped");
      }
      auto [path, depth] = std::move(waiting_.back());
      waiting_.pop_back();
      if (const int e = visit(path, depth); e != 0)
        leave_out(path, message_of(e), LeftOutAs::kUnreadable);
    }
    if (too_many_) return Error(ErrorCode::kTooLarge, root_ + ": more files than the limit");
    std::sort(out_.files.begin(), out_.files.end(),
              [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; });
    return std::move(out_);
  }

 private:
  void leave_out(const std::string& path, std::string reason, LeftOutAs as) {
    out_.left_out.push_back({path, std::move(reason), as});
  }

  // An errno, or 0.
  int visit(const std::string& relative, size_t depth) {
    const std::string full = relative.empty() ? root_ : root_ + "/" + relative;
    struct stat st{};
    if (::stat(full.c_str(), &st) != 0) return errno;
    if (!S_ISDIR(st.st_mode)) return ENOTDIR;
    if (!visited_.emplace(st.st_dev, st.st_ino).second) return 0;
    DIR* dir = ::opendir(full.c_str());
    if (dir == nullptr) return errno;
    bool empty = true;
    errno = 0;  // the end and an error look alike
    while (const dirent* entry = ::readdir(dir)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") {
        empty = false;
        add(name, relative.empty() ? name : relative + "/" + name, depth);
      }
      errno = 0;
    }
    const int failed = errno;
    ::closedir(dir);
    if (failed == 0 && empty) out_.empty.push_back({relative, stamp_of(st).mtime_ns});
    return failed;
  }

  void add(const std::string& name, const std::string& path, size_t depth) {
    struct stat st{};
    const std::string full = root_ + "/" + path;
    if (::lstat(full.c_str(), &st) != 0)
      return leave_out(path, message_of(errno), LeftOutAs::kUnreadable);
    const bool link = S_ISLNK(st.st_mode);
    if (link && ::stat(full.c_str(), &st) != 0) {
      return leave_out(path, "a link that leads nowhere: " + message_of(errno),
                       LeftOutAs::kUnreadable);
    }
    if (name[0] == '.' && !options_.hidden) return leave_out(path, "hidden", LeftOutAs::kNotWanted);
    if (S_ISDIR(st.st_mode)) return add_folder(name, path, depth, link);
    if (!S_ISREG(st.st_mode)) return leave_out(path, "not a regular file", LeftOutAs::kNoText);
    const FileStamp stamp = stamp_of(st);
    if (stamp.size == 0) return leave_out(path, "empty", LeftOutAs::kNoText);
    if (binary_name(name)) {
      return leave_out(path, "a binary kind of file, by its name", LeftOutAs::kNotWanted);
    }
    if (stamp.size > options_.max_bytes) {
      return leave_out(path, "larger than " + std::to_string(options_.max_bytes) + " bytes",
                       LeftOutAs::kUnreadable);
    }
    if (out_.files.size() >= options_.max_files) {
      too_many_ = true;
      return;
    }
    out_.files.push_back({path, stamp});
  }

  void add_folder(const std::string& name, const std::string& path, size_t depth, bool link) {
    if (link && !options_.follow_links)
      return leave_out(path, "a link to a folder", LeftOutAs::kNotWanted);
    if (depth >= options_.max_depth) return leave_out(path, "too deep", LeftOutAs::kUnreadable);
    if (std::find(kSkippedFolders.begin(), kSkippedFolders.end(), name) != kSkippedFolders.end()) {
      return leave_out(path, "a folder of version control or of a build", LeftOutAs::kNotWanted);
    }
    waiting_.emplace_back(path, depth + 1);
  }

  std::string root_;
  const WalkOptions& options_;
  WalkResult out_;
  std::vector<std::pair<std::string, size_t>> waiting_;
  std::set<std::pair<dev_t, ino_t>> visited_;
  bool too_many_ = false;
};

}  // namespace

Result<WalkResult> walk_folder(const std::string& folder, const WalkOptions& options) {
  try {
    return Walk(folder, options).run();
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, folder + ": no memory to list it");
  }
}

}  // namespace rvf::text
