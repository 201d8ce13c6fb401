// Elements as they stand in a file, and how they become rows of a DType or unsigned integers.
// Pure functions over bytes; no bounds are guessed, the caller passes exact counts.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rvf/result.hpp"
#include "rvf/types.hpp"
#include "wire/bytes.hpp"

namespace rvf::interop {

enum class Element : uint8_t { kF2, kF4, kF8, kU1, kI1, kU2, kI2, kU4, kI4, kU8, kI8 };

size_t element_bytes(Element element) noexcept;
DType row_dtype(Element element) noexcept;  // f2 f4 u1 i1 as they are, everything else as f32
bool is_integer(Element element) noexcept;

// The smallest double that rounds to infinity as a float; FLT_MAX in its shortest decimal form is a
// little above FLT_MAX and must still read back.
inline constexpr double kFloatOverflow = 0x1.ffffffp127;

float half_to_float(uint16_t half) noexcept;

struct ConvertFault {
  size_t index = 0;  // of the element
  ErrorCode code = ErrorCode::kOk;
  const char* what = "";
};

// Turns `count` elements at `from` into row_dtype(element) at `to`. Refuses NaN and infinity,
// doubles beyond float's range and integers that float cannot hold exactly.
std::optional<ConvertFault> convert_elements(Element element, bool big_endian,
                                             const std::byte* from, size_t count, std::byte* to);

// The same for ids; negative values are refused and floats are kUnsupported.
std::optional<ConvertFault> convert_ids(Element element, bool big_endian, const std::byte* from,
                                        size_t count, uint64_t* to);

}  // namespace rvf::interop
