// Distances between one query and many stored rows, on the best instruction set of the machine.
//
// The choice of kernel is made once, in prepare(); a PreparedQuery then only runs it. Smaller is
// nearer for every metric (see rvf/types.hpp): l2 is squared, ip is minus the dot product, cosine
// is 1 - cos and exactly 1 when either norm is 0. The scalar kernels are the specification: integer
// forms agree with them bit for bit, float forms within 1e-5 of the sum of the magnitudes of the
// terms. A row gives the same bits whether it is asked for alone, in a list or in a strided scan.
//
// Rows may lie at any address; 64-byte alignment is merely faster. A kernel never reads past
// vector_bytes(dtype, dim) of a row. NaN and infinities in a row give what arithmetic gives; they
// never trap.
// Thread-safety: a PreparedQuery is immutable and may be shared by threads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "rvf/result.hpp"
#include "rvf/types.hpp"

namespace rvf::kernels {

// Each level but scalar adds to the one named in its comment. Values are not stored anywhere.
enum class Isa : uint8_t {
  kBest = 0,  // what RVF_SIMD names, else the best that CPU and operating system offer
  kScalar = 1,
  kAvx2 = 2,  // AVX2, FMA, F16C, POPCNT
  kAvx512 = 3,  // avx2 + AVX-512 F, BW, VL, DQ, VNNI
  kAvx512Vbmi = 4,  // avx512 + VBMI, VPOPCNTDQ, BITALG (Ice Lake, Zen 4 and later)
  kAvx512Fp16 = 5,  // avx512vbmi + FP16 arithmetic (Sapphire Rapids and later)
  kNeon = 6,  // AArch64 as it always is
  kNeonDot = 7,  // neon + the dot product extension
  kWasm128 = 8,  // fixed-width SIMD of WebAssembly; chosen when the library is compiled
};
inline constexpr Isa kAllIsas[] = {Isa::kScalar,     Isa::kAvx2, Isa::kAvx512,  Isa::kAvx512Vbmi,
                                   Isa::kAvx512Fp16, Isa::kNeon, Isa::kNeonDot, Isa::kWasm128};

Isa best_isa() noexcept;  // never kBest
bool isa_available(Isa isa) noexcept;  // true for kBest
// Whether a machine that runs `isa` runs kernels made for `base`: (kAvx512Vbmi, kAvx512) is true.
// What a kernel is chosen by: equality would lose it on levels above the one it needs.
bool isa_includes(Isa isa, Isa base) noexcept;
// "scalar", "avx2", "avx512", "avx512vbmi", "avx512fp16", "neon", "neondot", "wasm128": what
// RVF_SIMD takes. A name that this machine lacks is ignored there.
const char* isa_name(Isa isa = Isa::kBest) noexcept;
bool parse_isa(const char* name, Isa& out) noexcept;  // false if it names none; out is as it was

namespace detail {
struct KernelQuery {
  const void* data =
      nullptr;  // 64-byte aligned, zero-padded to 64 elements: float, int16_t or bits
  size_t dim = 0;
  double norm2 = 0;  // sum of squares of the query; bits set for binary
  // The scalar kernel over the same data, for rows whose f32 sums overflow or vanish.
  void (*exact)(const KernelQuery&, const std::byte* const*, size_t, float*) = nullptr;
};
using KernelFn = void (*)(const KernelQuery&, const std::byte* const* rows, size_t n, float* out);
}  // namespace detail

class PreparedQuery {
 public:
  PreparedQuery(PreparedQuery&&) noexcept = default;
  PreparedQuery& operator=(PreparedQuery&&) noexcept = default;

  Metric metric() const noexcept { return metric_; }
  DType dtype() const noexcept { return dtype_; }
  size_t dim() const noexcept { return query_.dim; }
  Isa isa() const noexcept { return isa_; }
  bool is_integer() const noexcept { return integer_; }  // exact integer arithmetic is in use

  float distance(const std::byte* row) const noexcept {
    float out;
    fn_(query_, &row, 1, &out);
    return out;
  }
  // out[i] is the distance to rows[i]. Lines of later rows are prefetched while earlier ones are
  // summed.
  void distances(const std::byte* const* rows, size_t n, float* out) const noexcept {
    fn_(query_, rows, n, out);
  }
  // Rows at first, first + stride, ...; stride in bytes.
  void distances_strided(const std::byte* first, size_t stride, size_t n,
                         float* out) const noexcept;
  // out[i] is the distance to the row at first + ids[i] * stride, for ids in any order. The first
  // lines of rows that come later are prefetched.
  void distances_gathered(const std::byte* first, size_t stride, const uint32_t* ids, size_t n,
                          float* out) const noexcept;

 private:
  friend class QueryBuilder;
  PreparedQuery() = default;

  struct Free {
    void operator()(std::byte* p) const noexcept;
  };
  std::unique_ptr<std::byte, Free> buffer_;
  detail::KernelQuery query_;
  detail::KernelFn fn_ = nullptr;
  Metric metric_ = Metric::kL2;
  DType dtype_ = DType::kF32;
  Isa isa_ = Isa::kScalar;
  bool integer_ = false;
};

// A query for rows of `dtype` and `dim`. Rows of i8 and u8 are compared in exact integer arithmetic
// when every query value is an integer in the dtype's range, else in f32. For binary rows a query
// value above 0 is a set bit, and l2 equals hamming.
// Errors: kWrongDimension, kNotFinite (names the dimension), kWrongMetric (hamming on a dtype that
// is not binary), kUnsupported (PQ or custom rows, or an ISA this machine lacks), kOutOfMemory.
Result<PreparedQuery> prepare(std::span<const float> query, Metric metric, DType dtype, size_t dim,
                              Isa isa = Isa::kBest);

// The same with a stored row as the query. A row with NaN or infinity is accepted.
Result<PreparedQuery> prepare_row(const std::byte* row, Metric metric, DType dtype, size_t dim,
                                  Isa isa = Isa::kBest);

}  // namespace rvf::kernels
