// A file that appears whole or not at all: written beside its name, synced, renamed in finish(). A
// reader of the name sees the old file or the whole new one; without finish() nothing is left. What it
// replaces hands on its mode and, where that is allowed, its owner; a link stays a link. "-" is
// standard output; that and pipes and devices are written straight away.
//
// Thread-safety: one thread a file. Errors: kBadArgument (a folder), kPermission, kNoSuchFile,
// kDiskFull, kIo.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "rvf/result.hpp"

namespace rvf::interop {

class OutputFile {
 public:
  static Result<std::unique_ptr<OutputFile>> create(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  Status write(std::string_view bytes);
  Status finish();
  Error error(ErrorCode code, const std::string& what) const;

 private:
  OutputFile() = default;
  Status open_beside(mode_t mode);
  Status flush();
  Error error_of(int number, const char* doing) const;

  std::string shown_, target_, temporary_;  // no temporary: written straight away
  int fd_ = -1;
  std::string buffer_;
};

// Whether both name one file, also through links; false where one does not exist.
bool same_file(const std::string& a, const std::string& b) noexcept;

}  // namespace rvf::interop
