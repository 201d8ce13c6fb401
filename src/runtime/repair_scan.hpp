// What a damaged store file still holds: its segments, found by their headers, and the newest
// directory that reads. The file is only read.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "io/file.hpp"
#include "manifest/manifest_log.hpp"
#include "wire/segment.hpp"

namespace rvf::runtime {

// A segment whose content hash holds.
struct WholeSegment {
  SegmentHeader header;
  uint64_t offset = 0;
  wire::ByteSpan payload;
};

class RepairScan {
 public:
  using Advance = std::function<bool(uint64_t done)>;
  static Result<RepairScan> of(std::shared_ptr<io::File> file, const Advance& advance);

  uint64_t size() const noexcept { return bytes_.size(); }
  bool has_magic() const noexcept { return has_magic_; }
  // By the order in the file.
  const std::vector<WholeSegment>& whole() const noexcept { return whole_; }
  // Headers that read, of segments that do not.
  const std::vector<std::pair<SegmentHeader, uint64_t>>& damaged() const noexcept {
    return damaged_;
  }
  const std::optional<manifest::ManifestLog>& log() const noexcept { return log_; }
  uint64_t log_end() const noexcept { return log_end_; }  // behind the newest manifest of the log
  // Of any manifest, where there is no log.
  const std::optional<wire::Root>& root() const noexcept { return root_; }

  // The payload that a directory entry names, if its hash holds, wherever its header went.
  std::optional<wire::ByteSpan> payload(const wire::DirEntry& entry, ChecksumAlgo usual) const;
  // The bytes where it should be, whatever they are; empty beyond the file's end.
  wire::ByteSpan bytes_of(const wire::DirEntry& entry) const;
  Status intact() const { return mapping_->intact(); }

 private:
  Result<bool> scan(const Advance& advance);
  void find_log(const io::File& file);

  std::shared_ptr<io::File> file_;
  std::shared_ptr<const io::Mapping> mapping_;
  wire::ByteSpan bytes_;
  bool has_magic_ = false;
  std::vector<WholeSegment> whole_;
  std::vector<std::pair<SegmentHeader, uint64_t>> damaged_;
  std::optional<manifest::ManifestLog> log_;
  uint64_t log_end_ = 0;
  std::optional<wire::Root> root_;
};

}  // namespace rvf::runtime
