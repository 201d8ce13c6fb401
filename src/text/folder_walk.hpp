// Lists the files under a folder that may hold text, in a fixed order (by path), and names all that
// is left out.
//
// Left out: hidden names unless asked for, version control and build folders (.git, .hg, .svn,
// node_modules, __pycache__), files that are empty or over the size limit, names of known binary
// kinds (images, archives, programs), devices, pipes and sockets. Links to files are followed;
// links to folders are followed when asked, and a folder is visited once whatever names lead to it,
// so loops end.
//
// Thread-safety: no state. Errors: kNoSuchFile, kPermission, kIo for the folder itself, kCancelled;
// what cannot be read below is left out and named.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "rvf/executor.hpp"
#include "rvf/result.hpp"
#include "text/file_stamp.hpp"

namespace rvf::text {

struct WalkOptions {
  uint64_t max_bytes = 16ULL << 20;
  bool hidden = false;
  bool follow_links = false;  // to folders
  size_t max_files = 10'000'000;
  size_t max_depth = 128;
  const Progress* progress = nullptr;  // files found, of an unknown number
};

struct FoundFile {
  std::string path;  // relative to the folder, with '/'
  FileStamp stamp;
};

enum class LeftOutAs : uint8_t {
  kNoText,  // it was looked at, and holds none
  kNotWanted,  // by a rule, whatever it holds
  kUnreadable,  // nothing is known of it
};

struct LeftOut {
  std::string path;  // of a file or a folder, as in FoundFile
  std::string reason;
  LeftOutAs as = LeftOutAs::kNoText;
};

struct EmptyFolder {
  std::string path;
  int64_t mtime_ns = 0;
};

struct WalkResult {
  std::vector<FoundFile> files;  // ascending by path
  std::vector<LeftOut> left_out;
  std::vector<EmptyFolder> empty;  // folders without any entry
};

Result<WalkResult> walk_folder(const std::string& folder, const WalkOptions& options = {});

}  // namespace rvf::text
