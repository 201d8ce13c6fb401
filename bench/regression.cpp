// A quick look for a change that made the store worse: generated data, ratios of the store to itself, about a
// minute. No time is asserted, machines differ; recall is. Usage: regression [ROWS [DIM]]
//
// The ratios: queries through the graph against the exact scan of the same rows, building the graph
// against scanning, and opening against one exact query. A fall in one of them from one commit to
// the next, on one machine, is what to look at.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <random>

#include "kernels/kernels.hpp"
#include "machine.hpp"
#include "rvf/store.hpp"

namespace {

namespace fs = std::filesystem;
using namespace rvf;

constexpr uint32_t kResults = 10;
constexpr size_t kQueries = 500;
constexpr double kLeastRecall = 0.95;  // of default settings, on both sets
constexpr uint64_t kSeed = 20260101;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T>
T must(Result<T>&& r) {
  if (!r) {
    fmt::print(stderr, "regression: {}\n", r.error().message);
    std::exit(1);
  }
  return *std::move(r);
}
void must(Status&& s) {
  if (!s) {
    fmt::print(stderr, "regression: {}\n", s.error().message);
    std::exit(1);
  }
}

// Rows, and after them the queries. Clustered: 200 clusters that are flat, 12 directions carry each.
std::vector<float> generate(bool clustered, size_t rows, size_t dim) {
  constexpr size_t kClusters = 200;
  constexpr size_t kInner = 12;
  std::mt19937_64 rng(kSeed);
  std::normal_distribution<float> normal;
  std::vector<float> out((rows + kQueries) * dim);
  if (!clustered) {
    for (float& x : out) x = normal(rng);
    return out;
  }
  std::vector<float> centres(kClusters * dim);
  std::vector<float> directions(kClusters * kInner * dim);
  for (float& x : centres) x = normal(rng);
  for (float& x : directions) x = normal(rng) / std::sqrt(static_cast<float>(dim));
  for (size_t i = 0; i < rows + kQueries; ++i) {
    const size_t c = rng() % kClusters;
    float* row = &out[i * dim];
    for (size_t d = 0; d < dim; ++d) row[d] = centres[c * dim + d] + 0.05F * normal(rng);
    for (size_t j = 0; j < kInner; ++j) {
      const float w = normal(rng);
      for (size_t d = 0; d < dim; ++d) row[d] += w * directions[(c * kInner + j) * dim + d];
    }
  }
  return out;
}

struct Timed {
  double seconds = 1e9;  // the best of three passes
  std::vector<QueryResult> results;
};

Timed ask(const Snapshot& s, std::span<const float> queries, size_t dim, const QueryOptions& how) {
  Timed t;
  for (int pass = 0; pass < 3; ++pass) {
    t.results.clear();
    const double start = now();
    for (size_t q = 0; q < kQueries; ++q) {
      t.results.push_back(must(s.query(queries.subspan(q * dim, dim), how)));
    }
    t.seconds = std::min(t.seconds, now() - start);
  }
  return t;
}

double recall(const Timed& got, const Timed& truth) {
  size_t hits = 0;
  for (size_t q = 0; q < kQueries; ++q) {
    std::vector<uint64_t> seen;
    const float limit = truth.results[q].neighbors.back().distance * (1 + 1e-6F);
    for (const Neighbor& n : got.results[q].neighbors) {
      seen.push_back(n.id);
      hits += n.distance <= limit ? 1U : 0U;
    }
    std::sort(seen.begin(), seen.end());
    if (std::adjacent_find(seen.begin(), seen.end()) != seen.end()) {
      fmt::print(stderr, "regression: an id comes twice in the results of query {}\n", q);
      std::exit(1);
    }
  }
  return static_cast<double>(hits) / static_cast<double>(kQueries * kResults);
}

// One line of JSON; false if recall is below what must hold.
bool measure(bool clustered, size_t rows, size_t dim) {
  const std::vector<float> data = generate(clustered, rows, dim);
  const std::span<const float> queries = std::span(data).subspan(rows * dim);
  const std::string path =
      (fs::temp_directory_path() / fmt::format("rvf_regression_{}.rvf", now())).string();
  CreateOptions create;
  create.dimension = static_cast<uint32_t>(dim);
  double build = 0;
  {
    Store s = must(Store::create(path, create, {.index_policy = IndexPolicy::kManual}));
    (void)must(s.ingest(Vectors::from_f32(std::span(data).first(rows * dim), dim)));
    const double start = now();
    must(s.build_index());
    build = now() - start;
    must(s.close());
  }
  const double opening = now();
  Timed flat;
  Timed graph;
  double opened = 0;
  {
    const Store store = must(Store::open_readonly(path));
    const Snapshot s = must(store.snapshot());
    opened = now() - opening;
    flat = ask(s, queries, dim, {.k = kResults, .exact = true});
    graph = ask(s, queries, dim, {.k = kResults});
  }
  const double found = recall(graph, flat);
  const double scan = flat.seconds / kQueries;  // seconds to compare one query with all rows
  const bool good = found >= kLeastRecall;
  fmt::print(
      "{{\"set\": \"{}\", \"rows\": {}, \"dim\": {}, \"recall_at_10\": {:.4f}, \"good\": {}, "
      "\"graph_queries_per_scan\": {:.2f}, \"rows_built_per_scan\": {:.2f}, "
      "\"scans_per_open\": {:.3f}, \"file_bytes_per_raw_byte\": {:.3f}}}\n",
      clustered ? "clustered" : "gaussian", rows, dim, found, good, flat.seconds / graph.seconds,
      static_cast<double>(rows) * scan / build, opened / scan,
      static_cast<double>(fs::file_size(path)) / static_cast<double>(rows * dim * 4));
  fs::remove(path);
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  const size_t rows = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 20000;
  const size_t dim = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 96;
  if (rows < 1000 || dim == 0) {
    fmt::print(stderr, "usage: regression [ROWS [DIM]], 1000 rows at least\n");
    return 2;
  }
  fmt::print("{{\"machine\": \"{}\", \"isa\": \"{}\", \"seed\": {}}}\n", bench::machine_name(),
             kernels::isa_name(), kSeed);
  const bool first = measure(true, rows, dim);
  const bool second = measure(false, rows, dim);
  if (!first || !second) fmt::print(stderr, "regression: recall below {}\n", kLeastRecall);
  return first && second ? 0 : 1;
}
