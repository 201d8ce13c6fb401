// Nanoseconds for one distance, rows hot in the first-level cache, for every dtype, metric and
// instruction set.
//   kernels_bench [dim]     default 384. Prints the machine, then one line of JSON for each pair.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <vector>

#include "kernels/codes.hpp"
#include "kernels/convert.hpp"
#include "kernels/kernels.hpp"
#include "machine.hpp"

using namespace rvf;
using namespace rvf::kernels;

namespace {

double now_ns() {
  return std::chrono::duration<double, std::nano>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Best of several passes of about a millisecond, in ns a row.
template <class Pass>
double best_ns(size_t rows, Pass&& pass) {
  double best = 1e300;
  for (int round = 0; round < 15; ++round) {
    int loops = 0;
    const double start = now_ns();
    double end = start;
    while (end - start < 1e6) {
      for (int i = 0; i < 16; ++i) pass();
      loops += 16;
      end = now_ns();
    }
    best = std::min(best, (end - start) / loops / static_cast<double>(rows));
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const size_t dim = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 384;
  if (dim == 0 || dim > kMaxDimension) {
    fmt::print(stderr, "kernels_bench: the dimension must be 1 to 65535\n");
    return 2;
  }
  fmt::print("{{\"machine\": \"{}\", \"best_isa\": \"{}\", \"dim\": {}}}\n", bench::machine_name(),
             isa_name(), dim);
  constexpr size_t kRows = 16;
  std::mt19937 rng(1);
  volatile float sink = 0;
  for (Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (!isa_available(isa)) continue;
    for (DType t : {DType::kF32, DType::kF16, DType::kBF16, DType::kI8, DType::kU8, DType::kI4,
                    DType::kBinary}) {
      const size_t stride = (vector_bytes(t, dim) + 63) / 64 * 64;
      auto* data = static_cast<std::byte*>(std::aligned_alloc(64, stride * kRows));
      std::vector<const std::byte*> rows;
      std::vector<float> v(dim);
      for (size_t r = 0; r < kRows; ++r) {
        for (float& x : v) x = static_cast<float>(rng() % 8);
        if (!encode_row(v, t, data + r * stride).ok())
          std::fill_n(data + r * stride, stride, std::byte{});
        rows.push_back(data + r * stride);
      }
      for (Metric m : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kHamming}) {
        auto q = prepare(v, m, t, dim, isa);
        if (!q.ok()) continue;
        float out[kRows];
        const double many = best_ns(kRows, [&] {
          q->distances(rows.data(), kRows, out);
          sink = out[0];
        });
        const double one = best_ns(1, [&] { sink = q->distance(rows[0]); });
        fmt::print(
            "{{\"isa\": \"{}\", \"dtype\": \"{}\", \"metric\": \"{}\", \"integer\": {}, "
            "\"ns_one\": {:.2f}, \"ns_many\": {:.2f}}}\n",
            isa_name(isa), dtype_name(t), metric_name(m), q->is_integer(), one, many);
      }
      std::free(data);
    }
    const size_t padded = (dim + 63) / 64 * 64;
    auto* codes = static_cast<int8_t*>(std::aligned_alloc(64, padded * (kRows + 1)));
    for (size_t i = 0; i < padded * (kRows + 1); ++i) codes[i] = static_cast<int8_t>(rng());
    std::vector<const int8_t*> rows;
    for (size_t r = 1; r <= kRows; ++r) rows.push_back(codes + r * padded);
    int32_t out[kRows];
    const CodeDots dots = code_dots(isa);
    const double ns = best_ns(kRows, [&] {
      dots(reinterpret_cast<const uint8_t*>(codes), rows.data(), kRows, padded, out);
      sink = static_cast<float>(out[0]);
    });
    fmt::print("{{\"isa\": \"{}\", \"codes\": true, \"ns_many\": {:.2f}}}\n", isa_name(isa), ns);
    std::free(codes);
  }
  return 0;
}
