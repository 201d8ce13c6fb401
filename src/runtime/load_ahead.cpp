// Reading an index into the page cache before queries ask for it.
#include <algorithm>

#include "runtime/snapshot_impl.hpp"
#include "wire/fused_codec.hpp"
#include "wire/index_codec.hpp"

namespace rvf {
namespace {

constexpr uint64_t kStep = 4U << 20;  // between two looks at the progress

// A piece of a segment's payload, and what it counts as.
struct Piece {
  wire::DirEntry entry;
  uint64_t begin = 0;
  uint64_t length = 0;
  uint64_t LoadAheadReport::* counts_as = nullptr;
};

// In the order in which they serve queries.
std::vector<Piece> pieces_of(const Snapshot::Impl& s, bool rows) {
  std::vector<Piece> first;
  std::vector<Piece> then;
  for (const wire::DirEntry& e : s.directory) {
    if (e.compression != 0) continue;
    if (e.type == SegmentType::kIndex) {
      const bool top = (e.flags & segment_flag::kHot) != 0;
      (top ? first : then)
          .push_back({e, 0, e.payload_length,
                      top ? &LoadAheadReport::layer_a : &LoadAheadReport::layer_c});
    }
    if (!runtime::is_own_fused(e)) continue;
    const auto bytes = s.state.payload(e);
    if (!bytes) continue;
    const auto view = wire::parse_fused(*bytes);
    if (!view) continue;
    // A graph begins at its root; partitions lead from theirs to all that they have.
    const uint64_t root = view->header.partitions
                              ? bytes->size()
                              : static_cast<uint64_t>(view->blocks.data() - bytes->data());
    first.push_back({e, 0, root, &LoadAheadReport::layer_a});
    then.push_back({e, root, bytes->size() - root, &LoadAheadReport::layer_c});
  }
  first.insert(first.end(), then.begin(), then.end());
  if (!rows) return first;
  for (const auto& segment : s.state.segments) {
    const wire::DirEntry& e = segment->entry();
    first.push_back({e, 0, e.payload_length, &LoadAheadReport::rows});
  }
  return first;
}

}  // namespace

Result<LoadAheadReport> Snapshot::load_ahead(const LoadAheadOptions& options) const {
  return impl_->answer([&]() -> Result<LoadAheadReport> {
    const std::vector<Piece> pieces = pieces_of(*impl_, options.rows);
    uint64_t total = 0;
    for (const Piece& p : pieces) total += p.length;
    if (options.most_bytes != 0) total = std::min(total, options.most_bytes);
    LoadAheadReport report;
    uint64_t done = 0;
    for (const Piece& p : pieces) {
      for (uint64_t at = 0; at < p.length && done < total; at += kStep) {
        const uint64_t length = std::min({kStep, p.length - at, total - done});
        RVF_TRY(impl_->state.page_in(p.entry, p.begin + at, length));
        done += length;
        report.*p.counts_as += length;
        if (options.progress != nullptr && !(*options.progress)(done, total)) {
          return Error(ErrorCode::kCancelled, "loading ahead was cancelled");
        }
      }
    }
    return report;
  });
}

}  // namespace rvf
