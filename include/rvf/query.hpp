// What a query may ask and what it answers. See rvf/store.hpp for the functions.
// Plain values; thread-safe to read.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rvf/metadata.hpp"

namespace rvf {

// How a filter is put to work. kAuto takes what the filter's real selectivity makes cheapest.
enum class FilterStrategy : uint8_t {
  kAuto,
  kPre,   // find the matching rows, compare the query with each: exact
  kIn,    // find the matching rows, walk the graph and keep what matches
  kPost,  // walk the graph, test what it finds
};
const char* filter_strategy_name(FilterStrategy strategy) noexcept;  // "pre", "in", "post", "auto"

struct QueryOptions {
  uint32_t k = 10;  // at least 1; more than the store holds yields all
  uint32_t ef = 0;  // beam width of the graph search; 0: chosen for target_recall
  // 0: the default, 0.99 as measured at build time; a filtered search then aims at .98.
  float target_recall = 0;
  uint64_t time_budget_us =
      0;  // 0: none; when it ends, what was found is returned and `timed_out` set
  bool exact = false;  // compare with every vector
  std::string filter = {};  // text or JSON, docs/filters.md; empty: all
  FilterStrategy strategy = FilterStrategy::kAuto;
  std::string group_by = {};  // a field: at most group_size results have the same value in it
  uint32_t group_size = 1;
  bool count_access = true;  // for the temperature of what is found; false for queries of nobody's
};

struct Neighbor {
  uint64_t id = 0;
  float distance = 0;
  friend bool operator==(const Neighbor&, const Neighbor&) = default;
};

// How a filtered query was answered.
struct QueryPlan {
  FilterStrategy strategy = FilterStrategy::kAuto;  // kAuto: there was no filter
  uint64_t matching = 0;  // rows that match; with kPost an estimate
  uint64_t rows = 0;  // live rows
  double filter_us = 0;  // time to find the matching rows
  std::string filter = {};  // as it was understood
  std::string reason = {};
  std::vector<std::string> steps = {};  // a line a comparison: what answered it
};

struct QueryResult {
  std::vector<Neighbor> neighbors;  // ascending by (distance, id)
  uint64_t distances = 0;  // computed
  uint32_t ef = 0;
  uint32_t layers = 0;  // that answered: kLayerA and so on, rvf/types.hpp
  bool exact = false;  // these are the true nearest
  bool timed_out = false;
  QueryPlan plan = {};  // of a query with a filter
};

struct ScanOptions {
  std::string filter = {};
  std::optional<uint64_t> after = std::nullopt;  // ids above this one: the cursor
  size_t limit = 1000;
};
// Ids ascend, so a cursor holds across commits and compactions.
struct ScanPage {
  std::vector<uint64_t> ids;
  std::optional<uint64_t> next;  // give it as `after`; empty at the end
};

struct ValueCount {
  Value value;
  uint64_t count = 0;
};

enum class Fusion : uint8_t {
  // sum over both lists of weight / (rank_constant + rank): Cormack, Clarke, Buettcher, "Reciprocal
  // rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009
  kReciprocalRank,
  kWeighted,  // weighted sum of scores scaled to 0..1 over the candidates
};

struct HybridOptions {
  uint32_t k = 10;
  std::string words = {};
  std::string text_field = {};  // empty: the only field with words indexed
  Fusion fusion = Fusion::kReciprocalRank;
  double vector_weight = 0.5;  // 0 to 1; the words have the rest
  double rank_constant = 60;
  uint32_t candidates = 0;  // of each list; 0: max(100, 4 k)
  std::string filter = {};
  std::string group_by = {};
  uint32_t group_size = 1;
  uint32_t ef = 0;
};
struct HybridHit {
  uint64_t id = 0;
  double score = 0;  // more is better
  std::optional<float> distance;  // empty: not among the vectors' candidates
  std::optional<double> text_score;  // BM25; empty: not among the words' candidates
};
struct HybridResult {
  std::vector<HybridHit> hits;  // descending by score, ties by id
  QueryPlan plan = {};
};

}  // namespace rvf
