// AVX-512 F, BW, VL, DQ and VNNI.
#include <immintrin.h>

#include "index/fused_prepare.inl"
#include "index/fused_walk.inl"
#include "index/sign_bounds.inl"

namespace rvf::index {
namespace {

struct Avx512Ops {
  static __m512i widened(__m512i acc_even, __m512i acc_odd) {
    // Lanes hold the partial sums of neighbours 0, 2, .. 14 and 1, 3, .. 15 of four tables each.
    const __m256i even =
        _mm256_add_epi16(_mm512_castsi512_si256(acc_even), _mm512_extracti64x4_epi64(acc_even, 1));
    const __m256i odd =
        _mm256_add_epi16(_mm512_castsi512_si256(acc_odd), _mm512_extracti64x4_epi64(acc_odd, 1));
    const __m128i e =
        _mm_add_epi16(_mm256_castsi256_si128(even), _mm256_extracti128_si256(even, 1));
    const __m128i o = _mm_add_epi16(_mm256_castsi256_si128(odd), _mm256_extracti128_si256(odd, 1));
    const __m256i both = _mm256_set_m128i(_mm_unpackhi_epi16(e, o), _mm_unpacklo_epi16(e, o));
    return _mm512_cvtepu16_epi32(both);
  }

  static __m512 distances(__m512i sums, const FusedQuery& q, const std::byte* mul,
                          const std::byte* add, __m512 distance) {
    const __m512 product =
        _mm512_add_ps(_mm512_set1_ps(q.code_base),
                      _mm512_mul_ps(_mm512_set1_ps(q.code_step), _mm512_cvtepi32_ps(sums)));
    const __m512 m = _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(mul)));
    const __m512 a = _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(add)));
    return _mm512_add_ps(_mm512_add_ps(_mm512_mul_ps(m, product), a), distance);
  }

  static uint32_t estimate(const FusedLayout& l, const std::byte* group, const FusedQuery& q,
                           float distance, float below, float* out) {
    const std::byte* codes = group + (l.codes - l.ids);
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i byte = _mm512_set1_epi16(255);
    __m512i low_sums = _mm512_setzero_si512();
    __m512i high_sums = _mm512_setzero_si512();
    const uint32_t all = 4 * l.padded;
    for (uint32_t begin = 0; begin < all;) {
      const uint32_t end = all - begin > kChunk ? begin + kChunk : all;
      __m512i low_even = _mm512_setzero_si512();
      __m512i low_odd = _mm512_setzero_si512();
      __m512i high_even = _mm512_setzero_si512();
      __m512i high_odd = _mm512_setzero_si512();
      uint32_t i = begin;
      for (; i + 128 <= end; i += 128) {
        const __m512i c0 = _mm512_loadu_si512(codes + i);
        const __m512i c1 = _mm512_loadu_si512(codes + i + 64);
        const __m512i t0 = _mm512_load_si512(q.table + i);
        const __m512i t1 = _mm512_load_si512(q.table + i + 64);
        const __m512i low = _mm512_add_epi8(_mm512_shuffle_epi8(t0, _mm512_and_si512(c0, nibble)),
                                            _mm512_shuffle_epi8(t1, _mm512_and_si512(c1, nibble)));
        const __m512i high = _mm512_add_epi8(
            _mm512_shuffle_epi8(t0, _mm512_and_si512(_mm512_srli_epi16(c0, 4), nibble)),
            _mm512_shuffle_epi8(t1, _mm512_and_si512(_mm512_srli_epi16(c1, 4), nibble)));
        low_even = _mm512_add_epi16(low_even, _mm512_and_si512(low, byte));
        low_odd = _mm512_add_epi16(low_odd, _mm512_srli_epi16(low, 8));
        high_even = _mm512_add_epi16(high_even, _mm512_and_si512(high, byte));
        high_odd = _mm512_add_epi16(high_odd, _mm512_srli_epi16(high, 8));
      }
      if (i < end) {
        const __m512i c = _mm512_loadu_si512(codes + i);
        const __m512i t = _mm512_load_si512(q.table + i);
        const __m512i low = _mm512_shuffle_epi8(t, _mm512_and_si512(c, nibble));
        const __m512i high =
            _mm512_shuffle_epi8(t, _mm512_and_si512(_mm512_srli_epi16(c, 4), nibble));
        low_even = _mm512_add_epi16(low_even, _mm512_and_si512(low, byte));
        low_odd = _mm512_add_epi16(low_odd, _mm512_srli_epi16(low, 8));
        high_even = _mm512_add_epi16(high_even, _mm512_and_si512(high, byte));
        high_odd = _mm512_add_epi16(high_odd, _mm512_srli_epi16(high, 8));
      }
      low_sums = _mm512_add_epi32(low_sums, widened(low_even, low_odd));
      high_sums = _mm512_add_epi32(high_sums, widened(high_even, high_odd));
      begin = end;
    }
    const __m512 d = _mm512_set1_ps(distance);
    const __m512 limit = _mm512_set1_ps(below);
    const std::byte* mul = group + (l.mul - l.ids);
    const std::byte* add = group + (l.add - l.ids);
    const __m512 first = distances(low_sums, q, mul, add, d);
    const __m512 second = distances(high_sums, q, mul + 32, add + 32, d);
    _mm512_store_ps(out, first);
    _mm512_store_ps(out + 16, second);
    return static_cast<uint32_t>(_mm512_cmp_ps_mask(first, limit, _CMP_LT_OQ)) |
           static_cast<uint32_t>(_mm512_cmp_ps_mask(second, limit, _CMP_LT_OQ)) << 16;
  }

  static int64_t product(const uint8_t* vector, const FusedQuery& q, uint32_t n) {
    __m512i high = _mm512_setzero_si512();
    __m512i low = _mm512_setzero_si512();
    for (uint32_t i = 0; i < n; i += 64) {
      const __m512i v = _mm512_loadu_si512(vector + i);
      high = _mm512_dpbusd_epi32(high, v, _mm512_load_si512(q.high + i));
      low = _mm512_dpbusd_epi32(low, v, _mm512_load_si512(q.low + i));
    }
    return int64_t{128} * _mm512_reduce_add_epi32(high) + _mm512_reduce_add_epi32(low);
  }

  // Every eight keys become min(max(key, the key before), the key): no search, no branch.
  static uint32_t insert_from(uint64_t* keys, uint32_t from, uint32_t n, uint64_t key) {
    const __m512i k = _mm512_set1_epi64(static_cast<long long>(key));
    __m512i before = _mm512_setzero_si512();
    uint32_t at = from;
    for (uint32_t i = from; i < n; i += 8) {
      const __m512i v = _mm512_load_si512(keys + i);
      at += static_cast<uint32_t>(__builtin_popcount(_mm512_cmplt_epu64_mask(v, k)));
      const __m512i shifted = _mm512_alignr_epi64(v, before, 7);
      _mm512_store_si512(keys + i, _mm512_min_epu64(_mm512_max_epu64(k, shifted), v));
      before = v;
    }
    return at;
  }
  static uint32_t insert(uint64_t* keys, uint32_t n, uint64_t key) {
    uint32_t from = 0;
    if (n > 64) {
      uint32_t groups = n / 8;  // the first group whose last key is not below the new one
      while (groups > 1) {
        const uint32_t half = groups / 2;
        if (keys[from + 8 * half - 1] < key) from += 8 * half;
        groups -= half;
      }
    }
    return insert_from(keys, from, n, key);
  }
  static void insert16(uint64_t* keys, uint64_t key) {
    const __m512i k = _mm512_set1_epi64(static_cast<long long>(key));
    const __m512i a = _mm512_load_si512(keys);
    const __m512i b = _mm512_load_si512(keys + 8);
    const __m512i sa = _mm512_alignr_epi64(a, _mm512_setzero_si512(), 7);
    const __m512i sb = _mm512_alignr_epi64(b, a, 7);
    _mm512_store_si512(keys, _mm512_min_epu64(_mm512_max_epu64(k, sa), a));
    _mm512_store_si512(keys + 8, _mm512_min_epu64(_mm512_max_epu64(k, sb), b));
  }
  static void drop(uint64_t* keys, uint32_t n) {
    const __m512i a = _mm512_load_si512(keys);
    const __m512i b = _mm512_load_si512(keys + 8);
    const __m512i none = _mm512_set1_epi64(-1);
    const __m512i at = _mm512_add_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7),
                                        _mm512_set1_epi64(static_cast<long long>(n)));
    if (n >= 8) {
      const __m512i rest = _mm512_sub_epi64(at, _mm512_set1_epi64(8));
      _mm512_store_si512(keys, _mm512_permutex2var_epi64(b, rest, none));
      _mm512_store_si512(keys + 8, none);
      return;
    }
    _mm512_store_si512(keys, _mm512_permutex2var_epi64(a, at, b));
    _mm512_store_si512(keys + 8, _mm512_permutex2var_epi64(b, at, none));
  }
  static uint32_t next_open(const uint64_t* keys, uint32_t from, uint32_t n) {
    const __m512i one = _mm512_set1_epi64(1);
    uint32_t i = from & ~7U;
    uint32_t open =
        _mm512_testn_epi64_mask(_mm512_load_si512(keys + i), one) & (0xFFU << (from & 7U));
    while (open == 0) {
      i += 8;
      if (i >= n) return n;
      open = _mm512_testn_epi64_mask(_mm512_load_si512(keys + i), one);
    }
    const uint32_t found = i + static_cast<uint32_t>(__builtin_ctz(open));
    return found < n ? found : n;
  }

  // Every 128 bytes of codes add up to 254 to a 16-bit sum, and four sums are joined at the end.
  static constexpr uint32_t kChunk = 128 * 64;
};

