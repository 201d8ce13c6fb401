#include <immintrin.h>

#include "kernels/kernel_table.hpp"

namespace rvf::kernels::detail {
namespace {

struct V {
  using F = __m256;
  using I = __m256i;
  static constexpr size_t kLanes = 8;
  static constexpr size_t kShorts = 16;
  static constexpr size_t kUnroll = 2;
  static constexpr size_t kUnrollCosine = 2;
  static constexpr int kRows = 4;
  static constexpr int kRowsCosine = 2;

  static F zero() { return _mm256_setzero_ps(); }
  static F add(F a, F b) { return _mm256_add_ps(a, b); }
  static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static float total(F a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    s = _mm_add_ss(s, _mm_shuffle_ps(s, s, 1));
    return _mm_cvtss_f32(s);
  }
  static F query(const float* p) { return _mm256_load_ps(p); }

  static F from_nibbles(__m128i four_bytes) {
    const __m128i low = _mm_and_si128(four_bytes, _mm_set1_epi8(0xF));
    const __m128i high = _mm_and_si128(_mm_srli_epi16(four_bytes, 4), _mm_set1_epi8(0xF));
    const __m128i all = _mm_xor_si128(_mm_unpacklo_epi8(low, high), _mm_set1_epi8(8));
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_sub_epi8(all, _mm_set1_epi8(8))));
  }

  template <DType D>
  static F load(const std::byte* p) {
    if constexpr (D == DType::kF32) return _mm256_loadu_ps(reinterpret_cast<const float*>(p));
    const auto* wide = reinterpret_cast<const __m128i*>(p);
    if constexpr (D == DType::kF16) return _mm256_cvtph_ps(_mm_loadu_si128(wide));
    if constexpr (D == DType::kBF16) {
      const __m256i v = _mm256_cvtepu16_epi32(_mm_loadu_si128(wide));
      return _mm256_castsi256_ps(_mm256_slli_epi32(v, 16));
    }
    if constexpr (D == DType::kI8) {
      return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(wide)));
    }
    if constexpr (D == DType::kU8) {
      return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(wide)));
    }
    if constexpr (D == DType::kI4) {
      int bytes;
      __builtin_memcpy(&bytes, p, 4);
      return from_nibbles(_mm_cvtsi32_si128(bytes));
    }
  }
  // n < 8 elements, copied out so that nothing past them is read.
  template <DType D>
  static F tail(const std::byte* p, size_t n) {
    alignas(32) std::byte copy[32] = {};
    if constexpr (D == DType::kF32) {
      __builtin_memcpy(copy, p, n * 4);
    } else if constexpr (D == DType::kF16 || D == DType::kBF16) {
      __builtin_memcpy(copy, p, n * 2);
    } else if constexpr (D == DType::kI4) {
      __builtin_memcpy(copy, p, (n + 1) / 2);
      if (n % 2 != 0) copy[n / 2] &= std::byte{0xF};  // the spare nibble is not part of the vector
    } else {
      __builtin_memcpy(copy, p, n);
    }
    return load<D>(copy);
  }

  static I izero() { return _mm256_setzero_si256(); }
  static I query16(const int16_t* p) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
  }
  static I sub16(I a, I b) { return _mm256_sub_epi16(a, b); }
  static I dot16(I acc, I a, I b) { return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b)); }
  template <DType D>
  static I load16(const std::byte* p) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return D == DType::kI8 ? _mm256_cvtepi8_epi16(v) : _mm256_cvtepu8_epi16(v);
  }
  template <DType D>
  static I tail16(const std::byte* p, size_t n) {
    alignas(16) std::byte copy[16] = {};
    __builtin_memcpy(copy, p, n);
    return load16<D>(copy);
  }
  static int64_t total64(I a) {
    const __m256i low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(a));
    const __m256i high = _mm256_cvtepi32_epi64(_mm256_extracti128_si256(a, 1));
    const __m256i s = _mm256_add_epi64(low, high);
    const __m128i t = _mm_add_epi64(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    return _mm_cvtsi128_si64(t) + _mm_extract_epi64(t, 1);
  }
  static int32_t total32(I a) { return static_cast<int32_t>(total64(a)); }
  // maddubs would saturate at 255 * 127 * 2, so both sides are widened to 16 bits.
  static I dot_codes(I acc, const uint8_t* q, const int8_t* r) {
    for (int i = 0; i < 64; i += 16) {
      const __m128i a = _mm_load_si128(reinterpret_cast<const __m128i*>(q + i));
      const __m128i b = _mm_load_si128(reinterpret_cast<const __m128i*>(r + i));
      acc = dot16(acc, _mm256_cvtepu8_epi16(a), _mm256_cvtepi8_epi16(b));
    }
    return acc;
  }
};

}  // namespace
}  // namespace rvf::kernels::detail

#include "kernels/generic.hpp"

namespace rvf::kernels::detail {

KernelFn avx2_kernel(DType dtype, Metric metric, bool integer) noexcept {
  return kernel_of(dtype, metric, integer);
}

void avx2_code_dots(const uint8_t* query, const int8_t* const* rows, size_t n, size_t padded,
                    int32_t* out) {
  code_dots_impl(query, rows, n, padded, out);
}

}  // namespace rvf::kernels::detail
