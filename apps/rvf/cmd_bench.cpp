#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "bench_run.hpp"
#include "command.hpp"
#include "interop/vector_file.hpp"
#include "kernels/kernels.hpp"

namespace rvf::cli {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// Bytes that this process made the disk deliver; 0 where the system does not tell.
uint64_t disk_bytes_read() {
  std::ifstream io("/proc/self/io");
  std::string key;
  uint64_t value = 0;
  while (io >> key >> value) {
    if (key == "read_bytes:") return value;
  }
  return 0;
}

void forget_cached_pages(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
}

double load_average() {
  double load = 0;
  return ::getloadavg(&load, 1) == 1 ? load : -1;
}

double percentile(const std::vector<double>& sorted, double p) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<size_t>(p * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

BenchResult run_bench(const BenchSettings& settings) {
  BenchResult r;
  const auto reader = must_input(interop::open_vectors(settings.queries));
  std::vector<float> queries;
  interop::VectorChunk chunk;
  const uint32_t dim = reader->info().dim;
  while (queries.size() / dim < settings.max_queries &&
         must_input(reader->read(settings.max_queries, chunk)) > 0) {
    chunk.to_f32(queries);
  }
  r.queries = std::min<uint64_t>(queries.size() / dim, settings.max_queries);
  if (r.queries == 0) fail_usage(settings.queries + " holds no queries");
  interop::Truth truth;
  if (!settings.truth.empty()) {
    truth = must_input(interop::read_truth(settings.truth));
    if (truth.k < settings.query.k) {
      fail_usage(fmt::format("{} has {} neighbours a query, fewer than k = {}", settings.truth,
                             truth.k, settings.query.k));
    }
  }
  const auto query = [&](uint64_t i) {
    return std::span<const float>(queries).subspan(i * dim, dim);
  };

  r.load_before = load_average();
  forget_cached_pages(settings.store);
  const uint64_t read_before = disk_bytes_read();
  auto started = Clock::now();
  const Store store = must(Store::open_readonly(settings.store, settings.open));
  r.open_us = microseconds_since(started);
  const Snapshot snapshot = must(store.snapshot());
  (void)must(snapshot.query(query(0), settings.query));
  r.first_result_us = microseconds_since(started);
  r.bytes_read_first_result = disk_bytes_read() - read_before;

  const auto executor = make_executor(settings.threads);
  const Vectors all{queries.data(), DType::kF32, r.queries, dim};
  (void)must(snapshot.query_batch(all, settings.query, executor.get()));  // warm

  std::vector<double> latency;
  uint64_t hits = 0;
  const uint64_t judged = std::min(r.queries, truth.queries);
  started = Clock::now();
  for (uint64_t i = 0; i < r.queries; ++i) {
    const auto begin = Clock::now();
    const QueryResult found = must(snapshot.query(query(i), settings.query));
    latency.push_back(microseconds_since(begin));
    r.distances += found.distances;
    if (i >= judged) continue;
    const auto* expected = truth.ids.data() + i * truth.k;
    for (const Neighbor& n : found.neighbors) {
      hits += std::find(expected, expected + settings.query.k, n.id) != expected + settings.query.k;
    }
  }
  r.qps = static_cast<double>(r.queries) / (microseconds_since(started) * 1e-6);
  if (executor != nullptr) {
    started = Clock::now();
    (void)must(snapshot.query_batch(all, settings.query, executor.get()));
    r.qps = static_cast<double>(r.queries) / (microseconds_since(started) * 1e-6);
  }
  std::sort(latency.begin(), latency.end());
  r.p50_us = percentile(latency, 0.50);
  r.p99_us = percentile(latency, 0.99);
  r.recall =
      judged == 0 ? -1 : static_cast<double>(hits) / static_cast<double>(judged * settings.query.k);
  r.load_after = load_average();
  r.isa = kernels::isa_name();
  rusage usage{};
  (void)::getrusage(RUSAGE_SELF, &usage);
  r.peak_rss_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  return r;
}

void print_bench(const BenchResult& r, bool json) {
  if (json) {
    JsonObject o;
    if (r.recall >= 0) {
      o.add("recall", r.recall);
    } else {
      o.add_raw("recall", "null");
    }
    say("{}\n", o.add("qps", r.qps)
                    .add("p50_us", r.p50_us)
                    .add("p99_us", r.p99_us)
                    .add("open_us", r.open_us)
                    .add("first_result_us", r.first_result_us)
                    .add("bytes_read_first_result", r.bytes_read_first_result)
                    .add("queries", r.queries)
                    .add("distances_per_query",
                         static_cast<double>(r.distances) / static_cast<double>(r.queries))
                    .add("peak_rss_bytes", r.peak_rss_bytes)
                    .add("isa", r.isa)
                    .add("load_before", r.load_before)
                    .add("load_after", r.load_after)
                    .str());
    return;
  }
  if (r.recall >= 0) say("recall          {:.4f}\n", r.recall);
  say("queries/s       {}\n", human_count(static_cast<uint64_t>(r.qps)));
  say("latency         p50 {}, p99 {}\n", human_time(r.p50_us * 1e-6), human_time(r.p99_us * 1e-6));
  say("cold open       {}, first result after {}, {} read from disk\n",
      human_time(r.open_us * 1e-6), human_time(r.first_result_us * 1e-6),
      human_bytes(r.bytes_read_first_result));
  say("peak memory     {} (mapped file included)\n", human_bytes(r.peak_rss_bytes));
  say("{} queries, {}, load {:.2f} -> {:.2f}\n", human_count(r.queries), r.isa, r.load_before,
      r.load_after);
}

void register_bench(CLI::App& app) {
  struct Options : Common {
    BenchSettings settings;
  };
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("bench", "measure recall, speed and cold start of a store");
  add_store_to_read(*c, *o);
  c->add_option("--queries", o->settings.queries, "file of queries")->required();
  c->add_option("--truth", o->settings.truth, "file of true neighbour ids (npy, ivecs, ibin)");
  c->add_option("-k", o->settings.query.k, "neighbours a query (10)")->check(at_least(1));
  auto* ef = c->add_option("--ef", o->settings.query.ef, "beam width; default: chosen for --recall")
                 ->check(at_least(1));
  auto* recall = c->add_option("--recall", o->settings.query.target_recall, "recall to aim at")
                     ->check(between(0.5, 0.999))
                     ->excludes(ef);
  c->add_option("--max-queries", o->settings.max_queries, "use at most so many queries")
      ->check(at_least(1));
  c->add_flag("--exact", o->settings.query.exact, "compare with every vector")
      ->excludes(ef)
      ->excludes(recall);
  add_threads(*c, *o, "threads for the queries (1)");
  add_json(*c, *o);
  c->callback([o] {
    o->settings.store = o->store;
    o->settings.open = reading_options(*o);
    o->settings.threads = o->threads;
    print_bench(run_bench(o->settings), o->json);
  });
}

}  // namespace rvf::cli
