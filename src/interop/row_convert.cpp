#include "interop/row_convert.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "types/exact.hpp"

namespace rvf::interop {
namespace {

template <class T>
T load(const std::byte* from, bool big_endian) noexcept {
  std::byte raw[sizeof(T)];
  std::memcpy(raw, from, sizeof(T));
  if (big_endian) std::reverse(raw, raw + sizeof(T));
  T v;
  std::memcpy(&v, raw, sizeof(T));
  return v;
}

void store(float v, size_t i, std::byte* to) noexcept { std::memcpy(to + i * 4, &v, 4); }

// `step(v, i)` returns a fault or nothing.
template <class T, class Step>
std::optional<ConvertFault> each(const std::byte* from, bool big_endian, size_t count, Step step) {
  for (size_t i = 0; i < count; ++i) {
    const T v = load<T>(from + i * sizeof(T), big_endian);
    if (std::optional<ConvertFault> fault = step(v, i)) {
      fault->index = i;
      return fault;
    }
  }
  return std::nullopt;
}

ConvertFault not_finite() { return {0, ErrorCode::kNotFinite, "NaN or infinity"}; }

template <class T>
std::optional<ConvertFault> integers_to_float(const std::byte* from, bool big_endian, size_t count,
                                              std::byte* to) {
  return each<T>(from, big_endian, count, [to](T v, size_t i) -> std::optional<ConvertFault> {
    // 2^24 is where float stops holding every integer; larger ones may still be exact.
    const auto wide = exact_f64(std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>{v});
    const float f = wide ? static_cast<float>(*wide) : 0.0F;
    if (!wide || static_cast<double>(f) != *wide)
      return ConvertFault{0, ErrorCode::kOutOfRange, "an integer that f32 cannot hold"};
    store(f, i, to);
    return std::nullopt;
  });
}

template <class T>
std::optional<ConvertFault> integers_to_ids(const std::byte* from, bool big_endian, size_t count,
                                            uint64_t* to) {
  return each<T>(from, big_endian, count, [to](T v, size_t i) -> std::optional<ConvertFault> {
    if constexpr (std::is_signed_v<T>) {
      if (v < 0) return ConvertFault{0, ErrorCode::kOutOfRange, "a negative id"};
    }
    to[i] = static_cast<uint64_t>(v);
    return std::nullopt;
  });
}

}  // namespace

size_t element_bytes(Element element) noexcept {
  switch (element) {
    case Element::kU1:
    case Element::kI1: return 1;
    case Element::kF2:
    case Element::kU2:
    case Element::kI2: return 2;
    case Element::kF4:
    case Element::kU4:
    case Element::kI4: return 4;
    case Element::kF8:
    case Element::kU8:
    case Element::kI8: return 8;
  }
  return 1;
}

DType row_dtype(Element element) noexcept {
  switch (element) {
    case Element::kF2: return DType::kF16;
    case Element::kU1: return DType::kU8;
    case Element::kI1: return DType::kI8;
    default: return DType::kF32;
  }
}

bool is_integer(Element element) noexcept {
  return element != Element::kF2 && element != Element::kF4 && element != Element::kF8;
}

float half_to_float(uint16_t half) noexcept {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1Fu;
  const uint32_t mantissa = half & 0x3FFu;
  if (exponent == 0) {  // zero or subnormal: mantissa * 2^-24, exact in float
    const float f = static_cast<float>(mantissa) * 5.9604644775390625e-8f;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(f) | sign);
  }
  const uint32_t wide = exponent == 31 ? 0xFFu : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

std::optional<ConvertFault> convert_elements(Element element, bool big_endian,
                                             const std::byte* from, size_t count, std::byte* to) {
  using Fault = std::optional<ConvertFault>;
  switch (element) {
    case Element::kU1:
    case Element::kI1:
      if (count > 0) std::memcpy(to, from, count);
      return std::nullopt;
    case Element::kF2:
      return each<uint16_t>(from, big_endian, count, [to](uint16_t v, size_t i) -> Fault {
        if ((v & 0x7C00u) == 0x7C00u) return not_finite();
        std::memcpy(to + i * 2, &v, 2);
        return std::nullopt;
      });
    case Element::kF4:
      return each<float>(from, big_endian, count, [to](float v, size_t i) -> Fault {
        if (!std::isfinite(v)) return not_finite();
        store(v, i, to);
        return std::nullopt;
      });
    case Element::kF8:
      return each<double>(from, big_endian, count, [to](double v, size_t i) -> Fault {
        if (!std::isfinite(v)) return not_finite();
        if (std::fabs(v) >= kFloatOverflow) {
          return ConvertFault{0, ErrorCode::kOutOfRange, "a number beyond the range of f32"};
        }
        store(static_cast<float>(v), i, to);
        return std::nullopt;
      });
    case Element::kU2: return integers_to_float<uint16_t>(from, big_endian, count, to);
    case Element::kI2: return integers_to_float<int16_t>(from, big_endian, count, to);
    case Element::kU4: return integers_to_float<uint32_t>(from, big_endian, count, to);
    case Element::kI4: return integers_to_float<int32_t>(from, big_endian, count, to);
    case Element::kU8: return integers_to_float<uint64_t>(from, big_endian, count, to);
    case Element::kI8: return integers_to_float<int64_t>(from, big_endian, count, to);
  }
  return ConvertFault{0, ErrorCode::kUnsupported, "an unknown element type"};
}

std::optional<ConvertFault> convert_ids(Element element, bool big_endian, const std::byte* from,
                                        size_t count, uint64_t* to) {
  switch (element) {
    case Element::kU1: return integers_to_ids<uint8_t>(from, big_endian, count, to);
    case Element::kI1: return integers_to_ids<int8_t>(from, big_endian, count, to);
    case Element::kU2: return integers_to_ids<uint16_t>(from, big_endian, count, to);
    case Element::kI2: return integers_to_ids<int16_t>(from, big_endian, count, to);
    case Element::kU4: return integers_to_ids<uint32_t>(from, big_endian, count, to);
    case Element::kI4: return integers_to_ids<int32_t>(from, big_endian, count, to);
    case Element::kU8: return integers_to_ids<uint64_t>(from, big_endian, count, to);
    case Element::kI8: return integers_to_ids<int64_t>(from, big_endian, count, to);
    default: return ConvertFault{0, ErrorCode::kUnsupported, "ids must be integers"};
  }
}

}  // namespace rvf::interop
