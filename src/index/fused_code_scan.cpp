// Searching what passes a filter by its sign codes: every matching row is bounded by its code, what
// may be among the k nearest is compared by the bytes of its block, and what bytes cannot tell
// apart by the stored rows.
#include <algorithm>
#include <bit>

#include "index/flat.hpp"
#include "index/fused_index.hpp"
#include "index/nearest_by_bytes.hpp"
#include "index/search_scratch.hpp"

namespace rvf::index {
namespace {

constexpr size_t kCodesAtOnce = 256;  // their records stay in the first cache
constexpr size_t kLeastRoom = 512;
// Of an estimate's error, between it and the bound of a row.
constexpr float kDeviations = 2.0F;
constexpr float kForNamedRecall = 2.5F;
constexpr float kForMoreRecall = 3.25F;

float deviations_for(const SearchParams& p) {
  if (p.target_recall <= 0) return kDeviations;
  return p.target_recall <= kDefaultTargetRecall ? kForNamedRecall : kForMoreRecall;
}

bool lower_estimate(const SignBounds& a, const SignBounds& b) {
  return a.low + a.high < b.low + b.high;
}

}  // namespace

// One search. `bounds` are of nodes that were not compared yet, `candidates` the keys of those that
// were.
class CodeScan {
 public:
  CodeScan(const FusedIndex& index, const SearchRequest& request, SearchScratch::Impl& scratch)
      : blocks_(index.blocks()),
        codes_(index.sign_codes()),
        first_row_(index.header().first_row),
        r_(request),
        k_(request.params.k),
        deviations_(deviations_for(request.params)),
        scratch_(scratch),
        nearest_(blocks_, scratch.fused,
                 scratch.fused.prepare(blocks_.layout, scratch.placed.data()), k_,
                 scratch.candidates, scratch.scanned) {
    scratch.signs.prepare(blocks_.layout, scratch.placed.data());
    scratch.bounds.clear();
    scratch.open.clear();
    scratch.numbers.resize(kCodesAtOnce + 64);
  }

  // False where `deadline` passed before the end.
  bool run(uint64_t deadline) {
    const uint64_t part_nodes = uint64_t{1} << codes_.part_shift;
    for (uint64_t begin = 0; begin < blocks_.nodes;) {
      if (deadline != 0 && steady_now_ns() > deadline) return false;
      part_ = static_cast<uint32_t>(begin >> codes_.part_shift);
      const uint64_t chunk_end =
          first_row_ + begin - (first_row_ + begin) % RowBitmap::kChunkBits + RowBitmap::kChunkBits;
      const uint64_t end = std::min<uint64_t>(
          {chunk_end - first_row_, (uint64_t{part_} + 1) * part_nodes, uint64_t{blocks_.nodes}});
      scan(first_row_ + begin, first_row_ + end, first_row_ + part_ * part_nodes);
      begin = end;
    }
    finish();
    return true;
  }
  // Rows that may be returned.
  uint64_t matching() const noexcept { return matching_; }

 private:
  // Rows [begin, end) of one chunk of the bitmaps.
  void scan(uint64_t begin, uint64_t end, uint64_t origin) {
    const uint64_t chunk = begin / RowBitmap::kChunkBits;
    const uint64_t* passing = r_.filter != nullptr ? r_.filter->chunk(chunk) : nullptr;
    if (r_.filter != nullptr && passing == nullptr) return;
    const uint64_t* dead = r_.dead != nullptr ? r_.dead->chunk(chunk) : nullptr;
    const uint64_t first_word = chunk * RowBitmap::kChunkWords;
    const std::byte* records = codes_.parts[part_];
    const uint32_t stride = codes_.layout.sign_bytes;
    uint32_t* numbers = scratch_.numbers.data();
    size_t n = 0;
    for (uint64_t word = begin / 64; word * 64 < end; ++word) {
      uint64_t bits = passing != nullptr ? passing[word - first_word] : ~uint64_t{0};
      if (dead != nullptr) bits &= ~dead[word - first_word];
      if (word == begin / 64) bits &= ~uint64_t{0} << (begin % 64);
      if (end - word * 64 < 64) bits &= (uint64_t{1} << (end % 64)) - 1;
      const auto base = static_cast<uint32_t>(word * 64 - origin);
      for (; bits != 0; bits &= bits - 1) {
        const uint32_t number = base + static_cast<uint32_t>(std::countr_zero(bits));
        const std::byte* record = records + size_t{number} * stride;
        for (uint32_t at = 0; at < stride; at += 64) __builtin_prefetch(record + at);
        numbers[n++] = number;
      }
      if (n >= kCodesAtOnce) {
        bound(n);
        n = 0;
      }
    }
    bound(n);
  }

