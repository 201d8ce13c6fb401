#include "index/fused_index.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "index/filtered_walk.hpp"
#include "index/flat.hpp"
#include "index/search_scratch.hpp"

namespace rvf::index {
namespace {

constexpr uint64_t kStepsBetweenClocks = 16;
// A walk is given up for a scan where a unit of its width costs as much as this many distances.
constexpr double kDistancesPerWidth = 16;
// What was measured on rows of 768 bytes, in distances: a unit of width, and of a scan of codes a
// row, the query, and every row that is wanted.
constexpr double kDistancesPerWideStep = 11;
constexpr double kDistancesPerCode = 0.11;
constexpr double kDistancesPerCodeScan = 350;
constexpr double kDistancesPerCodedResult = 30;
// Of the width at which a beam holds what it looks for: enough where its neighbours are looked at.
// At 100,000 x 384 and every tenth row that finds .98 of ten, .99 where a recall was asked for.
constexpr double kShownByBeam = 0.3;
constexpr double kShownSurely = 0.45;
// Distances from bytes are off by about 2 * step * distance / sqrt(12), and by what single precision
// loses of numbers near 128. So far on either side rows are compared exactly, and farther where more
// than the default recall is asked for: by itself, or by a beam so many times wider.
constexpr float kDeviations = 2 / 3.4641016F;
constexpr float kSureDeviations = 2.5F * kDeviations;
constexpr uint32_t kMuchWider = 4;
constexpr float kFloatError = 6e-5F;
// A product with a row as long as the query is off by about step * length / sqrt(12) by the rounding
// of the query; a distance by twice that, of which this is three times as much.
constexpr float kQueryDeviations = 6 / 3.4641016F;

bool is_picky(const SearchRequest& r) noexcept {
  return r.filter != nullptr || (r.dead != nullptr && !r.dead->empty());
}

}  // namespace

FusedIndex::FusedIndex(FusedSpace space, const FusedBlocks& blocks, uint64_t first_row)
    : CalibratedIndex(std::move(space)), blocks_(blocks) {
  wire::FusedHeader& h = own_header();
  h.first_row = first_row;
  h.total_nodes = blocks.nodes;
  h.metric = this->space().frame().metric;
  h.dim = this->space().frame().dim;
}

Result<std::unique_ptr<FusedIndex>> FusedIndex::open(const std::vector<wire::ByteSpan>& payloads) {
  if (payloads.empty()) return Error(ErrorCode::kEmptyIndex, "no FUSED payloads");
  std::vector<wire::FusedPayloadView> views;
  for (const wire::ByteSpan payload : payloads) {
    RVF_ASSIGN(wire::FusedPayloadView view, wire::parse_fused(payload));
    views.push_back(std::move(view));
  }
  std::sort(views.begin(), views.end(),
            [](const auto& a, const auto& b) { return a.header.first_node < b.header.first_node; });
  const wire::FusedHeader& first = views.front().header;
  const uint64_t piece = first.node_count;
  uint64_t at = 0;
  for (const wire::FusedPayloadView& v : views) {
    const bool follows =
        v.header.first_node == at && v.header.node_count <= piece &&
        v.header.total_nodes == first.total_nodes && v.header.first_row == first.first_row &&
        v.header.dim == first.dim && v.header.metric == first.metric &&
        v.header.index_hash == first.index_hash && v.header.sign_codes == first.sign_codes;
    at += v.header.node_count;
    const bool full = v.header.node_count == piece || at == first.total_nodes;
    if (!follows || !full) {
      return Error(ErrorCode::kCorrupt, "the FUSED payloads do not make one graph");
    }
  }
  // A node's payload is found by shifting its number.
  if (at != first.total_nodes || (views.size() > 1 && !std::has_single_bit(piece))) {
    return Error(ErrorCode::kCorrupt, "the FUSED payloads do not make one graph");
  }
  RVF_ASSIGN(FusedSpace space, space_of(first));
  auto index = std::make_unique<FusedIndex>(std::move(space), FusedBlocks{}, first.first_row);
  index->take_header(first);
  FusedBlocks& blocks = index->blocks_;
  blocks.layout = index->space().layout();
  blocks.nodes = static_cast<uint32_t>(first.total_nodes);
  blocks.part_shift =
      views.size() > 1 ? static_cast<uint32_t>(std::countr_zero(piece)) : uint32_t{31};
  blocks.root = views.front().root.data();
  blocks.root_groups = first.root_groups;
  for (const wire::FusedPayloadView& v : views) index->parts_.push_back(v.blocks.data());
  blocks.parts = index->parts_.data();
  if (first.sign_codes) {
    for (const wire::FusedPayloadView& v : views) {
      index->code_parts_.push_back(v.sign_codes.data());
    }
    index->codes_ = {index->code_parts_.data(), blocks.part_shift, blocks.layout};
  }
  for (const wire::ByteSpan payload : payloads) index->bytes_ += payload.size();
  return index;
}

IndexInfo FusedIndex::describe() const {
  IndexInfo info;
  info.kind = "graph";
  info.layout = SearchLayout::kFused;
  info.rows = blocks_.nodes;
  info.first_row = header().first_row;
  info.bytes = bytes_;
  info.m = kFusedDegree / 2;
  info.default_ef = width_for(10, kDefaultTargetRecall);
  info.seed = header().seed;
  info.metric = header().metric;
  return info;
}

uint32_t FusedIndex::widest() const {
  constexpr uint32_t kScanInstead = 12;
  return blocks_.nodes / kScanInstead;
}

FusedIndex::Way FusedIndex::cheapest_way(const SearchParams& p, double rows, uint32_t width) const {
  const bool has_codes = codes_.parts != nullptr;
  if (p.codes && has_codes) return Way::kCodes;
  if (p.walk) return Way::kWalk;
  const double codes =
      rows * kDistancesPerCode + kDistancesPerCodeScan + p.k * kDistancesPerCodedResult;
  const bool beat_walk = p.no_walk || codes < width * kDistancesPerWideStep;
  if (has_codes && codes < rows && beat_walk) return Way::kCodes;
  return p.no_walk || rows <= width * kDistancesPerWidth ? Way::kScan : Way::kWalk;
}

double FusedIndex::share_of(const SearchRequest& r) const {
  return passing_rows(r, blocks_.nodes) / std::max<double>(1, blocks_.nodes);
}

uint32_t FusedIndex::filtered_width(const SearchRequest& r, double share) const {
  uint32_t width = width_among(r, 1, 1);
  if (share < 1) {
    const double shown = r.params.target_recall > 0 ? kShownSurely : kShownByBeam;
    width = std::max(width, static_cast<uint32_t>(shown * width_among(r, share, 1)));
  }
  return bounded_width(r, width);
}

CoveringIndex::Plan FusedIndex::plan(const SearchRequest& r) const {
  const SearchParams& p = r.params;
  uint32_t width = filtered_width(r, share_of(r));
  const Way way = cheapest_way(p, passing_rows(r, blocks_.nodes), width);
  if (way != Way::kWalk) return {way, 0};
  if (r.filter == nullptr) width = std::min(width, std::max({p.ef, p.k, kMaxDeadWidth}));
  return walk_or_scan(r, width);
}

bool FusedIndex::walk_once(const SearchRequest& r, uint32_t width, uint64_t deadline,
                           SearchScratch::Impl& scratch, SearchStats& stats) const {
  FusedSearcher& walk = scratch.fused;
  walk.start(blocks_, scratch.placed.data(), width, 0);
  bool in_time = true;
  while (in_time && !walk.run(deadline == 0 ? ~uint64_t{0} : kStepsBetweenClocks)) {
    in_time = steady_now_ns() <= deadline;
  }
  stats.distances += walk.state().refined;
  stats.expansions += walk.state().expansions;
  const auto near = walk.near();
  scratch.candidates.assign(near.begin(), std::find(near.begin(), near.end(), kNoKey));
  trim(r.params, scratch);
  return in_time;
}

// The k least stay, and all that may be nearer than one of them. Few do, so few are sorted.
void FusedIndex::trim(const SearchParams& params, SearchScratch::Impl& scratch) const {
  const uint32_t k = params.k;
  std::vector<uint64_t>& out = scratch.candidates;
  if (out.size() <= k) {
    if (out.size() == k) {
      scratch.within = FusedSearcher::distance_of(*std::ranges::max_element(out));
    }
    return;
  }
  size_t sorted = std::min(out.size(), 2 * size_t{k} + 16);
  const auto sort_to = [&](size_t end) {
    const auto at = out.begin() + static_cast<ptrdiff_t>(end);
    if (at != out.end()) std::nth_element(out.begin(), at, out.end());
    std::sort(out.begin(), at);
  };
  sort_to(sorted);
  // The query is rounded too, which moves the distances to all that lie together by about as much:
  // their order holds, but in a tight cluster nothing is left of the distance itself, by which
  // its error is known.
  const FusedQuery& query = scratch.fused.query();
  const bool sure =
      params.target_recall > kDefaultTargetRecall ||
      params.ef >
          std::min<uint64_t>(kMuchWider * uint64_t{width_for(k, kDefaultTargetRecall)}, widest());
  const float deviations = sure ? kSureDeviations : kDeviations;
  const float moved = kQueryDeviations * query.step * std::sqrt(query.norm2);
  const auto error = [&](uint64_t key) {
    float scale;
    std::memcpy(&scale, blocks_.block(FusedSearcher::node_of(key)) + FusedLayout::kScale, 4);
    const float distance = std::max(FusedSearcher::distance_of(key), 0.0F);
    return deviations * scale * std::sqrt(distance + moved) + kFloatError;
  };
  const uint64_t last = out[k - 1];
  scratch.within = FusedSearcher::distance_of(last);
  const float limit = scratch.within + error(last);
  size_t kept = k;
  while (kept < out.size() && FusedSearcher::distance_of(out[kept]) - error(out[kept]) <= limit) {
    if (++kept < sorted || sorted == out.size()) continue;
    sorted = out.size();
    sort_to(sorted);
  }
  out.resize(kept);
}

uint32_t FusedIndex::wider_than(const SearchRequest& r, uint32_t width,
                                const SearchScratch::Impl& scratch) const {
  const auto near = scratch.fused.near();
  const size_t last = std::min<size_t>(r.params.k, 10) - 1;
  if (last >= near.size() || near[last] == kNoKey) return 0;
  const uint32_t wider =
      wider_for(r, width, static_cast<double>(FusedSearcher::distance_of(near[last])));
  return wider > width ? wider : 0;
}

Result<bool> FusedIndex::walk(const SearchRequest& r, uint32_t width, uint64_t deadline,
                              SearchScratch::Impl& scratch, TopK& best, SearchStats& stats) const {
  RVF_TRY(place_query(r, scratch));
  if (is_picky(r)) return walk_filtered(r, width, deadline, scratch, best, stats);
  bool in_time = walk_once(r, width, deadline, scratch, stats);
  if (const uint32_t wider = in_time ? wider_than(r, width, scratch) : 0; wider != 0) {
    in_time = walk_once(r, wider, deadline, scratch, stats);
    stats.ef = wider;
  }
  compare_exactly(r, scratch, best, stats);
  stats.layers |= kLayerA | kLayerC;
  return in_time;
}

Result<bool> FusedIndex::walk_filtered(const SearchRequest& r, uint32_t width, uint64_t deadline,
                                       SearchScratch::Impl& scratch, TopK& best,
                                       SearchStats& stats) const {
  using End = FilteredWalk::End;
  const double share = share_of(r);
  uint32_t needed = 0;
  const auto walk_with = [&](uint32_t w, bool may_give_up) {
    FilteredWalk walk(*this, r, share, w, scratch);
    const End end = walk.run(deadline, may_give_up);
    stats.distances += scratch.fused.state().refined;
    stats.expansions += scratch.fused.state().expansions;
    stats.ef = w;
    needed = walk.needed_width();
    return end;
  };
  stats.layers |= kLayerA | kLayerC;
  End end = walk_with(width, r.params.ef == 0);
  if (end == End::kTooNarrow) {
    const Way way = cheapest_way(r.params, passing_rows(r, blocks_.nodes), needed);
    if (way == Way::kCodes) return scan_codes(r, deadline, scratch, best, stats);
    if (way == Way::kScan) return scan_covered(r, deadline, best, stats);
    end = walk_with(std::min(needed, std::max(width, widest())), false);
  } else if (const uint32_t wider = end == End::kDone ? wider_than(r, width, scratch) : 0) {
    end = walk_with(wider, false);
  }
  trim(r.params, scratch);
  compare_exactly(r, scratch, best, stats);
  return end != End::kOutOfTime;
}

bool FusedIndex::scan_covered(const SearchRequest& r, uint64_t deadline, TopK& best,
                              SearchStats& stats) const {
  stats.layers |= kLayerScan;
  const uint64_t begin = header().first_row;
  return scan_rows_parallel(r, begin, begin + blocks_.nodes, deadline, best, stats);
}

}  // namespace rvf::index
