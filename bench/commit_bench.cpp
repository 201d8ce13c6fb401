// What a durable commit costs, and whether it stays flat: 1,000 single inserts, 10,000 commits, and
// ingest synced every 1,000 vectors. Usage: commit_bench [FOLDER]; the folder's disk is what is
// measured.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <random>

#include "kernels/kernels.hpp"
#include "machine.hpp"
#include "rvf/store.hpp"
#include "support/fault_file_system.hpp"

namespace {

namespace fs = std::filesystem;
using rvf::Store;
using rvf::Vectors;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T>
T must(rvf::Result<T>&& r) {
  if (!r) {
    fmt::print(stderr, "commit_bench: {}\n", r.error().message);
    std::exit(1);
  }
  return *std::move(r);
}

struct Bench {
  std::string path;
  std::shared_ptr<rvf::testing::FaultFileSystem> counter =
      std::make_shared<rvf::testing::FaultFileSystem>(rvf::io::posix_file_system());
  std::mt19937_64 random{42};

  Store create(uint32_t dim) {
    fs::remove(path);
    rvf::CreateOptions c;
    c.dimension = dim;
    rvf::OpenOptions o;
    o.file_system = counter;
    o.index_policy = rvf::IndexPolicy::kManual;
    return must(Store::create(path, c, o));
  }
  std::vector<float> vectors(size_t n, size_t dim) {
    std::normal_distribution<float> normal;
    std::vector<float> v(n * dim);
    for (float& x : v) x = normal(random);
    return v;
  }

  void single_inserts() {
    Store s = create(8);
    const auto data = vectors(1000, 8);
    rvf::testing::Fault count;  // never fires
    count.nth = ~0ULL;
    count.calls = static_cast<uint32_t>(rvf::testing::Call::kSync);
    counter->arm(count);
    const double start = now();
    for (size_t i = 0; i < 1000; ++i)
      must(s.ingest(Vectors::from_f32(std::span(data).subspan(i * 8, 8), 8)));
    const double seconds = now() - start;
    const uint64_t fsyncs = counter->seen();
    counter->disarm();
    const uint64_t before = s.status().file_bytes;
    must(s.compact());
    fmt::print(
        "{{\"bench\":\"1000 single durable inserts, 8 "
        "d\",\"seconds\":{:.3f},\"fsyncs_per_insert\":{:.3f},"
        "\"file_bytes\":{},\"compacted_bytes\":{}}}\n",
        seconds, static_cast<double>(fsyncs) / 1000, before, s.status().file_bytes);
  }

  void many_commits() {
    Store s = create(8);
    const auto data = vectors(10000, 8);
    uint64_t last_bytes = s.status().file_bytes;
    double last = now();
    for (size_t i = 0; i < 10000; ++i) {
      must(s.ingest(Vectors::from_f32(std::span(data).subspan(i * 8, 8), 8)));
      if (i % 1000 != 999) continue;
      const uint64_t bytes = s.status().file_bytes;
      fmt::print(
          "{{\"bench\":\"commits\",\"from\":{},\"us_per_commit\":{:.1f},\"bytes_per_commit\":{:.1f}"
          "}}\n",
          i - 999, (now() - last) * 1e3, static_cast<double>(bytes - last_bytes) / 1000);
      last_bytes = bytes;
      last = now();
    }
    if (!s.close()) std::exit(1);
    const double start = now();
    const Store again = must(Store::open_readonly(path));
    fmt::print(
        "{{\"bench\":\"open after 10000 "
        "commits\",\"ms\":{:.2f},\"file_bytes\":{},\"vectors\":{}}}\n",
        (now() - start) * 1e3, again.status().file_bytes, again.status().vectors);
  }

  void batches() {
    Store s = create(128);
    const auto data = vectors(1000, 128);
    constexpr int kBatches = 200;
    const double start = now();
    for (int i = 0; i < kBatches; ++i) must(s.ingest(Vectors::from_f32(data, 128)));
    const double seconds = now() - start;
    fmt::print(
        "{{\"bench\":\"ingest synced every 1000, 128 "
        "d\",\"vectors_per_second\":{:.0f},\"MB_per_second\":{:.1f}}}\n",
        kBatches * 1000 / seconds, kBatches * 0.512 / seconds);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const fs::path folder = argc > 1 ? fs::path(argv[1]) : fs::temp_directory_path();
  fmt::print("{{\"machine\":\"{}\",\"isa\":\"{}\",\"folder\":\"{}\"}}\n",
             rvf::bench::machine_name(), rvf::kernels::isa_name(), folder.string());
  Bench b;
  b.path = (folder / "commit_bench.rvf").string();
  b.single_inserts();
  b.many_commits();
  b.batches();
  fs::remove(b.path);
  return 0;
}
