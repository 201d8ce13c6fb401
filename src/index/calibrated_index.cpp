#include "index/calibrated_index.hpp"

#include <algorithm>
#include <cmath>

#include "index/search_scratch.hpp"

namespace rvf::index {
namespace {

// A width for an index that was never calibrated.
constexpr uint32_t kUncalibrated = 128;
// The curve is taken at a recall that misses less than is asked for by this share: other queries than
// those it was measured with fall on either side of it.
constexpr float kMargin = 0.1F;
// Queries beyond the farthest kind that was measured get so many of its steps.
constexpr double kFarthestKind = 1.3;

// Walks pass by rows that may not be returned, so the beam has to hold more.
uint32_t widened(uint32_t width, double share) noexcept {
  if (share >= 1) return width;
  return static_cast<uint32_t>(std::min<double>(width / std::max(share, 1e-3), 1e6));
}

}  // namespace

void describe_space(const FusedSpace& space, const GraphInput& input, wire::FusedHeader& h) {
  const FusedFrame& frame = space.frame();
  h.first_row = input.first_row;
  h.metric = input.metric;
  h.dtype = input.dtype;
  h.dim = frame.dim;
  h.seed = frame.seed;
  h.scale = frame.scale;
  h.largest_norm2 = frame.largest_norm2;
  h.centre = frame.centre;
}

Result<FusedSpace> CalibratedIndex::space_of(const wire::FusedHeader& h) {
  FusedFrame frame;
  frame.metric = h.metric;
  frame.dim = h.dim;
  frame.seed = h.seed;
  frame.scale = h.scale;
  frame.largest_norm2 = h.largest_norm2;
  frame.centre = h.centre;
  return FusedSpace::from(std::move(frame));
}

void CalibratedIndex::take_header(const wire::FusedHeader& header) {
  header_ = header;
  for (const wire::FusedCalibrationPoint& p : header_.calibration) {
    const WidthPoint point{static_cast<double>(p.width), static_cast<double>(p.recall)};
    if (p.kind == 0 && p.k == 100) hundred_.push_back(point);
    if (p.k != 10 || p.kind > kinds_.size() || p.kind >= kMostKinds) continue;
    if (p.kind == kinds_.size()) kinds_.emplace_back();
    kinds_[p.kind].points.push_back(point);
    kinds_[p.kind].distance = static_cast<double>(p.distance);
  }
}

CoveringIndex::Covered CalibratedIndex::covered() const {
  return {header_.first_row, header_.first_row + header_.total_nodes, true, header_.metric,
          header_.dim};
}

float CalibratedIndex::placed_distance(std::vector<float> query, std::vector<float> row) const {
  std::vector<float> placed(space_.layout().padded);
  space_.place(query, true, placed.data());
  return distance_to(placed.data(), row);
}

float CalibratedIndex::distance_to(const float* placed, std::span<float> row) const {
  std::vector<float> other(space_.layout().padded);
  space_.place(row, false, other.data());
  float sum = 0;
  for (size_t i = 0; i < other.size(); ++i) {
    sum += (placed[i] - other[i]) * (placed[i] - other[i]);
  }
  return sum;
}

uint32_t CalibratedIndex::width_for(uint32_t k, float target) const {
  const auto aim = static_cast<double>(target + (1 - target) * kMargin);
  const double ten = kinds_.empty() ? 0 : width_on_curve(kinds_[0].points, aim);
  double width = width_at_k(ten, width_on_curve(hundred_, aim), k);
  if (!(width > 0)) width = kUncalibrated + k;
  width = std::max(std::ceil(width), static_cast<double>(k));
  return static_cast<uint32_t>(std::min(width, static_cast<double>(header_.total_nodes) + k));
}

uint32_t CalibratedIndex::width_among(const SearchRequest& r, double share, double room) const {
  const SearchParams& p = r.params;
  share = std::clamp(share, 1e-6, 1.0);
  if (p.ef != 0) return widened(std::max(p.ef, p.k), share);
  const double among =
      std::min(std::ceil(room * p.k / share), static_cast<double>(header_.total_nodes));
  return width_for(static_cast<uint32_t>(among),
                   p.target_recall > 0 ? p.target_recall : kDefaultTargetRecall);
}

uint32_t CalibratedIndex::bounded_width(const SearchRequest& r, uint32_t width) const {
  const auto rows = static_cast<uint32_t>(header_.total_nodes);
  return std::max(std::min(width, rows), std::min(r.params.k, rows));
}

Status CalibratedIndex::place_query(const SearchRequest& r, SearchScratch::Impl& scratch) const {
  if (r.vector.size() != header_.dim) {
    return Error(ErrorCode::kBadArgument, "a search of the fused space needs the query's values");
  }
  scratch.vector.assign(r.vector.begin(), r.vector.end());
  if (r.query->dtype() == DType::kBinary) {
    for (float& x : scratch.vector) x = x > 0 ? 1.0F : 0.0F;
  }
  scratch.placed.resize(space_.layout().padded);
  space_.place(scratch.vector, true, scratch.placed.data());
  return {};
}

void CalibratedIndex::compare_exactly(const SearchRequest& r, SearchScratch::Impl& scratch,
                                      TopK& best, SearchStats& stats) const {
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

uint32_t CalibratedIndex::wider_for(const SearchRequest& r, uint32_t width, double distance) const {
  if (r.params.ef != 0 || kinds_.empty() || distance <= kinds_[0].distance) return 0;
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
  const double wide = std::min(width * factor, static_cast<double>(header_.total_nodes));
  return factor < 1.2 ? 0 : static_cast<uint32_t>(wide);
}

}  // namespace rvf::index
