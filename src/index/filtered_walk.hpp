// A walk where only some rows may be returned. The beam is as for a walk without a filter, or
// somewhat wider, and goes through all nodes; what matches is taken from all neighbours that its
// expansions show, far beyond the beam: 32 for every node of it.
// Thread-safety: one thread at a time.
#pragma once
#include "index/fused_index.hpp"
#include "index/nearest_by_bytes.hpp"
#include "index/search_scratch.hpp"

namespace rvf::index {

class FilteredWalk {
 public:
  // `share` of the rows may be returned. `scratch.placed` holds the query's place. All is borrowed.
  FilteredWalk(const FusedIndex& index, const SearchRequest& request, double share, uint32_t width,
               SearchScratch::Impl& scratch);

  enum class End : uint8_t { kDone, kOutOfTime, kTooNarrow };
  // Leaves the keys of matching nodes that were compared in `scratch.candidates`, the k nearest
  // that were found among them. Where so few nodes near the query match that a much wider walk
  // would be needed, a walk that `may_give_up` ends with kTooNarrow, as soon as that shows.
  End run(uint64_t deadline, bool may_give_up);
  // The width that a walk needs where as few match as near the query.
  uint32_t needed_width() const noexcept { return needed_; }

 private:
  bool is_too_narrow(uint64_t matching, uint64_t nodes);
  bool ends_too_narrow();
  void look();
  void finish();

  const FusedIndex& index_;
  const FusedBlocks& blocks_;
  const SearchRequest& r_;
  double share_;
  uint32_t width_;
  SearchScratch::Impl& scratch_;
  NodeTest may_be_returned_;
  NearestByBytes nearest_;
  uint64_t compared_ = 0;
  uint32_t needed_ = 0;
};

}  // namespace rvf::index
