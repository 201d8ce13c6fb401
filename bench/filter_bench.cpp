// Filtered search at selectivities from 50 % to 0.01 %: whether k results come back, their recall,
// and the time next to the two alternatives, comparing every match (pre-filter scan) and searching
// without a filter. Usage: filter_bench VECTORS QUERIES [FOLDER] [METRIC] [LAYOUT]
//
// The filter selects by a field that is independent of the vectors, by one that follows the
// distance to an anchor (so that matches lie together, near some queries and far from most), and by
// its opposite: what is far from the anchor of the query. Every query has a filter of its own: what
// the store remembers of an earlier filter does not help.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <numeric>
#include <random>

#include "interop/vector_file.hpp"
#include "kernels/kernels.hpp"
#include "machine.hpp"
#include "rvf/store.hpp"

namespace {

namespace fs = std::filesystem;
using namespace rvf;

constexpr uint32_t kResults = 10;
constexpr size_t kQueries = 200;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T>
T must(Result<T>&& r) {
  if (!r) {
    fmt::print(stderr, "filter_bench: {}\n", r.error().message);
    std::exit(1);
  }
  return *std::move(r);
}
void must(Status&& s) {
  if (!s) {
    fmt::print(stderr, "filter_bench: {}\n", s.error().message);
    std::exit(1);
  }
}

struct Matrix {
  std::vector<float> values;
  size_t rows = 0, dim = 0;
  std::span<const float> row(size_t i) const { return std::span(values).subspan(i * dim, dim); }
};

Matrix read(const std::string& path, size_t most) {
  const auto reader = must(interop::open_vectors(path));
  Matrix m;
  m.dim = reader->info().dim;
  interop::VectorChunk chunk;
  while (m.rows < most && must(reader->read(most - m.rows, chunk)) > 0) {
    chunk.to_f32(m.values);
    m.rows += chunk.count;
  }
  m.values.resize(m.rows * m.dim);
  return m;
}

double dot(std::span<const float> a, std::span<const float> b) {
  double s = 0;
  for (size_t i = 0; i < a.size(); ++i) s += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return s;
}

// The rank of every row by distance from an anchor row.
std::vector<int64_t> ranks_from(const Matrix& base, size_t anchor) {
  std::vector<double> d(base.rows);
  for (size_t i = 0; i < base.rows; ++i) {
    const auto a = base.row(i);
    d[i] = dot(a, a) - 2 * dot(a, base.row(anchor));
  }
  std::vector<size_t> order(base.rows);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return d[a] < d[b]; });
  std::vector<int64_t> rank(base.rows);
  for (size_t i = 0; i < order.size(); ++i) rank[order[i]] = static_cast<int64_t>(i);
  return rank;
}

struct Timed {
  double mean_us = 0;
  std::vector<QueryResult> results;
};

Timed time_queries(const Snapshot& s, const Matrix& queries, const std::vector<QueryOptions>& how) {
  Timed t;
  std::vector<double> times;
  for (size_t i = 0; i < how.size(); ++i) {
    const double begin = now();
    t.results.push_back(must(s.query(queries.row(i), how[i])));
    times.push_back((now() - begin) * 1e6);
  }
  // The mean: a strategy that is slow for some queries shall not hide them.
  t.mean_us = std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
  return t;
}

struct Row {
  std::string kind;
  double share = 0;
  double recall = 0, shortfall = 0;
  double auto_us = 0, pre_us = 0, post_us = 0, plain_us = 0;
  double distances = 0;
  uint64_t by[4] = {0, 0, 0, 0};
};

