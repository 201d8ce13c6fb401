// The dot product extension: four products of bytes a lane and instruction.
#include <arm_neon.h>

#include "kernels/kernel_table.hpp"

namespace rvf::kernels::detail {
namespace {

struct Signed {
  static int8x16_t query(const int8_t* p) { return vld1q_s8(p); }
  static constexpr int32_t kRowFactor = 0;
};
// An unsigned query moved down by 128: the sum lacks 128 times that of the row.
struct MovedDown {
  static int8x16_t query(const int8_t* p) { return veorq_s8(vld1q_s8(p), vdupq_n_s8(-128)); }
  static constexpr int32_t kRowFactor = 128;
};

template <class Query>
int32_t row_dot(const int8_t* query, const int8_t* row, size_t dim) {
  int32x4_t dots[2] = {vdupq_n_s32(0), vdupq_n_s32(0)};
  int32x4_t row_sum = vdupq_n_s32(0);
  const auto step = [&](int8x16_t q, int8x16_t r, int at) {
    dots[at] = vdotq_s32(dots[at], q, r);
    if constexpr (Query::kRowFactor != 0) row_sum = vdotq_s32(row_sum, vdupq_n_s8(1), r);
  };
  size_t i = 0;
  for (; i + 32 <= dim; i += 32) {
    step(Query::query(query + i), vld1q_s8(row + i), 0);
    step(Query::query(query + i + 16), vld1q_s8(row + i + 16), 1);
  }
  for (; i < dim; i += 16) {
    int8_t both[2][16] = {};
    const size_t n = dim - i < 16 ? dim - i : 16;
    __builtin_memcpy(both[0], query + i, n);
    __builtin_memcpy(both[1], row + i, n);
    step(Query::query(both[0]), vld1q_s8(both[1]), 0);
  }
  return vaddvq_s32(vaddq_s32(dots[0], dots[1])) + Query::kRowFactor * vaddvq_s32(row_sum);
}

void int8_dots_kernel(const int8_t* query, const int8_t* const* rows, size_t n, size_t dim,
                      int32_t* out) {
  for (size_t r = 0; r < n; ++r) out[r] = row_dot<Signed>(query, rows[r], dim);
}

void code_dots_kernel(const uint8_t* query, const int8_t* const* rows, size_t n, size_t padded,
                      int32_t* out) {
  const auto* q = reinterpret_cast<const int8_t*>(query);
  for (size_t r = 0; r < n; ++r) out[r] = row_dot<MovedDown>(q, rows[r], padded);
}

}  // namespace

const Level kNeonDotLevel = {
    .code_dots = code_dots_kernel,
    .int8_dots = int8_dots_kernel,
};

}  // namespace rvf::kernels::detail
