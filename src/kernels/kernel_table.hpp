// What each instruction set offers to the dispatcher. Internal to src/kernels.
// The vector units include only this header, the generic algorithms and intrinsics: an inline
// function of the standard library that they instantiated could be the copy the linker keeps for
// the whole program, with AVX code inside.
#pragma once
#include "kernels/bit_planes.hpp"
#include "kernels/codes.hpp"
#include "kernels/half_dots.hpp"
#include "kernels/hamming.hpp"
#include "kernels/kernels.hpp"
#include "kernels/pq_scan.hpp"

namespace rvf::kernels::detail {

// One instruction set. What is null is taken from the level below, in the end from scalar, which
// has everything.
struct Level {
  // `integer`: the query is int16_t and rows are i8 or u8. Binary rows take a query of bits. Null
  // if the pair is not offered.
  KernelFn (*distance)(DType dtype, Metric metric, bool integer) = nullptr;
  CodeDots code_dots = nullptr;
  Int8Dots int8_dots = nullptr;
  HalfDots half_dots = nullptr;
  HammingRows hamming_rows = nullptr;
  BitPlaneDots bit_plane_dots = nullptr;
  SignDifferences sign_differences = nullptr;
  PqFloatSums pq8_float_sums = nullptr;
  PqByteSums pq8_byte_sums = nullptr;
  PqByteSums pq4_byte_sums = nullptr;
};

// Each is defined where its unit is built.
extern const Level kScalarLevel;
extern const Level kAvx2Level;
extern const Level kAvx512Level;
extern const Level kAvx512VbmiLevel;
extern const Level kAvx512Fp16Level;
extern const Level kNeonLevel;
extern const Level kNeonDotLevel;
extern const Level kWasm128Level;

// The best kernel of `isa` and the levels below it; null only where scalar has none.
KernelFn distance_kernel(Isa isa, DType dtype, Metric metric, bool integer) noexcept;

// Squared norms of the query outside this range are left to the scalar kernels: products of f32
// would overflow or vanish.
inline constexpr double kMinNorm2 = 1e-30;
inline constexpr double kMaxNorm2 = 1e30;

}  // namespace rvf::kernels::detail
