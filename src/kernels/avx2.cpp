#include <immintrin.h>

#include "kernels/choose_kernel.hpp"
#include "kernels/word_bits.hpp"

namespace rvf::kernels::detail {
namespace {

struct V : WordBits {
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
  // Lanes (0 + 2) + (1 + 3) of each half, then the halves.
  static float total(F a) {
    a = _mm256_add_ps(a, _mm256_permute_ps(a, 0x4E));
    a = _mm256_add_ps(a, _mm256_permute_ps(a, 0xB1));
    return _mm_cvtss_f32(_mm_add_ss(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1)));
  }
  static void totals4(F a, F b, F c, F d, float* out) {
    const F ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    const F cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
    const F all = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xEE));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1)));
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
  static I add32(I a, I b) { return _mm256_add_epi32(a, b); }
  static int32_t total32(I a) { return static_cast<int32_t>(total64(a)); }
  static void totals4(I a, I b, I c, I d, int32_t* out) {
    const I all = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1)));
  }
  // maddubs would saturate at 255 * 127 * 2, so both sides are widened to 16 bits.
  static I dot_codes(I acc, const uint8_t* q, const int8_t* r) {
    for (int i = 0; i < 64; i += 16) {
      const __m128i a = _mm_load_si128(reinterpret_cast<const __m128i*>(q + i));
      const __m128i b = _mm_load_si128(reinterpret_cast<const __m128i*>(r + i));
      acc = dot16(acc, _mm256_cvtepu8_epi16(a), _mm256_cvtepi8_epi16(b));
    }
    return acc;
  }
  static int32_t int8_excess(const int8_t*, size_t) { return 0; }
  static I dot_int8(I acc, const int8_t* q, const int8_t* r) {
    for (int i = 0; i < 64; i += 16) {
      const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(q + i));
      const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(r + i));
      acc = dot16(acc, _mm256_cvtepi8_epi16(a), _mm256_cvtepi8_epi16(b));
    }
    return acc;
  }
  static I dot_int8_tail(I acc, const int8_t* q, const int8_t* r, size_t n) {
    int8_t both[2][64] = {};
    __builtin_memcpy(both[0], q, n);
    __builtin_memcpy(both[1], r, n);
    return dot_int8(acc, both[0], both[1]);
  }

  using C = __m256i;
  static constexpr size_t kTables = 2;
  static C no_bytes() { return _mm256_setzero_si256(); }
  static C load_bytes(const uint8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static C part_of_bytes(const uint8_t* p, size_t) {  // 16, the only part there is
    return _mm256_zextsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static C low_nibbles(C a) { return _mm256_and_si256(a, _mm256_set1_epi8(0xF)); }
  static C high_nibbles(C a) { return low_nibbles(_mm256_srli_epi16(a, 4)); }
  static C lookup(C table, C index) { return _mm256_shuffle_epi8(table, index); }
  static C add16(C a, C b) { return _mm256_add_epi16(a, b); }
  static C upper_bytes(C a) { return _mm256_srli_epi16(a, 8); }
  static void store_sums(C all, C odd, bool add, uint32_t* out) {
    const __m128i o = _mm_add_epi16(_mm256_castsi256_si128(odd), _mm256_extracti128_si256(odd, 1));
    const __m128i a = _mm_add_epi16(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    const __m128i even = _mm_sub_epi16(a, _mm_slli_epi16(o, 8));
    const auto put = [&](__m128i eight, uint32_t* to) {
      auto* at = reinterpret_cast<__m256i*>(to);
      const __m256i wide = _mm256_cvtepu16_epi32(eight);
      _mm256_storeu_si256(at, add ? _mm256_add_epi32(wide, _mm256_loadu_si256(at)) : wide);
    };
    put(_mm_unpacklo_epi16(even, o), out);
    put(_mm_unpackhi_epi16(even, o), out + 8);
  }
};

}  // namespace
}  // namespace rvf::kernels::detail

#include "kernels/generic.hpp"
#include "kernels/generic_codes.hpp"

namespace rvf::kernels::detail {

const Level kAvx2Level = {
    .distance = choose_kernel<Set>,
    .code_dots = code_dots_kernel,
    .int8_dots = int8_dots_kernel,
    .half_dots = half_dots_kernel,
    .hamming_rows = hamming_kernel,
    .bit_plane_dots = bit_plane_kernel,
    .sign_differences = sign_differences_kernel,
    .pq4_byte_sums = pq4_kernel,
};

}  // namespace rvf::kernels::detail
