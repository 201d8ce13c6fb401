// What each instruction set offers to the dispatcher. Internal to src/kernels.
// The AVX units include only this header and intrinsics: an inline function of the standard library
// that they instantiated could be the copy the linker keeps for the whole program, with AVX code
// inside.
#pragma once
#include "kernels/codes.hpp"
#include "kernels/kernels.hpp"

namespace rvf::kernels::detail {

// `integer`: the query is int16_t and rows are i8 or u8. Binary rows take a query of bits. Null if
// the pair is not offered.
KernelFn scalar_kernel(DType dtype, Metric metric, bool integer) noexcept;
KernelFn avx2_kernel(DType dtype, Metric metric, bool integer) noexcept;
KernelFn avx512_kernel(DType dtype, Metric metric, bool integer) noexcept;

void scalar_code_dots(const uint8_t*, const int8_t* const*, size_t, size_t, int32_t*);
void avx2_code_dots(const uint8_t*, const int8_t* const*, size_t, size_t, int32_t*);
void avx512_code_dots(const uint8_t*, const int8_t* const*, size_t, size_t, int32_t*);

// Squared norms of the query outside this range are left to the scalar kernels: products of f32
// would overflow or vanish.
inline constexpr double kMinNorm2 = 1e-30;
inline constexpr double kMaxNorm2 = 1e30;

}  // namespace rvf::kernels::detail
