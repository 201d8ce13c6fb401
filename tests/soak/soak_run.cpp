#include "soak/soak_run.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "rvf/store.hpp"
#include "support/reliability_form.hpp"
#include "types/splitmix.hpp"

namespace rvf::testing {
namespace {

constexpr uint32_t kDim = 24;
constexpr uint64_t kBatch = 50;
constexpr double kWarmUp = 0.3;  // of the time
// The format only appends, so the file grows until it is compacted. Whoever keeps a store decides
// when, from its status; this is a policy that keeps the file below twice what is alive in it.
constexpr double kCompactAbove = 1.6;
constexpr double kMostFile = 2.0;
constexpr double kMostRecallDrop = 0.01;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kResidentSlack = 1U << 30;  // sanitizers keep what was freed
#else
constexpr uint64_t kResidentSlack = 8U << 20;
#endif

uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  in >> total >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

uint64_t open_files() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<uint64_t>(std::distance(begin(all), end(all)));
}

uint64_t maps_of(const std::string& path) {
  std::ifstream in("/proc/self/maps");
  std::string line;
  uint64_t n = 0;
  while (std::getline(in, line)) n += line.find(path) != std::string::npos ? 1 : 0;
  return n;
}

uint64_t median(std::vector<uint64_t> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class Soak {
 public:
  explicit Soak(const SoakOptions& options) : options_(options), random_(options.seed) {}

  SoakReport run() {
    fill();
    bool warm = false;
    // On a busy machine the time may be over before there is anything to compare.
    const uint64_t least_turns = 4 * options_.reopen_every;
    while (out_.problem.empty() && (watch_.seconds() < options_.seconds || turns_ < least_turns)) {
      turn();
      if (!warm && watch_.seconds() > kWarmUp * options_.seconds && out_.reopens > 0) {
        warm = true;
        out_.recall_begin = recall();
        out_.files_begin = open_files();
        out_.maps_begin = maps_of(options_.path);
      }
      if (warm) resident_.push_back(resident_bytes());
    }
    if (out_.problem.empty() && !warm) out_.problem = "the time was too short to get warm";
    if (!out_.problem.empty()) return out_;
    maintain(true);
    out_.recall_end = recall();
    out_.files_end = open_files();
    out_.maps_end = maps_of(options_.path);
    const auto half = resident_.begin() + static_cast<std::ptrdiff_t>(resident_.size() / 2);
    out_.resident_begin = median({resident_.begin(), half});
    out_.resident_end = median({half, resident_.end()});
    check_content();
    return out_;
  }

 private:
  uint64_t next() { return splitmix_finish(random_ += kSplitmixStep); }
  void fail(const char* what, const Error& e) {
    if (out_.problem.empty()) out_.problem = std::string(what) + " failed: " + e.message;
  }

  // Rows lie around a few centres, as those of real collections do.
  std::vector<float> values(uint64_t seed, size_t count) {
    std::vector<float> v(count * kDim);
    for (size_t i = 0; i < count; ++i) {
      const uint64_t centre = splitmix64(seed + i) % 20;
      for (uint32_t d = 0; d < kDim; ++d) {
        const uint64_t a = splitmix64(centre * 1000 + d) & 0xFFFF;
        const uint64_t b = splitmix64((seed + i) * 7919 + d) & 0xFFFF;
        v[i * kDim + d] = (static_cast<float>(a) + static_cast<float>(b) * 0.5F) / 65536.0F;
      }
    }
    return v;
  }

  void fill() {
    CreateOptions c;
    c.dimension = kDim;
    c.graph_m = 8;
    c.ef_construction = 48;
    open_.durability = Durability::kFlush;
    auto made = Store::create(options_.path, c, open_);
    if (!made) return fail("create", made.error());
    store_.emplace(std::move(*made));
    for (uint64_t at = 0; at < options_.rows; at += 500) put(at, 500);
    if (auto built = store_->build_index(); !built) fail("build_index", built.error());
  }

  void put(uint64_t first, uint64_t count) {
    std::vector<uint64_t> ids(count);
    for (uint64_t i = 0; i < count; ++i)
      ids[i] = (first + i) % (options_.rows + options_.rows / 10);
    const uint64_t seed = next();
    const auto v = values(seed, count);
    const Column year{"year", FieldType::kI64,
                      std::vector<Value>(count, Value(static_cast<int64_t>(seed % 50)))};
    WriteBatch batch;
    batch.vectors = Vectors::from_f32(v, kDim);
    batch.ids = ids;
    batch.columns = std::span(&year, 1);
    const auto done = store_->write(batch);
    if (!done) return fail("write", done.error());
    for (uint64_t i = 0; i < count; ++i) seeds_[ids[i]] = seed + i;
    out_.operations += count;
    ++out_.commits;
  }

  void turn() {
    put(next() % options_.rows, kBatch);
    std::vector<uint64_t> gone(kBatch / 10);
    for (uint64_t& id : gone) id = next() % options_.rows;
    if (auto done = store_->remove(gone); !done) fail("remove", done.error());
    for (const uint64_t id : gone) seeds_.erase(id);
    out_.operations += gone.size();
    for (int i = 0; i < 10; ++i, ++out_.operations) {
      QueryOptions o;
      o.k = 10;
      if (i == 0) o.filter = "year < 25";
      const auto found = store_->query(values(next(), 1), o);
      if (!found) return fail("query", found.error());
    }
    ++turns_;
    if (turns_ % 8 == 0) maintain(false);
    if (turns_ % options_.reopen_every == 0) reopen();
  }

  void maintain(bool force) {
    if (force || file_by_live() > kCompactAbove) {
      const auto done = store_->compact();
      if (!done) return fail("compact", done.error());
      ++out_.compactions;
    }
    out_.worst_file = std::max(out_.worst_file, file_by_live());
  }

  // Dead rows inside of live segments are not live.
  double file_by_live() const {
    const StoreStatus s = store_->status();
    const auto rows = static_cast<double>(s.vectors + s.deleted);
    return static_cast<double>(s.file_bytes) * rows /
           (static_cast<double>(s.live_bytes) * static_cast<double>(s.vectors));
  }

  void reopen() {
    if (auto closed = store_->close(); !closed) return fail("close", closed.error());
    auto opened = Store::open(options_.path, open_);
    if (!opened) return fail("open", opened.error());
    *store_ = std::move(*opened);
    ++out_.reopens;
  }

  double recall() {
    uint64_t found = 0;
    constexpr uint64_t kQueries = 200;
    constexpr uint32_t kTop = 10;
    for (uint64_t i = 0; i < kQueries; ++i) {
      const auto q = values(i * 1'000'003 + 17, 1);
      const auto truth = store_->query(q, {.k = kTop, .exact = true});
      const auto got = store_->query(q, {.k = kTop});
      if (!truth || !got) return 0;
      for (const Neighbor& n : got->neighbors) {
        found += n.distance <= truth->neighbors.back().distance ? 1 : 0;
      }
    }
    return static_cast<double>(found) / static_cast<double>(kQueries * kTop);
  }

  void check_content() {
    const auto snapshot = store_->snapshot();
    if (!snapshot) return fail("snapshot", snapshot.error());
    if (*snapshot->size() != seeds_.size()) out_.problem = "rows are lost or came back";
    for (const auto& [id, seed] : seeds_) {
      const auto v = snapshot->get(id);
      if (!v || *v != values(seed, 1)) out_.problem = "a vector is wrong or gone";
    }
    const auto report = store_->verify({.deep = true});
    if (!report) return fail("verify", report.error());
    if (!report->problems.empty()) out_.problem = report->problems.front().message;
  }

  SoakOptions options_;
  uint64_t random_;
  OpenOptions open_;
  std::optional<Store> store_;
  std::map<uint64_t, uint64_t> seeds_;  // of every row that is there
  std::vector<uint64_t> resident_;
  uint64_t turns_ = 0;
  Stopwatch watch_;
  SoakReport out_;
};

}  // namespace

SoakReport soak(const SoakOptions& options) { return Soak(options).run(); }

std::vector<std::string> violations(const SoakReport& r) {
  std::vector<std::string> all;
  if (!r.problem.empty()) return {r.problem};
  if (r.files_end > r.files_begin + 2) {
    all.push_back("open files grew from " + std::to_string(r.files_begin) + " to " +
                  std::to_string(r.files_end));
  }
  if (r.maps_end > r.maps_begin + 4) {
    all.push_back("mappings of the store grew from " + std::to_string(r.maps_begin) + " to " +
                  std::to_string(r.maps_end));
  }
  if (r.resident_end > r.resident_begin + r.resident_begin / 10 + kResidentSlack) {
    all.push_back("resident memory grew from " + std::to_string(r.resident_begin >> 20) + " to " +
                  std::to_string(r.resident_end >> 20) + " MiB");
  }
  if (r.worst_file > kMostFile) {
    all.push_back("the file grew to " + std::to_string(r.worst_file) + " times its live bytes");
  }
  if (r.recall_end < r.recall_begin - kMostRecallDrop) {
    all.push_back("recall fell from " + std::to_string(r.recall_begin) + " to " +
                  std::to_string(r.recall_end));
  }
  return all;
}

}  // namespace rvf::testing
