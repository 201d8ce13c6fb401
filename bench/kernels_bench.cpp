// What one row costs each kernel on each instruction set, in core cycles, rows hot in the first-level
// cache, and how much of the memory's bandwidth a scan of many rows uses.
//   kernels_bench [dim] [--json FILE] [--scan-mib N]
// Default 384 dimensions and 512 MiB. "one": one row a call; "many": the rows of one call. `bar` is
// what docs or the design ask for at 384 dimensions; a machine that lacks an instruction set has no
// bar for it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core_clock.hpp"
#include "kernels/bit_planes.hpp"
#include "kernels/codes.hpp"
#include "kernels/convert.hpp"
#include "kernels/half_dots.hpp"
#include "kernels/hamming.hpp"
#include "kernels/kernels.hpp"
#include "kernels/pq_scan.hpp"
#include "machine.hpp"

using namespace rvf;
using namespace rvf::kernels;

namespace {

constexpr uint32_t kSeed = 1;
constexpr size_t kSubspaces = 48;

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Buffer = std::unique_ptr<std::byte[], Free>;

Buffer buffer(size_t bytes) {
  const size_t rounded = (bytes + 63) / 64 * 64;
  Buffer b(static_cast<std::byte*>(std::aligned_alloc(64, rounded)));
  std::memset(b.get(), 0, rounded);
  return b;
}

Buffer random_bytes(size_t bytes) {
  Buffer b = buffer(bytes);
  std::mt19937 rng(kSeed);
  for (size_t i = 0; i < bytes; ++i) b[i] = static_cast<std::byte>(rng());
  return b;
}

struct Line {
  std::string kernel;
  Isa isa;
  double one = 0;  // cycles; 0: not measured
  double many = 0;
  double bar = 0;  // 0: none
};

class Bench {
 public:
  explicit Bench(size_t dim) : dim_(dim) {}

  // Cycles an item; the clock is taken anew for every kernel. Best of many short passes.
  template <class Pass>
  double cycles(size_t items, Pass&& pass) {
    double best = 1e300;
    for (int round = 0; round < 10; ++round) {
      const double ghz = bench::core_ghz(2);
      fastest_ = std::max(fastest_, ghz);
      for (int part = 0; part < 3; ++part) {
        int loops = 0;
        const double start = bench::now_ns();
        double end = start;
        while (end - start < 1e5) {
          for (int i = 0; i < 16; ++i) pass();
          loops += 16;
          end = bench::now_ns();
        }
        best = std::min(best, (end - start) * ghz / loops / static_cast<double>(items));
      }
    }
    return best;
  }

  // Of a kernel that is measured again the better times count.
  void add(const std::string& kernel, Isa isa, double one, double many, double bar = 0) {
    if (dim_ != 384) bar = 0;
    for (Line& l : lines_) {
      if (l.isa != isa || l.kernel != kernel) continue;
      l.one = std::min(l.one, one);
      l.many = std::min(l.many, many);
      return;
    }
    lines_.push_back({kernel, isa, one, many, bar});
  }

  void print() const {
    fmt::print("{:<12}{:<26}{:>9}{:>9}{:>8}   core cycles a row\n", "isa", "kernel", "one", "many",
               "bar");
    const auto number = [](double x, int decimals) {
      return x == 0 ? std::string("-") : fmt::format("{:.{}f}", x, decimals);
    };
    for (const Line& l : lines_) {
      fmt::print("{:<12}{:<26}{:>9}{:>9}{:>8}\n", isa_name(l.isa), l.kernel, number(l.one, 1),
                 number(l.many, 2), number(l.bar, 1));
    }
  }

  size_t dim() const { return dim_; }
  double fastest() const { return fastest_; }
  const std::vector<Line>& lines() const { return lines_; }

