// Lists the files under a folder that may hold text, in a fixed order (by path).
//
// Skipped: hidden names when asked, version control and build folders (.git, .hg, .svn,
// node_modules,
// __pycache__), files that are empty or over the size limit, names of known binary kinds (images,
// archives, programs), devices and sockets. Links to files are followed; links to folders are
// followed when asked, and a folder is visited once whatever names lead to it, so loops end.
//
// Thread-safety: no state. Errors: kNoSuchFile, kPermission, kIo for the folder itself; an
// unreadable folder below is counted in `unreadable` and left out.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "rvf/result.hpp"

namespace rvf::text {

struct WalkOptions {
  uint64_t max_bytes = 16ULL << 20;
  bool hidden = false;
  bool follow_links = false;  // to folders
  size_t max_files = 10'000'000;
  size_t max_depth = 128;
};

struct FoundFile {
  std::string path;  // relative to the folder, with '/'
  uint64_t size = 0;
  int64_t mtime_ns = 0;  // since 1970
};

struct WalkResult {
  std::vector<FoundFile> files;  // ascending by path
  uint64_t skipped = 0;          // files left out by the rules
  uint64_t unreadable = 0;
};

Result<WalkResult> walk_folder(const std::string& folder, const WalkOptions& options = {});

}  // namespace rvf::text
