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
      return Error(code, root_ + ": " + std::generic_category().message(e));
    }
    // Folders found on the way wait in a list: depth of the tree is no depth of the stack.
    while (!waiting_.empty()) {
      auto [path, depth] = std::move(waiting_.back());
      waiting_.pop_back();
      if (visit(path, depth) != 0) ++out_.unreadable;
    }
    if (too_many_) return Error(ErrorCode::kTooLarge, root_ + ": more files than the limit");
    std::sort(out_.files.begin(), out_.files.end(),
              [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; });
    return std::move(out_);
  }

 private:
  // An errno, or 0.
  int visit(const std::string& relative, size_t depth) {
    const std::string full = relative.empty() ? root_ : root_ + "/" + relative;
    struct stat st{};
    if (::stat(full.c_str(), &st) != 0) return errno;
    if (!S_ISDIR(st.st_mode)) return ENOTDIR;
    if (!visited_.emplace(st.st_dev, st.st_ino).second) return 0;
    DIR* dir = ::opendir(full.c_str());
    if (dir == nullptr) return errno;
    while (const dirent* entry = ::readdir(dir)) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      const std::string path = relative.empty() ? name : relative + "/" + name;
      add(name, path, depth);
    }
    ::closedir(dir);
    return 0;
  }

  void add(const std::string& name, const std::string& path, size_t depth) {
    struct stat st{};
    const std::string full = root_ + "/" + path;
    if (::lstat(full.c_str(), &st) != 0) {
      ++out_.unreadable;
      return;
    }
    const bool link = S_ISLNK(st.st_mode);
    if (link && ::stat(full.c_str(), &st) != 0) {  // leads nowhere
      ++out_.skipped;
      return;
    }
    const bool hidden = name[0] == '.' && !options_.hidden;
    if (S_ISDIR(st.st_mode)) {
      const bool skip =
          hidden || (link && !options_.follow_links) || depth >= options_.max_depth ||
          std::find(kSkippedFolders.begin(), kSkippedFolders.end(), name) != kSkippedFolders.end();
      if (!skip) waiting_.emplace_back(path, depth + 1);
      return;
    }
    const auto size = static_cast<uint64_t>(st.st_size);
    if (hidden || !S_ISREG(st.st_mode) || size == 0 || size > options_.max_bytes ||
        binary_name(name)) {
      ++out_.skipped;
      return;
    }
    if (out_.files.size() >= options_.max_files) {
      too_many_ = true;
      return;
    }
    out_.files.push_back({path, size, st.st_mtim.tv_sec * 1'000'000'000LL + st.st_mtim.tv_nsec});
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
