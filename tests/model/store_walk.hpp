// A walk of random operations over a store, beside a std::map that knows what has to be there.
// What operation n does follows from the seed, n and the content, so a walk can be repeated with
// some of its operations left out: that is how a failure is made short.
#pragma once
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/walk_content.hpp"

namespace rvf::testing {

struct WalkShape {
  std::string name;
  uint64_t seed = 1;
  Metric metric = Metric::kL2;
  DType dtype = DType::kF32;
  uint32_t dimension = 6;
  bool fields = false;  // with expiry
  bool keys = false;  // string ids
  bool graph = false;  // enough rows for one, built and grown on the way
};

struct WalkCounts {
  uint64_t written = 0, deleted = 0, updated = 0;  // rows
  uint64_t queries = 0, reads = 0;  // a read is one vector, record, count or scan
  uint64_t compactions = 0, reopens = 0, rollbacks = 0, snapshots = 0, builds = 0;
  uint64_t most_rows = 0;
  uint64_t found = 0, wanted = 0;  // neighbours of queries through the graph
  uint64_t operations() const {
    return written + deleted + updated + queries + reads + compactions + reopens + rollbacks +
           snapshots + builds;
  }
};

class StoreWalk {
 public:
  explicit StoreWalk(WalkShape shape);
  // Does operation n; false once store and model disagree, and problem() says how.
  bool step(uint64_t n);
  bool check_all();
  const std::string& problem() const { return problem_; }
  const WalkCounts& counts() const { return counts_; }
  const std::vector<const char*>& trail() const { return trail_; }

 private:
  using Kept = std::shared_ptr<const Content>;
  void said(const char* what) { trail_.push_back(what); }
  void fail(std::string what);
  template <class T>
  bool ok(const T& result, const char* what);
  bool same(uint64_t expected, uint64_t found, const char* what);

  size_t most_rows() const { return shape_.graph ? 9000 : 1500; }
  uint64_t below(uint64_t n) { return random_.below(n); }
  uint64_t any_id();
  std::vector<uint64_t> some_ids(size_t n);
  void remember_epoch(bool durable);

  bool shown(uint64_t id) const;  // there, and not expired
  void write();
  void write_keys();
  void put(std::span<const uint64_t> ids, const NewRows& rows);
  void remove();
  void remove_where();
  void remove_range();
  void update();
  void query();
  void read();
  void bad_input();
  void compact();
  void reopen();
  void rollback();
  void build_index();
  void keep_snapshot();
  void check_snapshots();

  WalkShape shape_;
  WalkRandom random_{0};
  OpenOptions options_;
  std::unique_ptr<Store> store_;
  Content model_;
  std::map<uint32_t, Kept> epochs_;
  std::deque<std::pair<Snapshot, Kept>> kept_;
  WalkCounts counts_;
  std::vector<const char*> trail_;
  std::string problem_;
};

struct WalkOutcome {
  std::string problem;  // empty: store and model agreed all the way
  uint64_t steps = 0;
  WalkCounts counts;
};
// Steps until `enough` operations are counted, or until something is wrong.
WalkOutcome run_walk(const WalkShape& shape, uint64_t enough);

// Leaves out steps that a failure does not need, for at most `limit`; says which are left.
std::string shrink_walk(const WalkShape& shape, uint64_t steps, std::chrono::seconds limit);

}  // namespace rvf::testing
