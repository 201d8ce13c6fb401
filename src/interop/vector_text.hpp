// Components and whole vectors as people write them. Pure functions, thread-safe.
#pragma once
#include <string_view>
#include <vector>

#include "rvf/result.hpp"

namespace rvf::interop {

enum class NumberRead { kNumber, kNotFinite, kOutOfRange, kText };

// A decimal number, with a sign if wanted. Too small a number is 0; kOutOfRange is beyond f32.
NumberRead read_number(std::string_view text, float& out) noexcept;

// "[0.1, 0.2]": numbers between brackets of any kind or none, parted by commas or blanks; replaces
// `out`. Errors, without a place: kCorrupt, kNotFinite, kOutOfRange, kWrongDimension.
Status read_vector(std::string_view text, std::vector<float>& out);

// "1,5" where 1.5 is meant.
bool has_decimal_comma(std::string_view text) noexcept;

// What is wrong with a text that should be a number, for a message.
Error number_fault(NumberRead read, std::string_view text);

}  // namespace rvf::interop
