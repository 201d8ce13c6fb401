// Nearest neighbours: plain, filtered, grouped.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <string>

#include "index/flat.hpp"
#include "runtime/access_counter.hpp"
#include "runtime/snapshot_impl.hpp"

namespace rvf {
namespace {

// Testing rows one by one pays where a filter is slow to evaluate and most rows pass.
constexpr uint64_t kSampleRows = 256;
constexpr double kLeastPostSelectivity = 0.05;
constexpr uint64_t kLeastPostRows = 50'000;
// A beam that is to yield k results of rows that rarely match grows wide; one expansion costs as
// much as comparing about this many rows in a scan.
constexpr uint64_t kGroupGrowth = 4;
constexpr uint64_t kFirstOfRange = 64;
constexpr uint64_t kLongestBudget = 1ULL << 50;  // microseconds

uint64_t id_of_row(const void* state, uint64_t row) {
  return static_cast<const runtime::LiveState*>(state)->id_of(row);
}

const index::Index& flat_index() {
  static const index::FlatIndex flat;
  return flat;
}

// One query with everything it needs.
class Querying {
 public:
  Querying(const Snapshot::Impl& snapshot, const QueryOptions& options,
           index::SearchScratch& scratch)
      : s_(snapshot), o_(options), scratch_(scratch) {}

  Result<QueryResult> run(std::span<const float> vector) {
    if (o_.time_budget_us != 0) {
      search_.params.deadline_ns =
          index::steady_now_ns() + std::min(o_.time_budget_us, kLongestBudget) * 1000;
    }
    if (o_.k == 0 && !o_.range) return Error(ErrorCode::kBadK, "k must be at least 1");
    if (o_.max_distance && std::isnan(*o_.max_distance)) {
      return Error(ErrorCode::kBadArgument, "max_distance must be a number");
    }
    if (o_.range && !o_.max_distance) {
      return Error(ErrorCode::kBadArgument, "a range search needs max_distance");
    }
    if (vector.size() != s_.state.dimension) {
      return Error(ErrorCode::kWrongDimension, "the query has " + std::to_string(vector.size()) +
                                                   " dimensions, the store " +
                                                   std::to_string(s_.state.dimension));
    }
    if (!o_.group_by.empty()) {
      RVF_ASSIGN(group_, s_.field(o_.group_by));
      if (o_.group_size == 0) {
        return Error(ErrorCode::kBadArgument, "group_size must be at least 1");
      }
    }
    RVF_ASSIGN(prepared_,
               kernels::prepare(vector, s_.state.metric, s_.state.dtype, s_.state.dimension));
    RVF_ASSIGN(dead_, s_.dead());
    search_.query = &*prepared_;
    search_.vector = vector;
    search_.dead = dead_.get();
    search_.available = s_.state.rows.size() - dead_->count();
    search_.params.ef = o_.ef;
    search_.params.target_recall = o_.target_recall;
    search_.params.exact = o_.exact;
    if (!o_.filter.empty()) RVF_TRY(choose_strategy());
    RVF_ASSIGN(const std::vector<index::Hit> hits, o_.range ? in_range() : grouped());
    out_.neighbors.reserve(hits.size());
    for (const index::Hit& h : hits) {
      out_.neighbors.push_back({s_.state.id_of(h.row), h.distance});
    }
    return std::move(out_);
  }

 private:
  Status choose_strategy() {
    out_.plan.rows = search_.available;
    FilterStrategy wanted = o_.strategy;
    if (wanted == FilterStrategy::kAuto || wanted == FilterStrategy::kPost) {
      RVF_ASSIGN(const bool post, try_post(wanted == FilterStrategy::kPost));
      if (post) return {};
      if (wanted == FilterStrategy::kPost) wanted = FilterStrategy::kAuto;
    }
    RVF_ASSIGN(selected_, s_.select(o_.filter));
    search_.filter = &selected_->rows;
    search_.available = selected_->rows.count();
    out_.plan.matching = search_.available;
    out_.plan.filter_us = selected_->micros;
    out_.plan.steps = selected_->steps;
    out_.plan.filter = meta::filter_text(selected_->filter, *s_.schema);
    const bool graph = s_.state.index != nullptr && s_.state.index->graph != nullptr;
    if (wanted == FilterStrategy::kPre || !graph) {
      search_.params.exact = true;
      out_.plan.reason = graph ? "asked for" : "there is no graph";
    } else if (wanted == FilterStrategy::kIn || wanted == FilterStrategy::kCodes) {
      (wanted == FilterStrategy::kIn ? search_.params.walk : search_.params.codes) = true;
      out_.plan.reason = "asked for";
    }
    return {};
  }

