// A store above 5 GB: ingested, compacted, reopened, verified. Usage: large_store_bench [FOLDER
// [GIGABYTES]]. The vectors are mostly zeros, so they cost no entropy, but every byte is written,
// hashed and read.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "machine.hpp"
#include "rvf/store.hpp"

namespace {

namespace fs = std::filesystem;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T>
T must(rvf::Result<T>&& r) {
  if (!r) {
    fmt::print(stderr, "large_store_bench: {}\n", r.error().message);
    std::exit(1);
  }
  return *std::move(r);
}

void expect(bool condition, const char* what) {
  if (condition) return;
  fmt::print(stderr, "large_store_bench: {} does not hold\n", what);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path folder = argc > 1 ? fs::path(argv[1]) : fs::temp_directory_path();
  const double gigabytes = argc > 2 ? std::atof(argv[2]) : 5.5;
  constexpr uint32_t kDim = 1024;
  constexpr size_t kBatch = 16384;
  const std::string path = (folder / "large_store_bench.rvf").string();
  fs::remove(path);
  const auto batches = static_cast<uint64_t>(gigabytes * 1e9 / (kBatch * kDim * 4)) + 1;
  rvf::OpenOptions open;
  open.index_policy = rvf::IndexPolicy::kManual;
  rvf::CreateOptions create;
  create.dimension = kDim;
  std::vector<float> batch(kBatch * kDim);
  const auto value = [](uint64_t id) { return static_cast<float>(id % 100003); };

  double start = now();
  {
    rvf::Store s = must(rvf::Store::create(path, create, open));
    for (uint64_t b = 0; b < batches; ++b) {
      for (size_t i = 0; i < kBatch; ++i) batch[i * kDim + (b + i) % kDim] = value(b * kBatch + i);
      must(s.ingest(rvf::Vectors::from_f32(batch, kDim)));
      for (size_t i = 0; i < kBatch; ++i) batch[i * kDim + (b + i) % kDim] = 0;
    }
    fmt::print("{{\"step\":\"ingest\",\"seconds\":{:.1f},\"file_bytes\":{},\"vectors\":{}}}\n",
               now() - start, s.status().file_bytes, s.status().vectors);
    expect(s.status().file_bytes > static_cast<uint64_t>(gigabytes * 1e9), "the size asked for");
    must(s.remove_range(0, kBatch - 1));
    start = now();
    rvf::CompactOptions compact;
    compact.rebuild_index = false;
    const rvf::CompactReport r = must(s.compact(compact));
    fmt::print(
        "{{\"step\":\"compact\",\"seconds\":{:.1f},\"bytes_before\":{},\"bytes_after\":{},"
        "\"dropped\":{}}}\n",
        now() - start, r.bytes_before, r.bytes_after, r.rows_dropped);
    expect(r.rows_dropped == kBatch, "one batch dropped");
  }
  start = now();
  const rvf::Store s = must(rvf::Store::open_readonly(path));
  fmt::print("{{\"step\":\"open\",\"ms\":{:.2f},\"vectors\":{}}}\n", (now() - start) * 1e3,
             s.status().vectors);
  expect(s.status().vectors == (batches - 1) * kBatch, "every other vector kept");
  for (uint64_t id = kBatch; id < batches * kBatch; id += 9973) {
    const auto v = must(s.get(id));
    const uint64_t b = id / kBatch;
    expect(v[(b + id % kBatch) % kDim] == value(id), "a vector read back");
  }
  start = now();
  const rvf::VerifyReport report = must(s.verify());
  fmt::print("{{\"step\":\"verify\",\"seconds\":{:.1f},\"bytes\":{},\"problems\":{}}}\n",
             now() - start, report.bytes, report.problems.size());
  expect(report.problems.empty(), "a clean verification");
  fs::remove(path);
  return 0;
}
