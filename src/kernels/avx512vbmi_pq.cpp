// Tables of 256 bytes in four registers, looked up for 64 codes at a time. Floats are looked up byte
// by byte: four tables, one for each byte of an entry.
#include "kernels/avx512vbmi_pq.hpp"

#include <immintrin.h>

namespace rvf::kernels::detail {
namespace {

#define RVF_UNROLL _Pragma("GCC unroll 8")

// A permutation of two registers takes the lower seven bits of a code; `upper`: its eighth.
inline __m512i lookup(__m512i t0, __m512i t1, __m512i t2, __m512i t3, __m512i code,
                      __mmask64 upper) {
  const __m512i low = _mm512_permutex2var_epi8(t0, code, t1);
  return _mm512_mask_blend_epi8(upper, low, _mm512_permutex2var_epi8(t2, code, t3));
}

// 16-bit sums of 64 codes: `all` of both bytes of a pair, `odd` of the upper one.
void store_sums64(__m512i all, __m512i odd, bool add, uint32_t* out) {
  const __m512i even = _mm512_sub_epi16(all, _mm512_slli_epi16(odd, 8));
  const __m512i low = _mm512_unpacklo_epi16(even, odd);  // of each 16 codes the first eight
  const __m512i high = _mm512_unpackhi_epi16(even, odd);
  const auto put = [&](__m128i a, __m128i b, uint32_t* to) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_set_m128i(b, a));
    if (add) wide = _mm512_add_epi32(wide, _mm512_loadu_si512(to));
    _mm512_storeu_si512(to, wide);
  };
  put(_mm512_extracti32x4_epi32(low, 0), _mm512_extracti32x4_epi32(high, 0), out);
  put(_mm512_extracti32x4_epi32(low, 1), _mm512_extracti32x4_epi32(high, 1), out + 16);
  put(_mm512_extracti32x4_epi32(low, 2), _mm512_extracti32x4_epi32(high, 2), out + 32);
  put(_mm512_extracti32x4_epi32(low, 3), _mm512_extracti32x4_epi32(high, 3), out + 48);
}

// Entries of one byte, B blocks together, so that a table is loaded once for all of them.
template <size_t B>
inline void pq8_blocks(const uint8_t* tables, const uint8_t* codes, size_t m, uint32_t* out) {
  constexpr size_t kChunk = 256;  // subspaces: 256 * 255 < 2^16
  const size_t block = m * kPq8Block;
  for (size_t first = 0; first < m; first += kChunk) {
    const size_t end = m - first < kChunk ? m : first + kChunk;
    __m512i all[B];
    __m512i odd[B];
    RVF_UNROLL for (size_t b = 0; b < B; ++b) all[b] = odd[b] = _mm512_setzero_si512();
    for (size_t s = first; s < end; ++s) {
      const uint8_t* table = tables + s * 256;
      const __m512i t0 = _mm512_loadu_si512(table);
      const __m512i t1 = _mm512_loadu_si512(table + 64);
      const __m512i t2 = _mm512_loadu_si512(table + 128);
      const __m512i t3 = _mm512_loadu_si512(table + 192);
      RVF_UNROLL for (size_t b = 0; b < B; ++b) {
        const __m512i code = _mm512_loadu_si512(codes + b * block + s * kPq8Block);
        const __m512i v = lookup(t0, t1, t2, t3, code, _mm512_movepi8_mask(code));
        all[b] = _mm512_add_epi16(all[b], v);
        odd[b] = _mm512_add_epi16(odd[b], _mm512_srli_epi16(v, 8));
      }
    }
    RVF_UNROLL for (size_t b = 0; b < B; ++b) {
      store_sums64(all[b], odd[b], first != 0, out + b * kPq8Block);
    }
  }
}

// byte[p][i]: byte p of the entries 64 i .. 64 i + 63 of a table of floats.
struct BytePlanes {
  explicit BytePlanes(const float* table) {
    // Of 32 floats in two registers: their bytes 0, then their bytes 1; the same of 2 and 3.
    alignas(64) static constexpr auto kIndex = [] {
      struct Bytes {
        uint8_t at[2][64];
      } index{};
      for (unsigned i = 0; i < 64; ++i) {
        index.at[0][i] = static_cast<uint8_t>(i % 32 * 4 + i / 32);
        index.at[1][i] = static_cast<uint8_t>(i % 32 * 4 + i / 32 + 2);
      }
      return index;
    }();
    for (int half = 0; half < 2; ++half) {
      const __m512i index = _mm512_load_si512(kIndex.at[half]);
      RVF_UNROLL for (int i = 0; i < 4; ++i) {
        const float* from = table + 64 * i;
        const __m512i a = _mm512_permutex2var_epi8(_mm512_loadu_si512(from), index,
                                                   _mm512_loadu_si512(from + 16));
        const __m512i b = _mm512_permutex2var_epi8(_mm512_loadu_si512(from + 32), index,
                                                   _mm512_loadu_si512(from + 48));
        byte[2 * half][i] = _mm512_shuffle_i64x2(a, b, 0x44);
        byte[2 * half + 1][i] = _mm512_shuffle_i64x2(a, b, 0xEE);
      }
    }
  }

