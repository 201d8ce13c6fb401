#include "index/fused_index.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "index/flat.hpp"
#include "index/search_scratch.hpp"

namespace rvf::index {
namespace {

constexpr uint64_t kStepsBetweenClocks = 16;
// A walk costs about as much per unit of its width as this many distances of a scan.
constexpr double kDistancesPerWidth = 16;
// Beyond the k wanted, so many of the refined are compared exactly: bytes mistake near ties.
constexpr uint32_t kSpare = 6;
constexpr uint32_t kSpareShare = 8;
// Of the tenth neighbour's median distance: queries up to here are like the rows.
constexpr double kOrdinary = 1.15;
// Queries beyond the farthest kind that was measured get so many of its steps.
constexpr double kFarthest = 1.3;
// Widths for a graph that was never calibrated.
constexpr uint32_t kUncalibrated = 128;

// Walks pass by rows that may not be returned, so the beam has to hold more.
uint32_t widened(uint32_t width, double share) noexcept {
  if (share >= 1) return width;
  return static_cast<uint32_t>(std::min<double>(width / std::max(share, 1e-3), 1e6));
}

}  // namespace

FusedIndex::FusedIndex(FusedSpace space, const FusedBlocks& blocks, uint64_t first_row)
    : space_(std::move(space)), blocks_(blocks) {
  header_.first_row = first_row;
  header_.total_nodes = blocks.nodes;
  header_.metric = space_.frame().metric;
  header_.dim = space_.frame().dim;
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
    const bool follows = v.header.first_node == at && v.header.node_count <= piece &&
                         v.header.total_nodes == first.total_nodes &&
                         v.header.first_row == first.first_row && v.header.dim == first.dim &&
                         v.header.metric == first.metric && v.header.index_hash == first.index_hash;
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
  FusedFrame frame;
  frame.metric = first.metric;
  frame.dim = first.dim;
  frame.seed = first.seed;
  frame.scale = first.scale;
  frame.largest_norm2 = first.largest_norm2;
  frame.centre = first.centre;
  RVF_ASSIGN(FusedSpace space, FusedSpace::from(std::move(frame)));
  auto index = std::make_unique<FusedIndex>(std::move(space), FusedBlocks{}, first.first_row);
  index->header_ = first;
  FusedBlocks& blocks = index->blocks_;
  blocks.layout = index->space_.layout();
  blocks.nodes = static_cast<uint32_t>(first.total_nodes);
  blocks.part_shift =
      views.size() > 1 ? static_cast<uint32_t>(std::countr_zero(piece)) : uint32_t{31};
  blocks.root = views.front().root.data();
  blocks.root_groups = first.root_groups;
  for (const wire::FusedPayloadView& v : views) index->parts_.push_back(v.blocks.data());
  blocks.parts = index->parts_.data();
  for (const wire::ByteSpan payload : payloads) index->bytes_ += payload.size();
  return index;
}

CoveringIndex::Covered FusedIndex::covered() const {
  return {header_.first_row, header_.first_row + blocks_.nodes, true, header_.metric, header_.dim};
}

IndexInfo FusedIndex::describe() const {
  IndexInfo info;
  info.kind = "graph";
  info.fused = true;
  info.rows = blocks_.nodes;
  info.first_row = header_.first_row;
  info.bytes = bytes_;
  info.m = kFusedDegree / 2;
  info.default_ef = width_for(10, kDefaultTargetRecall);
  info.seed = header_.seed;
  info.metric = header_.metric;
  return info;
}

float FusedIndex::placed_distance(std::vector<float> query, std::vector<float> row) const {
  std::vector<float> a(space_.layout().padded);
  std::vector<float> b(space_.layout().padded);
  space_.place(query, true, a.data());
  space_.place(row, false, b.data());
  float sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

uint32_t FusedIndex::width_for(uint32_t k, float target) const {
  const auto curve = [&](uint32_t at_k) {
    std::vector<WidthPoint> points;
    for (const wire::FusedCalibrationPoint& p : header_.calibration) {
      if (p.kind == 0 && p.k == at_k) {
        points.push_back({static_cast<double>(p.width), static_cast<double>(p.recall)});
      }
    }
    return points;
  };
  const double ten = width_on_curve(curve(10), target);
  const double hundred = width_on_curve(curve(100), target);
  double width = kUncalibrated + k;
  if (ten > 0) {
    width = ten;
    if (k > 10 && hundred > 0) {
      width = k >= 100 ? hundred * k / 100.0
                       : ten * std::pow(std::max(1.0, hundred / ten), std::log10(k / 10.0));
    }
  }
  width = std::max(std::ceil(width), static_cast<double>(k));
  return static_cast<uint32_t>(std::min(width, static_cast<double>(blocks_.nodes) + k));
}

uint32_t FusedIndex::beam_width(const SearchRequest& r) const {
  const SearchParams& p = r.params;
  uint32_t width = std::max(p.ef, p.k);
  if (p.ef == 0) {
    width = width_for(p.k, p.target_recall > 0 ? p.target_recall : kDefaultTargetRecall);
  }
  const double passing = passing_rows(r, blocks_.nodes);
  const double share = passing / std::max<double>(1, blocks_.nodes);
  const uint32_t wide = widened(width, share);
  if (!p.walk && passing <= wide * kDistancesPerWidth) return 0;
  if (r.filter == nullptr) return std::min(wide, std::max(width, kMaxDeadWidth));
  return wide;
}

bool FusedIndex::walk_once(const SearchRequest& r, uint32_t width, uint64_t deadline,
                           SearchScratch::Impl& scratch, SearchStats& stats) const {
  // Where some rows may not be returned, results are taken from all that was compared.
  const bool picky = r.filter != nullptr || (r.dead != nullptr && !r.dead->empty());
  scratch.fused.start(blocks_, scratch.placed.data(), width,
                      picky ? std::min<uint32_t>(blocks_.nodes, width * 8 + 256) : 0);
  bool in_time = true;
  while (!scratch.fused.run(deadline == 0 ? ~uint64_t{0} : kStepsBetweenClocks)) {
    if (steady_now_ns() > deadline) {
      in_time = false;
      break;
    }
  }
  stats.distances += scratch.fused.state().refined;
  stats.expansions += scratch.fused.state().expansions;
  collect(r, scratch);
  return in_time;
}

// Keys of the rows that may be returned, nearest first as far as bytes tell; enough of them.
void FusedIndex::collect(const SearchRequest& r, SearchScratch::Impl& scratch) const {
  std::vector<uint64_t>& out = scratch.candidates;
  const size_t wanted = size_t{r.params.k} + kSpare + r.params.k / kSpareShare;
  out.clear();
  const bool picky = r.filter != nullptr || (r.dead != nullptr && !r.dead->empty());
  if (!picky) {
    for (const uint64_t key : scratch.fused.near()) {
      if (key == kNoKey || out.size() == wanted) break;
      out.push_back(key);
    }
    return;
  }
  for (const uint64_t key : scratch.fused.trace()) {
    const uint64_t row = header_.first_row + FusedSearcher::node_of(key);
    if (r.dead != nullptr && r.dead->test(row)) continue;
    if (r.filter != nullptr && !r.filter->test(row)) continue;
    out.push_back(key);
  }
  const size_t kept = std::min(wanted, out.size());
  std::partial_sort(out.begin(), out.begin() + static_cast<ptrdiff_t>(kept), out.end());
  out.resize(kept);
}

void FusedIndex::compare_exactly(const SearchRequest& r, SearchScratch::Impl& scratch, TopK& best,
                                 SearchStats& stats) const {
  const size_t n = scratch.candidates.size();
  scratch.rows.resize(n);
  scratch.distances.resize(n);
  for (size_t i = 0; i < n; ++i) {
    scratch.rows[i] = (*r.rows)[header_.first_row + FusedSearcher::node_of(scratch.candidates[i])];
    __builtin_prefetch(scratch.rows[i]);
  }
  r.query->distances(scratch.rows.data(), n, scratch.distances.data());
  stats.distances += n;
  for (size_t i = 0; i < n; ++i) {
    best.offer(header_.first_row + FusedSearcher::node_of(scratch.candidates[i]),
               scratch.distances[i]);
  }
}

// Queries that lie farther from the rows than those the width was measured with need more.
uint32_t FusedIndex::wider_for(const SearchRequest& r, uint32_t width,
                               const SearchScratch::Impl& scratch) const {
  const size_t at = std::min<size_t>(r.params.k, 10);
  if (r.params.ef != 0 || header_.calibration.empty() || scratch.candidates.size() < at) return 0;
  const float target = r.params.target_recall > 0 ? r.params.target_recall : kDefaultTargetRecall;
  const float distance = FusedSearcher::distance_of(scratch.candidates[at - 1]);
  double own_width = 0;
  double own_distance = 0;
  double factor = 1;
  for (uint16_t kind = 0;; ++kind) {
    std::vector<WidthPoint> points;
    double there = 0;
    for (const wire::FusedCalibrationPoint& p : header_.calibration) {
      if (p.kind != kind || p.k != 10) continue;
      points.push_back({static_cast<double>(p.width), static_cast<double>(p.recall)});
      there = static_cast<double>(p.distance);
    }
    if (points.empty()) break;
    const double needed = width_on_curve(points, target);
    if (kind == 0) {
      own_width = needed;
      own_distance = there;
      if (distance <= kOrdinary * own_distance) return 0;
    } else if (there > own_distance && needed > own_width) {
      const double share =
          std::clamp((distance - own_distance) / (there - own_distance), 0.0, kFarthest);
      factor = std::max(factor, std::pow(needed / own_width, share));
    }
  }
  return factor < 1.2 ? 0 : static_cast<uint32_t>(std::min(width * factor, 1e6));
}

Result<bool> FusedIndex::walk(const SearchRequest& r, uint32_t width, uint64_t deadline,
                              SearchScratch::Impl& scratch, TopK& best, SearchStats& stats) const {
  if (r.vector.size() != header_.dim) {
    return Error(ErrorCode::kBadArgument, "a search of the fused layout needs the query's values");
  }
  scratch.vector.assign(r.vector.begin(), r.vector.end());
  if (r.query->dtype() == DType::kBinary) {
    for (float& x : scratch.vector) x = x > 0 ? 1.0F : 0.0F;
  }
  scratch.placed.resize(space_.layout().padded);
  space_.place(scratch.vector, true, scratch.placed.data());
  bool in_time = walk_once(r, width, deadline, scratch, stats);
  if (in_time) {
    const uint32_t wider = wider_for(r, width, scratch);
    if (wider > width) in_time = walk_once(r, wider, deadline, scratch, stats);
  }
  compare_exactly(r, scratch, best, stats);
  stats.layers |= kLayerA | kLayerC;
  return in_time;
}

Result<std::unique_ptr<Index>> open_fused(const std::vector<wire::ByteSpan>& fused) {
  RVF_ASSIGN(auto index, FusedIndex::open(fused));
  return std::unique_ptr<Index>(std::move(index));
}

}  // namespace rvf::index
