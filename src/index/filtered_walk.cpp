#include "index/filtered_walk.hpp"

#include <algorithm>
#include <cmath>

#include "index/flat.hpp"

namespace rvf::index {
namespace {

constexpr uint32_t kStepsBetweenLooks = 8;
// After these the beam is near the query, and what it holds tells how many match there.
constexpr uint32_t kLooksToTell = 4;
// Widths that differ by less are not worth another search.
constexpr uint32_t kMuchWider = 2;
// Of the error that an estimate has with random signs, which falls with the root of the dimensions.
constexpr float kDeviations = 1.8F;

NodeTest test_of(const SearchRequest& r, uint64_t first_row, uint64_t nodes,
                 SearchScratch::Impl& scratch) {
  static_assert(RowBitmap::kChunkBits == uint64_t{1} << NodeTest::kChunkShift);
  NodeTest test;
  test.first_row = first_row;
  if (r.filter != nullptr) {
    r.filter->list_chunks(first_row + nodes, scratch.passing);
    test.passing = scratch.passing.data();
  }
  if (r.dead != nullptr && !r.dead->empty()) {
    r.dead->list_chunks(first_row + nodes, scratch.dead);
    test.dead = scratch.dead.data();
  }
  return test;
}

const FusedSearcher& started(const FusedBlocks& blocks, uint32_t width,
                             const NodeTest& may_be_returned, SearchScratch::Impl& scratch) {
  scratch.fused.start(blocks, scratch.placed.data(), width, 0);
  scratch.fused.collect(kStepsBetweenLooks,
                        kDeviations / std::sqrt(static_cast<float>(blocks.layout.padded)),
                        may_be_returned);
  scratch.open.clear();
  return scratch.fused;
}

}  // namespace

FilteredWalk::FilteredWalk(const FusedIndex& index, const SearchRequest& request, double share,
                           uint32_t width, SearchScratch::Impl& scratch)
    : index_(index),
      blocks_(index.blocks()),
      r_(request),
      share_(share),
      width_(width),
      scratch_(scratch),
      may_be_returned_(test_of(request, index.header().first_row, blocks_.nodes, scratch)),
      nearest_(blocks_, started(blocks_, width, may_be_returned_, scratch), scratch.fused.query(),
               request.params.k, scratch.candidates, scratch.scanned) {}

FilteredWalk::End FilteredWalk::run(uint64_t deadline, bool may_give_up) {
  uint32_t looks = 0;
  while (!scratch_.fused.run(kStepsBetweenLooks)) {
    look();
    if (++looks == kLooksToTell && may_give_up &&
        is_too_narrow(scratch_.candidates.size(), compared_)) {
      return End::kTooNarrow;
    }
    if (deadline != 0 && steady_now_ns() > deadline) {
      finish();
      return End::kOutOfTime;
    }
  }
  look();
  if (may_give_up && ends_too_narrow()) return End::kTooNarrow;
  finish();
  return End::kDone;
}

bool FilteredWalk::is_too_narrow(uint64_t matching, uint64_t nodes) {
  const double local = std::max<double>(static_cast<double>(matching), 0.5) /
                       static_cast<double>(std::max<uint64_t>(nodes, 1));
  if (local >= share_) return false;
  needed_ = index_.filtered_width(r_, local);
  return needed_ > kMuchWider * width_;
}

// Looks at the beam, unless the k nearest that were found are all within it.
bool FilteredWalk::ends_too_narrow() {
  const auto near = scratch_.fused.near();
  const auto end = std::find(near.begin(), near.end(), kNoKey);
  if (end == near.begin() || end != near.end()) return false;  // all that there is was seen
  if (nearest_.within() <= FusedSearcher::distance_of(near.back())) return false;
  const auto matching = std::count_if(near.begin(), near.end(), [&](uint64_t key) {
    return may_be_returned_(FusedSearcher::node_of(key)) != 0;
  });
  return is_too_narrow(static_cast<uint64_t>(matching), near.size());
}

void FilteredWalk::look() {
  const auto compared = scratch_.fused.take_compared();
  compared_ += compared.size();
  for (const uint64_t key : compared) {
    if (may_be_returned_(FusedSearcher::node_of(key)) != 0) nearest_.add(key);
  }
  const uint64_t limit = uint64_t{sortable(nearest_.within())} << 32;
  for (const uint64_t key : scratch_.fused.take_shown()) {
    if (key < limit) scratch_.open.push_back(key);
  }
  scratch_.fused.collect_below(nearest_.within());
}

// Compares what was shown, the least that a distance may be first, while it may be nearer than the
// k-th.
void FilteredWalk::finish() {
  std::vector<uint64_t>& open = scratch_.open;
  const auto may_be_near = [&](uint64_t key) {
    return unsortable(static_cast<uint32_t>(key >> 32)) < nearest_.within();
  };
  std::erase_if(open, [&](uint64_t key) { return !may_be_near(key); });
  std::sort(open.begin(), open.end());
  std::erase_if(open,
                [&](uint64_t key) { return !scratch_.fused.mark(static_cast<uint32_t>(key)); });
  nearest_.compare(
      open.size(), [&](size_t i) { return static_cast<uint32_t>(open[i]); },
      [&](size_t i) { return may_be_near(open[i]); });
}

}  // namespace rvf::index
