// Searching rows behind those of an index: by their sign codes as far as those are made, and what
// may be among the k nearest, with all others, by the stored rows.
#include <algorithm>
#include <cmath>

#include "index/calibrated_index.hpp"
#include "index/flat.hpp"
#include "index/search_scratch.hpp"

namespace rvf::index {
namespace {

// Fewer are compared about as fast.
constexpr uint64_t kLeastRows = 1024;
// Of an estimate's error: hardly any row is missed that an exact scan would find.
constexpr float kDeviations = 3.25F;
constexpr size_t kBlocksBetweenClocks = 16;
constexpr size_t kLeastRoom = 4096;  // bounds before the far ones are dropped

// Bounds of rows that may be among the k nearest.
class NearBounds {
 public:
  NearBounds(std::vector<SignBounds>& all, size_t k, float within)
      : all_(all), k_(k), within_(within) {
    all_.clear();
  }

  // Those of the codes in `records` with the numbers, which become larger by `first`.
  void add(const SignQuery& query, const std::byte* records, const FusedLayout& layout,
           std::span<const uint32_t> numbers, uint32_t first) {
    const size_t before = all_.size();
    query.bounds({&records, 31, layout}, 0, numbers.data(), numbers.size(), within_, kDeviations,
                 all_);
    for (size_t i = before; i < all_.size(); ++i) all_[i].node += first;
    if (all_.size() < room_) return;
    drop_far_ones();
    room_ = std::max(room_, 2 * all_.size());
  }
  // Of the k least upper bounds the last one is one of the k-th distance.
  void drop_far_ones() {
    if (all_.size() <= k_) return;
    const auto last = all_.begin() + static_cast<ptrdiff_t>(k_ - 1);
    std::nth_element(all_.begin(), last, all_.end(),
                     [](const SignBounds& a, const SignBounds& b) { return a.high < b.high; });
    within_ = std::min(within_, last->high);
    std::erase_if(all_, [&](const SignBounds& b) { return b.low > within_; });
  }

 private:
  std::vector<SignBounds>& all_;
  size_t k_;
  float within_;
  size_t room_ = kLeastRoom;
};

}  // namespace

bool CalibratedIndex::scan_behind(const SearchRequest& r, uint64_t begin, uint64_t end,
                                  uint64_t deadline, SearchScratch::Impl& scratch, TopK& best,
                                  SearchStats& stats) const {
  const auto scan_rest = [&](uint64_t from) {
    return scan_rows_parallel(r, from, end, deadline, best, stats);
  };
  if (end - begin < kLeastRows) return scan_rest(begin);
  if (r.filter != nullptr && r.filter->count() < kLeastRows) return scan_rest(begin);
  const GraphInput input{r.rows, begin, end - begin, r.query->dtype(), header_.dim, header_.metric};
  const std::shared_ptr<const TailCodes::Blocks> blocks = tail_codes_.of(space_, input);
  scratch.signs.prepare(space_.layout(), scratch.placed.data());
  NearBounds near(scratch.bounds, r.params.k, scratch.within);
  scratch.numbers.resize(std::max<size_t>(scratch.numbers.size(), TailCodes::kBlockRows));
  const bool all = r.filter == nullptr && (r.dead == nullptr || r.dead->empty());
  uint64_t coded = begin;
  uint64_t matching = 0;
  bool in_time = true;
  for (size_t i = 0; i < blocks->size() && in_time; ++i) {
    const TailCodes::Block& block = *(*blocks)[i];
    if (coded + TailCodes::kBlockRows > end || (*r.rows)[coded] != block.first_row) break;
    size_t n = 0;
    for (uint32_t row = 0; row < TailCodes::kBlockRows; ++row) {
      scratch.numbers[n] = row;
      n += all || r.may_return(coded + row) ? 1 : 0;
    }
    matching += n;
    near.add(scratch.signs, block.records.get(), space_.layout(),
             std::span(scratch.numbers).first(n), static_cast<uint32_t>(coded - begin));
    coded += TailCodes::kBlockRows;
    if (deadline != 0 && i % kBlocksBetweenClocks == 0) in_time = steady_now_ns() <= deadline;
  }
  const bool all_asked = !std::isfinite(scratch.within);
  if (in_time && all_asked && scratch.bounds.size() < std::min<uint64_t>(r.params.k, matching)) {
    return scan_rest(begin);  // nothing is known of rows whose numbers overflow
  }
  near.drop_far_ones();
  scratch.candidates.clear();
  // As keys of nodes that the graph does not have yet.
  for (const SignBounds& b : scratch.bounds) {
    scratch.candidates.push_back((begin - header_.first_row + b.node) << 1);
  }
  compare_exactly(r, scratch, best, stats);
  return in_time && scan_rest(coded);
}

}  // namespace rvf::index
