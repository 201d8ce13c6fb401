// Build time, recall and speed of the graph index on real sets, against exact truth. Prints one
// JSON object.
//   graph_bench [--threads N] [--seconds S] [--rows N] [set ...]     sets: wn wo fm gauss
// wn: WordNet-MiniLM 100k x 384 f32, in-distribution queries; wo: the same with out-of-distribution
// queries; fm: Fashion-MNIST 60k x 784 u8; gauss: 100k x 128 iid normal. A set without its files is
// skipped.
#include <fmt/format.h>
#include <zlib.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "index/flat.hpp"
#include "index/graph.hpp"
#include "kernels/convert.hpp"
#include "machine.hpp"

using namespace rvf;

namespace {

struct DataSet {
  std::string name;
  DType dtype = DType::kF32;
  size_t dim = 0;
  size_t stride = 0;
  size_t rows = 0;
  std::byte* data = nullptr;  // 64-byte aligned, lives as long as the program
  std::vector<std::vector<float>> queries;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void allocate(DataSet& set) {
  set.stride = (vector_bytes(set.dtype, set.dim) + 63) / 64 * 64;
  set.data = static_cast<std::byte*>(std::aligned_alloc(64, set.stride * set.rows));
  std::memset(set.data, 0, set.stride * set.rows);
}

// A C-order two-dimensional f16 array of the npy format.
std::vector<std::vector<float>> read_npy_f16(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  char head[10];
  if (!in.read(head, 10)) return {};
  uint16_t length;
  std::memcpy(&length, head + 8, 2);
  std::string header(length, ' ');
  in.read(header.data(), length);
  size_t rows = 0;
  size_t dim = 0;
  const size_t at = header.find("'shape': (");
  if (at == std::string::npos ||
      std::sscanf(header.c_str() + at, "'shape': (%zu, %zu)", &rows, &dim) != 2) {
    return {};
  }
  std::vector<std::vector<float>> out(rows, std::vector<float>(dim));
  std::vector<uint16_t> row(dim);
  for (auto& v : out) {
    in.read(reinterpret_cast<char*>(row.data()), static_cast<std::streamsize>(dim * 2));
    (void)kernels::decode_row(reinterpret_cast<std::byte*>(row.data()), DType::kF16, v);
  }
  return out;
}

std::vector<uint8_t> read_idx_gz(const std::string& path, size_t images) {
  gzFile f = gzopen(path.c_str(), "rb");
  if (f == nullptr) return {};
  std::vector<uint8_t> out(16 + images * 784);
  const int n = gzread(f, out.data(), static_cast<unsigned>(out.size()));
  gzclose(f);
  if (n != static_cast<int>(out.size())) return {};
  out.erase(out.begin(), out.begin() + 16);
  return out;
}

bool load(const std::string& name, DataSet& set, size_t max_rows) {
  const std::string root = std::string(RVF_SHARED_DATA) + "/data/ann/";
  set.name = name;
  if (name == "wn" || name == "wo") {
    const std::string dir = root + "wordnet-minilm-384/";
    const auto base = read_npy_f16(dir + "base.f16.npy");
    set.queries = read_npy_f16(dir + (name == "wn" ? "queries-in.f16.npy" : "queries-ood.f16.npy"));
    if (base.empty() || set.queries.empty()) return false;
    set.dim = base[0].size();
    set.rows = std::min(base.size(), max_rows);
    allocate(set);
    for (size_t i = 0; i < set.rows; ++i) {
      (void)kernels::encode_row(base[i], set.dtype, set.data + i * set.stride);
    }
  } else if (name == "fm") {
    const auto train = read_idx_gz(root + "fashion-mnist/train-images-idx3-ubyte.gz", 60000);
    const auto test = read_idx_gz(root + "fashion-mnist/t10k-images-idx3-ubyte.gz", 10000);
    if (train.empty() || test.empty()) return false;
    set.dtype = DType::kU8;
    set.dim = 784;
    set.rows = std::min<size_t>(60000, max_rows);
    allocate(set);
    for (size_t i = 0; i < set.rows; ++i) {
      std::memcpy(set.data + i * set.stride, &train[i * 784], 784);
    }
    for (size_t q = 0; q < 2000; ++q) {
      set.queries.emplace_back(test.begin() + static_cast<ptrdiff_t>(q * 784),
                               test.begin() + static_cast<ptrdiff_t>((q + 1) * 784));
    }
  } else if (name == "gauss") {
    set.dim = 128;
    set.rows = std::min<size_t>(100000, max_rows);
    allocate(set);
    std::mt19937 rng(1);
    std::normal_distribution<float> normal;
    std::vector<float> v(set.dim);
    for (size_t i = 0; i < set.rows + 1000; ++i) {
      for (float& x : v) x = normal(rng);
      if (i < set.rows) {
        (void)kernels::encode_row(v, set.dtype, set.data + i * set.stride);
      } else {
        set.queries.push_back(v);
      }
    }
  } else {
    return false;
  }
  return true;
}

double overlap(const index::SearchResult& got, const index::SearchResult& truth) {
  size_t n = 0;
  for (const index::Hit& t : truth.hits) {
    for (const index::Hit& g : got.hits) n += g.row == t.row ? 1 : 0;
  }
  return static_cast<double>(n) / static_cast<double>(truth.hits.size());
}

std::string measure(const DataSet& set, Executor& executor, double seconds) {
  index::RowTable rows;
  if (!rows.append_run({0, set.rows, set.data, set.stride}).ok()) return "";
  const Metric metric = Metric::kL2;
  const index::GraphInput input{&rows, 0, set.rows, set.dtype, set.dim, metric};
  const double start = now();
  auto built = index::build_graph(input, {}, &executor);
  const double build_s = now() - start;
  if (!built.ok())
    return fmt::format("{{\"set\": \"{}\", \"error\": \"{}\"}}", set.name, built.error().message);
  std::vector<wire::ByteSpan> spans;
  for (const index::LargePayload& payload : built->fused) spans.push_back(payload.span());
  auto graph = index::open_fused(spans);
  if (!graph.ok())
    return fmt::format("{{\"set\": \"{}\", \"error\": \"{}\"}}", set.name, graph.error().message);

  std::vector<kernels::PreparedQuery> queries;
  for (const auto& q : set.queries) {
    auto p = kernels::prepare(q, metric, set.dtype, set.dim);
    if (!p.ok()) return "";
    queries.push_back(std::move(*p));
  }
  index::SearchScratch scratch;
  index::FlatIndex flat;
  std::vector<index::SearchResult> truth(queries.size());
  index::SearchRequest request;
  request.rows = &rows;
  request.executor = &executor;
  const double flat_start = now();
  for (size_t q = 0; q < queries.size(); ++q) {
    request.query = &queries[q];
    request.vector = set.queries[q];
    (void)flat.search(request, scratch, truth[q]);
  }
  const double flat_s = now() - flat_start;
  request.executor = nullptr;
  const index::IndexInfo info = (*graph)->describe();
  std::string points;
  for (const uint32_t ef :
       {0U, 10U, 16U, 24U, 32U, 48U, 64U, 96U, 128U, 256U, 512U, 1024U, 2048U, 3072U}) {
    request.params.ef = ef;
    double recall = 0;
    double best_qps = 0;
    index::SearchStats sum;
    const double until = now() + seconds;
    for (int pass = 0; pass < 9 && (pass < 2 || now() < until); ++pass) {
      index::SearchResult result;
      recall = 0;
      sum = {};
      double spent = 0;
      for (size_t q = 0; q < queries.size(); ++q) {
        request.query = &queries[q];
        request.vector = set.queries[q];
        request.vector = set.queries[q];
        const double t = now();
        (void)(*graph)->search(request, scratch, result);
        spent += now() - t;
        recall += overlap(result, truth[q]);
        sum.distances += result.stats.distances;
        sum.expansions += result.stats.expansions;
        sum.ef = result.stats.ef;
      }
      best_qps = std::max(best_qps, static_cast<double>(queries.size()) / spent);
    }
    const auto n = static_cast<double>(queries.size());
    points += fmt::format(
        "{}\n    {{\"ef\": {}, \"default\": {}, \"recall_at_10\": {:.4f}, \"qps\": {:.0f}, "
        "\"distances\": {:.0f}, \"expansions\": {:.1f}}}",
        points.empty() ? "" : ",", sum.ef, ef == 0, recall / n, best_qps,
        static_cast<double>(sum.distances) / n, static_cast<double>(sum.expansions) / n);
  }
  return fmt::format(
      "  {{\"set\": \"{}\", \"rows\": {}, \"dim\": {}, \"dtype\": \"{}\", \"build_s\": {:.2f}, "
      "\"threads\": {}, \"index_bytes_per_row\": {:.1f}, \"layer_a_bytes\": {}, \"default_ef\": "
      "{}, "
      "\"max_layer\": {}, \"exact_qps\": {:.0f},\n   \"points\": [{}]}}",
      set.name, set.rows, set.dim, dtype_name(set.dtype), build_s, executor.width(),
      static_cast<double>(info.bytes) / static_cast<double>(set.rows), built->layer_a.size(),
      info.default_ef, info.max_layer, static_cast<double>(queries.size()) / flat_s, points);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> names;
  size_t threads = 1;
  size_t max_rows = SIZE_MAX;
  double seconds = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--threads" && i + 1 < argc) {
      threads = std::strtoul(argv[++i], nullptr, 10);
    } else if (arg == "--rows" && i + 1 < argc) {
      max_rows = std::strtoul(argv[++i], nullptr, 10);
    } else if (arg == "--seconds" && i + 1 < argc) {
      seconds = std::strtod(argv[++i], nullptr);
    } else {
      names.push_back(arg);
    }
  }
  if (names.empty()) names = {"wn", "wo", "fm", "gauss"};
  const auto executor = make_thread_pool(threads);
  fmt::print("{{\"isa\": \"{}\", \"machine\": \"{}\", \"sets\": [\n", kernels::isa_name(),
             bench::machine_name());
  for (size_t i = 0; i < names.size(); ++i) {
    DataSet set;
    const std::string text =
        load(names[i], set, max_rows)
            ? measure(set, *executor, seconds)
            : fmt::format("  {{\"set\": \"{}\", \"skipped\": \"no data\"}}", names[i]);
    fmt::print("{}{}\n", text, i + 1 < names.size() ? "," : "");
    std::fflush(stdout);
    std::free(set.data);
  }
  fmt::print("]}}\n");
  return 0;
}
