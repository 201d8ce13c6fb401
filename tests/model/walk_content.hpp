// What a walk's model holds, where its random rows and filters come from, and how a snapshot is
// compared with it.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rvf/store.hpp"
#include "types/splitmix.hpp"

namespace rvf::testing {

struct WalkRow {
  std::vector<float> values;
  std::optional<int64_t> year;
  std::optional<std::string> tag;
  std::string key;  // empty: no string id
  bool expired = false;  // was so when it was written
};
using Content = std::map<uint64_t, WalkRow>;

class WalkRandom {
 public:
  using result_type = uint64_t;
  explicit WalkRandom(uint64_t seed) : state_(seed) {}
  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return ~uint64_t{0}; }
  uint64_t operator()() { return splitmix_finish(state_ += kSplitmixStep); }
  uint64_t below(uint64_t n) { return (*this)() % n; }
  bool one_in(uint64_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

// Rows for one batch, as columns and as the model keeps them.
struct NewRows {
  std::vector<WalkRow> rows;
  std::vector<float> values;
  std::vector<Column> columns;
};
NewRows random_rows(WalkRandom& random, size_t count, uint32_t dimension, bool fields);
// Whole numbers: every distance of l2 and ip is exact, in every dtype.
std::vector<float> random_values(WalkRandom& random, size_t count, uint32_t dimension);

struct WalkFilter {
  std::string text;
  std::function<bool(const WalkRow&)> holds;
};
WalkFilter random_filter(WalkRandom& random);

uint64_t visible_rows(const Content& content);

// The nearest visible rows, by (distance, id).
std::vector<Neighbor> nearest(const Content& content, std::span<const float> query, Metric metric,
                              size_t k, const WalkFilter* filter);
// Empty if `hits` may be an answer; `all` are the true nearest. Counts what a graph found of them.
std::string check_hits(const Content& content, std::span<const float> query, Metric metric,
                       const std::vector<Neighbor>& all, const std::vector<Neighbor>& hits,
                       bool exact, const WalkFilter* filter, uint64_t& found);
// Empty if the snapshot holds exactly this, with vectors, fields and string ids.
std::string compare(const Content& content, const Snapshot& snapshot, bool fields, bool keys);

}  // namespace rvf::testing
