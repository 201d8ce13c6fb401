#include "quant/shape.hpp"

#include <cmath>

namespace rvf::quant {

Status check_rows(std::span<const float> rows, size_t dim) {
  if (dim == 0 || rows.empty() || rows.size() % dim != 0) {
    return Error(
        ErrorCode::kBadArgument,
        std::to_string(rows.size()) + " values are no rows of dimension " + std::to_string(dim));
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!std::isfinite(rows[i])) {
      return Error(ErrorCode::kNotFinite, "row " + std::to_string(i / dim) + ", dimension " +
                                              std::to_string(i % dim) + " is not finite");
    }
  }
  return {};
}

}  // namespace rvf::quant
