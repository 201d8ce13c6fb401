// Arithmetic on f16 itself. Only half_dots: the error of f16 sums is too large for distances.
#include <immintrin.h>

#include "kernels/kernel_table.hpp"

namespace rvf::kernels::detail {
namespace {

constexpr size_t kLanes = 32;
constexpr size_t kChain = 7;  // additions into one f16 sum, then it is added to an f32 sum

inline __m512h load(const std::byte* p) { return _mm512_castsi512_ph(_mm512_loadu_si512(p)); }

inline __m512 widened_sum(__m512h a) {
  const __m512i bits = _mm512_castph_si512(a);
  return _mm512_add_ps(_mm512_cvtph_ps(_mm512_castsi512_si256(bits)),
                       _mm512_cvtph_ps(_mm512_extracti64x4_epi64(bits, 1)));
}

inline float row_dot(const std::byte* query, const std::byte* row, size_t dim) {
  __m512 sum = _mm512_setzero_ps();
  size_t i = 0;
  while (i < dim) {
    __m512h even = _mm512_setzero_ph();
    __m512h odd = _mm512_setzero_ph();
    for (size_t k = 0; k < kChain && i + 2 * kLanes <= dim; ++k, i += 2 * kLanes) {
      even = _mm512_fmadd_ph(load(query + i * 2), load(row + i * 2), even);
      odd = _mm512_fmadd_ph(load(query + (i + kLanes) * 2), load(row + (i + kLanes) * 2), odd);
    }
    sum = _mm512_add_ps(sum, _mm512_add_ps(widened_sum(even), widened_sum(odd)));
    if (i + 2 * kLanes <= dim) continue;
    for (; i < dim; i += kLanes) {
      const size_t left = dim - i < kLanes ? dim - i : kLanes;
      const auto mask = static_cast<__mmask32>((uint64_t{1} << left) - 1);
      const __m512h x = _mm512_castsi512_ph(_mm512_maskz_loadu_epi16(mask, row + i * 2));
      const __m512h y = _mm512_castsi512_ph(_mm512_maskz_loadu_epi16(mask, query + i * 2));
      sum = _mm512_add_ps(sum, widened_sum(_mm512_mul_ph(x, y)));
    }
  }
  return _mm512_reduce_add_ps(sum);
}

void half_dots_kernel(const uint16_t* query, const std::byte* rows, size_t stride, size_t n,
                      size_t dim, float* out) {
  const auto* q = reinterpret_cast<const std::byte*>(query);
  for (size_t r = 0; r < n; ++r, rows += stride) {
    out[r] = row_dot(q, rows, dim);
    const bool overflowed = !(__builtin_fabsf(out[r]) <= __FLT_MAX__);
    if (overflowed) kAvx512Level.half_dots(query, rows, stride, 1, dim, out + r);
  }
}

}  // namespace

const Level kAvx512Fp16Level = {.half_dots = half_dots_kernel};

}  // namespace rvf::kernels::detail