  // Adds the entries of 64 codes to 64 sums. sums[k] has in its quarter l those of the codes
  // 16 l + 4 k and the three after it: the order in which bytes become floats.
  void add(const uint8_t* codes, float* sums) const {
    const __m512i code = _mm512_loadu_si512(codes);
    const __mmask64 upper = _mm512_movepi8_mask(code);
    __m512i v[4];
    RVF_UNROLL for (int p = 0; p < 4; ++p) {
      v[p] = lookup(byte[p][0], byte[p][1], byte[p][2], byte[p][3], code, upper);
    }
    const __m512i low01 = _mm512_unpacklo_epi8(v[0], v[1]);
    const __m512i high01 = _mm512_unpackhi_epi8(v[0], v[1]);
    const __m512i low23 = _mm512_unpacklo_epi8(v[2], v[3]);
    const __m512i high23 = _mm512_unpackhi_epi8(v[2], v[3]);
    const __m512i floats[4] = {
        _mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
        _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)};
    RVF_UNROLL for (int k = 0; k < 4; ++k) {
      float* to = sums + 16 * k;
      _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), _mm512_castsi512_ps(floats[k])));
    }
  }

  __m512i byte[4][4] = {};
};

// The sums of 64 codes from the order of BytePlanes::add to that of the codes.
void order_sums(float* sums) {
  const __m512 a = _mm512_loadu_ps(sums);
  const __m512 b = _mm512_loadu_ps(sums + 16);
  const __m512 c = _mm512_loadu_ps(sums + 32);
  const __m512 d = _mm512_loadu_ps(sums + 48);
  const __m512 ab_low = _mm512_shuffle_f32x4(a, b, 0x44);
  const __m512 ab_high = _mm512_shuffle_f32x4(a, b, 0xEE);
  const __m512 cd_low = _mm512_shuffle_f32x4(c, d, 0x44);
  const __m512 cd_high = _mm512_shuffle_f32x4(c, d, 0xEE);
  _mm512_storeu_ps(sums, _mm512_shuffle_f32x4(ab_low, cd_low, 0x88));
  _mm512_storeu_ps(sums + 16, _mm512_shuffle_f32x4(ab_low, cd_low, 0xDD));
  _mm512_storeu_ps(sums + 32, _mm512_shuffle_f32x4(ab_high, cd_high, 0x88));
  _mm512_storeu_ps(sums + 48, _mm512_shuffle_f32x4(ab_high, cd_high, 0xDD));
}

#undef RVF_UNROLL

}  // namespace

void avx512vbmi_pq8_byte_sums(const uint8_t* tables, const uint8_t* codes, size_t m, size_t blocks,
                              uint32_t* out) {
  size_t b = 0;
  for (; b + 4 <= blocks; b += 4) {
    pq8_blocks<4>(tables, codes + b * m * kPq8Block, m, out + b * kPq8Block);
  }
  for (; b < blocks; ++b) {
    pq8_blocks<1>(tables, codes + b * m * kPq8Block, m, out + b * kPq8Block);
  }
}

void avx512vbmi_pq8_float_sums(const float* tables, const uint8_t* codes, size_t m, size_t blocks,
                               float* out) {
  constexpr size_t kTogether = 16;  // blocks that share a subspace's tables; their sums stay near
  const size_t block = m * kPq8Block;
  for (size_t first = 0; first < blocks; first += kTogether) {
    const size_t end = blocks - first < kTogether ? blocks : first + kTogether;
    for (size_t i = first * kPq8Block; i < end * kPq8Block; i += 16) {
      _mm512_storeu_ps(out + i, _mm512_setzero_ps());
    }
    for (size_t s = 0; s < m; ++s) {
      const BytePlanes planes(tables + s * 256);
      for (size_t b = first; b < end; ++b) {
        planes.add(codes + b * block + s * kPq8Block, out + b * kPq8Block);
      }
    }
    for (size_t b = first; b < end; ++b) order_sums(out + b * kPq8Block);
  }
}

}  // namespace rvf::kernels::detail
