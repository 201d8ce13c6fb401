#include "runtime/segment_owner.hpp"

#include <algorithm>

namespace rvf::runtime {

bool may_attach(SegmentType type, uint16_t flags) noexcept {
  switch (type) {
    case SegmentType::kInvalid:
    case SegmentType::kVec:
    case SegmentType::kIndex:
    case SegmentType::kJournal:
    case SegmentType::kManifest: return false;
    case SegmentType::kMeta:
    case SegmentType::kMetaIdx:
    case SegmentType::kHot:
    case SegmentType::kFused: return (flags & segment_flag::kHot) == 0;
    default: return true;
  }
}

bool SegmentOwner::is_attachment(const wire::DirEntry& e) const noexcept {
  switch (e.type) {
    case SegmentType::kQuant: return known_ && e.tier == 0;
    case SegmentType::kSketch:
      return known_ &&
             std::find(sketches_.begin(), sketches_.end(), e.segment_id) == sketches_.end();
    // Earlier versions let HOT be attached with the flag.
    case SegmentType::kHot:
      return known_ ? e.shard != 0 || e.offset != hot_ : may_attach(e.type, e.flags);
    default: return may_attach(e.type, e.flags);
  }
}

}  // namespace rvf::runtime