  // A filter that is slow to evaluate everywhere and that many rows pass is tested on what an
  // unfiltered search finds.
  Result<bool> try_post(bool forced) {
    RVF_ASSIGN(const meta::Table* table, s_.table());
    RVF_ASSIGN(meta::Filter filter, s_.parse(o_.filter));
    const bool graph = s_.state.index != nullptr && s_.state.index->graph != nullptr;
    if (!graph || o_.exact) return false;
    if (!forced && (search_.available < kLeastPostRows || !table->is_expensive(filter))) {
      return false;
    }
    const meta::RowIds ids = s_.row_ids();
    uint64_t passed = 0;
    uint64_t tested = 0;
    const uint64_t rows = s_.state.rows.size();
    for (uint64_t i = 0; i < kSampleRows; ++i) {
      const uint64_t row = i * (rows / kSampleRows) + i % std::max<uint64_t>(rows / kSampleRows, 1);
      if (row >= rows || dead_->test(row)) continue;
      ++tested;
      passed += table->matches(filter, row, ids) ? 1 : 0;
    }
    const double share =
        static_cast<double>(passed) / std::max<double>(1, static_cast<double>(tested));
    if (!forced && share < kLeastPostSelectivity) return false;
    post_share_ = std::max(share, 0.01);
    post_filter_ = std::move(filter);
    out_.plan.strategy = FilterStrategy::kPost;
    out_.plan.matching = static_cast<uint64_t>(share * static_cast<double>(search_.available));
    out_.plan.filter = meta::filter_text(*post_filter_, *s_.schema);
    out_.plan.reason = forced ? "asked for"
                              : "the filter reads long texts, and about " +
                                    std::to_string(std::lround(share * 100)) +
                                    " % of a sample of rows match";
    return true;
  }

  bool too_far(const index::Hit& h) const {
    return o_.max_distance && h.distance > *o_.max_distance;
  }
  void cut(std::vector<index::Hit>& hits) const {
    while (!hits.empty() && too_far(hits.back())) hits.pop_back();
  }

  // All that is near enough: more and more candidates, until one is too far.
  Result<std::vector<index::Hit>> in_range() {
    for (uint64_t k = kFirstOfRange;; k *= kGroupGrowth) {
      const uint64_t wanted = std::min<uint64_t>({k, search_.available, UINT32_MAX});
      RVF_ASSIGN(std::vector<index::Hit> hits, found(static_cast<uint32_t>(wanted)));
      const bool all = hits.size() < wanted || wanted == search_.available || wanted == UINT32_MAX;
      if (!all && !too_far(hits.back()) && !out_.timed_out) continue;
      cut(hits);
      if (group_ == nullptr) return hits;
      return s_.best_of_groups(hits, *group_, o_.group_size, hits.size());
    }
  }

  // The k best, grouped or not.
  Result<std::vector<index::Hit>> grouped() {
    if (group_ == nullptr) {
      RVF_ASSIGN(std::vector<index::Hit> hits, found(o_.k));
      cut(hits);
      return hits;
    }
    // More and more candidates, until enough of them are of different groups.
    for (uint64_t k = uint64_t{o_.k} * kGroupGrowth;; k *= kGroupGrowth) {
      const uint64_t wanted = std::min<uint64_t>({k, search_.available, UINT32_MAX});
      RVF_ASSIGN(std::vector<index::Hit> hits, found(static_cast<uint32_t>(wanted)));
      const bool all = hits.size() < wanted || wanted == search_.available ||
                       wanted == UINT32_MAX || (!hits.empty() && too_far(hits.back()));
      cut(hits);
      RVF_ASSIGN(auto best, s_.best_of_groups(hits, *group_, o_.group_size, o_.k));
      if (best.size() >= o_.k || all || out_.timed_out) return best;
    }
  }

  Result<std::vector<index::Hit>> found(uint32_t k) {
    if (search_.available == 0 || k == 0) {
      out_.exact = true;
      return std::vector<index::Hit>();
    }
    if (post_filter_) return found_by_testing(k);
    search_.params.k = k;
    RVF_ASSIGN(index::SearchResult result, s_.search_rows(search_, scratch_));
    take_stats(result.stats);
    const uint64_t possible = std::min<uint64_t>(k, search_.available);
    if (result.hits.size() < possible && !result.stats.timed_out && !search_.params.no_walk) {
      // The graph leads past what matches, for example where the filter keeps a far corner; or it
      // is damaged.
      search_.params.walk = false;
      search_.params.no_walk = true;
      if (search_.filter != nullptr) {
        out_.plan.reason = "the walk found too few of the matching rows";
      }
      return found(k);
    }
    if (search_.filter != nullptr) {
      out_.plan.strategy = result.stats.ef != 0 ? FilterStrategy::kIn
                           : result.stats.exact ? FilterStrategy::kPre
                                                : FilterStrategy::kCodes;
      if (out_.plan.reason.empty()) {
        out_.plan.reason = result.stats.ef != 0 ? "walking is cheaper than comparing all that match"
                           : result.stats.exact
                               ? "comparing the matching rows is cheaper than walking"
                               : "comparing the codes of the matching rows is cheaper than walking";
      }
    }
    return std::move(result.hits);
  }

