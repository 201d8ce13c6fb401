#include "quant/strip_kernel.hpp"

namespace rvf::quant {
namespace {
constexpr int kLanes = 8;
}  // namespace
}  // namespace rvf::quant

#include "quant/strip_generic.hpp"

namespace rvf::quant {

StripKernel detail::avx2_strips() noexcept { return {distances, nearest}; }

}  // namespace rvf::quant
