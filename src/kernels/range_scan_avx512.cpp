#include <immintrin.h>

#include "kernels/range_scan.hpp"

namespace rvf::kernels::detail {
namespace {

template <unsigned kWidth>
void scan(const std::byte* values, size_t rows, uint64_t low, uint64_t span, uint64_t* words) {
  constexpr unsigned kLanes = 64 / kWidth;
  const __m512i l = kWidth == 1   ? _mm512_set1_epi8(static_cast<char>(low))
                    : kWidth == 2 ? _mm512_set1_epi16(static_cast<short>(low))
                    : kWidth == 4 ? _mm512_set1_epi32(static_cast<int>(low))
                                  : _mm512_set1_epi64(static_cast<long long>(low));
  const __m512i s = kWidth == 1   ? _mm512_set1_epi8(static_cast<char>(span))
                    : kWidth == 2 ? _mm512_set1_epi16(static_cast<short>(span))
                    : kWidth == 4 ? _mm512_set1_epi32(static_cast<int>(span))
                                  : _mm512_set1_epi64(static_cast<long long>(span));
  const size_t whole = rows / 64 * 64;
  for (size_t first = 0; first < whole; first += 64) {
    uint64_t word = 0;
    for (unsigned g = 0; g < kWidth; ++g) {
      const __m512i v = _mm512_loadu_si512(values + first * kWidth + size_t{g} * 64);
      uint64_t mask = 0;
      if constexpr (kWidth == 1) mask = _mm512_cmple_epu8_mask(_mm512_sub_epi8(v, l), s);
      if constexpr (kWidth == 2) mask = _mm512_cmple_epu16_mask(_mm512_sub_epi16(v, l), s);
      if constexpr (kWidth == 4) mask = _mm512_cmple_epu32_mask(_mm512_sub_epi32(v, l), s);
      if constexpr (kWidth == 8) mask = _mm512_cmple_epu64_mask(_mm512_sub_epi64(v, l), s);
      word |= mask << (g * kLanes);
    }
    words[first / 64] |= word;
  }
  if (whole < rows) {
    generic_range_scan(kWidth)(values + whole * kWidth, rows - whole, low, span,
                               words + whole / 64);
  }
}

}  // namespace

RangeScan avx512_range_scan(unsigned width) noexcept {
  switch (width) {
    case 1: return scan<1>;
    case 2: return scan<2>;
    case 4: return scan<4>;
    default: return scan<8>;
  }
}

}  // namespace rvf::kernels::detail
