#include "runtime/repair_scan.hpp"

#include <algorithm>
#include <cstring>

#include "types/planted_bug.hpp"
#include "wire/root_codec.hpp"

namespace rvf::runtime {

Result<RepairScan> RepairScan::of(std::shared_ptr<io::File> file, const Advance& advance) {
  RepairScan scan;
  scan.file_ = std::move(file);
  RVF_ASSIGN(const uint64_t size, scan.file_->size());
  RVF_ASSIGN(scan.mapping_, scan.file_->map(size));
  scan.bytes_ = scan.mapping_->bytes().first(
      static_cast<size_t>(std::min<uint64_t>(size, scan.mapping_->bytes().size())));
  RVF_ASSIGN(const bool finished, scan.scan(advance));
  if (!finished) return Error(ErrorCode::kCancelled, "the repair was stopped");
  scan.find_log(*scan.file_);
  RVF_TRY(scan.intact());
  return scan;
}

// A whole segment is stepped over, so that what an attachment holds is not taken for the store's
// own. Behind a damaged one every 64 bytes may begin the next, since its length means nothing.
Result<bool> RepairScan::scan(const Advance& advance) {
  constexpr uint64_t kReport = 16U << 20;
  uint64_t next_report = kReport;
  for (uint64_t at = 0; at + kSegmentHeaderSize <= bytes_.size();) {
    if (at >= next_report) {
      if (!advance(at)) return false;
      next_report = at + kReport;
    }
    uint32_t magic = 0;
    std::memcpy(&magic, bytes_.data() + at, sizeof(magic));
    if (magic != kSegmentMagic) {
      at += kSegmentAlignment;
      continue;
    }
    has_magic_ = true;
    const auto view = wire::read_segment(bytes_, at, false);
    if (view && wire::hash_matches(view->header, view->payload)) {
      whole_.push_back({view->header, at, view->payload});
      at = view->end;
      continue;
    }
    if (const auto header = wire::decode_header(bytes_.subspan(at), at)) {
      damaged_.emplace_back(*header, at);
    }
    at += kSegmentAlignment;
  }
  return true;
}

void RepairScan::find_log(const io::File& file) {
  struct Candidate {
    wire::Root root;
    uint64_t end = 0;
  };
  std::vector<Candidate> candidates;
  for (const WholeSegment& s : whole_) {
    if (s.header.type != SegmentType::kManifest || s.payload.size() < kRootSize) continue;
    auto root = wire::decode_root(s.payload.last(kRootSize));
    if (!root || !root->extension) continue;
    const uint64_t end = s.offset + kSegmentHeaderSize + s.payload.size();
    candidates.push_back({std::move(*root), end});
  }
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return a.root.epoch != b.root.epoch ? a.root.epoch > b.root.epoch : a.end > b.end;
  });
  if (!candidates.empty()) root_ = candidates.front().root;
  for (const Candidate& c : candidates) {
    // A manifest that stands elsewhere than it says came from another file.
    if (c.root.level1_offset + c.root.level1_length + kRootSize != c.end) continue;
    auto log = manifest::ManifestLog::load(file, c.root);
    if (!log) continue;
    log_ = std::move(*log);
    log_end_ = c.end;
    return;
  }
}

wire::ByteSpan RepairScan::bytes_of(const wire::DirEntry& entry) const {
  const uint64_t begin = entry.offset + kSegmentHeaderSize;
  if (entry.shard != 0 || begin > bytes_.size() || begin < entry.offset ||
      entry.payload_length > bytes_.size() - begin) {
    return {};
  }
  return bytes_.subspan(static_cast<size_t>(begin), static_cast<size_t>(entry.payload_length));
}

std::optional<wire::ByteSpan> RepairScan::payload(const wire::DirEntry& entry,
                                                  ChecksumAlgo usual) const {
  const wire::ByteSpan there = bytes_of(entry);
  const bool believed = planted(PlantedBug::kRepairUnverified) && !there.empty();
  if (believed || (there.size() == entry.payload_length && entry.shard == 0 &&
                   wire::content_hash(usual, there) == entry.hash)) {
    return there;
  }
  // Moved, or hashed otherwise.
  for (const WholeSegment& s : whole_) {
    if (s.header.segment_id == entry.segment_id && s.header.content_hash == entry.hash &&
        s.header.type == entry.type) {
      return s.payload;
    }
  }
  return std::nullopt;
}

}  // namespace rvf::runtime
