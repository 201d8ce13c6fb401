// Whose a segment is: the store's own, made and removed by it, or an attachment, which it keeps for
// whoever attached it, byte for byte. Attaching, detaching, compaction, repair, conversion and what
// users see of segments all ask here.
// Thread-safety: plain values.
#pragma once
#include <vector>

#include "manifest/manifest_log.hpp"
#include "wire/level1_codec.hpp"
#include "wire/root_codec.hpp"

namespace rvf::runtime {

// META and METAIDX that the store made itself.
inline bool is_own_metadata(const wire::DirEntry& e) noexcept {
  return (e.type == SegmentType::kMeta || e.type == SegmentType::kMetaIdx) &&
         (e.flags & segment_flag::kHot) != 0;
}

// The store's own search layout carries HOT; others may use the type for something else.
inline bool is_own_fused(const wire::DirEntry& e) noexcept {
  return e.type == SegmentType::kFused && (e.flags & segment_flag::kHot) != 0;
}

// Whether a segment may be attached: not as what the store would take for its own.
bool may_attach(SegmentType type, uint16_t flags) noexcept;

class SegmentOwner {
 public:
  SegmentOwner() =
      default;  // of a file without a directory: what may be the store's own counts as such
  SegmentOwner(const manifest::Head& head, const wire::Root& root)
      : known_(true), sketches_(head.sketch_segments), hot_(root.hot_cache.segment_offset) {}

  bool is_attachment(const wire::DirEntry& e) const noexcept;

 private:
  bool known_ = false;
  std::vector<uint64_t> sketches_;
  uint64_t hot_ = 0;  // offset of the HOT segment that the root names
};

}  // namespace rvf::runtime