 private:
  size_t dim_;
  double fastest_ = 0;
  std::vector<Line> lines_;
};

// What performance targets ask of `t` under `m` on this instruction set.
double distance_bar(Isa isa, DType t, Metric m) {
  if (!isa_includes(isa, Isa::kAvx512) || m == Metric::kCosine) return 0;
  if (t == DType::kF16) return 50;
  return t == DType::kI8 ? 45 : 0;
}

void distances(Bench& bench, Isa isa) {
  constexpr size_t kRows = 16;
  const size_t dim = bench.dim();
  std::mt19937 rng(kSeed);
  volatile float sink = 0;
  for (DType t : {DType::kF32, DType::kF16, DType::kBF16, DType::kI8, DType::kU8, DType::kI4,
                  DType::kBinary}) {
    const size_t stride = (vector_bytes(t, dim) + 63) / 64 * 64;
    const Buffer data = buffer(stride * kRows);
    const std::byte* rows[kRows];
    std::vector<float> v(dim);
    for (size_t r = 0; r < kRows; ++r) {
      rows[r] = data.get() + r * stride;
      for (float& x : v) x = static_cast<float>(rng() % 8);
      if (!encode_row(v, t, data.get() + r * stride).ok()) return;
    }
    for (Metric m : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kHamming}) {
      auto q = prepare(v, m, t, dim, isa);
      if (!q.ok()) continue;
      float out[kRows];
      const double many = bench.cycles(kRows, [&] {
        q->distances(rows, kRows, out);
        sink = out[0];
      });
      const double one = bench.cycles(1, [&] { sink = q->distance(rows[0]); });
      bench.add(fmt::format("{} {}", dtype_name(t), metric_name(m)), isa, one, many,
                distance_bar(isa, t, m));
    }
  }
}

void codes(Bench& bench, Isa isa) {
  constexpr size_t kRows = 16;
  const size_t dim = bench.dim();
  const size_t padded = (dim + 63) / 64 * 64;
  const Buffer data = random_bytes(padded * (kRows + 1));
  const auto* query = reinterpret_cast<const int8_t*>(data.get());
  const int8_t* rows[kRows];
  for (size_t r = 0; r < kRows; ++r) rows[r] = query + (r + 1) * padded;
  int32_t out[kRows];
  const auto* unsigned_query = reinterpret_cast<const uint8_t*>(query);
  const CodeDots dots = code_dots(isa);
  bench.add("u8 x i8 dot", isa,
            bench.cycles(1, [&] { dots(unsigned_query, rows, 1, padded, out); }),
            bench.cycles(kRows, [&] { dots(unsigned_query, rows, kRows, padded, out); }));
  const Int8Dots signed_dots = int8_dots(isa);
  bench.add("i8 x i8 dot", isa, bench.cycles(1, [&] { signed_dots(query, rows, 1, dim, out); }),
            bench.cycles(kRows, [&] { signed_dots(query, rows, kRows, dim, out); }),
            isa_includes(isa, Isa::kAvx512) ? 45 : 0);
}

void half(Bench& bench, Isa isa) {
  constexpr size_t kRows = 16;
  const size_t stride = (bench.dim() * 2 + 63) / 64 * 64;
  const Buffer data = random_bytes(stride * (kRows + 1));
  for (size_t i = 0; i < stride * (kRows + 1); i += 2) data[i + 1] &= std::byte{0xBB};  // < 1
  const auto* query = reinterpret_cast<const uint16_t*>(data.get());
  float out[kRows];
  const HalfDots dots = half_dots(isa);
  const auto pass = [&](size_t n) {
    dots(query, data.get() + stride, stride, n, bench.dim(), out);
  };
  bench.add("f16 x f16 dot (ranking)", isa, bench.cycles(1, [&] { pass(1); }),
            bench.cycles(kRows, [&] { pass(kRows); }),
            isa_includes(isa, Isa::kAvx512Fp16) ? 10 : 0);
}

void bits(Bench& bench, Isa isa) {
  constexpr size_t kRows = 256;
  const size_t bytes = (bench.dim() + 7) / 8;
  const Buffer data = random_bytes(bytes * (kRows + 1));
  uint32_t out[kRows];
  const HammingRows hamming = hamming_rows(isa);
  const auto pass = [&](size_t n) {
    hamming(data.get(), data.get() + bytes, bytes, n, bench.dim(), out);
  };
  bench.add("hamming", isa, bench.cycles(1, [&] { pass(1); }),
            bench.cycles(kRows, [&] { pass(kRows); }), isa_includes(isa, Isa::kAvx512Vbmi) ? 2 : 0);
  const BitPlaneDots dots = bit_plane_dots(isa);
  const size_t words = plane_words(bench.dim());
  for (const auto& [query_bits, row_bits] : {std::pair{4U, 1U}, {8U, 1U}, {8U, 4U}}) {
    constexpr size_t kPlaneRows = 64;
    const size_t stride = words * row_bits * 8;
    const Buffer rows = random_bytes(stride * kPlaneRows);
    const Buffer query = random_bytes(words * query_bits * 8);
    const BitPlaneQuery q{reinterpret_cast<const uint64_t*>(query.get()), query_bits, row_bits,
                          words};
    bench.add(fmt::format("bit planes {} x {}", query_bits, row_bits), isa,
              bench.cycles(1, [&] { dots(q, rows.get(), stride, 1, out); }),
              bench.cycles(kPlaneRows, [&] { dots(q, rows.get(), stride, kPlaneRows, out); }));
  }
}

