#include "kernels/hadamard.hpp"

#include <utility>

namespace rvf::kernels {
namespace {
constexpr int kLanes = 4;
}  // namespace
}  // namespace rvf::kernels

#include "kernels/hadamard_generic.hpp"

namespace rvf::kernels {

HadamardKernel hadamard_kernel(Isa isa) noexcept {
#if RVF_KERNELS_X86
  if (isa_includes(isa, Isa::kAvx512)) return detail::avx512_hadamard();
  if (isa_includes(isa, Isa::kAvx2)) return detail::avx2_hadamard();
#else
  (void)isa;
#endif
  return {forward, backward};
}

}  // namespace rvf::kernels
