// From differing bits to bounds of distances (sign_codes.hpp), for the units of each instruction
// set: element by element, so that every one gives the same bits.
#include "index/fused_kernels.hpp"

namespace rvf::index {
namespace {

uint32_t sign_bounds(const SignFrame& frame, const float* __restrict add,
                     const float* __restrict mul, const uint32_t* __restrict differ,
                     float* __restrict low, float* __restrict high) {
  const SignFrame f = frame;
  for (uint32_t i = 0; i < kSignBatch; ++i) {
    const auto differing = static_cast<float>(static_cast<int32_t>(differ[i]));
    const float estimate = (f.norm2 + add[i]) + mul[i] * (f.unit * (f.whole - 2 * differing));
    const float mul2 = mul[i] * mul[i];
    const float residual2 = mul2 * f.quarter - add[i];
    const float doubt2 = (residual2 > 0 ? residual2 : 0) * f.of_row + mul2 * f.of_query;
    const float doubt = __builtin_sqrtf(doubt2);
    low[i] = estimate - doubt;
    high[i] = estimate + doubt;
  }
  // Of damaged factors a bound may be infinite, or no number.
  uint32_t kept = 0;
  for (uint32_t i = 0; i < kSignBatch; ++i) {
    const uint32_t near = low[i] <= f.within ? 1 : 0;
    const uint32_t finite =
        (high[i] < __builtin_inff() ? 1U : 0U) & (low[i] > -__builtin_inff() ? 1U : 0U);
    kept |= (near & finite) << i;
  }
  return kept;
}

}  // namespace
}  // namespace rvf::index