  void bound(size_t n) {
    compare_chosen();
    std::vector<SignBounds>& all = scratch_.bounds;
    const auto before = static_cast<ptrdiff_t>(all.size());
    matching_ += n;
    scratch_.signs.bounds(codes_, part_, scratch_.numbers.data(), n, nearest_.within(), deviations_,
                          all);
    // The best of them by bytes: the nearer the k-th, the fewer rows remain.
    const auto fresh = all.begin() + before;
    auto end = all.end();
    if (nearest_.full()) {
      end = std::partition(fresh, end, [&](const SignBounds& b) {
        return (b.low + b.high) / 2 <= nearest_.within();
      });
    }
    const auto last = fresh + std::min(static_cast<ptrdiff_t>(k_), end - fresh);
    if (last != end) std::nth_element(fresh, last, end, lower_estimate);
    for (auto it = fresh; it != last; ++it) {
      nearest_.ask(it->node);
      scratch_.open.push_back(it->node);
    }
    all.erase(fresh, last);
    if (all.size() >= room_) {
      std::erase_if(all, [&](const SignBounds& b) { return b.low > nearest_.within(); });
      room_ = std::max(room_, 2 * all.size());
    }
  }

  // Those that were chosen when the last codes were bounded: their bytes have arrived meanwhile.
  void compare_chosen() {
    const std::vector<uint64_t>& chosen = scratch_.open;
    nearest_.compare(
        chosen.size(), [&](size_t i) { return static_cast<uint32_t>(chosen[i]); },
        [](size_t) { return true; });
    scratch_.open.clear();
  }

  // The bounds anew, as the error of an estimate is less where the row is nearer; then the rest.
  void finish() {
    compare_chosen();
    std::vector<SignBounds> before;
    before.swap(scratch_.bounds);
    std::erase_if(before, [&](const SignBounds& b) { return b.low > nearest_.within(); });
    std::sort(before.begin(), before.end(),
              [](const SignBounds& a, const SignBounds& b) { return a.node < b.node; });
    scratch_.numbers.resize(std::max(before.size(), scratch_.numbers.size()));
    const uint32_t in_part = (1U << codes_.part_shift) - 1;
    for (size_t i = 0; i < before.size();) {
      const uint32_t part = before[i].node >> codes_.part_shift;
      size_t n = 0;
      for (; i < before.size() && before[i].node >> codes_.part_shift == part; ++i) {
        scratch_.numbers[n++] = before[i].node & in_part;
      }
      scratch_.signs.bounds(codes_, part, scratch_.numbers.data(), n, nearest_.within(),
                            deviations_, scratch_.bounds);
    }
    std::vector<SignBounds>& all = scratch_.bounds;
    std::sort(all.begin(), all.end(), [](const SignBounds& a, const SignBounds& b) {
      return a.low != b.low ? a.low < b.low : a.node < b.node;
    });
    nearest_.compare(
        all.size(), [&](size_t i) { return all[i].node; },
        [&](size_t i) { return all[i].low <= nearest_.within(); });
  }

  const FusedBlocks& blocks_;
  const SignCodes& codes_;
  uint64_t first_row_;
  const SearchRequest& r_;
  size_t k_;
  float deviations_;
  SearchScratch::Impl& scratch_;
  NearestByBytes nearest_;
  uint32_t part_ = 0;
  uint64_t matching_ = 0;
  size_t room_ = kLeastRoom;
};

Result<bool> FusedIndex::scan_codes(const SearchRequest& r, uint64_t deadline,
                                    SearchScratch::Impl& scratch, TopK& best,
                                    SearchStats& stats) const {
  RVF_TRY(place_query(r, scratch));
  CodeScan scan(*this, r, scratch);
  const bool in_time = scan.run(deadline);
  stats.layers |= kLayerScan;
  stats.distances += scratch.candidates.size();
  if (in_time && scratch.candidates.size() < std::min<uint64_t>(r.params.k, scan.matching())) {
    // Damaged codes hide rows.
    return scan_covered(r, deadline, best, stats);
  }
  trim(r.params, scratch);
  compare_exactly(r, scratch, best, stats);
  return in_time;
}

}  // namespace rvf::index