struct Avx512Tables {
  // In every lane the sum of its four, added up as PlainTables does.
  static __m512 sum_of_four(__m512 v) {
    const __m512 pairs = _mm512_add_ps(v, _mm512_permute_ps(v, 0xB1));
    return _mm512_add_ps(pairs, _mm512_permute_ps(pairs, 0x4E));
  }

  struct Widest {
    __m512 widest = _mm512_setzero_ps();
    void see(const float* z) {
      widest = _mm512_max_ps(sum_of_four(_mm512_abs_ps(_mm512_loadu_ps(z))), widest);
    }
    float get() const { return _mm512_reduce_max_ps(widest); }
  };

  // As rounded().
  static __m512i integers(__m512 v) {
    const __m512i bits = _mm512_castps_si512(_mm512_add_ps(v, _mm512_set1_ps(kRound)));
    return _mm512_sub_epi32(bits, _mm512_set1_epi32(0x4B400000));
  }

  static int32_t integers(const float* z, float to_integer, int8_t* high, int8_t* low) {
    const __m512i v = integers(_mm512_mul_ps(_mm512_loadu_ps(z), _mm512_set1_ps(to_integer)));
    const __m512i h = _mm512_srai_epi32(_mm512_add_epi32(v, _mm512_set1_epi32(64)), 7);
    const __m512i l = _mm512_sub_epi32(v, _mm512_slli_epi32(h, 7));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(high), _mm512_cvtepi32_epi8(h));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(low), _mm512_cvtepi32_epi8(l));
    return _mm512_reduce_add_epi32(v);
  }

  static void write(const float* z, float to_table, uint8_t* out) {
    const __m512 all = _mm512_loadu_ps(z);
    const __mmask16 below = _mm512_cmp_ps_mask(all, _mm512_setzero_ps(), _CMP_LT_OQ);
    const __m512 least = sum_of_four(_mm512_maskz_mov_ps(below, all));
    const __m512 scale = _mm512_set1_ps(to_table);
    const auto four = [&](__m512 z4, __m512 least4, uint8_t* to) {
      const __m512 a = _mm512_maskz_permute_ps(0xAAAA, z4, 0x00);
      const __m512 b = _mm512_maskz_permute_ps(0xCCCC, z4, 0x55);
      const __m512 c = _mm512_maskz_permute_ps(0xF0F0, z4, 0xAA);
      const __m512 d = _mm512_maskz_permute_ps(0xFF00, z4, 0xFF);
      const __m512 sum = _mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d));
      const __m512 entry = _mm512_mul_ps(_mm512_sub_ps(sum, least4), scale);
      const __m512i v = integers(entry);
      const __m512i in_range =
          _mm512_min_epi32(_mm512_max_epi32(v, _mm512_setzero_si512()), _mm512_set1_epi32(127));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(in_range));
    };
    four(_mm512_shuffle_f32x4(all, all, 0x00), _mm512_shuffle_f32x4(least, least, 0x00), out);
    four(_mm512_shuffle_f32x4(all, all, 0x55), _mm512_shuffle_f32x4(least, least, 0x55), out + 16);
    four(_mm512_shuffle_f32x4(all, all, 0xAA), _mm512_shuffle_f32x4(least, least, 0xAA), out + 32);
    four(_mm512_shuffle_f32x4(all, all, 0xFF), _mm512_shuffle_f32x4(least, least, 0xFF), out + 48);
  }
};

