#include "quant/strip_kernel.hpp"

namespace rvf::quant {
namespace {
constexpr int kLanes = 4;
}  // namespace
}  // namespace rvf::quant

#include "quant/strip_generic.hpp"

namespace rvf::quant {

StripKernel strip_kernel(kernels::Isa isa) noexcept {
#if RVF_KERNELS_X86
  if (kernels::isa_includes(isa, kernels::Isa::kAvx512)) return detail::avx512_strips();
  if (kernels::isa_includes(isa, kernels::Isa::kAvx2)) return detail::avx2_strips();
#else
  (void)isa;
#endif
  return {distances, nearest};
}

}  // namespace rvf::quant
