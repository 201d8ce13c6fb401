// The store as one contender among others: a long-lived process that obeys lines on standard input
// and answers each with one line of JSON, so that rounds of several contenders can alternate.
//   about
//   build BASE STORE METRIC [dtype=f32|f16|u8|..|exact] [threads=N] [m=N] [efc=N]
//     [layout=fused|standard|partitions]
//   open STORE
//   queries FILE
//   run K KNOB PASSES OUT [COUNT]    KNOB: a beam width, or recall=R, or auto, or exact
//   latency K KNOB COUNT             microseconds of single queries: p50, p90, p99
//   first STORE K KNOB OUT           opens, answers the first query: the time includes both
//   quit
// Words may stand in double quotes. OUT gets the ids of the last pass as raw u64, K a query; where
// fewer were found, the rest are all ones. Searches run on one thread, pinned to the first CPU that
// the process may use; only a build with threads=N uses more. Uses nothing but the public API, and
// the readers of vector files.
#include <fmt/format.h>
#include <malloc.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <limits>
#include <optional>
#include <sstream>

#include "interop/vector_file.hpp"
#include "kernels/kernels.hpp"
#include "machine.hpp"
#include "process_memory.hpp"
#include "rvf/store.hpp"

namespace {

namespace fs = std::filesystem;
using namespace rvf;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_now() {  // seconds of this process on a CPU: what others on the machine cannot lengthen
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// Ends the one command, not the process.
struct Failure {
  std::string message;
};

template <class T>
T must(Result<T>&& r) {
  if (!r) throw Failure{r.error().message};
  return *std::move(r);
}
void must(Status&& s) {
  if (!s) throw Failure{s.error().message};
}

using Words = std::vector<std::string>;

const std::string& word(const Words& words, size_t i) {
  if (i >= words.size()) throw Failure{fmt::format("{}: a word is missing", words[0])};
  return words[i];
}

uint32_t number(const std::string& text) {
  try {
    return static_cast<uint32_t>(std::stoul(text));
  } catch (const std::exception&) {
    throw Failure{"not a number: " + text};
  }
}

std::optional<std::string> option(const Words& words, const std::string& name) {
  for (const std::string& w : words) {
    if (w.starts_with(name + "=")) return w.substr(name.size() + 1);
  }
  return std::nullopt;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

// The knob of a search as the public API has it.
QueryOptions with_knob(uint32_t k, const std::string& knob) {
  QueryOptions o;
  o.k = k;
  if (knob == "exact") {
    o.exact = true;
  } else if (knob.starts_with("recall=")) {
    o.target_recall = std::strtof(knob.c_str() + 7, nullptr);
  } else if (knob != "auto") {
    o.ef = number(knob);
  }
  return o;
}

class Driver {
 public:
  std::string obey(const Words& words) {
    if (words[0] == "about") return about();
    if (words[0] == "build") return build(words);
    if (words[0] == "open") return open(words);
    if (words[0] == "queries") return read_queries(words);
    if (words[0] == "run") return run(words);
    if (words[0] == "latency") return latency(words);
    if (words[0] == "first") return first(words);
    throw Failure{"no such command: " + words[0]};
  }

 private:
  static std::string about() {
    return fmt::format("\"machine\": {}, \"isa\": {}, \"batch\": false, {}",
                       quoted(bench::machine_name()), quoted(kernels::isa_name()),
                       bench::memory_json());
  }

  std::string build(const Words& words) {
    const std::string& path = word(words, 2);
    store_.reset();
    snapshot_.reset();
    fs::remove(path);
    const auto reader = must(interop::open_vectors(word(words, 1)));
    CreateOptions create;
    create.dimension = reader->info().dim;
    create.dtype = reader->info().dtype;
    if (!parse_metric(word(words, 3).c_str(), create.metric)) throw Failure{"no such metric"};
    if (const auto t = option(words, "dtype"); t && !parse_dtype(t->c_str(), create.dtype)) {
      throw Failure{"no such dtype"};
    }
    if (const auto m = option(words, "m")) create.graph_m = static_cast<uint16_t>(number(*m));
    if (const auto e = option(words, "efc")) create.ef_construction = number(*e);
    if (const auto layout = option(words, "layout")) {
      for (const SearchLayout l :
           {SearchLayout::kFused, SearchLayout::kStandard, SearchLayout::kPartitions}) {
        if (*layout == search_layout_name(l)) create.search_layout = l;
      }
    }
    const uint32_t threads = number(option(words, "threads").value_or("1"));
    OpenOptions how;
    how.index_policy = IndexPolicy::kManual;
    if (threads > 1) how.executor = make_thread_pool(threads);

    const std::string before = bench::memory_json("before_");
    double reading = 0;
    double ingest = 0;
    const double cpu_start = cpu_now();
    const double start = now();
    auto store = must(Store::create(path, create, how));
    interop::VectorChunk chunk;
    for (;;) {
      const double begin = now();
      const size_t n = must(reader->read(100000, chunk));
      const double read = now();
      reading += read - begin;
      if (n == 0) break;
      must(store.ingest({chunk.bytes.data(), chunk.dtype, chunk.count, chunk.dim}));
      ingest += now() - read;
    }
    chunk = {};
    const double indexing = now();
    must(store.build_index());
    const double indexed = now();
    const StoreStatus status = store.status();
    must(store.close());
    const double total = now() - start - reading;
    return fmt::format(
        "\"seconds\": {:.4f}, \"cpu_s\": {:.4f}, \"ingest_s\": {:.4f}, \"index_s\": {:.4f}, "
        "\"bytes\": {}, "
        "\"index_bytes\": {}, \"rows\": {}, \"dtype\": {}, \"threads\": {}, {}, {}",
        total, cpu_now() - cpu_start, ingest, indexed - indexing, fs::file_size(path),
        status.index_bytes, status.vectors, quoted(dtype_name(status.dtype)), threads, before,
        bench::memory_json());
  }

  void open_store(const std::string& path) {
    snapshot_.reset();
    store_.reset();
    store_.emplace(must(Store::open_readonly(path)));
    snapshot_.emplace(must(store_->snapshot()));
  }

  std::string open(const Words& words) {
    malloc_trim(0);
    const std::string before = bench::memory_json("before_");
    const double start = now();
    open_store(word(words, 1));
    const double seconds = now() - start;
    return fmt::format("\"seconds\": {:.6f}, \"bytes\": {}, {}, {}", seconds,
                       fs::file_size(word(words, 1)), before, bench::memory_json());
  }

  std::string read_queries(const Words& words) {
    const auto reader = must(interop::open_vectors(word(words, 1)));
    queries_.clear();
    dim_ = reader->info().dim;
    interop::VectorChunk chunk;
    while (must(reader->read(100000, chunk)) > 0) chunk.to_f32(queries_);
    return fmt::format("\"queries\": {}", queries_.size() / dim_);
  }

  // All queries, one after another. Results are copied out as a caller of a batch would have them.
  void search_all(const QueryOptions& options, size_t count, std::vector<uint64_t>& ids) const {
    for (size_t q = 0; q < count; ++q) {
      const QueryResult r = must(snapshot_->query({queries_.data() + q * dim_, dim_}, options));
      const size_t n = std::min<size_t>(options.k, r.neighbors.size());
      for (size_t i = 0; i < n; ++i) ids[q * options.k + i] = r.neighbors[i].id;
    }
  }

  static void write_ids(const std::string& path, const std::vector<uint64_t>& ids) {
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(ids.data()),
              static_cast<std::streamsize>(ids.size() * 8));
    if (!out) throw Failure{"cannot write " + path};
  }

  std::string run(const Words& words) {
    if (!snapshot_ || queries_.empty()) throw Failure{"run: open a store and read queries first"};
    const uint32_t k = number(word(words, 1));
    const QueryOptions options = with_knob(k, word(words, 2));
    const uint32_t passes = number(word(words, 3));
    size_t count = queries_.size() / dim_;
    if (words.size() > 5) count = std::min<size_t>(count, number(words[5]));
    std::vector<uint64_t> ids;
    std::string seconds;
    std::string cpu;
    for (uint32_t pass = 0; pass < passes; ++pass) {
      ids.assign(count * k, std::numeric_limits<uint64_t>::max());
      const char* comma = pass == 0 ? "" : ", ";
      const double cpu_start = cpu_now();
      const double start = now();
      search_all(options, count, ids);
      seconds += fmt::format("{}{:.6f}", comma, now() - start);
      cpu += fmt::format("{}{:.6f}", comma, cpu_now() - cpu_start);
    }
    write_ids(word(words, 4), ids);
    return fmt::format("\"seconds\": [{}], \"cpu\": [{}], \"count\": {}, {}", seconds, cpu, count,
                       bench::memory_json());
  }

  std::string latency(const Words& words) {
    if (!snapshot_ || queries_.empty())
      throw Failure{"latency: open a store and read queries first"};
    const QueryOptions options = with_knob(number(word(words, 1)), word(words, 2));
    const size_t have = queries_.size() / dim_;
    std::vector<double> us(std::max<uint32_t>(1, number(word(words, 3))));
    for (size_t i = 0; i < us.size(); ++i) {
      const double start = now();
      (void)must(snapshot_->query({queries_.data() + i % have * dim_, dim_}, options));
      us[i] = (now() - start) * 1e6;
    }
    std::sort(us.begin(), us.end());
    const auto at = [&](double share) {
      return us[static_cast<size_t>(share * static_cast<double>(us.size() - 1))];
    };
    return fmt::format("\"p50_us\": {:.1f}, \"p90_us\": {:.1f}, \"p99_us\": {:.1f}, {}", at(0.5),
                       at(0.9), at(0.99), bench::memory_json());
  }

  std::string first(const Words& words) {
    if (queries_.empty()) throw Failure{"first: read queries first"};
    const uint32_t k = number(word(words, 2));
    const QueryOptions options = with_knob(k, word(words, 3));
    const uint64_t read_before = bench::bytes_read();
    const double start = now();
    open_store(word(words, 1));
    const double opened = now();
    std::vector<uint64_t> ids(k, std::numeric_limits<uint64_t>::max());
    search_all(options, 1, ids);
    const double end = now();
    const uint64_t read = bench::bytes_read() - read_before;
    write_ids(word(words, 4), ids);
    return fmt::format("\"seconds\": {:.6f}, \"open_s\": {:.6f}, \"read_bytes\": {}, {}",
                       end - start, opened - start, read, bench::memory_json());
  }

  std::optional<Store> store_;
  std::optional<Snapshot> snapshot_;
  std::vector<float> queries_;
  size_t dim_ = 1;
};

// Threads that a build starts inherit this, so it is lifted for builds with more than one.
void pin(bool one) {
  static const cpu_set_t allowed = [] {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    return set;
  }();
  cpu_set_t set = allowed;
  for (int cpu = 0; one && cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    break;
  }
  sched_setaffinity(0, sizeof set, &set);
}

}  // namespace

int main() {
  Driver driver;
  for (std::string line; std::getline(std::cin, line);) {
    Words words;
    std::istringstream in(line);
    for (std::string w; in >> std::quoted(w);) words.push_back(w);
    if (words.empty()) continue;
    if (words[0] == "quit") break;
    std::string answer;
    try {
      const bool several = option(words, "threads").value_or("1") != "1";
      pin(!several);
      answer = "\"ok\": true, " + driver.obey(words);
    } catch (const Failure& f) {
      answer = "\"ok\": false, \"error\": " + quoted(f.message);
    }
    fmt::print("{{{}}}\n", answer);
    std::fflush(stdout);
  }
  return 0;
}