// The sixteen lanes of encode_group().
void encode_group_avx512(const int8_t* centre, float centre_scale, const int8_t* const* neighbours,
                         const float* scales, uint32_t count, uint32_t padded, uint8_t* codes,
                         FusedDifference* out) {
  const auto floats = [](const int8_t* bytes, __m512 scale) {
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    return _mm512_mul_ps(scale, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(b)));
  };
  const __m512 by = _mm512_set1_ps(centre_scale);
  const __m512 zero = _mm512_setzero_ps();
  const __m512 sign = _mm512_set1_ps(-0.0F);
  for (uint32_t n = 0; n < kFusedDegree; ++n) {
    if (n >= count) {
      for (uint32_t i = 0; i < padded; i += kLanes)
        __builtin_memset(codes + size_t{4} * i + size_t{2} * n, 0, 2);
      continue;
    }
    __m512 squares = zero;
    __m512 sums = zero;
    __m512 signs = zero;
    const __m512 scale = _mm512_set1_ps(scales[n]);
    for (uint32_t i = 0; i < padded; i += kLanes) {
      const __m512 c = floats(centre + i, by);
      const __m512 r = _mm512_sub_ps(floats(neighbours[n] + i, scale), c);
      const __mmask16 below = _mm512_cmp_ps_mask(r, zero, _CMP_LT_OQ);
      squares = _mm512_add_ps(squares, _mm512_mul_ps(r, r));
      sums = _mm512_add_ps(sums, _mm512_andnot_ps(sign, r));
      signs = _mm512_add_ps(signs, _mm512_mask_xor_ps(c, below, c, sign));
      const auto bits = static_cast<uint16_t>(~static_cast<uint32_t>(below));
      __builtin_memcpy(codes + size_t{4} * i + size_t{2} * n, &bits, 2);
    }
    alignas(64) float lanes[kLanes];
    _mm512_store_ps(lanes, squares);
    out[n].square = total(lanes);
    _mm512_store_ps(lanes, sums);
    out[n].absolute = total(lanes);
    _mm512_store_ps(lanes, signs);
    out[n].signs_by_centre = total(lanes);
  }
  for (uint32_t i = 0; i < padded; i += kLanes) masks_to_codes(codes + size_t{4} * i);
}

}  // namespace

const FusedKernels kFusedAvx512 = {
    walk<Avx512Ops>,        prepare_query<Avx512Tables>, encode_group_avx512,
    scan_groups<Avx512Ops>, distance_to_head<Avx512Ops>, sign_bounds};

}  // namespace rvf::index
