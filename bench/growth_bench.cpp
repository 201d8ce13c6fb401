// Whether small operations stay small in a large store: the first snapshot after a commit of one row,
// also where rows expire and where there were many commits, a page of a scan, a range of ids.
// Usage: growth_bench [ROWS...] (10000 100000 1000000). In memory: what is measured is not the disk.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>

#include "io/file.hpp"
#include "kernels/kernels.hpp"
#include "machine.hpp"
#include "rvf/store.hpp"

namespace {

using rvf::Store;
using rvf::Vectors;

constexpr size_t kDim = 8;
constexpr int kRepeats = 31;

double now_us() {
  return std::chrono::duration<double, std::micro>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

template <class T>
T must(rvf::Result<T>&& r) {
  if (!r.ok()) {
    fmt::print(stderr, "growth_bench: {}\n", r.error().message);
    std::exit(1);
  }
  return *std::move(r);
}

class Growing {
 public:
  Growing(uint64_t rows, bool expires, uint64_t rows_a_commit) : expires_(expires) {
    rvf::CreateOptions c;
    c.dimension = kDim;
    rvf::OpenOptions o;
    o.file_system = rvf::io::memory_file_system();
    o.index_policy = rvf::IndexPolicy::kManual;
    o.durability = rvf::Durability::kNone;
    store_.push_back(must(Store::create("s.rvf", c, o)));
    for (uint64_t done = 0; done < rows; done += rows_a_commit) add(rows_a_commit);
    must(store().snapshot());
  }
  Store& store() { return store_.front(); }

  void add(uint64_t rows) {
    std::vector<float> v(rows * kDim);
    for (float& x : v) x = normal_(random_);
    const rvf::Column expiry{rvf::kExpiryField, rvf::FieldType::kTimestamp,
                             std::vector<rvf::Value>(rows, INT64_MAX / 2)};
    rvf::WriteBatch batch;
    batch.vectors = Vectors::from_f32(v, kDim);
    if (expires_) batch.columns = std::span(&expiry, 1);
    must(store().write(batch));
  }

 private:
  bool expires_;
  std::mt19937_64 random_{7};
  std::normal_distribution<float> normal_;
  std::vector<Store> store_;
};

// The median of `what`, in microseconds, with `before` run ahead of each time.
template <class Before, class What>
double median_us(Before&& before, What&& what) {
  std::vector<double> times;
  for (int i = 0; i < kRepeats; ++i) {
    before();
    const double start = now_us();
    what();
    times.push_back(now_us() - start);
  }
  std::nth_element(times.begin(), times.begin() + kRepeats / 2, times.end());
  return times[kRepeats / 2];
}

void measure(uint64_t rows) {
  const auto first_snapshot = [](Growing& g) {
    return median_us([&] { g.add(1); }, [&] { (void)must(must(g.store().snapshot()).get(5)); });
  };
  Growing plain(rows, false, 10000);
  const double snapshot = first_snapshot(plain);
  uint64_t at = 0;
  const double page = median_us([&] { at = at * 31 + 7; },
                                [&] {
                                  rvf::ScanOptions o;
                                  o.after = at % rows;
                                  (void)must(must(plain.store().snapshot()).scan(o));
                                });
  uint64_t first = 0;
  const double range = median_us(
      [&] { first += 150; }, [&] { (void)must(plain.store().remove_range(first, first + 99)); });
  Growing expiring(rows, true, 10000);
  const double expiry = first_snapshot(expiring);
  const uint64_t commits = std::min<uint64_t>(rows, 20000);
  Growing pieces(commits, false, 1);
  const double many = first_snapshot(pieces);
  fmt::print(
      "{{\"rows\":{},\"first_snapshot_us\":{:.0f},\"first_snapshot_with_expiry_us\":{:.0f},"
      "\"commits\":{},\"first_snapshot_after_commits_us\":{:.0f},\"scan_page_us\":{:.0f},"
      "\"remove_range_of_100_us\":{:.0f}}}\n",
      rows, snapshot, expiry, commits, many, page, range);
}

}  // namespace

int main(int argc, char** argv) {
  fmt::print("{{\"machine\":\"{}\",\"isa\":\"{}\"}}\n", rvf::bench::machine_name(),
             rvf::kernels::isa_name());
  std::vector<uint64_t> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::strtoull(argv[i], nullptr, 10));
  if (sizes.empty()) sizes = {10'000, 100'000, 1'000'000};
  for (const uint64_t rows : sizes) measure(rows);
  return 0;
}
