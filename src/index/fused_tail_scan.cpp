// Searching rows behind the graph: by their sign codes as far as those are made, and what may be
// among the k nearest, with all others, by the stored rows.
#include <algorithm>
#include <cmath>

#include "index/flat.hpp"
#include "index/fused_index.hpp"
#include "index/search_scratch.hpp"

namespace rvf::index {
namespace {

// Fewer are compared about as fast.
constexpr uint64_t kLeastRows = 1024;
// Of an estimate's error: hardly any row is missed that an exact scan would find.
constexpr float kDeviations = 3.25F;
constexpr size_t kBlocksBetweenClocks = 16;

}  // namespace

bool FusedIndex::scan_behind(const SearchRequest& r, uint64_t begin, uint64_t end,
                             uint64_t deadline, SearchScratch::Impl& scratch, TopK& best,
                             SearchStats& stats) const {
  const auto scan_rest = [&](uint64_t from) {
    return scan_rows_parallel(r, from, end, deadline, best, stats);
  };
  if (end - begin < kLeastRows) return scan_rest(begin);
  if (r.filter != nullptr && r.filter->count() < kLeastRows) return scan_rest(begin);
  const GraphInput input{r.rows,           begin,        end - begin,
                         r.query->dtype(), header().dim, header().metric};
  const std::shared_ptr<const TailCodes::Blocks> blocks = tail_codes_.of(space(), input);
  scratch.signs.prepare(blocks_.layout, scratch.placed.data());
  std::vector<SignBounds>& bounds = scratch.bounds;
  bounds.clear();
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
    const std::byte* records = block.records.get();
    const size_t before = bounds.size();
    scratch.signs.bounds({&records, 31, blocks_.layout}, 0, scratch.numbers.data(), n,
                         scratch.within, kDeviations, bounds);
    for (size_t b = before; b < bounds.size(); ++b) {
      bounds[b].node += static_cast<uint32_t>(coded - begin);
    }
    coded += TailCodes::kBlockRows;
    if (deadline != 0 && i % kBlocksBetweenClocks == 0) in_time = steady_now_ns() <= deadline;
  }
  const size_t k = r.params.k;
  // Nothing is known of a row with numbers that overflow.
  const bool bounded = std::isfinite(scratch.within) || bounds.size() == matching;
  if (in_time && !bounded && bounds.size() < k) return scan_rest(begin);
  // Of the k least upper bounds the last one is one of the k-th distance.
  if (bounds.size() > k) {
    const auto last = bounds.begin() + static_cast<ptrdiff_t>(k - 1);
    std::nth_element(bounds.begin(), last, bounds.end(),
                     [](const SignBounds& a, const SignBounds& b) { return a.high < b.high; });
    const float within = last->high;
    std::erase_if(bounds, [&](const SignBounds& b) { return b.low > within; });
  }
  scratch.candidates.clear();
  // As keys of nodes that the graph does not have yet.
  for (const SignBounds& b : bounds) {
    scratch.candidates.push_back((begin - header().first_row + b.node) << 1);
  }
  compare_exactly(r, scratch, best, stats);
  return in_time && scan_rest(coded);
}

}  // namespace rvf::index
