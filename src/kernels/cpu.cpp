#include "kernels/cpu.hpp"
#if RVF_KERNELS_X86
#include <cpuid.h>
#elif RVF_KERNELS_NEON
#include <sys/auxv.h>
#endif

namespace rvf::kernels::detail {

#if RVF_KERNELS_X86

namespace {

// Registers that the operating system keeps across a task switch, as XCR0 lists them.
constexpr uint64_t kYmmState = 0x6;
constexpr uint64_t kZmmState = 0xE6;

uint64_t kept_registers() noexcept {
  uint32_t lo = 0;
  uint32_t hi = 0;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return static_cast<uint64_t>(hi) << 32 | lo;
}

constexpr bool has(unsigned reg, unsigned bits) noexcept { return (reg & bits) == bits; }

}  // namespace

Isa detect_isa() noexcept {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return Isa::kScalar;
  if (!has(c, bit_FMA | bit_POPCNT | bit_OSXSAVE | bit_AVX | bit_F16C)) return Isa::kScalar;
  const uint64_t kept = kept_registers();
  if ((kept & kYmmState) != kYmmState) return Isa::kScalar;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || !has(b, bit_AVX2)) return Isa::kScalar;
  if ((kept & kZmmState) != kZmmState ||
      !has(b, bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ) ||
      !has(c, bit_AVX512VNNI)) {
    return Isa::kAvx2;
  }
  if (!has(c, bit_AVX512VBMI | bit_AVX512VPOPCNTDQ | bit_AVX512BITALG)) return Isa::kAvx512;
  constexpr unsigned kFp16 = 1U << 23;  // of edx; older headers do not name it
  return has(d, kFp16) ? Isa::kAvx512Fp16 : Isa::kAvx512Vbmi;
}

#elif RVF_KERNELS_NEON

Isa detect_isa() noexcept {
#if defined(__linux__)
  constexpr unsigned long kDotProduct = 1UL << 20;  // HWCAP_ASIMDDP
  return (getauxval(AT_HWCAP) & kDotProduct) != 0 ? Isa::kNeonDot : Isa::kNeon;
#else
  return Isa::kNeon;
#endif
}

#elif RVF_KERNELS_WASM128

Isa detect_isa() noexcept { return Isa::kWasm128; }

#else

Isa detect_isa() noexcept { return Isa::kScalar; }

#endif

}  // namespace rvf::kernels::detail
