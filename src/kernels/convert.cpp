#include "kernels/convert.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <string>

namespace rvf::kernels {
namespace {

Error at_dimension(ErrorCode code, size_t i, float value, const char* why) {
  return {code, "dimension " + std::to_string(i) + " is " + std::to_string(value) + ": " + why};
}

Status encode_integers(std::span<const float> values, float lowest, float highest, DType dtype,
                       std::byte* out) {
  for (size_t i = 0; i < values.size(); ++i) {
    const float v = values[i];
    if (!std::isfinite(v)) return at_dimension(ErrorCode::kNotFinite, i, v, "not a finite number");
    const float r = std::nearbyint(v);
    if (r < lowest || r > highest) {
      return at_dimension(ErrorCode::kOutOfRange, i, v,
                          dtype == DType::kU8   ? "u8 holds 0 to 255"
                          : dtype == DType::kI8 ? "i8 holds -128 to 127"
                                                : "i4 holds -8 to 7");
    }
    const int x = static_cast<int>(r);
    if (dtype != DType::kI4) {
      out[i] = static_cast<std::byte>(x);
    } else if (i % 2 == 0) {
      out[i / 2] = static_cast<std::byte>(x & 0xF);
    } else {
      out[i / 2] |= static_cast<std::byte>((x & 0xF) << 4);
    }
  }
  return {};
}

Status encode_halves(std::span<const float> values, DType dtype, std::byte* out) {
  for (size_t i = 0; i < values.size(); ++i) {
    const float v = values[i];
    if (!std::isfinite(v)) return at_dimension(ErrorCode::kNotFinite, i, v, "not a finite number");
    const uint16_t h = dtype == DType::kF16 ? f32_to_f16(v) : f32_to_bf16(v);
    const uint16_t infinity = dtype == DType::kF16 ? 0x7C00 : 0x7F80;
    if ((h & 0x7FFF) == infinity) {
      return at_dimension(ErrorCode::kOutOfRange, i, v, "too large for the store's dtype");
    }
    std::memcpy(out + i * 2, &h, 2);
  }
  return {};
}

}  // namespace

float f16_to_f32(uint16_t half) noexcept {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = half >> 10 & 0x1F;
  const uint32_t mantissa = half & 0x3FF;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000 | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float small = static_cast<float>(mantissa) * 0x1p-24F;
  return sign != 0 ? -small : small;
}

uint16_t f32_to_f16(float value) noexcept {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return static_cast<uint16_t>(sign | 0x7E00);
  if (magnitude >= 0x477FF000) return static_cast<uint16_t>(sign | 0x7C00);  // rounds past 65504
  if (magnitude < 0x38800000) {
    // Below 2^-14 the unit is 2^-24: adding 0.5 lets the float adder round to nearest even there.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3F000000));
  }
  const uint32_t rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
  return static_cast<uint16_t>(sign | (rounded - 0x38000000) >> 13);
}

float bf16_to_f32(uint16_t half) noexcept {
  return std::bit_cast<float>(static_cast<uint32_t>(half) << 16);
}

uint16_t f32_to_bf16(float value) noexcept {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

Status encode_row(std::span<const float> values, DType dtype, std::byte* out) {
  switch (dtype) {
    case DType::kF32:
      for (size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) {
          return at_dimension(ErrorCode::kNotFinite, i, values[i], "not a finite number");
        }
      }
      if (!values.empty()) std::memcpy(out, values.data(), values.size_bytes());
      return {};
    case DType::kF16:
    case DType::kBF16: return encode_halves(values, dtype, out);
    case DType::kI8: return encode_integers(values, -128, 127, dtype, out);
    case DType::kU8: return encode_integers(values, 0, 255, dtype, out);
    case DType::kI4: return encode_integers(values, -8, 7, dtype, out);
    case DType::kBinary:
      for (size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) {
          return at_dimension(ErrorCode::kNotFinite, i, values[i], "not a finite number");
        }
        if (i % 8 == 0) out[i / 8] = std::byte{0};
        if (values[i] > 0) out[i / 8] |= static_cast<std::byte>(1 << (i % 8));
      }
      return {};
    case DType::kPQ:
    case DType::kCustom: break;
  }
  return Error(ErrorCode::kUnsupported, "rows of codes are not made from vectors one by one");
}

Status decode_row(const std::byte* row, DType dtype, std::span<float> out) {
  const size_t dim = out.size();
  switch (dtype) {
    case DType::kF32:
      if (dim != 0) std::memcpy(out.data(), row, dim * 4);
      return {};
    case DType::kF16:
    case DType::kBF16:
      for (size_t i = 0; i < dim; ++i) {
        uint16_t h;
        std::memcpy(&h, row + i * 2, 2);
        out[i] = dtype == DType::kF16 ? f16_to_f32(h) : bf16_to_f32(h);
      }
      return {};
    case DType::kI8:
      for (size_t i = 0; i < dim; ++i) out[i] = static_cast<int8_t>(row[i]);
      return {};
    case DType::kU8:
      for (size_t i = 0; i < dim; ++i) out[i] = static_cast<uint8_t>(row[i]);
      return {};
    case DType::kI4:
      for (size_t i = 0; i < dim; ++i) {
        const unsigned nibble = static_cast<unsigned>(row[i / 2]) >> (i % 2 * 4) & 0xF;
        out[i] = static_cast<float>(static_cast<int>(nibble ^ 8) - 8);
      }
      return {};
    case DType::kBinary:
      for (size_t i = 0; i < dim; ++i) {
        out[i] = static_cast<float>(static_cast<int>(row[i / 8]) >> (i % 8) & 1);
      }
      return {};
    case DType::kPQ:
    case DType::kCustom: break;
  }
  return Error(ErrorCode::kUnsupported, "rows of codes cannot be read without their QUANT segment");
}

}  // namespace rvf::kernels