Row measure(const Snapshot& s, const Matrix& queries, const std::string& kind, double share,
            uint64_t rows) {
  Row row;
  row.kind = kind;
  row.share = share;
  const auto wanted = std::max<int64_t>(1, static_cast<int64_t>(share * static_cast<double>(rows)));
  std::vector<QueryOptions> automatic(queries.rows), pre(queries.rows), post(queries.rows),
      plain(queries.rows);
  for (size_t i = 0; i < queries.rows; ++i) {
    // Bounds of its own for each query, equally many matches.
    std::string filter;
    if (kind == "independent") {
      const auto low = static_cast<int64_t>(
          i * 7919 % static_cast<uint64_t>(static_cast<int64_t>(rows) - wanted + 1));
      filter = fmt::format("shuffled between {} and {}", low, low + wanted - 1);
    } else if (kind == "near") {
      filter = fmt::format("rank{} < {} and shuffled >= -{}", i % 4, wanted, i);
    } else {
      filter = fmt::format("rank{} >= {} and shuffled >= -{}", i % 4,
                           static_cast<int64_t>(rows) - wanted, i);
    }
    automatic[i].k = pre[i].k = plain[i].k = kResults;
    automatic[i].filter = filter;
    pre[i].filter = filter + " ";  // not remembered from the other run
    pre[i].strategy = FilterStrategy::kPre;
    post[i] = automatic[i];
    post[i].filter = filter + "  ";
    post[i].strategy = FilterStrategy::kPost;
  }
  (void)time_queries(s, queries, plain);  // warms up
  const Timed p = time_queries(s, queries, plain);
  const Timed truth = time_queries(s, queries, pre);
  const Timed a = time_queries(s, queries, automatic);
  row.plain_us = p.mean_us;
  row.post_us = time_queries(s, queries, post).mean_us;
  row.pre_us = truth.mean_us;
  row.auto_us = a.mean_us;
  size_t hits = 0;
  size_t possible = 0;
  for (size_t i = 0; i < queries.rows; ++i) {
    const auto& t = truth.results[i].neighbors;
    const auto& got = a.results[i].neighbors;
    possible += t.size();
    row.shortfall += static_cast<double>(t.size() - std::min(t.size(), got.size()));
    for (const Neighbor& n : got) {
      hits += std::any_of(t.begin(), t.end(), [&](const Neighbor& o) { return o.id == n.id; });
    }
    row.distances +=
        static_cast<double>(a.results[i].distances) / static_cast<double>(queries.rows);
    ++row.by[static_cast<size_t>(a.results[i].plan.strategy)];
  }
  row.recall = static_cast<double>(hits) / static_cast<double>(std::max<size_t>(1, possible));
  return row;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr,
               "usage: filter_bench VECTORS QUERIES [FOLDER] [l2|cosine|ip] "
               "[standard|fused|partitions]\n");
    return 1;
  }
  const Matrix base = read(argv[1], SIZE_MAX);
  const Matrix queries = read(argv[2], kQueries);
  const std::string path = std::string(argc > 3 ? argv[3] : ".") + "/filter_bench.rvf";
  Metric metric = Metric::kCosine;
  if (argc > 4) (void)parse_metric(argv[4], metric);
  fs::remove(path);
  CreateOptions create;
  create.dimension = static_cast<uint32_t>(base.dim);
  create.metric = metric;
  create.dtype = DType::kF16;
  for (const SearchLayout layout : {SearchLayout::kStandard, SearchLayout::kPartitions}) {
    if (argc > 5 && argv[5] == std::string(search_layout_name(layout)))
      create.search_layout = layout;
  }
  {
    Store s = must(Store::create(path, create, {.index_policy = IndexPolicy::kManual}));
    std::vector<Column> columns;
    std::vector<int64_t> shuffled(base.rows);
    std::iota(shuffled.begin(), shuffled.end(), 0);
    std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937_64(7));
    columns.push_back({"shuffled", FieldType::kI64, {shuffled.begin(), shuffled.end()}});
    for (size_t anchor = 0; anchor < 4; ++anchor) {
      const auto rank = ranks_from(base, anchor * base.rows / 4 + 11);
      columns.push_back(
          {fmt::format("rank{}", anchor), FieldType::kI64, {rank.begin(), rank.end()}});
    }
    WriteBatch batch;
    batch.vectors = Vectors::from_f32(base.values, base.dim);
    batch.columns = columns;
    (void)must(s.write(batch));
    must(s.build_index());
    must(s.close());
  }
  const Store store = must(Store::open_readonly(path));
  const Snapshot snapshot = must(store.snapshot());
  fmt::print("{}, {}, {} x {} f16, {} queries, k {}, one thread, mean us a query\n",
             bench::machine_name(), kernels::isa_name(), base.rows, base.dim, queries.rows,
             kResults);
  fmt::print("{:12} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7} {:>7} {:>9}  pre/in/post\n",
             "filter", "share", "missing", "recall", "ours", "pre-scan", "post", "plain", "ratio",
             "vs k", "distances");
  for (const char* kind : {"independent", "near", "far"}) {
    for (const double share : {0.5, 0.2, 0.1, 0.05, 0.01, 0.001, 0.0001}) {
      const Row r = measure(snapshot, queries, kind, share, base.rows);
      // Against the better of scanning what matches and searching without the filter, which finds
      // too few; and against the better of the two that do find k.
      const double better = std::min(r.pre_us, r.plain_us);
      const double complete = std::min(r.pre_us, r.post_us);
      fmt::print(
          "{:12} {:>7.2f}% {:>9.0f} {:>9.4f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>7.2f} {:>7.2f} "
          "{:>9.0f}  "
          "{}/{}/{}\n",
          r.kind, share * 100, r.shortfall, r.recall, r.auto_us, r.pre_us, r.post_us, r.plain_us,
          better / r.auto_us, complete / r.auto_us, r.distances, r.by[1], r.by[2], r.by[3]);
    }
  }
  fs::remove(path);
  return 0;
}
