// What VPOPCNTDQ and VBMI do better than what avx512 has: counts of bits, eight rows at a time. The
// lookups of product codes are in avx512vbmi_pq.cpp.
#include <immintrin.h>

#include "kernels/avx512vbmi_pq.hpp"

namespace rvf::kernels::detail {
namespace {

#define RVF_EIGHT _Pragma("GCC unroll 8") for (size_t i = 0; i < 8; ++i)

__mmask64 first_bytes(size_t n) { return n >= 64 ? ~__mmask64{0} : (__mmask64{1} << n) - 1; }

// The register that holds the last bits, 1..512 of them: which bytes to read, which bits count.
struct LastBits {
  explicit LastBits(size_t bits) : bytes(first_bytes((bits + 7) / 8)) {
    const __mmask64 whole = first_bytes(bits / 8);
    const auto partial = static_cast<char>((1 << bits % 8) - 1);
    mask = _mm512_or_si512(_mm512_maskz_set1_epi8(whole, -1),
                           _mm512_maskz_set1_epi8(bytes & ~whole, partial));
  }
  __m512i load(const std::byte* p) const { return _mm512_maskz_loadu_epi8(bytes, p); }
  __mmask64 bytes;
  __m512i mask;
};

// Eight vectors of eight 64-bit counts to the eight sums.
__m512i totals8(const __m512i (&c)[8]) {
  const auto fold = [](__m512i a, __m512i b) __attribute__((always_inline)) {
    return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xDD));
  };
  const auto pair = [](__m512i a, __m512i b) __attribute__((always_inline)) {
    return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
  };
  return fold(fold(pair(c[0], c[1]), pair(c[2], c[3])), fold(pair(c[4], c[5]), pair(c[6], c[7])));
}

// The same for counts below 256: bytes of the rows side by side in each 64-bit lane, then turned so
// that the bytes of a row are adjacent.
__m512i byte_totals8(const __m512i (&c)[8]) {
  constexpr int kOr = 0xFE;
  const __m512i a =
      _mm512_ternarylogic_epi64(c[0], _mm512_slli_epi64(c[1], 8), _mm512_slli_epi64(c[2], 16), kOr);
  const __m512i b = _mm512_ternarylogic_epi64(
      _mm512_slli_epi64(c[3], 24), _mm512_slli_epi64(c[4], 32), _mm512_slli_epi64(c[5], 40), kOr);
  const __m512i d = _mm512_or_si512(_mm512_slli_epi64(c[6], 48), _mm512_slli_epi64(c[7], 56));
  // Byte 8 r + l of the result is byte 8 l + r of the lanes.
  const __m512i turn = _mm512_set_epi64(0x3F372F271F170F07, 0x3E362E261E160E06, 0x3D352D251D150D05,
                                        0x3C342C241C140C04, 0x3B332B231B130B03, 0x3A322A221A120A02,
                                        0x3931292119110901, 0x3830282018100800);
  const __m512i lanes = _mm512_ternarylogic_epi64(a, b, d, kOr);
  return _mm512_sad_epu8(_mm512_permutexvar_epi8(turn, lanes), _mm512_setzero_si512());
}

struct Differ {
  static __m512i of(__m512i a, __m512i b, __m512i mask) {
    return _mm512_ternarylogic_epi64(a, b, mask, 0x28);  // (a ^ b) & mask
  }
};
struct Common {
  static __m512i of(__m512i a, __m512i b, __m512i mask) {
    return _mm512_ternarylogic_epi64(a, b, mask, 0x80);  // a & b & mask
  }
};

// Registers of a row of `bits` bits against those of the query.
template <class Op>
struct RowCounter {
  RowCounter(const std::byte* q, size_t bits)
      : query(q), whole((bits - 1) / 512 * 64), last(bits - whole * 8), end(last.load(q + whole)) {}

