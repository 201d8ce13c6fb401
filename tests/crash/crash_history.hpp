// The life of a store on a traced disk, and whether what a crash left of it keeps the promises of
// docs/durability.md.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "rvf/store.hpp"
#include "support/crash_images.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {

inline constexpr uint32_t kLifeDim = 8;
inline const std::string kStorePath = "s.rvf";

// What a reader is shown.
struct Shown {
  Model model;
  std::vector<uint64_t> attached;  // a hash of type and content each, ascending
};
Shown shown_of(const Snapshot& snapshot);
// Empty if equal; otherwise what differs first.
std::string difference(const Shown& expected, const Shown& actual);

// The store after an acknowledged call.
struct State {
  size_t event = 0;  // of the trace, when the call returned
  Shown shown;
  bool kept_if_killed = false;
  bool kept_if_powerless = false;
};

// Runs the calls of a workload against a store and writes down what each of them promised.
class Life {
 public:
  Life(std::shared_ptr<TraceFileSystem> fs, uint64_t seed) : fs_(std::move(fs)), random_(seed) {}

  // Both fail the life where they cannot be done.
  void create(CreateOptions options = {});
  void open(Durability durability = Durability::kSync);
  void close();
  // The process dies: what it had not given to the system is gone.
  void die();
  // Takes what is on the disk for given, as a process does that finds it there.
  void begin_with(Shown shown) { states_.push_back({fs_->size(), std::move(shown), true, true}); }
  // A call that failed may have left this all the same.
  void may_become(Shown shown) { states_.push_back({SIZE_MAX, std::move(shown), true, false}); }
  bool is_open() const { return store_.has_value(); }
  Store& store() { return *store_; }
  OpenOptions& options() { return options_; }
  std::mt19937_64& random() { return random_; }
  TraceFileSystem& fs() const { return *fs_; }

  // One call of the store that must succeed, with the durability that the store was opened with.
  template <class T>
  void call(Result<T> done) {
    if (!done) return fail(done.error().message);
    acknowledged(options_.durability);
  }
  void call(Status done) {
    if (!done) return fail(done.error().message);
    acknowledged(options_.durability);
  }
  // A call that promises more than the store's durability, as commit() does.
  void durable_call(Status done) {
    if (!done) return fail(done.error().message);
    acknowledged(Durability::kSync);
  }
  // A call that must be refused and change nothing.
  template <class T>
  void refused(const Result<T>& done) {
    if (done) fail("a call that should be refused was accepted");
  }
  void ingest(size_t rows, std::span<const uint64_t> ids = {});
  void remove(std::vector<uint64_t> ids) { call(store().remove(ids)); }

  const std::vector<State>& states() const { return states_; }
  const std::string& problem() const { return problem_; }
  // What the images hold besides the store; empty if all is well.
  // Told the number of events and whether power was lost.
  std::function<std::string(const std::shared_ptr<io::FileSystem>&, size_t, bool)> also;

  void acknowledged(Durability promised);
  void fail(const std::string& why) {
    if (problem_.empty()) problem_ = why;
  }

 private:
  std::shared_ptr<TraceFileSystem> fs_;
  std::mt19937_64 random_;
  OpenOptions options_;
  std::optional<Store> store_;
  std::vector<State> states_;
  std::string problem_;
};

struct CheckOptions {
  bool power_lost = false;
  bool believe_large_stores = false;  // no hash is checked at opening that a barrier vouches for
  bool compact = false;  // the store is also compacted after recovery
  Shown* found = nullptr;  // where it opens
};
// Empty if the image is as good as promised after the first `events` events of the life.
std::string check_image(const Image& image, const Life& life, size_t events,
                        const CheckOptions& options);

}  // namespace rvf::testing
