#include <cstdlib>
#include <cstring>

#include "kernels/cpu.hpp"
#include "kernels/kernel_table.hpp"

namespace rvf::kernels {
namespace {

// The level that `isa` adds to; kBest below scalar.
Isa below(Isa isa) noexcept {
  switch (isa) {
    case Isa::kAvx512Fp16: return Isa::kAvx512Vbmi;
    case Isa::kAvx512Vbmi: return Isa::kAvx512;
    case Isa::kAvx512: return Isa::kAvx2;
    case Isa::kNeonDot: return Isa::kNeon;
    case Isa::kAvx2:
    case Isa::kNeon:
    case Isa::kWasm128: return Isa::kScalar;
    case Isa::kBest:
    case Isa::kScalar: break;
  }
  return Isa::kBest;
}

const detail::Level& level_of(Isa isa) noexcept {
  switch (isa) {
#if RVF_KERNELS_X86
    case Isa::kAvx512Fp16: return detail::kAvx512Fp16Level;
    case Isa::kAvx512Vbmi: return detail::kAvx512VbmiLevel;
    case Isa::kAvx512: return detail::kAvx512Level;
    case Isa::kAvx2: return detail::kAvx2Level;
#elif RVF_KERNELS_NEON
    case Isa::kNeonDot: return detail::kNeonDotLevel;
    case Isa::kNeon: return detail::kNeonLevel;
#elif RVF_KERNELS_WASM128
    case Isa::kWasm128: return detail::kWasm128Level;
#endif
    default: return detail::kScalarLevel;
  }
}

Isa detected() noexcept {
  static const Isa isa = detail::detect_isa();
  return isa;
}

Isa chosen() noexcept {
  const char* wish = std::getenv("RVF_SIMD");
  Isa isa = Isa::kBest;
  if (wish != nullptr && parse_isa(wish, isa) && isa_available(isa)) return isa;
  return detected();
}

// The kernel of the highest level that has one; an `isa` that this machine lacks counts as scalar.
template <class Kernel>
Kernel best_kernel(Isa isa, Kernel detail::Level::* member) noexcept {
  if (isa == Isa::kBest) isa = best_isa();
  if (!isa_available(isa)) isa = Isa::kScalar;
  for (; isa != Isa::kScalar; isa = below(isa)) {
    if (const Kernel kernel = level_of(isa).*member) return kernel;
  }
  return detail::kScalarLevel.*member;
}

}  // namespace

Isa best_isa() noexcept {
  static const Isa isa = chosen();
  return isa;
}

bool isa_includes(Isa isa, Isa base) noexcept {
  if (isa == Isa::kBest) isa = best_isa();
  if (base == Isa::kBest) base = best_isa();
  for (; isa != Isa::kBest; isa = below(isa)) {
    if (isa == base) return true;
  }
  return false;
}

bool isa_available(Isa isa) noexcept { return isa == Isa::kBest || isa_includes(detected(), isa); }

const char* isa_name(Isa isa) noexcept {
  switch (isa) {
    case Isa::kBest: return isa_name(best_isa());
    case Isa::kScalar: return "scalar";
    case Isa::kAvx2: return "avx2";
    case Isa::kAvx512: return "avx512";
    case Isa::kAvx512Vbmi: return "avx512vbmi";
    case Isa::kAvx512Fp16: return "avx512fp16";
    case Isa::kNeon: return "neon";
    case Isa::kNeonDot: return "neondot";
    case Isa::kWasm128: return "wasm128";
  }
  return "?";
}

bool parse_isa(const char* name, Isa& out) noexcept {
  for (const Isa isa : kAllIsas) {
    if (std::strcmp(name, isa_name(isa)) != 0) continue;
    out = isa;
    return true;
  }
  return false;
}

detail::KernelFn detail::distance_kernel(Isa isa, DType dtype, Metric metric,
                                         bool integer) noexcept {
  for (; isa != Isa::kBest; isa = below(isa)) {
    const auto offer = level_of(isa).distance;
    if (offer == nullptr) continue;
    if (const KernelFn kernel = offer(dtype, metric, integer)) return kernel;
  }
  return nullptr;
}

CodeDots code_dots(Isa isa) noexcept { return best_kernel(isa, &detail::Level::code_dots); }
Int8Dots int8_dots(Isa isa) noexcept { return best_kernel(isa, &detail::Level::int8_dots); }
HalfDots half_dots(Isa isa) noexcept { return best_kernel(isa, &detail::Level::half_dots); }
HammingRows hamming_rows(Isa isa) noexcept {
  return best_kernel(isa, &detail::Level::hamming_rows);
}
BitPlaneDots bit_plane_dots(Isa isa) noexcept {
  return best_kernel(isa, &detail::Level::bit_plane_dots);
}
SignDifferences sign_differences(Isa isa) noexcept {
  return best_kernel(isa, &detail::Level::sign_differences);
}
PqFloatSums pq8_float_sums(Isa isa) noexcept {
  return best_kernel(isa, &detail::Level::pq8_float_sums);
}
PqByteSums pq8_byte_sums(Isa isa) noexcept {
  return best_kernel(isa, &detail::Level::pq8_byte_sums);
}
PqByteSums pq4_byte_sums(Isa isa) noexcept {
  return best_kernel(isa, &detail::Level::pq4_byte_sums);
}

}  // namespace rvf::kernels
