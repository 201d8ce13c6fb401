// Scalar quantisation: each dimension's range [min, max] is cut into 256 (int8) or 16 (4-bit)
// levels. The error of a value within the range is at most half a level: 0.2 % of the range for
// int8, 3.4 % for 4-bit. A trained quantiser is immutable and thread-safe.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "rvf/result.hpp"
#include "wire/quant_codec.hpp"

namespace rvf::quant {

class ScalarQuantizer {
 public:
  // `rows` holds vectors of `dimension` values one after the other, at least one. `bits` is 8 or 4.
  // kNotFinite for NaN or infinity, kOutOfRange where a range overflows float, kBadArgument for a
  // wrong shape.
  static Result<ScalarQuantizer> train(std::span<const float> rows, size_t dimension,
                                       unsigned bits);
  // From a file; the same errors.
  static Result<ScalarQuantizer> from_wire(wire::ScalarQuant model);

  const wire::ScalarQuant& model() const noexcept { return model_; }
  size_t dimension() const noexcept { return model_.min.size(); }
  // Bytes of one code: one a dimension for 8 bits, one for two dimensions for 4 bits (low nibble
  // first).
  size_t code_bytes() const noexcept {
    return model_.bits == 8 ? dimension() : (dimension() + 1) / 2;
  }

  // `vector` has dimension() values, `code` code_bytes() bytes. Values outside the range are
  // clamped to it, NaN to its lower end.
  void encode(std::span<const float> vector, std::span<uint8_t> code) const noexcept;
  void decode(std::span<const uint8_t> code, std::span<float> vector) const noexcept;

 private:
  wire::ScalarQuant model_;
  std::vector<float> scale_;  // levels a unit, 0 where max = min
  std::vector<float> step_;  // units a level
};

}  // namespace rvf::quant
