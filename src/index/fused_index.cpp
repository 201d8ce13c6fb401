#include "index/fused_index.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "index/flat.hpp"
#include "index/search_scratch.hpp"

namespace rvf::index {
namespace {

constexpr uint64_t kStepsBetweenClocks = 16;
// A walk costs about as much per unit of its width as this many distances of a scan.
constexpr double kDistancesPerWidth = 16;
// Distances from bytes are off by about step * distance / sqrt(12), and by what single precision
// loses of numbers near 128. Twice that on either side, rows are compared exactly.
constexpr float kDeviations = 2 / 3.4641016F;
constexpr float kFloatError = 6e-5F;
// A width for a graph that was never calibrated.
constexpr uint32_t kUncalibrated = 128;
constexpr double kFilterRoom = 1.5;
// Queries beyond the farthest kind that was measured get so many of its steps.
constexpr double kFarthestKind = 1.3;

// Walks pass by rows that may not be returned, so the beam has to hold more.
uint32_t widened(uint32_t width, double share) noexcept {
  if (share >= 1) return width;
  return static_cast<uint32_t>(std::min<double>(width / std::max(share, 1e-3), 1e6));
}

bool is_picky(const SearchRequest& r) noexcept {
  return r.filter != nullptr || (r.dead != nullptr && !r.dead->empty());
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
  index->take_calibration();
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

void FusedIndex::take_calibration() {
  for (const wire::FusedCalibrationPoint& p : header_.calibration) {
    const WidthPoint point{static_cast<double>(p.width), static_cast<double>(p.recall)};
    if (p.kind == 0 && p.k == 100) hundred_.push_back(point);
    if (p.k != 10 || p.kind > kinds_.size() || p.kind >= kMostKinds) continue;
    if (p.kind == kinds_.size()) kinds_.emplace_back();
    kinds_[p.kind].points.push_back(point);
    kinds_[p.kind].distance = static_cast<double>(p.distance);
  }
}

uint32_t FusedIndex::width_for(uint32_t k, float target) const {
  const double ten = kinds_.empty() ? 0 : width_on_curve(kinds_[0].points, target);
  double width = width_at_k(ten, width_on_curve(hundred_, target), k);
  if (!(width > 0)) width = kUncalibrated + k;
  width = std::max(std::ceil(width), static_cast<double>(k));
  return static_cast<uint32_t>(std::min(width, static_cast<double>(blocks_.nodes) + k));
}

uint32_t FusedIndex::beam_width(const SearchRequest& r) const {
  const SearchParams& p = r.params;
  const double passing = passing_rows(r, blocks_.nodes);
  const double share = std::max(passing / std::max<double>(1, blocks_.nodes), 1e-6);
  uint32_t width = widened(std::max(p.ef, p.k), share);
  if (p.ef == 0) {
    // The k rows that may be returned lie among k / share others, or more where a filter and
    // distance have to do with each other.
    const double room = r.filter != nullptr ? kFilterRoom : 1.0;
    const double among =
        std::min<double>(std::ceil(room * p.k / std::min(share, 1.0)), blocks_.nodes);
    width = width_for(static_cast<uint32_t>(among),
                      p.target_recall > 0 ? p.target_recall : kDefaultTargetRecall);
  }
  width = std::max(std::min(width, blocks_.nodes), std::min(p.k, blocks_.nodes));
  if (!p.walk && passing <= width * kDistancesPerWidth) return 0;
  if (r.filter == nullptr) return std::min(width, std::max({p.ef, p.k, kMaxDeadWidth}));
  return width;
}

bool FusedIndex::walk_once(const SearchRequest& r, uint32_t width, uint64_t deadline,
                           SearchScratch::Impl& scratch, SearchStats& stats) const {
  // Where some rows may not be returned, results are taken from all that was compared.
  const uint64_t traced = is_picky(r) ? uint64_t{width} * 8 + 256 : 0;
  scratch.fused.start(blocks_, scratch.placed.data(), width,
                      static_cast<uint32_t>(std::min<uint64_t>(traced, blocks_.nodes)));
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

// Keys of the rows that may be returned, nearest first as far as bytes tell: the k first, and all
// that may be nearer than one of them.
void FusedIndex::collect(const SearchRequest& r, SearchScratch::Impl& scratch) const {
  std::vector<uint64_t>& out = scratch.candidates;
  out.clear();
  const auto near = scratch.fused.near();
  const auto end = std::find(near.begin(), near.end(), kNoKey);
  if (!is_picky(r)) {
    out.assign(near.begin(), end);
  } else {
    const auto take = [&](uint64_t key) {
      const uint64_t row = header_.first_row + FusedSearcher::node_of(key);
      if (r.dead != nullptr && r.dead->test(row)) return;
      if (r.filter != nullptr && !r.filter->test(row)) return;
      out.push_back(key & ~uint64_t{1});
    };
    std::for_each(scratch.fused.trace().begin(), scratch.fused.trace().end(), take);
    std::for_each(near.begin(), end, take);  // what the trace had no room for
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
  }
  if (out.size() <= r.params.k) return;
  const auto error = [&](uint64_t key) {
    float scale;
    std::memcpy(&scale, blocks_.block(FusedSearcher::node_of(key)) + FusedLayout::kScale, 4);
    const float distance = std::max(FusedSearcher::distance_of(key), 0.0F);
    return kDeviations * scale * std::sqrt(distance) + kFloatError;
  };
  const uint64_t last = out[r.params.k - 1];
  const float limit = FusedSearcher::distance_of(last) + error(last);
  size_t kept = r.params.k;
  while (kept < out.size() && FusedSearcher::distance_of(out[kept]) - error(out[kept]) <= limit) {
    ++kept;
  }
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

// Queries that lie farther from the rows than those the width was measured with need more. 0: no.
uint32_t FusedIndex::wider_for(const SearchRequest& r, uint32_t width,
                               const SearchScratch::Impl& scratch) const {
  const auto near = scratch.fused.near();
  const size_t at = std::min<size_t>(r.params.k, 10) - 1;
  if (r.params.ef != 0 || kinds_.empty() || near.size() <= at || near[at] == kNoKey) return 0;
  const auto distance = static_cast<double>(FusedSearcher::distance_of(near[at]));
  if (distance <= kinds_[0].distance) return 0;
  const float target = r.params.target_recall > 0 ? r.params.target_recall : kDefaultTargetRecall;
  const double own = width_on_curve(kinds_[0].points, target);
  double factor = 1;
  for (size_t kind = 1; kind < kinds_.size(); ++kind) {
    const double needed = width_on_curve(kinds_[kind].points, target);
    if (!(kinds_[kind].distance > kinds_[0].distance) || !(needed > own)) continue;
    const double share =
        (distance - kinds_[0].distance) / (kinds_[kind].distance - kinds_[0].distance);
    factor = std::max(factor, std::pow(needed / own, std::min(share, kFarthestKind)));
  }
  const double wide = std::min(width * factor, static_cast<double>(blocks_.nodes));
  return factor < 1.2 ? 0 : static_cast<uint32_t>(wide);
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
    if (wider > width) {
      in_time = walk_once(r, wider, deadline, scratch, stats);
      stats.ef = wider;
    }
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
