// A file that is only in memory, for readers that open paths.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "fuzz.hpp"

namespace rvf::fuzz {

class MemoryFile {
 public:
  explicit MemoryFile(wire::ByteSpan content) : fd_(memfd_create("input", MFD_CLOEXEC)) {
    require(fd_ >= 0);
    require(write(fd_, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace rvf::fuzz