  Result<std::vector<index::Hit>> found_by_testing(uint32_t k) {
    RVF_ASSIGN(const meta::Table* table, s_.table());
    const meta::RowIds ids = s_.row_ids();
    std::map<uint64_t, bool> tested;
    std::vector<index::Hit> kept;
    double wanted = std::ceil(1.3 * k / post_share_) + 8;
    while (wanted < static_cast<double>(search_.available) / 4) {
      search_.params.k = static_cast<uint32_t>(wanted);
      RVF_ASSIGN(const index::SearchResult result, s_.search_rows(search_, scratch_));
      take_stats(result.stats);
      kept.clear();
      for (const index::Hit& h : result.hits) {
        const auto [at, is_new] = tested.try_emplace(h.row, false);
        if (is_new) at->second = table->matches(*post_filter_, h.row, ids);
        if (at->second && kept.size() < k) kept.push_back(h);
      }
      if (kept.size() >= k || result.stats.timed_out) return kept;
      wanted *= 3;
    }
    // Too few near ones match after all.
    post_filter_.reset();
    RVF_ASSIGN(selected_, s_.select(o_.filter));
    search_.filter = &selected_->rows;
    search_.available = out_.plan.matching = selected_->rows.count();
    out_.plan.filter_us = selected_->micros;
    out_.plan.steps = selected_->steps;
    out_.plan.reason = "too few of the nearest matched";
    return found(k);
  }

  void take_stats(const index::SearchStats& stats) {
    out_.distances += stats.distances;
    out_.ef = stats.ef;
    out_.layers |= stats.layers;
    out_.exact = stats.exact;
    out_.timed_out |= stats.timed_out;
  }

  const Snapshot::Impl& s_;
  const QueryOptions& o_;
  index::SearchScratch& scratch_;
  const meta::SchemaField* group_ = nullptr;
  std::optional<kernels::PreparedQuery> prepared_;
  Snapshot::Impl::Dead dead_;
  Snapshot::Impl::Selected selected_;
  std::optional<meta::Filter> post_filter_;
  double post_share_ = 1;
  Snapshot::Impl::RowSearch search_;
  QueryResult out_;
};

}  // namespace

Result<index::SearchResult> Snapshot::Impl::search_rows(
    const RowSearch& search, index::SearchScratch& scratch_memory) const {
  index::SearchRequest request;
  request.query = search.query;
  request.vector = search.vector;
  request.rows = &state.rows;
  request.dead = search.dead;
  request.filter = search.filter;
  request.ids = {&state, id_of_row};
  request.params = search.params;
  request.params.k = static_cast<uint32_t>(std::min<uint64_t>(search.params.k, search.available));
  const bool graph = state.index != nullptr && state.index->graph != nullptr;
  // A beam that wide visits the whole store anyway.
  request.params.exact |= request.params.k * 2ULL >= search.available;
  if (search.filter == nullptr && (request.params.exact || !graph)) expect_scan();
  const index::Index& index = graph ? *state.index->graph : flat_index();
  index::SearchResult found;
  RVF_TRY(index.search(request, scratch_memory, found));
  return found;
}

Result<QueryResult> Snapshot::Impl::query(std::span<const float> vector,
                                          const QueryOptions& options,
                                          index::SearchScratch& scratch_memory) const {
  return Querying(*this, options, scratch_memory).run(vector);
}

void Snapshot::Impl::hand_out(QueryResult& result, const QueryOptions& options) const {
  if (access && options.count_access) access->count(result.neighbors);
  for (Neighbor& n : result.neighbors) n.id = outside(n.id);
}

Result<std::vector<index::Hit>> Snapshot::Impl::best_of_groups(const std::vector<index::Hit>& hits,
                                                               const meta::SchemaField& field,
                                                               uint32_t size, size_t k) const {
  RVF_ASSIGN(const meta::Table* t, table());
  RowValues values(*this, *t, field);
  std::map<std::string, uint32_t> taken;
  std::vector<index::Hit> best;
  for (const index::Hit& h : hits) {
    if (best.size() >= k) break;
    if (taken[wire::meta_value_key(values.of(h.row))]++ < size) best.push_back(h);
  }
  return best;
}

}  // namespace rvf
