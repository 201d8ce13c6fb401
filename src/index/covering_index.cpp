#include "index/covering_index.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "index/flat.hpp"
#include "index/search_scratch.hpp"

namespace rvf::index {

Status CoveringIndex::check_fit(const SearchRequest& request) const {
  RVF_TRY(check_request(request));
  const Covered c = covered();
  if (request.query->metric() != c.metric) {
    return Error(ErrorCode::kWrongMetric, std::string("the index was built for ") +
                                              metric_name(c.metric) + ", the query asks " +
                                              metric_name(request.query->metric()));
  }
  if (request.query->dim() != c.dim) {
    return Error(ErrorCode::kWrongDimension,
                 "the index has " + std::to_string(c.dim) + " dimensions");
  }
  if (c.end_row > request.rows->size()) {
    return Error(ErrorCode::kBadArgument, "the index covers rows up to " +
                                              std::to_string(c.end_row) + ", the table has " +
                                              std::to_string(request.rows->size()));
  }
  return {};
}

Status CoveringIndex::search(const SearchRequest& request, SearchScratch& scratch,
                             SearchResult& out) const {
  out.hits.clear();
  out.stats = {};
  RVF_TRY(check_fit(request));
  const uint64_t deadline = request.params.deadline_ns;
  const Covered c = covered();
  TopK best(request.params.k, request.ids);
  SearchStats& stats = out.stats;
  bool in_time = true;
  const Plan how = request.params.exact ? Plan{} : plan(request);
  stats.exact = how.way == Way::kScan;
  scratch.impl().within = std::numeric_limits<float>::infinity();
  if (stats.exact) {
    in_time = scan_rows_parallel(request, 0, request.rows->size(), deadline, best, stats);
    stats.layers |= kLayerScan;
  } else {
    if (how.way == Way::kCodes) {
      RVF_ASSIGN(in_time, scan_codes(request, deadline, scratch.impl(), best, stats));
    } else {
      RVF_ASSIGN(in_time, walk(request, how.width, deadline, scratch.impl(), best, stats));
    }
    if (c.first_row > 0 && c.rest_has_arrived) {
      in_time &= scan_rows_parallel(request, 0, c.first_row, deadline, best, stats);
      stats.layers |= kLayerScan;
    }
    const uint64_t rows = request.rows->size();
    if (c.end_row < rows && c.rest_has_arrived) {
      in_time &= scan_behind(request, c.end_row, rows, deadline, scratch.impl(), best, stats);
      stats.layers |= kLayerScan;
    }
    stats.ef = std::max(stats.ef, how.width);
  }
  stats.visited = stats.distances;
  stats.timed_out = !in_time;
  stats.exact &= in_time;
  best.finish(out.hits);
  return {};
}

bool CoveringIndex::scan_behind(const SearchRequest& request, uint64_t begin, uint64_t end,
                                uint64_t deadline, SearchScratch::Impl&, TopK& best,
                                SearchStats& stats) const {
  return scan_rows_parallel(request, begin, end, deadline, best, stats);
}

double passing_rows(const SearchRequest& request, uint64_t covered) noexcept {
  const auto all = static_cast<double>(covered);
  if (request.filter != nullptr) {
    return std::min(all, static_cast<double>(request.filter->count()));
  }
  if (request.dead != nullptr) {
    return std::max(0.0, all - static_cast<double>(request.dead->count()));
  }
  return all;
}

double width_on_curve(const std::vector<WidthPoint>& points, double target) noexcept {
  WidthPoint last;
  for (const WidthPoint& p : points) {
    if (p.recall >= target) {
      if (last.width == 0 || p.recall <= last.recall) return p.width;
      // Errors fall like a power of the width, so the interpolation is between logarithms.
      const double share = (target - last.recall) / (p.recall - last.recall);
      return last.width * std::pow(p.width / last.width, std::clamp(share, 0.0, 1.0));
    }
    last = p;
  }
  return last.width * 2;
}

double width_at_k(double ten, double hundred, uint32_t k) noexcept {
  if (!(ten > 0) || k <= 10 || !(hundred > 0)) return ten;
  return k >= 100 ? hundred * k / 100.0
                  : ten * std::pow(std::max(1.0, hundred / ten), std::log10(k / 10.0));
}

}  // namespace rvf::index
