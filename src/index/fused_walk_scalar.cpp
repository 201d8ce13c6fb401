// The specification of the fused walk's arithmetic: integers, and single float operations in a
// fixed order.
#include "index/fused_encode.inl"
#include "index/fused_pools.inl"
#include "index/fused_walk.inl"
#include "index/sign_bounds.inl"
#include "kernels/convert.hpp"

namespace rvf::index {
namespace {

struct ScalarOps : PlainPools {
  static uint32_t estimate(const FusedLayout& l, const std::byte* group, const FusedQuery& q,
                           float distance, float below, float* out) {
    uint32_t sums[kFusedDegree] = {};
    const auto* codes = reinterpret_cast<const uint8_t*>(group) + (l.codes - l.ids);
    for (uint32_t t = 0; t < l.padded / 4; ++t) {
      for (uint32_t i = 0; i < 16; ++i) {
        sums[i] += q.table[16 * t + (codes[16 * t + i] & 15)];
        sums[16 + i] += q.table[16 * t + (codes[16 * t + i] >> 4)];
      }
    }
    uint32_t passing = 0;
    for (uint32_t i = 0; i < kFusedDegree; ++i) {
      uint16_t add;
      uint16_t mul;
      __builtin_memcpy(&add, group + (l.add - l.ids) + 2 * size_t{i}, 2);
      __builtin_memcpy(&mul, group + (l.mul - l.ids) + 2 * size_t{i}, 2);
      const float product = q.code_base + q.code_step * static_cast<float>(sums[i]);
      out[i] = (kernels::f16_to_f32(mul) * product + kernels::f16_to_f32(add)) + distance;
      passing |= static_cast<uint32_t>(out[i] < below) << i;
    }
    return passing;
  }

  static int64_t product(const uint8_t* vector, const FusedQuery& q, uint32_t n) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < n; ++i) sum += int64_t{vector[i]} * (128 * q.high[i] + q.low[i]);
    return sum;
  }
};

}  // namespace

const FusedKernels kFusedScalar = {
    walk<ScalarOps>,        prepare_query<PlainTables>,  encode_group,
    scan_groups<ScalarOps>, distance_to_head<ScalarOps>, sign_bounds};

}  // namespace rvf::index