  __m512i end_count(const std::byte* row) const {
    return _mm512_popcnt_epi64(Op::of(last.load(row + whole), end, last.mask));
  }
  __m512i count(const std::byte* row, size_t at) const {
    const __m512i all = _mm512_set1_epi8(-1);
    return _mm512_popcnt_epi64(
        Op::of(_mm512_loadu_si512(row + at), _mm512_loadu_si512(query + at), all));
  }
  uint64_t one_row(const std::byte* row) const {
    __m512i sum = end_count(row);
    for (size_t at = 0; at < whole; at += 64) sum = _mm512_add_epi64(sum, count(row, at));
    return static_cast<uint64_t>(_mm512_reduce_add_epi64(sum));
  }
  // row(i) is the address of row i of eight.
  template <class Row>
  __m512i eight_rows(Row row) const {
    __m512i c[8];
    RVF_EIGHT c[i] = end_count(row(i));
    for (size_t at = 0; at < whole; at += 64) {
      RVF_EIGHT c[i] = _mm512_add_epi64(c[i], count(row(i), at));
    }
    // Up to three registers a 64-bit lane counts at most 192.
    return whole <= 128 ? byte_totals8(c) : totals8(c);
  }

  const std::byte* query;
  size_t whole;  // bytes before the last register
  LastBits last;
  __m512i end;
};

void hamming(const std::byte* query, const std::byte* rows, size_t stride, size_t n, size_t bits,
             uint32_t* out) {
  const RowCounter<Differ> counter(query, bits);
  size_t r = 0;
  for (; r + 8 <= n; r += 8, rows += 8 * stride) {
    const __m512i sums = counter.eight_rows([&](size_t i) { return rows + i * stride; });
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + r), _mm512_cvtepi64_epi32(sums));
  }
  for (; r < n; ++r, rows += stride) out[r] = static_cast<uint32_t>(counter.one_row(rows));
}

template <class Op, bool kNegative>
void binary_distances(const KernelQuery& q, const std::byte* const* rows, size_t n, float* out) {
  const RowCounter<Op> counter(static_cast<const std::byte*>(q.data), q.dim);
  size_t r = 0;
  for (; r + 8 <= n; r += 8) {
    if (r + 16 <= n) {
      RVF_EIGHT __builtin_prefetch(rows[r + 8 + i]);
    }
    __m512i sums = counter.eight_rows([&](size_t i) { return rows[r + i]; });
    if (kNegative) sums = _mm512_sub_epi64(_mm512_setzero_si512(), sums);
    _mm256_storeu_ps(out + r, _mm512_cvtepi64_ps(sums));
  }
  for (; r < n; ++r) {
    const auto sum = static_cast<int64_t>(counter.one_row(rows[r]));
    out[r] = static_cast<float>(kNegative ? -sum : sum);
  }
}

KernelFn distance(DType dtype, Metric metric, bool) {
  if (dtype != DType::kBinary) return nullptr;
  switch (metric) {
    case Metric::kL2:
    case Metric::kHamming: return binary_distances<Differ, false>;
    case Metric::kInnerProduct: return binary_distances<Common, true>;
    case Metric::kCosine: return nullptr;
  }
  return nullptr;
}

// Planes of the query from the highest down: each step doubles what the higher ones gave.
inline __m512i plane_sums(const BitPlaneQuery& q, const std::byte* row) {
  const size_t plane = q.words * 8;  // bytes
  __m512i sum = _mm512_setzero_si512();
  for (size_t at = 0; at < plane; at += 64) {
    const auto words = static_cast<__mmask8>(first_bytes((plane - at) / 8));
    for (unsigned j = 0; j < q.row_bits; ++j) {
      const __m512i code = _mm512_maskz_loadu_epi64(words, row + j * plane + at);
      __m512i term = _mm512_setzero_si512();
      for (unsigned b = q.query_bits; b-- > 0;) {
        const __m512i part = _mm512_maskz_loadu_epi64(words, q.planes + b * q.words + at / 8);
        term = _mm512_add_epi64(_mm512_add_epi64(term, term),
                                _mm512_popcnt_epi64(_mm512_and_si512(code, part)));
      }
      sum = _mm512_add_epi64(sum, _mm512_slli_epi64(term, j));
    }
  }
  return sum;
}

