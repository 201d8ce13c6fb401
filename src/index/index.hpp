// The seam between the store and whatever answers a nearest-neighbour query. Members: FlatIndex
// (exact scan, index/flat.hpp) and GraphIndex (proximity graph over mapped bytes, index/graph.hpp).
//
// An Index is immutable: a store that changes opens a new one. It owns neither rows nor mapped
// payloads.
// Thread-safety: search() may run on many threads at once, each with its own SearchScratch.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "index/row_bitmap.hpp"
#include "index/row_table.hpp"
#include "index/topk.hpp"
#include "kernels/kernels.hpp"
#include "rvf/executor.hpp"
#include "rvf/result.hpp"

namespace rvf::index {

struct SearchParams {
  uint32_t k = 10;  // at least 1
  uint32_t ef = 0;  // beam width; 0 takes the width calibrated for target_recall
  float target_recall = 0;  // used when ef is 0; 0 takes kDefaultTargetRecall
  // On the steady clock; 0: none. What was found until then is returned, stats.timed_out is set.
  uint64_t deadline_ns = 0;
  bool exact = false;  // scan every row
  bool walk = false;  // use the graph, also where a scan of what passes the filter is cheaper
  bool no_walk = false;  // scan what passes, by codes where the index has some and they cost less
  bool codes = false;  // scan by codes wherever the index has some
};
inline constexpr float kDefaultTargetRecall = 0.99F;

struct SearchStats {
  uint64_t visited = 0;  // distinct rows whose distance was computed
  uint64_t distances = 0;  // distance computations
  uint64_t expansions = 0;  // neighbour lists read
  uint64_t bad_lists = 0;  // neighbour lists that did not decode and were skipped
  uint32_t ef = 0;  // beam width used; 0 when only scanned
  uint32_t layers = 0;  // kLayerA and so on
  bool exact = false;  // the result is the true top k
  bool timed_out = false;
};

// What a search looks at. Pointers are borrowed for the call; null dead and filter mean none.
struct SearchRequest {
  const kernels::PreparedQuery* query = nullptr;
  std::span<const float> vector;  // what `query` was prepared from; needed by the fused layout
  const RowTable* rows = nullptr;
  const DeadRows* dead = nullptr;
  const RowBitmap* filter = nullptr;  // only rows in it are returned
  IdLookup ids;
  SearchParams params;
  Executor* executor = nullptr;  // used by exact scans only

  bool may_return(uint64_t row) const noexcept {
    if (dead != nullptr && dead->test(row)) return false;
    return filter == nullptr || filter->test(row);
  }
};

struct SearchResult {
  std::vector<Hit> hits;  // ascending by (distance, id), at most k
  SearchStats stats;
};

// Working memory of one search at a time. Reuse it: it keeps the visited marks of the largest index
// seen (one byte a row) and clears them in O(1) for 254 of 255 searches.
class SearchScratch {
 public:
  SearchScratch();
  ~SearchScratch();
  SearchScratch(SearchScratch&&) noexcept;
  SearchScratch& operator=(SearchScratch&&) noexcept;

  struct Impl;
  Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

struct IndexInfo {
  std::string kind;  // "flat", "graph", "partitions"
  SearchLayout layout = SearchLayout::kStandard;
  uint64_t rows = 0;  // rows covered, from first_row on; later rows are scanned
  uint64_t first_row = 0;
  uint64_t bytes = 0;  // mapped payload bytes
  uint32_t m = 0;  // graph: degree of the upper layers
  uint32_t ef_construction = 0;
  uint32_t max_layer = 0;
  uint32_t default_ef = 0;  // at k = 10 and the default recall
  uint64_t seed = 0;
  Metric metric = Metric::kL2;
};

class Index {
 public:
  virtual ~Index() = default;
  // The k nearest live rows that pass the filter, over all rows of the table: rows that the index
  // does not cover are scanned. Fewer than k only when fewer exist (or time ran out, or a payload
  // is damaged).
  // Errors: kBadK for k = 0, kBadArgument for missing pointers or an index that names rows beyond
  // the table, kWrongMetric when the query's metric is not the one the index was built for.
  virtual Status search(const SearchRequest& request, SearchScratch& scratch,
                        SearchResult& out) const = 0;
  virtual IndexInfo describe() const = 0;
};

}  // namespace rvf::index
