// Arithmetic on f16 itself. Only half_dots: the error of f16 sums is too large for distances.
#include <immintrin.h>

#include "kernels/kernel_table.hpp"

namespace rvf::kernels::detail {
namespace {

#define RVF_ROWS _Pragma("GCC unroll 4") for (int r = 0; r < R; ++r)

constexpr size_t kStep = 64;  // elements: two registers
// Additions into one f16 lane before it goes to an f32 sum; with the two that join lanes then there
// are eight roundings, as half_dots.hpp says.
constexpr size_t kChain = 6;

inline __m512h whole(const std::byte* p) { return _mm512_castsi512_ph(_mm512_loadu_si512(p)); }
inline __m512h part(const std::byte* p, __mmask32 mask) {
  return _mm512_castsi512_ph(_mm512_maskz_loadu_epi16(mask, p));
}
inline __mmask32 first_lanes(size_t n) { return n >= 32 ? ~__mmask32{0} : (__mmask32{1} << n) - 1; }

inline __m512 joined(__m512h even, __m512h odd) {
  const __m512i both = _mm512_castph_si512(_mm512_add_ph(even, odd));
  const __m256h half = _mm256_add_ph(_mm256_castsi256_ph(_mm512_castsi512_si256(both)),
                                     _mm256_castsi256_ph(_mm512_extracti64x4_epi64(both, 1)));
  return _mm512_cvtph_ps(_mm256_castph_si256(half));
}

inline void totals4(const __m512 (&sum)[4], float* out) {
  const auto fold = [](__m512 a, __m512 b) __attribute__((always_inline)) {
    return _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  };
  const __m512 ab = fold(sum[0], sum[1]);
  const __m512 cd = fold(sum[2], sum[3]);
  const __m512 all =
      _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xEE));
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
  _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
}

// R rows, one or four.
template <int R>
inline void dots(const std::byte* query, const std::byte* rows, size_t stride, size_t dim,
                 float* out) {
  __m512 sum[R];
  RVF_ROWS sum[r] = _mm512_setzero_ps();
  for (size_t i = 0; i < dim;) {
    __m512h even[R];
    __m512h odd[R];
    RVF_ROWS even[r] = odd[r] = _mm512_setzero_ph();
    for (size_t k = 0; k < kChain && i < dim; ++k, i += kStep) {
      const std::byte* q = query + i * 2;
      const std::byte* x = rows + i * 2;
      if (i + kStep <= dim) {
        const __m512h y0 = whole(q);
        const __m512h y1 = whole(q + kStep);
        RVF_ROWS {
          even[r] = _mm512_fmadd_ph(whole(x + r * stride), y0, even[r]);
          odd[r] = _mm512_fmadd_ph(whole(x + r * stride + kStep), y1, odd[r]);
        }
        continue;
      }
      const size_t left = dim - i;
      const __mmask32 low = first_lanes(left);
      const __mmask32 high = left > 32 ? first_lanes(left - 32) : 0;
      RVF_ROWS {
        even[r] = _mm512_fmadd_ph(part(x + r * stride, low), part(q, low), even[r]);
        odd[r] = _mm512_fmadd_ph(part(x + r * stride + kStep, high), part(q + kStep, high), odd[r]);
      }
    }
    RVF_ROWS sum[r] = _mm512_add_ps(sum[r], joined(even[r], odd[r]));
  }
  if constexpr (R == 4) {
    totals4(sum, out);
  } else {
    out[0] = _mm512_reduce_add_ps(sum[0]);
  }
}

void half_dots_kernel(const uint16_t* query, const std::byte* rows, size_t stride, size_t n,
                      size_t dim, float* out) {
  const auto* q = reinterpret_cast<const std::byte*>(query);
  size_t r = 0;
  for (; r + 4 <= n; r += 4) dots<4>(q, rows + r * stride, stride, dim, out + r);
  for (; r < n; ++r) dots<1>(q, rows + r * stride, stride, dim, out + r);
  for (r = 0; r < n; ++r) {
    const bool overflowed = !(__builtin_fabsf(out[r]) <= __FLT_MAX__);
    if (overflowed) kAvx512Level.half_dots(query, rows + r * stride, stride, 1, dim, out + r);
  }
}

#undef RVF_ROWS

}  // namespace

const Level kAvx512Fp16Level = {.half_dots = half_dots_kernel};

}  // namespace rvf::kernels::detail
