#include <immintrin.h>

#include "kernels/kernel_table.hpp"

namespace rvf::kernels::detail {
namespace {

struct V {
  using F = __m512;
  using I = __m512i;
  static constexpr size_t kLanes = 16;
  static constexpr size_t kShorts = 32;
  static constexpr size_t kUnroll = 4;
  static constexpr size_t kUnrollCosine = 2;
  static constexpr int kRows = 4;
  static constexpr int kRowsCosine = 4;

  static F zero() { return _mm512_setzero_ps(); }
  static F add(F a, F b) { return _mm512_add_ps(a, b); }
  static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static float total(F a) { return _mm512_reduce_add_ps(a); }
  static F query(const float* p) { return _mm512_load_ps(p); }

  static F from_nibbles(__m128i eight_bytes) {
    const __m128i low = _mm_and_si128(eight_bytes, _mm_set1_epi8(0xF));
    const __m128i high = _mm_and_si128(_mm_srli_epi16(eight_bytes, 4), _mm_set1_epi8(0xF));
    const __m128i all = _mm_xor_si128(_mm_unpacklo_epi8(low, high), _mm_set1_epi8(8));
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_sub_epi8(all, _mm_set1_epi8(8))));
  }
  static F from_bf16(__m256i halves) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
  }

  template <DType D>
  static F load(const std::byte* p) {
    if constexpr (D == DType::kF32) return _mm512_loadu_ps(p);
    if constexpr (D == DType::kF16) {
      return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    }
    if constexpr (D == DType::kBF16) {
      return from_bf16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    }
    if constexpr (D == DType::kI8) {
      return _mm512_cvtepi32_ps(
          _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
    }
    if constexpr (D == DType::kU8) {
      return _mm512_cvtepi32_ps(
          _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
    }
    if constexpr (D == DType::kI4) {
      return from_nibbles(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    }
  }
  // n < 16 elements; the others are zero and their bytes are not touched.
  template <DType D>
  static F tail(const std::byte* p, size_t n) {
    const auto mask = static_cast<__mmask16>((1U << n) - 1);
    if constexpr (D == DType::kF32) return _mm512_maskz_loadu_ps(mask, p);
    if constexpr (D == DType::kF16) return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, p));
    if constexpr (D == DType::kBF16) return from_bf16(_mm256_maskz_loadu_epi16(mask, p));
    if constexpr (D == DType::kI8) {
      return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask, p)));
    }
    if constexpr (D == DType::kU8) {
      return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, p)));
    }
    if constexpr (D == DType::kI4) {
      const auto bytes = static_cast<__mmask16>((1U << ((n + 1) / 2)) - 1);
      return _mm512_maskz_mov_ps(mask, from_nibbles(_mm_maskz_loadu_epi8(bytes, p)));
    }
  }

  static I izero() { return _mm512_setzero_si512(); }
  static I query16(const int16_t* p) { return _mm512_load_si512(p); }
  static I sub16(I a, I b) { return _mm512_sub_epi16(a, b); }
  static I dot16(I acc, I a, I b) { return _mm512_dpwssd_epi32(acc, a, b); }
  template <DType D>
  static I widen(__m256i v) {
    return D == DType::kI8 ? _mm512_cvtepi8_epi16(v) : _mm512_cvtepu8_epi16(v);
  }
  template <DType D>
  static I load16(const std::byte* p) {
    return widen<D>(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  template <DType D>
  static I tail16(const std::byte* p, size_t n) {
    return widen<D>(_mm256_maskz_loadu_epi8(static_cast<__mmask32>((uint64_t{1} << n) - 1), p));
  }
  static int64_t total64(I a) {
    const __m512i low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(a));
    const __m512i high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(a, 1));
    return _mm512_reduce_add_epi64(_mm512_add_epi64(low, high));
  }
  static int32_t total32(I a) { return _mm512_reduce_add_epi32(a); }
  static I dot_codes(I acc, const uint8_t* q, const int8_t* r) {
    return _mm512_dpbusd_epi32(acc, _mm512_load_si512(q), _mm512_load_si512(r));
  }
};

}  // namespace
}  // namespace rvf::kernels::detail

#include "kernels/generic.hpp"

namespace rvf::kernels::detail {

KernelFn avx512_kernel(DType dtype, Metric metric, bool integer) noexcept {
  return kernel_of(dtype, metric, integer);
}

void avx512_code_dots(const uint8_t* query, const int8_t* const* rows, size_t n, size_t padded,
                      int32_t* out) {
  code_dots_impl(query, rows, n, padded, out);
}

}  // namespace rvf::kernels::detail
