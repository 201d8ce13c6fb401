#include <immintrin.h>

#include "kernels/choose_kernel.hpp"
#include "kernels/word_bits.hpp"

namespace rvf::kernels::detail {
namespace {

struct V : WordBits {
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
  // Lanes (0 + 2) + (1 + 3) of each quarter, then quarters (0 + 2) + (1 + 3).
  static float total(F a) {
    a = _mm512_add_ps(a, _mm512_permute_ps(a, 0x4E));
    a = _mm512_add_ps(a, _mm512_permute_ps(a, 0xB1));
    return _mm_cvtss_f32(sum_quarters(a));
  }
  static void totals4(F a, F b, F c, F d, float* out) {
    const F ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    const F cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    _mm_storeu_ps(out, sum_quarters(_mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44),
                                                  _mm512_shuffle_ps(ab, cd, 0xEE))));
  }
  static __m128 sum_quarters(F a) {
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  }
  static F query(const float* p) { return _mm512_load_ps(p); }

  static F from_nibbles(__m128i eight_bytes) {
    const __m128i low = _mm_and_si128(eight_bytes, _mm_set1_epi8(0xF));
    const __m128i high = _mm_and_si128(_mm_srli_epi16(eight_bytes, 4), _mm_set1_epi8(0xF));
    const __m128i all = _mm_xor_si128(_mm_unpacklo_epi8(low, high), _mm_set1_epi8(8));
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_sub_epi8(all, _mm_set1_epi8(8))));
  }
  // Widened, as vdpbf16ps would need the query rounded to bf16, beyond the error that is promised.
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
  static I add32(I a, I b) { return _mm512_add_epi32(a, b); }
  static int32_t total32(I a) { return _mm512_reduce_add_epi32(a); }
  static void totals4(I a, I b, I c, I d, int32_t* out) {
    const I ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    const I cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    const I all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    const __m256i half =
        _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(out),
        _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
  }
  static I dot_codes(I acc, const uint8_t* q, const int8_t* r) {
    return _mm512_dpbusd_epi32(acc, _mm512_load_si512(q), _mm512_load_si512(r));
  }
  // vpdpbusd takes one side unsigned: the row, moved up by 128.
  static I moved_up(I row) { return _mm512_xor_si512(row, _mm512_set1_epi8(-128)); }
  static int32_t int8_excess(const int8_t* q, size_t n) {
    I sum = izero();
    const I ones = _mm512_set1_epi8(1);
    for (; n >= 64; n -= 64, q += 64) sum = _mm512_dpbusd_epi32(sum, ones, _mm512_loadu_si512(q));
    if (n != 0) sum = _mm512_dpbusd_epi32(sum, ones, _mm512_maskz_loadu_epi8(first_bytes(n), q));
    return 128 * total32(sum);
  }
  static I dot_int8(I acc, const int8_t* q, const int8_t* r) {
    return _mm512_dpbusd_epi32(acc, moved_up(_mm512_loadu_si512(r)), _mm512_loadu_si512(q));
  }
  static I dot_int8_tail(I acc, const int8_t* q, const int8_t* r, size_t n) {
    const __mmask64 mask = first_bytes(n);
    return _mm512_dpbusd_epi32(acc, moved_up(_mm512_maskz_loadu_epi8(mask, r)),
                               _mm512_maskz_loadu_epi8(mask, q));
  }
  static __mmask64 first_bytes(size_t n) { return (uint64_t{1} << n) - 1; }  // n < 64

  using C = __m512i;
  static constexpr size_t kTables = 4;
  static C no_bytes() { return _mm512_setzero_si512(); }
  static C load_bytes(const uint8_t* p) { return _mm512_loadu_si512(p); }
  static C part_of_bytes(const uint8_t* p, size_t n) {
    return _mm512_maskz_loadu_epi8(first_bytes(n), p);
  }
  static C low_nibbles(C a) { return _mm512_and_si512(a, _mm512_set1_epi8(0xF)); }
  static C high_nibbles(C a) { return low_nibbles(_mm512_srli_epi16(a, 4)); }
  static C lookup(C table, C index) { return _mm512_shuffle_epi8(table, index); }
  static C add16(C a, C b) { return _mm512_add_epi16(a, b); }
  static C upper_bytes(C a) { return _mm512_srli_epi16(a, 8); }
  static __m128i sum_quarters16(C a) {
    const __m256i half =
        _mm256_add_epi16(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
    return _mm_add_epi16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  }
  static void store_sums(C all, C odd, bool add, uint32_t* out) {
    const __m128i o = sum_quarters16(odd);
    const __m128i even = _mm_sub_epi16(sum_quarters16(all), _mm_slli_epi16(o, 8));
    C wide = _mm512_cvtepu16_epi32(
        _mm256_set_m128i(_mm_unpackhi_epi16(even, o), _mm_unpacklo_epi16(even, o)));
    if (add) wide = _mm512_add_epi32(wide, _mm512_loadu_si512(out));
    _mm512_storeu_si512(out, wide);
  }
};

