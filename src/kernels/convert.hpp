// Conversions between f32 vectors and stored rows. Pure functions, any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "rvf/result.hpp"
#include "rvf/types.hpp"

namespace rvf::kernels {

// Writes vector_bytes(dtype, values.size()) bytes to `out`. Floats round to nearest even; i8, u8
// and i4 round to the nearest integer; binary stores value > 0. Unused bits of the last byte are
// zero.
// Errors, each naming the dimension: kNotFinite for NaN or infinity, kOutOfRange for a value that
// the dtype cannot hold (never clipped silently), kUnsupported for PQ and custom. `out` is
// unspecified after an error.
Status encode_row(std::span<const float> values, DType dtype, std::byte* out);

// Reads vector_bytes(dtype, out.size()) bytes from `row`; binary gives 0 and 1. kUnsupported as
// above.
Status decode_row(const std::byte* row, DType dtype, std::span<float> out);

float f16_to_f32(uint16_t half) noexcept;
uint16_t f32_to_f16(float value) noexcept;  // overflow gives infinity, NaN stays NaN
float bf16_to_f32(uint16_t half) noexcept;
uint16_t f32_to_bf16(float value) noexcept;

}  // namespace rvf::kernels
