#include "index/flat.hpp"

#include <atomic>
#include <chrono>

namespace rvf::index {
namespace {

constexpr size_t kGroup = 128;
constexpr uint64_t kScanGrain = 4096;

void offer_all(TopK& best, const uint64_t* rows, const float* distances, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    if (distances[i] <= best.bound() || !best.full()) best.offer(rows[i], distances[i]);
  }
}

// Rows of [begin, end) picked one by one: some are dead or filtered out.
void scan_picked(const SearchRequest& r, uint64_t begin, uint64_t end, TopK& best,
                 SearchStats& stats) {
  const std::byte* addresses[kGroup] = {};
  uint64_t rows[kGroup];
  float distances[kGroup];
  size_t n = 0;
  const auto flush = [&] {
    r.query->distances(addresses, n, distances);
    offer_all(best, rows, distances, n);
    stats.distances += n;
    n = 0;
  };
  const auto take = [&](uint64_t row) {
    if (r.dead != nullptr && r.dead->test(row)) return;
    rows[n] = row;
    addresses[n] = (*r.rows)[row];
    if (++n == kGroup) flush();
  };
  if (r.filter != nullptr) {
    r.filter->for_each(begin, end, take);
  } else {
    for (uint64_t row = begin; row < end; ++row) take(row);
  }
  flush();
}

void scan_all(const SearchRequest& r, uint64_t begin, uint64_t end, TopK& best,
              SearchStats& stats) {
  float distances[RowTable::kBlock];
  r.rows->for_each_piece(
      begin, end, [&](const std::byte* first, size_t stride, uint64_t row, uint64_t n) {
        r.query->distances_strided(first, stride, static_cast<size_t>(n), distances);
        for (uint64_t i = 0; i < n; ++i) {
          if (distances[i] <= best.bound() || !best.full()) best.offer(row + i, distances[i]);
        }
        stats.distances += n;
      });
}

}  // namespace

uint64_t steady_now_ns() noexcept {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

Status check_request(const SearchRequest& r) {
  if (r.query == nullptr || r.rows == nullptr) {
    return Error(ErrorCode::kBadArgument, "a search needs a query and a row table");
  }
  if (r.params.k == 0) return Error(ErrorCode::kBadK, "k must be at least 1");
  return {};
}

bool scan_rows(const SearchRequest& r, uint64_t begin, uint64_t end, uint64_t deadline_ns,
               TopK& best, SearchStats& stats) {
  const bool picked = r.filter != nullptr || (r.dead != nullptr && !r.dead->empty());
  for (uint64_t at = begin; at < end; at += kScanGrain) {
    if (deadline_ns != 0 && steady_now_ns() > deadline_ns) return false;
    const uint64_t stop = end - at < kScanGrain ? end : at + kScanGrain;
    if (picked) {
      scan_picked(r, at, stop, best, stats);
    } else {
      scan_all(r, at, stop, best, stats);
    }
  }
  return true;
}

bool scan_rows_parallel(const SearchRequest& r, uint64_t begin, uint64_t end, uint64_t deadline_ns,
                        TopK& best, SearchStats& stats) {
  if (r.executor == nullptr || r.executor->width() == 1 || end - begin <= 2 * kScanGrain) {
    return scan_rows(r, begin, end, deadline_ns, best, stats);
  }
  const size_t width = r.executor->width();
  std::vector<TopK> parts(width, TopK(r.params.k, r.ids));
  std::vector<SearchStats> counts(width);
  std::atomic<bool> in_time{true};
  r.executor->parallel_for(end - begin, kScanGrain * 4, [&](size_t w, uint64_t b, uint64_t e) {
    if (!scan_rows(r, begin + b, begin + e, deadline_ns, parts[w], counts[w])) in_time = false;
  });
  for (size_t w = 0; w < width; ++w) {
    best.merge(parts[w]);
    stats.distances += counts[w].distances;
  }
  return in_time;
}

Status FlatIndex::search(const SearchRequest& request, SearchScratch&, SearchResult& out) const {
  out.hits.clear();
  out.stats = {};
  RVF_TRY(check_request(request));
  TopK best(request.params.k, request.ids);
  const bool in_time = scan_rows_parallel(request, 0, request.rows->size(),
                                          request.params.deadline_ns, best, out.stats);
  best.finish(out.hits);
  out.stats.visited = out.stats.distances;
  out.stats.layers = kLayerScan;
  out.stats.exact = in_time;
  out.stats.timed_out = !in_time;
  return {};
}

IndexInfo FlatIndex::describe() const {
  IndexInfo info;
  info.kind = "flat";
  return info;
}

}  // namespace rvf::index