// Tables of 256 bytes as 128 pairs of bytes, for the codes that stand in the lower bytes of `codes`,
// the upper ones being 0; one byte an entry in the lower bytes of the result.
inline __m512i pq8_lookup(const __m512i (&table)[4], __m512i codes) {
  const __m512i pair =
      _mm512_srli_epi16(codes, 1);  // of seven bits, of which a permutation takes six
  const __m512i low = _mm512_permutex2var_epi16(table[0], pair, table[1]);
  const __m512i high = _mm512_permutex2var_epi16(table[2], pair, table[3]);
  const __mmask32 upper = _mm512_test_epi16_mask(codes, _mm512_set1_epi16(0x80));
  const __m512i both = _mm512_mask_blend_epi16(upper, low, high);
  const __mmask32 odd = _mm512_test_epi16_mask(codes, _mm512_set1_epi16(1));
  return _mm512_and_si512(_mm512_mask_srli_epi16(both, odd, both, 8), _mm512_set1_epi16(0xFF));
}

// A 16-bit sum a code, even and odd codes apart.
void pq8_bytes(const uint8_t* tables, const uint8_t* codes, size_t m, size_t blocks,
               uint32_t* out) {
  constexpr size_t kChunk = 256;  // subspaces: 256 * 255 < 2^16
  for (size_t b = 0; b < blocks; ++b, codes += m * kPq8Block, out += kPq8Block) {
    for (size_t first = 0; first < m; first += kChunk) {
      const size_t end = m - first < kChunk ? m : first + kChunk;
      __m512i even = _mm512_setzero_si512();
      __m512i odd = _mm512_setzero_si512();
      for (size_t s = first; s < end; ++s) {
        __m512i table[4];
        for (size_t i = 0; i < 4; ++i) table[i] = _mm512_loadu_si512(tables + s * 256 + i * 64);
        const __m512i code = _mm512_loadu_si512(codes + s * kPq8Block);
        even = _mm512_add_epi16(even,
                                pq8_lookup(table, _mm512_and_si512(code, _mm512_set1_epi16(0xFF))));
        odd = _mm512_add_epi16(odd, pq8_lookup(table, _mm512_srli_epi16(code, 8)));
      }
      const __m512i low = _mm512_unpacklo_epi16(even, odd);  // of each 16 codes the first eight
      const __m512i high = _mm512_unpackhi_epi16(even, odd);
      alignas(64) uint16_t sums[2][32];
      _mm512_store_si512(sums[0], low);
      _mm512_store_si512(sums[1], high);
      for (size_t i = 0; i < kPq8Block; ++i) {
        const uint32_t sum = sums[i / 8 % 2][i / 16 * 8 + i % 8];
        out[i] = first == 0 ? sum : out[i] + sum;
      }
    }
  }
}

}  // namespace
}  // namespace rvf::kernels::detail

#include "kernels/generic.hpp"
#include "kernels/generic_codes.hpp"

namespace rvf::kernels::detail {

const Level kAvx512Level = {
    .distance = choose_kernel<Set>,
    .code_dots = code_dots_kernel,
    .int8_dots = int8_dots_kernel,
    .half_dots = half_dots_kernel,
    .hamming_rows = hamming_kernel,
    .bit_plane_dots = bit_plane_kernel,
    .sign_differences = sign_differences_kernel,
    .pq8_byte_sums = pq8_bytes,
    .pq4_byte_sums = pq4_kernel,
};

}  // namespace rvf::kernels::detail
