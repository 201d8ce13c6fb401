// Checks that every trainer makes of its rows. Pure; thread-safe.
#pragma once
#include <span>

#include "rvf/result.hpp"

namespace rvf::quant {

// `rows` is [n][dim] with n and dim at least 1: else kBadArgument. kNotFinite names the first row
// and dimension with NaN or infinity.
Status check_rows(std::span<const float> rows, size_t dim);

}  // namespace rvf::quant
