#include "quant/bound_mask.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace rvf::quant {
namespace {

uint32_t scalar(const uint32_t* sums, const BlockFactors& f, const BoundTerms& t) {
  uint32_t mask = 0;
  for (size_t i = 0; i < kBlockRows; ++i) {
    const float along = t.step * static_cast<float>(sums[i]) + t.bias;
    const float bound = ((f.add[i] + t.add) + f.scale[i] * along) - f.error[i] * t.error;
    mask |= (bound > t.threshold ? 0U : 1U) << i;
  }
  return mask;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) uint32_t avx2(const uint32_t* sums, const BlockFactors& f,
                                              const BoundTerms& t) {
  uint32_t mask = 0;
  for (size_t i = 0; i < kBlockRows; i += 8) {
    const __m256 sum =
        _mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums + i)));
    const __m256 along =
        _mm256_add_ps(_mm256_mul_ps(_mm256_set1_ps(t.step), sum), _mm256_set1_ps(t.bias));
    const __m256 add = _mm256_add_ps(_mm256_loadu_ps(f.add + i), _mm256_set1_ps(t.add));
    const __m256 estimate = _mm256_add_ps(add, _mm256_mul_ps(_mm256_loadu_ps(f.scale + i), along));
    const __m256 bound = _mm256_sub_ps(
        estimate, _mm256_mul_ps(_mm256_loadu_ps(f.error + i), _mm256_set1_ps(t.error)));
    const __m256 near = _mm256_cmp_ps(bound, _mm256_set1_ps(t.threshold), _CMP_NGT_UQ);
    mask |= static_cast<uint32_t>(_mm256_movemask_ps(near)) << i;
  }
  return mask;
}

__attribute__((target("avx512f"))) uint32_t avx512(const uint32_t* sums, const BlockFactors& f,
                                                   const BoundTerms& t) {
  uint32_t mask = 0;
  for (size_t i = 0; i < kBlockRows; i += 16) {
    const __m512 sum = _mm512_cvtepi32_ps(_mm512_loadu_si512(sums + i));
    const __m512 along =
        _mm512_add_ps(_mm512_mul_ps(_mm512_set1_ps(t.step), sum), _mm512_set1_ps(t.bias));
    const __m512 add = _mm512_add_ps(_mm512_loadu_ps(f.add + i), _mm512_set1_ps(t.add));
    const __m512 estimate = _mm512_add_ps(add, _mm512_mul_ps(_mm512_loadu_ps(f.scale + i), along));
    const __m512 bound = _mm512_sub_ps(
        estimate, _mm512_mul_ps(_mm512_loadu_ps(f.error + i), _mm512_set1_ps(t.error)));
    const __mmask16 near = _mm512_cmp_ps_mask(bound, _mm512_set1_ps(t.threshold), _CMP_NGT_UQ);
    mask |= static_cast<uint32_t>(near) << i;
  }
  return mask;
}
#endif

}  // namespace

BoundMask bound_mask(kernels::Isa isa) noexcept {
#if defined(__x86_64__)
  if (kernels::isa_includes(isa, kernels::Isa::kAvx512)) return avx512;
  if (kernels::isa_includes(isa, kernels::Isa::kAvx2)) return avx2;
#else
  (void)isa;
#endif
  return scalar;
}

}  // namespace rvf::quant