void product_codes(Bench& bench, Isa isa) {
  constexpr size_t kCodes = 256;
  const Buffer codes = random_bytes(kSubspaces * kCodes);
  const Buffer tables = random_bytes(kSubspaces * 256);
  const auto* code = reinterpret_cast<const uint8_t*>(codes.get());
  const auto* table = reinterpret_cast<const uint8_t*>(tables.get());
  const std::vector<float> floats(kSubspaces * 256, 0.5F);
  uint32_t out[kCodes];
  float float_out[kCodes];
  const PqByteSums pq8 = pq8_byte_sums(isa);
  const PqByteSums pq4 = pq4_byte_sums(isa);
  const PqFloatSums pq8_float = pq8_float_sums(isa);
  const bool vbmi = isa_includes(isa, Isa::kAvx512Vbmi);
  const double float_sums = bench.cycles(
      kCodes, [&] { pq8_float(floats.data(), code, kSubspaces, kCodes / kPq8Block, float_out); });
  const double eight =
      bench.cycles(kCodes, [&] { pq8(table, code, kSubspaces, kCodes / kPq8Block, out); });
  const double four =
      bench.cycles(kCodes, [&] { pq4(table, code, kSubspaces, kCodes / kPq4Block, out); });
  bench.add("PQ 48 x 8 bit, f32", isa, 0, float_sums);
  bench.add("PQ 48 x 8 bit, u8", isa, 0, eight, vbmi ? 6 : 0);
  bench.add("PQ 48 x 4 bit, u8", isa, 0, four, vbmi ? 2.5 : 0);
}

// GB/s of reading `bytes`, the better of two plain loops.
double read_bandwidth(const std::byte* data, size_t bytes) {
  volatile uint64_t sink = 0;
  double best = 0;
  for (int round = 0; round < 6; ++round) {
    const bool ahead = round % 2 != 0;
    const double start = bench::now_ns();
    uint64_t sum[8] = {};
    for (size_t at = 0; at < bytes; at += 64) {
      if (ahead) __builtin_prefetch(data + at + 2048);
      uint64_t words[8];
      std::memcpy(words, data + at, 64);
      for (int i = 0; i < 8; ++i) sum[i] ^= words[i];
    }
    best = std::max(best, static_cast<double>(bytes) / (bench::now_ns() - start));
    for (const uint64_t s : sum) sink = sink + s;
  }
  return best;
}

// GB/s over rows that no cache holds.
struct Scan {
  double memory = 0;  // reading alone
  double scan = 0;  // row after row
  double gathered = 0;  // rows by random ids
  double one_by_one = 0;  // the same, a call a row
};

Scan flat_scan(size_t dim, size_t mib) {
  const size_t rows = (mib << 20) / (dim * 4);
  const Buffer data = buffer(rows * dim * 4);
  for (size_t i = 0; i < rows * dim; ++i) {
    const auto x = static_cast<float>(i % 977);
    std::memcpy(data.get() + i * 4, &x, 4);
  }
  const std::vector<float> query(dim, 0.25F);
  auto q = prepare(query, Metric::kL2, DType::kF32, dim);
  if (!q.ok()) return {};
  Scan result;
  std::vector<float> out(1024);
  std::mt19937 rng(kSeed);
  std::vector<uint32_t> ids(std::min<size_t>(rows, 1 << 16));
  for (uint32_t& id : ids) id = static_cast<uint32_t>(rng() % rows);
  const auto row_bytes = static_cast<double>(dim * 4);
  for (int round = 0; round < 4; ++round) {  // in turn, so that both meet the same machine
    result.memory = std::max(result.memory, read_bandwidth(data.get(), rows * dim * 4 / 64 * 64));
    const double start = bench::now_ns();
    for (size_t r = 0; r < rows; r += out.size()) {
      q->distances_strided(data.get() + r * dim * 4, dim * 4, std::min(out.size(), rows - r),
                           out.data());
    }
    const double gbs = static_cast<double>(rows * dim * 4) / (bench::now_ns() - start);
    result.scan = std::max(result.scan, gbs);
    const double gather_start = bench::now_ns();
    for (size_t i = 0; i + 64 <= ids.size(); i += 64) {  // as many as a graph search asks for
      q->distances_gathered(data.get(), dim * 4, &ids[i], 64, out.data());
    }
    const double one_start = bench::now_ns();
    for (const uint32_t id : ids) out[0] = q->distance(data.get() + id * dim * 4);
    const double end = bench::now_ns();
    const double bytes = row_bytes * static_cast<double>(ids.size());
    result.gathered = std::max(result.gathered, bytes / (one_start - gather_start));
    result.one_by_one = std::max(result.one_by_one, bytes / (end - one_start));
  }
  return result;
}