void bit_planes(const BitPlaneQuery& q, const std::byte* rows, size_t stride, size_t n,
                uint32_t* out) {
  size_t r = 0;
  for (; r + 8 <= n; r += 8, rows += 8 * stride) {
    __m512i sums[8];
    for (size_t i = 0; i < 8; ++i) sums[i] = plane_sums(q, rows + i * stride);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + r), _mm512_cvtepi64_epi32(totals8(sums)));
  }
  for (; r < n; ++r, rows += stride) {
    out[r] = static_cast<uint32_t>(_mm512_reduce_add_epi64(plane_sums(q, rows)));
  }
}

inline __m512i differing_bits(const SignQuery& q, const std::byte* row) {
  __m512i sum = _mm512_setzero_si512();
  for (size_t at = 0; at < q.words; at += 8) {
    const auto words = static_cast<__mmask8>(first_bytes(q.words - at));
    const __m512i code = _mm512_maskz_loadu_epi64(words, row + at * 8);
    __m512i term = _mm512_setzero_si512();
    for (unsigned p = kSignPlanes; p-- > 0;) {
      const __m512i part = _mm512_maskz_loadu_epi64(words, q.planes + p * q.words + at);
      term = _mm512_add_epi64(_mm512_add_epi64(term, term),
                              _mm512_popcnt_epi64(_mm512_xor_si512(code, part)));
    }
    sum = _mm512_add_epi64(sum, term);
  }
  return sum;
}

// The planes of up to eight words stay in registers.
void few_sign_differences(const SignQuery& q, const std::byte* rows, size_t stride,
                          const uint32_t* numbers, size_t n, uint32_t* out) {
  const auto words = static_cast<__mmask8>(first_bytes(q.words));
  __m512i planes[kSignPlanes];
  for (unsigned p = 0; p < kSignPlanes; ++p) {
    planes[p] = _mm512_maskz_loadu_epi64(words, q.planes + p * q.words);
  }
  const auto differing = [&](const std::byte* row) __attribute__((always_inline)) {
    const __m512i code = _mm512_maskz_loadu_epi64(words, row);
    const auto count = [&](unsigned p) __attribute__((always_inline)) {
      return _mm512_popcnt_epi64(_mm512_xor_si512(code, planes[p]));
    };
    const __m512i low = _mm512_add_epi64(count(0), _mm512_slli_epi64(count(1), 1));
    const __m512i high = _mm512_add_epi64(count(2), _mm512_slli_epi64(count(3), 1));
    return _mm512_add_epi64(low, _mm512_slli_epi64(high, 2));
  };
  size_t r = 0;
  for (; r + 8 <= n; r += 8) {
    __m512i sums[8];
    RVF_EIGHT sums[i] = differing(rows + size_t{numbers[r + i]} * stride);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + r), _mm512_cvtepi64_epi32(totals8(sums)));
  }
  for (; r < n; ++r) {
    out[r] = static_cast<uint32_t>(
        _mm512_reduce_add_epi64(differing(rows + size_t{numbers[r]} * stride)));
  }
}

void sign_differences(const SignQuery& q, const std::byte* rows, size_t stride,
                      const uint32_t* numbers, size_t n, uint32_t* out) {
  if (q.words <= 8) return few_sign_differences(q, rows, stride, numbers, n, out);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m512i sums[8];
    for (size_t j = 0; j < 8; ++j) {
      sums[j] = differing_bits(q, rows + size_t{numbers[i + j]} * stride);
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm512_cvtepi64_epi32(totals8(sums)));
  }
  for (; i < n; ++i) {
    out[i] = static_cast<uint32_t>(
        _mm512_reduce_add_epi64(differing_bits(q, rows + size_t{numbers[i]} * stride)));
  }
}

#undef RVF_EIGHT

}  // namespace

const Level kAvx512VbmiLevel = {
    .distance = distance,
    .hamming_rows = hamming,
    .bit_plane_dots = bit_planes,
    .sign_differences = sign_differences,
    .pq8_float_sums = avx512vbmi_pq8_float_sums,
    .pq8_byte_sums = avx512vbmi_pq8_byte_sums,
};

}  // namespace rvf::kernels::detail
