#include "quant/scalar.hpp"

#include <algorithm>
#include <cmath>

namespace rvf::quant {
namespace {

constexpr int levels(unsigned bits) noexcept { return (1 << bits) - 1; }

// Round half up, as the format says; the sum is at most 256 and therefore exact enough.
int quantize(float x, float min, float scale, int top) noexcept {
  const float q = (x - min) * scale + 0.5F;
  if (!(q >= 1.0F)) return 0;
  return q >= static_cast<float>(top) ? top : static_cast<int>(q);
}

}  // namespace

Result<ScalarQuantizer> ScalarQuantizer::train(std::span<const float> rows, size_t dimension,
                                               unsigned bits) {
  if ((bits != 8 && bits != 4) || dimension == 0 || rows.empty() || rows.size() % dimension != 0) {
    return Error(ErrorCode::kBadArgument,
                 std::to_string(rows.size()) + " values are no rows of dimension " +
                     std::to_string(dimension) + " for " + std::to_string(bits) + " bits (8 or 4)");
  }
  wire::ScalarQuant model{.bits = static_cast<uint8_t>(bits), .min = {}, .max = {}};
  model.min.assign(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(dimension));
  model.max = model.min;
  for (size_t row = 0; row < rows.size(); row += dimension) {
    for (size_t d = 0; d < dimension; ++d) {
      const float x = rows[row + d];
      if (!std::isfinite(x)) {
        return Error(ErrorCode::kNotFinite, "row " + std::to_string(row / dimension) +
                                                ", dimension " + std::to_string(d) +
                                                " is not finite");
      }
      model.min[d] = std::min(model.min[d], x);
      model.max[d] = std::max(model.max[d], x);
    }
  }
  return from_wire(std::move(model));
}

Result<ScalarQuantizer> ScalarQuantizer::from_wire(wire::ScalarQuant model) {
  if ((model.bits != 8 && model.bits != 4) || model.min.empty() ||
      model.min.size() != model.max.size()) {
    return Error(ErrorCode::kBadArgument,
                 "a scalar quantiser needs 8 or 4 bits and a range for each dimension");
  }
  ScalarQuantizer q;
  q.scale_.resize(model.min.size());
  q.step_.resize(model.min.size());
  const auto top = static_cast<float>(levels(model.bits));
  for (size_t d = 0; d < model.min.size(); ++d) {
    const float range = model.max[d] - model.min[d];
    if (std::isnan(model.min[d]) || std::isnan(model.max[d])) {
      return Error(ErrorCode::kNotFinite,
                   "the range of dimension " + std::to_string(d) + " is not a number");
    }
    if (!std::isfinite(range) || range < 0) {
      return Error(ErrorCode::kOutOfRange,
                   "the range of dimension " + std::to_string(d) + " is unusable");
    }
    q.step_[d] = range / top;
    // A range so small that its inverse overflows holds one level.
    const float scale = top / range;
    q.scale_[d] = range > 0 && std::isfinite(scale) ? scale : 0;
  }
  q.model_ = std::move(model);
  return q;
}

void ScalarQuantizer::encode(std::span<const float> vector,
                             std::span<uint8_t> code) const noexcept {
  const int top = levels(model_.bits);
  if (model_.bits == 8) {
    for (size_t d = 0; d < vector.size(); ++d) {
      code[d] = static_cast<uint8_t>(quantize(vector[d], model_.min[d], scale_[d], top) - 128);
    }
    return;
  }
  std::ranges::fill(code, uint8_t{0});
  for (size_t d = 0; d < vector.size(); ++d) {
    const unsigned nibble =
        static_cast<unsigned>(quantize(vector[d], model_.min[d], scale_[d], top) - 8) & 15U;
    code[d / 2] = static_cast<uint8_t>(code[d / 2] | nibble << (4 * (d % 2)));
  }
}

void ScalarQuantizer::decode(std::span<const uint8_t> code,
                             std::span<float> vector) const noexcept {
  for (size_t d = 0; d < vector.size(); ++d) {
    // The sign bit flipped turns two's complement back into the level.
    const unsigned level =
        model_.bits == 8 ? code[d] ^ 0x80U : ((code[d / 2] >> (4 * (d % 2))) & 15U) ^ 8U;
    vector[d] = model_.min[d] + static_cast<float>(level) * step_[d];
  }
}

}  // namespace rvf::quant
