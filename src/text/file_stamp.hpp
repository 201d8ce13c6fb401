// What tells whether a file is still the one that was read.
#pragma once
#include <sys/stat.h>

#include <cstdint>

namespace rvf::text {

struct FileStamp {
  uint64_t size = 0;
  int64_t mtime_ns = 0;    // since 1970
  int64_t changed_ns = 0;  // also by what leaves the time of modification alone
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

inline FileStamp stamp_of(const struct stat& st) noexcept {
  const auto ns = [](const timespec& t) { return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; };
  return {static_cast<uint64_t>(st.st_size), ns(st.st_mtim), ns(st.st_ctim)};
}

}  // namespace rvf::text
