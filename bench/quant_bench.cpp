// How well and how fast each quantiser stores rows, and what a scan of RaBitQ codes gains over the
// flat scan of the rows themselves, both in one run on one thread.
//   quant_bench [--data base.npy [--queries queries.npy]] [--kind iid|clustered|anisotropic]
//               [--rows 100000] [--dim 128] [--queries-count 200] [--seed 1] [--part scan|codes|all]
// Arrays are of the npy format, f16 or f32. Prints the machine, tables, and one line of JSON.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "core_clock.hpp"
#include "kernels/convert.hpp"
#include "machine.hpp"
#include "quant/binary.hpp"
#include "quant/kmeans.hpp"
#include "quant/rabitq_scan.hpp"
#include "quant/residual.hpp"
#include "quant/scalar.hpp"

using namespace rvf;
using namespace rvf::quant;

namespace {

constexpr size_t kNeighbours = 10;

struct Rows {
  size_t dim = 0;
  std::vector<float> values;
  size_t count() const { return dim == 0 ? 0 : values.size() / dim; }
  std::span<const float> operator[](size_t i) const {
    return std::span(values).subspan(i * dim, dim);
  }
};

struct Options {
  std::string data, queries, kind = "clustered", part = "all";
  size_t rows = 100000, dim = 128, query_count = 200;
  uint64_t seed = 1;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A C-order two-dimensional f16 or f32 array.
Rows read_npy(const std::string& path, size_t most) {
  std::ifstream in(path, std::ios::binary);
  char head[10] = {};
  in.read(head, sizeof(head));
  uint16_t length = 0;
  std::memcpy(&length, head + 8, 2);
  std::string header(length, '\0');
  in.read(header.data(), length);
  Rows rows;
  const size_t shape = header.find("'shape': (");
  const bool half = header.find("<f2") != std::string::npos;
  if (!in || shape == std::string::npos || (!half && header.find("<f4") == std::string::npos)) {
    return rows;
  }
  char* next = nullptr;
  const size_t n = std::min<size_t>(std::strtoull(header.data() + shape + 10, &next, 10), most);
  rows.dim = std::strtoull(next + 1, nullptr, 10);
  rows.values.resize(n * rows.dim);
  if (half) {
    std::vector<uint16_t> raw(rows.values.size());
    in.read(reinterpret_cast<char*>(raw.data()), static_cast<std::streamsize>(raw.size() * 2));
    std::ranges::transform(raw, rows.values.begin(), kernels::f16_to_f32);
  } else {
    in.read(reinterpret_cast<char*>(rows.values.data()),
            static_cast<std::streamsize>(rows.values.size() * 4));
  }
  if (!in) rows = {};
  return rows;
}

// 100 clusters of spread 0.6, or none, or coordinates of falling weight.
Rows generate(const Options& o, size_t n, uint64_t seed) {
  constexpr size_t kClusters = 100;
  std::mt19937_64 rng(o.seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(kClusters * o.dim);
  for (float& x : centres) x = normal(rng);
  rng.seed(o.seed * 1000 + seed);
  Rows rows{.dim = o.dim, .values = std::vector<float>(n * o.dim)};
  for (size_t i = 0; i < n; ++i) {
    const float* centre = centres.data() + rng() % kClusters * o.dim;
    for (size_t j = 0; j < o.dim; ++j) {
      float x = normal(rng);
      if (o.kind == "clustered") x = centre[j] + 0.6F * x;
      if (o.kind == "anisotropic") x *= 1 / std::sqrt(static_cast<float>(1 + j));
      rows.values[i * o.dim + j] = x;
    }
  }
  return rows;
}

using Near = std::vector<std::pair<float, uint32_t>>;  // ascending

Near nearest(const std::vector<float>& distance, size_t k) {
  Near all;
  float bound = std::numeric_limits<float>::infinity();
  for (uint32_t i = 0; i < distance.size(); ++i) {
    if (distance[i] >= bound) continue;
    all.emplace_back(distance[i], i);
    if (all.size() == 4 * k) {
      std::ranges::nth_element(all, all.begin() + static_cast<ptrdiff_t>(k) - 1);
      all.resize(k);
      bound = all.back().first;
    }
  }
  std::ranges::sort(all);
  all.resize(std::min(k, all.size()));
  return all;
}

Near flat_search(const Rows& base, std::span<const float> query, size_t k,
                 std::vector<float>& distance) {
  const auto q = kernels::prepare(query, Metric::kL2, DType::kF32, base.dim);
  q->distances_strided(reinterpret_cast<const std::byte*>(base.values.data()), base.dim * 4,
                       base.count(), distance.data());
  return nearest(distance, k);
}

double recall(const Near& got, const Near& truth) {
  size_t hits = 0;
  for (const auto& g : got) {
    hits += std::ranges::any_of(truth, [&](const auto& t) { return t.second == g.second; });
  }
  return static_cast<double>(hits) / static_cast<double>(truth.size());
}

struct Bench {
  Options options;
  Rows base = {};
  Rows queries = {};
  std::vector<Near> truth = {};
  double flat_seconds = 0;  // a query
  std::string json = {};
};

void row(Bench& bench, const std::string& fields) {
  bench.json += (bench.json.empty() ? "{" : ", {") + fields + "}";
}

void find_truth(Bench& bench) {
  std::vector<float> distance(bench.base.count());
  bench.truth.clear();
  double best = 1e300;
  for (int pass = 0; pass < 3; ++pass) {
    std::vector<Near> truth;
    const double start = now();
    for (size_t i = 0; i < bench.queries.count(); ++i) {
      truth.push_back(flat_search(bench.base, bench.queries[i], kNeighbours, distance));
    }
    best = std::min(best, now() - start);
    bench.truth = std::move(truth);
  }
  bench.flat_seconds = best / static_cast<double>(bench.queries.count());
}

// The scan against the flat scan, passes of both in turn.
void scan_part(Bench& bench) {
  fmt::print(
      "\nscan: partitions refine  recall@10   QPS  x flat  read  refined  exact  bytes/row  build "
      "s\n");
  const StoredRows rows{.data = reinterpret_cast<const std::byte*>(bench.base.values.data()),
                        .stride = bench.base.dim * 4,
                        .count = bench.base.count(),
                        .dim = bench.base.dim};
  for (const size_t partitions : {1U, 16U, 0U, 256U}) {
    for (const unsigned bits : {0U, 4U, 8U}) {
      const double start = now();
      const auto scan = RaBitQScan::build(
          rows, Metric::kL2,
          {.partitions = partitions, .refine_bits = bits, .seed = bench.options.seed});
      const double build = now() - start;
      if (!scan) {
        fmt::print("{}\n", scan.error().message);
        return;
      }
      double best = 1e300;
      double found = 0;
      ScanCounts sum;
      const auto count = static_cast<double>(bench.queries.count());
      for (int pass = 0; pass < 3; ++pass) {
        found = 0;
        sum = {};
        double seconds = 0;
        for (size_t i = 0; i < bench.queries.count(); ++i) {
          ScanCounts c;
          const double begin = now();
          const auto hits = scan->search(bench.queries[i], kNeighbours, kDefaultDeviations, &c);
          seconds += now() - begin;
          Near got;
          for (const ScanHit& h : *hits) got.emplace_back(h.distance, h.row);
          found += recall(got, bench.truth[i]) / count;
          sum.estimated += c.estimated;
          sum.refined += c.refined;
          sum.exact += c.exact;
        }
        best = std::min(best, seconds / count);
        find_truth(bench);
      }
      const auto per = [&](uint64_t n) { return static_cast<double>(n) / count; };
      const double bytes =
          static_cast<double>(scan->memory_bytes()) / static_cast<double>(bench.base.count());
      const double gain = bench.flat_seconds / best;
      fmt::print("{:16} {:6}  {:9.4f} {:7.0f} {:6.1f} {:7.0f} {:7.0f} {:6.0f} {:8.1f} {:8.2f}\n",
                 scan->quantizer().centroid_count(), bits, found, 1 / best, gain,
                 per(sum.estimated), per(sum.refined), per(sum.exact), bytes, build);
      row(bench,
          fmt::format("\"scan\": {}, \"refine_bits\": {}, \"recall\": {:.4f}, \"qps\": {:.0f}, "
                      "\"flat_qps\": {:.1f}, \"ratio\": {:.2f}, \"exact\": {:.0f}, "
                      "\"bytes\": {:.1f}, \"build_s\": {:.2f}",
                      scan->quantizer().centroid_count(), bits, found, 1 / best,
                      1 / bench.flat_seconds, gain, per(sum.exact), bytes, build));
    }
  }
}

struct Encoded {
  std::string name = {};
  double bytes = 0;  // a row
  double encode_seconds = 0;  // all rows
  std::vector<float> decoded = {};  // empty: it has no values
  // Fills the estimated distance of every row.
  std::function<void(std::span<const float>, std::vector<float>&)> estimate = {};
};

// Recall of the estimates, and after the exact distances of the 100 best of them.
void report(Bench& bench, const Encoded& e) {
  double error = std::nan("");
  if (!e.decoded.empty()) {
    double lost = 0, size = 0;
    std::vector<double> mean(bench.base.dim);
    for (size_t i = 0; i < bench.base.values.size(); ++i) {
      mean[i % bench.base.dim] +=
          double{bench.base.values[i]} / static_cast<double>(bench.base.count());
    }
    for (size_t i = 0; i < e.decoded.size(); ++i) {
      const double d = double{e.decoded[i]} - bench.base.values[i];
      const double s = double{bench.base.values[i]} - mean[i % bench.base.dim];
      lost += d * d;
      size += s * s;
    }
    error = lost / size;
  }
  const size_t used = std::min<size_t>(50, bench.queries.count());
  std::vector<float> distance(bench.base.count());
  double plain = 0, reranked = 0;
  for (size_t i = 0; i < used; ++i) {
    const auto query = bench.queries[i];
    if (e.estimate) {
      e.estimate(query, distance);
    } else {
      const auto q = kernels::prepare(query, Metric::kL2, DType::kF32, bench.base.dim);
      q->distances_strided(reinterpret_cast<const std::byte*>(e.decoded.data()), bench.base.dim * 4,
                           bench.base.count(), distance.data());
    }
    Near best = nearest(distance, 100);
    const auto q = kernels::prepare(query, Metric::kL2, DType::kF32, bench.base.dim);
    Near exact;
    for (const auto& b : best) {
      exact.emplace_back(
          q->distance(reinterpret_cast<const std::byte*>(bench.base[b.second].data())), b.second);
    }
    std::ranges::sort(exact);
    best.resize(kNeighbours);
    exact.resize(kNeighbours);
    plain += recall(best, bench.truth[i]) / static_cast<double>(used);
    reranked += recall(exact, bench.truth[i]) / static_cast<double>(used);
  }
  const double rate = static_cast<double>(bench.base.count()) / e.encode_seconds;
  fmt::print("{:22} {:9.1f} {:12.6f} {:10.3f} {:10.3f} {:12.0f}\n", e.name, e.bytes, error, plain,
             reranked, rate);
  row(bench, fmt::format("\"codes\": \"{}\", \"bytes\": {:.1f}, \"lost\": {}, \"recall\": {:.4f}, "
                         "\"recall_rerank100\": {:.4f}, \"encode_per_s\": {:.0f}",
                         e.name, e.bytes, std::isnan(error) ? "null" : fmt::format("{:.3g}", error),
                         plain, reranked, rate));
}

void scalar_codes(Bench& bench, unsigned bits) {
  const auto q = ScalarQuantizer::train(bench.base.values, bench.base.dim, bits);
  std::vector<uint8_t> codes(bench.base.count() * q->code_bytes());
  Encoded e{.name = fmt::format("scalar {}", bits), .bytes = static_cast<double>(q->code_bytes())};
  e.encode_seconds = -now();
  for (size_t i = 0; i < bench.base.count(); ++i) {
    q->encode(bench.base[i], std::span(codes).subspan(i * q->code_bytes(), q->code_bytes()));
  }
  e.encode_seconds += now();
  e.decoded.resize(bench.base.values.size());
  for (size_t i = 0; i < bench.base.count(); ++i) {
    q->decode(std::span(codes).subspan(i * q->code_bytes(), q->code_bytes()),
              std::span(e.decoded).subspan(i * bench.base.dim, bench.base.dim));
  }
  report(bench, e);
}

void product_codes(Bench& bench, size_t subspaces, size_t centroids, size_t coarse) {
  Encoded e{.bytes = static_cast<double>(subspaces) * (centroids <= 16 ? 0.5 : 1)};
  e.decoded.resize(bench.base.values.size());
  std::vector<uint8_t> codes(bench.base.count() * subspaces);
  const ProductOptions options{.subspaces = subspaces, .centroids = centroids};
  if (coarse == 0) {
    const auto q = ProductQuantizer::train(bench.base.values, bench.base.dim, options);
    if (!q) return;
    e.name = fmt::format("product {}x{}", subspaces, centroids);
    e.encode_seconds = -now();
    q->encode(bench.base.values, codes.data());
    e.encode_seconds += now();
    for (size_t i = 0; i < bench.base.count(); ++i) {
      q->decode(codes.data() + i * subspaces, e.decoded.data() + i * bench.base.dim);
    }
  } else {
    const auto q = ResidualQuantizer::train(bench.base.values, bench.base.dim, coarse, options);
    if (!q) return;
    e.name = fmt::format("residual {}+{}x{}", coarse, subspaces, centroids);
    e.bytes += 4;
    std::vector<uint32_t> lists(bench.base.count());
    e.encode_seconds = -now();
    q->encode(bench.base.values, lists.data(), codes.data());
    e.encode_seconds += now();
    for (size_t i = 0; i < bench.base.count(); ++i) {
      q->decode(lists[i], codes.data() + i * subspaces, e.decoded.data() + i * bench.base.dim);
    }
  }
  report(bench, e);
}

void binary_codes(Bench& bench) {
  const auto q = BinaryQuantizer::train(bench.base.values, bench.base.dim);
  std::vector<uint8_t> codes(bench.base.count() * q->code_bytes());
  Encoded e{.name = "binary", .bytes = static_cast<double>(q->code_bytes())};
  e.encode_seconds = -now();
  for (size_t i = 0; i < bench.base.count(); ++i) {
    q->encode(bench.base[i].data(), codes.data() + i * q->code_bytes());
  }
  e.encode_seconds += now();
  e.estimate = [&](std::span<const float> query, std::vector<float>& out) {
    std::vector<std::byte> code(q->code_bytes());
    q->encode(query.data(), reinterpret_cast<uint8_t*>(code.data()));
    const auto p =
        kernels::prepare_row(code.data(), Metric::kHamming, DType::kBinary, bench.base.dim);
    p->distances_strided(reinterpret_cast<const std::byte*>(codes.data()), q->code_bytes(),
                         bench.base.count(), out.data());
  };
  report(bench, e);
}

void rabitq_codes(Bench& bench, unsigned bits, size_t centroids) {
  const auto means = train_kmeans(bench.base.values, bench.base.dim, {.centroids = centroids});
  const auto q =
      RaBitQ::make(Metric::kL2, bits, means->centroids, bench.base.dim, bench.options.seed);
  const size_t n = bench.base.count();
  std::vector<uint8_t> codes(n * q->code_bytes());
  std::vector<RaBitQFactors> factors(n);
  std::vector<uint32_t> lists(n);
  RaBitQ::Scratch scratch;
  Encoded e{.name = fmt::format("rabitq {} ({} lists)", bits, centroids),
            .bytes = static_cast<double>(q->code_bytes() + sizeof(RaBitQFactors) + 4)};
  e.encode_seconds = -now();
  q->nearest_centroids(bench.base.values, lists.data(), scratch);
  for (size_t i = 0; i < n; ++i) {
    factors[i] =
        q->encode(bench.base[i].data(), lists[i], codes.data() + i * q->code_bytes(), scratch);
  }
  e.encode_seconds += now();
  e.decoded.resize(bench.base.values.size());
  for (size_t i = 0; i < n; ++i) {
    q->decode(codes.data() + i * q->code_bytes(), factors[i], lists[i],
              e.decoded.data() + i * bench.base.dim, scratch);
  }
  e.estimate = [&](std::span<const float> query, std::vector<float>& out) {
    const auto p = q->prepare(query);
    for (size_t i = 0; i < n; ++i) {
      out[i] = p->estimate(codes.data() + i * q->code_bytes(), factors[i], lists[i]).distance;
    }
  };
  report(bench, e);
}

void codes_part(Bench& bench) {
  fmt::print("\ncodes                  bytes/row  lost of var.  recall@10  rerank 100  encode/s\n");
  const size_t dim = bench.base.dim;
  for (const unsigned bits : {8U, 4U}) scalar_codes(bench, bits);
  product_codes(bench, (dim + 7) / 8, 256, 0);
  product_codes(bench, (dim + 3) / 4, 256, 0);
  product_codes(bench, (dim + 3) / 4, 16, 0);
  product_codes(bench, (dim + 7) / 8, 256, 256);
  binary_codes(bench);
  for (const size_t lists : {1U, 256U}) {
    for (const unsigned bits : {1U, 2U, 3U, 4U, 6U, 8U}) rabitq_codes(bench, bits, lists);
  }
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--data") o.data = value;
    if (name == "--queries") o.queries = value;
    if (name == "--kind") o.kind = value;
    if (name == "--part") o.part = value;
    if (name == "--rows") o.rows = std::stoull(value);
    if (name == "--dim") o.dim = std::stoull(value);
    if (name == "--queries-count") o.query_count = std::stoull(value);
    if (name == "--seed") o.seed = std::stoull(value);
  }
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  Bench run{.options = parse(argc, argv)};
  const Options& o = run.options;
  if (o.data.empty()) {
    run.base = generate(o, o.rows, 1);
    run.queries = generate(o, o.query_count, 2);
  } else {
    run.base = read_npy(o.data, o.rows);
    if (!o.queries.empty()) {
      run.queries = read_npy(o.queries, o.query_count);
    } else if (run.base.count() > 2 * o.query_count) {  // the last rows ask for the others
      const size_t kept = (run.base.count() - o.query_count) * run.base.dim;
      run.queries = {.dim = run.base.dim,
                     .values = {run.base.values.begin() + static_cast<ptrdiff_t>(kept),
                                run.base.values.end()}};
      run.base.values.resize(kept);
    }
  }
  if (run.base.count() < 100 || run.queries.count() == 0 || run.queries.dim != run.base.dim) {
    fmt::print(stderr, "quant_bench: no rows, or queries of another dimension\n");
    return 2;
  }
  const double load_before = bench::load_average();
  find_truth(run);
  fmt::print(
      "{}, {}, {} rows x {}, {} queries, {}, seed {}, load {:.2f}\nflat scan: {:.1f} QPS, {:.1f} "
      "GB/s\n",
      bench::machine_name(), kernels::isa_name(), run.base.count(), run.base.dim,
      run.queries.count(), o.data.empty() ? o.kind : o.data, o.seed, load_before,
      1 / run.flat_seconds,
      static_cast<double>(run.base.values.size() * 4) / run.flat_seconds / 1e9);
  if (o.part != "codes") scan_part(run);
  if (o.part != "scan") codes_part(run);
  fmt::print(
      "\n{{\"machine\": \"{}\", \"isa\": \"{}\", \"rows\": {}, \"dim\": {}, \"data\": \"{}\", "
      "\"seed\": {}, \"k\": {}, \"load_before\": {:.2f}, \"load_after\": {:.2f}, \"results\": "
      "[{}]}}\n",
      bench::machine_name(), kernels::isa_name(), run.base.count(), run.base.dim,
      o.data.empty() ? o.kind : o.data, o.seed, kNeighbours, load_before, bench::load_average(),
      run.json);
  return 0;
}
