#include "kernels/range_scan.hpp"

#include <algorithm>
#include <cstring>

namespace rvf::kernels {
namespace {

// Eight bytes of 0 or 1 to eight bits.
uint64_t pack_eight(const uint8_t* flags) noexcept {
  uint64_t v = 0;
  std::memcpy(&v, flags, 8);
  return (v * 0x0102040810204080ULL) >> 56;
}

template <class T>
void compare(const std::byte* values, size_t n, T low, T span, uint8_t* flags) noexcept {
  for (size_t j = 0; j < n; ++j) {
    T v;
    std::memcpy(&v, values + j * sizeof(T), sizeof(T));
    flags[j] = static_cast<T>(v - low) <= span;
  }
}

template <class T>
void scan(const std::byte* values, size_t rows, uint64_t low, uint64_t span, uint64_t* words) {
  alignas(64) uint8_t flags[64];
  const auto l = static_cast<T>(low);
  const auto s = static_cast<T>(span);
  for (size_t first = 0; first < rows; first += 64) {
    const size_t n = std::min<size_t>(64, rows - first);
    const std::byte* at = values + first * sizeof(T);
    if (n == 64) {  // a constant count lets the compiler use whole vectors
      compare<T>(at, 64, l, s, flags);
    } else {
      std::memset(flags, 0, sizeof(flags));
      compare<T>(at, n, l, s, flags);
    }
    uint64_t word = 0;
    for (size_t g = 0; g < 8; ++g) word |= pack_eight(flags + g * 8) << (g * 8);
    words[first / 64] |= word;
  }
}

}  // namespace

RangeScan detail::generic_range_scan(unsigned width) noexcept {
  switch (width) {
    case 1: return scan<uint8_t>;
    case 2: return scan<uint16_t>;
    case 4: return scan<uint32_t>;
    default: return scan<uint64_t>;
  }
}

RangeScan range_scan(unsigned width, Isa isa) noexcept {
#if RVF_KERNELS_X86
  if (isa_includes(isa, Isa::kAvx512)) return detail::avx512_range_scan(width);
#else
  (void)isa;
#endif
  return detail::generic_range_scan(width);
}

}  // namespace rvf::kernels
