// AVX2 and F16C.
#include <immintrin.h>

#include "index/fused_encode.inl"
#include "index/fused_pools.inl"
#include "index/fused_walk.inl"
#include "index/sign_bounds.inl"

namespace rvf::index {
namespace {

struct Avx2Ops : PlainPools {
  // Sums of sixteen neighbours in sixteen bits, of the even and of the odd ones in each half.
  struct Sums {
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    void add(__m256i bytes) {
      even = _mm256_add_epi16(even, _mm256_and_si256(bytes, _mm256_set1_epi16(255)));
      odd = _mm256_add_epi16(odd, _mm256_srli_epi16(bytes, 8));
    }
    // Neighbours 0 to 15 in order.
    void add_to(__m256i& first, __m256i& second) const {
      const __m128i e =
          _mm_add_epi16(_mm256_castsi256_si128(even), _mm256_extracti128_si256(even, 1));
      const __m128i o =
          _mm_add_epi16(_mm256_castsi256_si128(odd), _mm256_extracti128_si256(odd, 1));
      first = _mm256_add_epi32(first, _mm256_cvtepu16_epi32(_mm_unpacklo_epi16(e, o)));
      second = _mm256_add_epi32(second, _mm256_cvtepu16_epi32(_mm_unpackhi_epi16(e, o)));
    }
  };

  static uint32_t estimate(const FusedLayout& l, const std::byte* group, const FusedQuery& q,
                           float distance, float below, float* out) {
    const std::byte* codes = group + (l.codes - l.ids);
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i sums[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                       _mm256_setzero_si256()};
    const uint32_t all = 4 * l.padded;  // a multiple of 64
    for (uint32_t begin = 0; begin < all;) {
      const uint32_t end = all - begin > kChunk ? begin + kChunk : all;
      Sums low;
      Sums high;
      for (uint32_t i = begin; i < end; i += 64) {
        const __m256i c0 = load(codes + i);
        const __m256i c1 = load(codes + i + 32);
        const __m256i t0 = load(q.table + i);
        const __m256i t1 = load(q.table + i + 32);
        low.add(_mm256_add_epi8(_mm256_shuffle_epi8(t0, _mm256_and_si256(c0, nibble)),
                                _mm256_shuffle_epi8(t1, _mm256_and_si256(c1, nibble))));
        high.add(_mm256_add_epi8(
            _mm256_shuffle_epi8(t0, _mm256_and_si256(_mm256_srli_epi16(c0, 4), nibble)),
            _mm256_shuffle_epi8(t1, _mm256_and_si256(_mm256_srli_epi16(c1, 4), nibble))));
      }
      low.add_to(sums[0], sums[1]);
      high.add_to(sums[2], sums[3]);
      begin = end;
    }
    uint32_t passing = 0;
    for (uint32_t i = 0; i < 4; ++i) {
      const __m256 product =
          _mm256_add_ps(_mm256_set1_ps(q.code_base),
                        _mm256_mul_ps(_mm256_set1_ps(q.code_step), _mm256_cvtepi32_ps(sums[i])));
      const __m256 m = halves(group + (l.mul - l.ids) + 16 * size_t{i});
      const __m256 a = halves(group + (l.add - l.ids) + 16 * size_t{i});
      const __m256 d =
          _mm256_add_ps(_mm256_add_ps(_mm256_mul_ps(m, product), a), _mm256_set1_ps(distance));
      _mm256_storeu_ps(out + 8 * size_t{i}, d);
      const int under = _mm256_movemask_ps(_mm256_cmp_ps(d, _mm256_set1_ps(below), _CMP_LT_OQ));
      passing |= static_cast<uint32_t>(under) << (8 * i);
    }
    return passing;
  }

  static int64_t product(const uint8_t* vector, const FusedQuery& q, uint32_t n) {
    int64_t total = 0;
    for (uint32_t begin = 0; begin < n;) {
      const uint32_t end = n - begin > kProductChunk ? begin + kProductChunk : n;
      __m256i sum = _mm256_setzero_si256();
      for (uint32_t i = begin; i < end; i += 16) {
        const __m256i v = _mm256_cvtepu8_epi16(load16(vector + i));
        const __m256i h = _mm256_cvtepi8_epi16(load16(q.high + i));
        const __m256i w = _mm256_cvtepi8_epi16(load16(q.low + i));
        sum = _mm256_add_epi32(sum,
                               _mm256_madd_epi16(v, _mm256_add_epi16(_mm256_slli_epi16(h, 7), w)));
      }
      alignas(32) int32_t lanes[8];
      _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), sum);
      for (const int32_t lane : lanes) total += lane;
      begin = end;
    }
    return total;
  }

 private:
  // Every 64 bytes of codes add up to 254 to a sixteen-bit sum, and two sums are joined at the end.
  static constexpr uint32_t kChunk = 64 * 128;
  // Every 16 coordinates add up to 2 * 255 * 16319 to a sum of 32 bits.
  static constexpr uint32_t kProductChunk = 16 * 128;

  static __m256i load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static __m128i load16(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
  static __m256 halves(const void* p) { return _mm256_cvtph_ps(load16(p)); }
};

}  // namespace

const FusedKernels kFusedAvx2 = {walk<Avx2Ops>,        prepare_query<PlainTables>, encode_group,
                                 scan_groups<Avx2Ops>, distance_to_head<Avx2Ops>,  sign_bounds};

}  // namespace rvf::index