void write_json(const char* path, const Bench& bench, const Scan& scan, double before,
                double after) {
  std::FILE* f = std::fopen(path, "w");
  if (f == nullptr) {
    fmt::print(stderr, "kernels_bench: {} cannot be written\n", path);
    return;
  }
  fmt::print(f,
             "{{\"machine\": \"{}\", \"isa\": \"{}\", \"dim\": {}, \"seed\": {}, \"ghz\": {:.3f}, "
             "\"load_before\": {:.2f}, \"load_after\": {:.2f}, \"busy\": {},\n \"kernels\": [",
             bench::machine_name(), isa_name(), bench.dim(), kSeed, bench.fastest(), before, after,
             bench::is_busy(std::max(before, after)));
  const char* separator = "\n";
  for (const Line& l : bench.lines()) {
    fmt::print(f,
               "{}  {{\"isa\": \"{}\", \"kernel\": \"{}\", \"cycles_one\": {:.2f}, "
               "\"cycles_many\": {:.3f}, \"bar\": {}}}",
               separator, isa_name(l.isa), l.kernel, l.one, l.many, l.bar);
    separator = ",\n";
  }
  fmt::print(f,
             "],\n \"flat_f32_scan\": {{\"memory_gb_s\": {:.2f}, \"scan_gb_s\": {:.2f}, "
             "\"share\": {:.3f}, \"bar\": 0.8, \"gathered_gb_s\": {:.2f}, "
             "\"one_by_one_gb_s\": {:.2f}}}}}\n",
             scan.memory, scan.scan, scan.memory > 0 ? scan.scan / scan.memory : 0, scan.gathered,
             scan.one_by_one);
  std::fclose(f);
}

}  // namespace

int main(int argc, char** argv) {
  size_t dim = 384;
  size_t scan_mib = 512;
  const char* json = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--json" && i + 1 < argc) {
      json = argv[++i];
    } else if (arg == "--scan-mib" && i + 1 < argc) {
      scan_mib = std::strtoul(argv[++i], nullptr, 10);
    } else {
      dim = std::strtoul(argv[i], nullptr, 10);
    }
  }
  if (dim == 0 || dim > kMaxDimension) {
    fmt::print(stderr, "kernels_bench: the dimension must be 1 to 65535\n");
    return 2;
  }
  const double before = bench::load_average();
  fmt::print("{}, {}, {} dimensions, load {:.2f}\n", bench::machine_name(), isa_name(), dim,
             before);
  Bench bench(dim);
  // Everything several times over, as the machine has slower and faster seconds.
  for (int round = 0; round < 4; ++round) {
    for (const Isa isa : kAllIsas) {
      if (!isa_available(isa) || !isa_includes(best_isa(), isa)) continue;
      distances(bench, isa);
      codes(bench, isa);
      half(bench, isa);
      bits(bench, isa);
      product_codes(bench, isa);
    }
  }
  bench.print();
  const Scan scan = scan_mib > 0 ? flat_scan(dim, scan_mib) : Scan{};
  if (scan.memory > 0) {
    fmt::print("flat f32 scan of {} MiB: {:.1f} GB/s of {:.1f} GB/s, {:.2f} of the memory's\n",
               scan_mib, scan.scan, scan.memory, scan.scan / scan.memory);
    fmt::print("random rows of it: {:.1f} GB/s gathered by 64, {:.1f} GB/s one by one\n",
               scan.gathered, scan.one_by_one);
  }
  const double after = bench::load_average();
  fmt::print("core {:.2f} GHz, load {:.2f}{}\n", bench.fastest(), after,
             bench::is_busy(std::max(before, after)) ? ", busy" : "");
  if (json != nullptr) write_json(json, bench, scan, before, after);
  return 0;
}
