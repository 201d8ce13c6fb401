// One bit a dimension: whether a value is above its dimension's mean. Codes are rows of dtype
// binary, compared by kernels::prepare with hamming. Immutable; thread-safe.
#pragma once
#include <cstdint>
#include <span>

#include "rvf/result.hpp"
#include "wire/quant_codec.hpp"

namespace rvf::quant {

class BinaryQuantizer {
 public:
  // `rows` is [n][dim], n at least 1. kBadArgument for a wrong shape, kNotFinite.
  static Result<BinaryQuantizer> train(std::span<const float> rows, size_t dim);
  static Result<BinaryQuantizer> from_wire(wire::BinaryQuant model);

  const wire::BinaryQuant& model() const noexcept { return model_; }
  size_t dim() const noexcept { return model_.threshold.size(); }
  size_t code_bytes() const noexcept { return (dim() + 7) / 8; }

  // `vector` is [dim()]; bit i % 8 of code[i / 8] is dimension i, unused bits are 0.
  void encode(const float* vector, uint8_t* code) const noexcept;

 private:
  wire::BinaryQuant model_;
};

}  // namespace rvf::quant
