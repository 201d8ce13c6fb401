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
  // find the matching rows, compare their codes, and the best of them exactly; without codes: kPre
  kCodes,
};
// "auto", "pre", "in", "post", "codes"
const char* filter_strategy_name(FilterStrategy strategy) noexcept;

struct QueryOptions {
  uint32_t k = 10;  // at least 1; more than the store holds yields all
  uint32_t ef = 0;  // beam width of the graph search; 0: chosen for target_recall
  // 0: the default, 0.99 as measured at build time; a filtered search then aims at .98.
  float target_recall = 0;
  // For all of the query, its filter too; 0: none. When it ends, what was found is returned and
  // `timed_out` set.
  uint64_t time_budget_us = 0;
  bool exact = false;  // compare with every vector
  std::string filter = {};  // text or JSON, docs/filters.md; empty: all
  FilterStrategy strategy = FilterStrategy::kAuto;
  // A field, or "id": of the k results at most group_size have the same value in it.
  std::string group_by = {};
  uint32_t group_size = 1;
  std::optional<float> max_distance = {};  // results are no farther
  bool range = false;  // all within max_distance, however many; k does not count
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
  std::string group_by = {};  // as in QueryOptions
  uint32_t group_size = 1;
  uint32_t ef = 0;
  std::optional<double> min_score = {};
  std::optional<float> max_distance = {};  // needs a vector
};
struct HybridHit {
  uint64_t id = 0;
  double score = 0;  // more is better
  std::optional<float> distance;  // empty: there was no vector
  std::optional<double> text_score;  // BM25; empty: not among the words' candidates
};
struct HybridResult {
  std::vector<HybridHit> hits;  // descending by score, ties by id
  QueryPlan plan = {};
};

}  // namespace rvf
