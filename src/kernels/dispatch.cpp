#include <cstdlib>
#include <cstring>

#include "kernels/kernel_table.hpp"
#if RVF_KERNELS_X86
#include <cpuid.h>
#endif

namespace rvf::kernels {
namespace {

#if RVF_KERNELS_X86
uint64_t xgetbv0() noexcept {
  uint32_t lo = 0;
  uint32_t hi = 0;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return static_cast<uint64_t>(hi) << 32 | lo;
}

Isa detect() noexcept {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return Isa::kScalar;
  constexpr unsigned kNeeded1 = bit_FMA | bit_POPCNT | bit_OSXSAVE | bit_AVX | bit_F16C;
  if ((c & kNeeded1) != kNeeded1) return Isa::kScalar;
  const uint64_t saved =
      xgetbv0();  // registers that the operating system keeps across a task switch
  if ((saved & 0x6) != 0x6) return Isa::kScalar;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (b & bit_AVX2) == 0) return Isa::kScalar;
  constexpr unsigned kNeeded7 = bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ;
  if ((saved & 0xE6) == 0xE6 && (b & kNeeded7) == kNeeded7 && (c & bit_AVX512VNNI) != 0) {
    return Isa::kAvx512;
  }
  return Isa::kAvx2;
}
#else
Isa detect() noexcept { return Isa::kScalar; }
#endif

Isa detected() noexcept {
  static const Isa isa = detect();
  return isa;
}

Isa chosen() noexcept {
  const char* wish = std::getenv("RVF_SIMD");
  if (wish != nullptr) {
    for (Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
      if (std::strcmp(wish, isa_name(isa)) == 0 && isa_available(isa)) return isa;
    }
  }
  return detected();
}

}  // namespace

Isa best_isa() noexcept {
  static const Isa isa = chosen();
  return isa;
}

bool isa_available(Isa isa) noexcept {
  return static_cast<uint8_t>(isa) <= static_cast<uint8_t>(detected());
}

const char* isa_name(Isa isa) noexcept {
  switch (isa) {
    case Isa::kBest: return isa_name(best_isa());
    case Isa::kScalar: return "scalar";
    case Isa::kAvx2: return "avx2";
    case Isa::kAvx512: return "avx512";
  }
  return "?";
}

CodeDots code_dots(Isa isa) noexcept {
#if RVF_KERNELS_X86
  if (isa == Isa::kBest) isa = best_isa();
  if (isa == Isa::kAvx512 && isa_available(isa)) return detail::avx512_code_dots;
  if (isa == Isa::kAvx2 && isa_available(isa)) return detail::avx2_code_dots;
#else
  (void)isa;
#endif
  return detail::scalar_code_dots;
}

}  // namespace rvf::kernels
