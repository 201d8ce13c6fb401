// What replacing everything costs and keeps: a store is filled, then every vector is written again
// under its id, ROUNDS times, in another order, while speed and recall are looked at; then it is
// compacted, and a fresh store of the same vectors is built beside it. One thread.
//   churn_bench BASE QUERIES FOLDER [ROUNDS=3] [BATCH=1000] [EF=64]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <random>
#include <set>

#include "interop/vector_file.hpp"
#include "kernels/convert.hpp"
#include "kernels/kernels.hpp"
#include "machine.hpp"
#include "rvf/store.hpp"

namespace {

using namespace rvf;
constexpr uint32_t kK = 10;
constexpr size_t kQueries = 1000;

[[noreturn]] void fail(const Error& e) {
  fmt::print(stderr, "churn_bench: {}\n", e.message);
  std::exit(1);
}
template <class T>
T must(Result<T> r) {
  if (!r) fail(r.error());
  return std::move(*r);
}
void must(const Status& s) {
  if (!s) fail(s.error());
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

interop::VectorChunk read(const std::string& path, size_t most) {
  const auto reader = must(interop::open_vectors(path));
  interop::VectorChunk all;
  interop::VectorChunk part;
  while (all.count < most && must(reader->read(most - all.count, part)) > 0) {
    all.dtype = part.dtype;
    all.dim = part.dim;
    all.count += part.count;
    all.bytes.insert(all.bytes.end(), part.bytes.begin(), part.bytes.end());
  }
  return all;
}

class Churn {
 public:
  Churn(interop::VectorChunk base, const interop::VectorChunk& queries, std::string folder,
        size_t batch, uint32_t ef)
      : base_(std::move(base)), folder_(std::move(folder)), batch_(batch), ef_(ef) {
    row_bytes_ = vector_bytes(base_.dtype, base_.dim);
    for (size_t q = 0; q < queries.count; ++q) {
      std::vector<float> v(queries.dim);
      must(kernels::decode_row(queries.bytes.data() + q * vector_bytes(queries.dtype, queries.dim),
                               queries.dtype, v));
      queries_.push_back(std::move(v));
    }
    std::filesystem::create_directories(folder_);
  }

  void run(size_t rounds) {
    Store store = make("churn.rvf");
    fill(store, 0, "fill");
    must(store.build_index());
    find_truth(store);
    look(store, "filled");
    for (size_t round = 1; round <= rounds; ++round) {
      fill(store, round, fmt::format("replace {}", round));
      look(store, fmt::format("after {} replacements", round));
    }
    const double start = now();
    must(store.compact({}));
    fmt::print("{:<24} {:>8.1f} s\n", "compact", now() - start);
    look(store, "compacted");
    must(store.close());
    Store fresh = make("fresh.rvf");
    fill(fresh, rounds, "fill afresh");
    must(fresh.build_index());
    look(fresh, "fresh");
    must(fresh.close());
  }

 private:
  Store make(const std::string& name) {
    const std::string path = folder_ + "/" + name;
    std::filesystem::remove(path);
    CreateOptions create;
    create.dimension = base_.dim;
    create.dtype = base_.dtype;
    return must(Store::create(path, create));
  }

  void fill(Store& store, size_t round, const std::string& name) {
    std::vector<uint64_t> order(base_.count);
    std::iota(order.begin(), order.end(), 0);
    std::mt19937_64 random(round);
    if (round != 0) std::shuffle(order.begin(), order.end(), random);
    std::vector<std::byte> rows;
    const double start = now();
    for (size_t at = 0; at < order.size(); at += batch_) {
      const size_t n = std::min(batch_, order.size() - at);
      rows.clear();
      for (size_t i = at; i < at + n; ++i) {
        const auto from = base_.bytes.begin() + static_cast<ptrdiff_t>(order[i] * row_bytes_);
        rows.insert(rows.end(), from, from + static_cast<ptrdiff_t>(row_bytes_));
      }
      const Vectors vectors{rows.data(), base_.dtype, n, base_.dim};
      must(store.ingest(vectors, std::span(order).subspan(at, n)));
    }
    const double seconds = now() - start;
    fmt::print("{:<24} {:>8.1f} s  {:>8.0f} vectors/s, searchable at once\n", name, seconds,
               static_cast<double>(order.size()) / seconds);
    std::fflush(stdout);
  }

  void find_truth(const Store& store) {
    for (const auto& q : queries_) {
      std::set<uint64_t> ids;
      for (const Neighbor& n : must(store.query(q, {.k = kK, .exact = true})).neighbors) {
        ids.insert(n.id);
      }
      truth_.push_back(std::move(ids));
    }
  }

  void look(const Store& store, const std::string& name) {
    for (const uint32_t ef : {ef_, 0U}) {
      size_t found = 0;
      const double start = now();
      for (size_t q = 0; q < queries_.size(); ++q) {
        for (const Neighbor& n : must(store.query(queries_[q], {.k = kK, .ef = ef})).neighbors) {
          found += truth_[q].count(n.id);
        }
      }
      const double seconds = now() - start;
      fmt::print("{:<24} ef {:>7}  recall {:.4f}  {:>7.0f} queries/s  {:>7.1f} MB\n", name,
                 ef == 0 ? "default" : std::to_string(ef),
                 static_cast<double>(found) / static_cast<double>(queries_.size() * kK),
                 static_cast<double>(queries_.size()) / seconds,
                 static_cast<double>(store.status().file_bytes) / 1e6);
    }
    std::fflush(stdout);
  }

  interop::VectorChunk base_;
  size_t row_bytes_ = 0;
  std::vector<std::vector<float>> queries_;
  std::vector<std::set<uint64_t>> truth_;
  std::string folder_;
  size_t batch_;
  uint32_t ef_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "churn_bench BASE QUERIES FOLDER [ROUNDS=3] [BATCH=1000] [EF=64]\n");
    return 2;
  }
  const auto number = [&](int at, size_t otherwise) {
    return argc > at ? static_cast<size_t>(std::strtoul(argv[at], nullptr, 10)) : otherwise;
  };
  auto base = read(argv[1], SIZE_MAX);
  fmt::print("{}, {}, {} x {} {}, k {}, one thread, durability sync\n", rvf::bench::machine_name(),
             kernels::isa_name(), base.count, base.dim, dtype_name(base.dtype), kK);
  Churn churn(std::move(base), read(argv[2], kQueries), argv[3], number(5, 1000),
              static_cast<uint32_t>(number(6, 64)));
  churn.run(number(4, 3));
  return 0;
}
