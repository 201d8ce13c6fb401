#include "quant/binary.hpp"

#include <algorithm>

#include "quant/shape.hpp"

namespace rvf::quant {

Result<BinaryQuantizer> BinaryQuantizer::train(std::span<const float> rows, size_t dim) {
  RVF_TRY(check_rows(rows, dim));
  std::vector<double> sum(dim);
  for (size_t i = 0; i < rows.size(); i += dim) {
    for (size_t j = 0; j < dim; ++j) sum[j] += double{rows[i + j]};
  }
  const size_t count = rows.size() / dim;
  const auto n = static_cast<double>(count);
  wire::BinaryQuant model;
  for (const double s : sum) model.threshold.push_back(static_cast<float>(s / n));
  return from_wire(std::move(model));
}

Result<BinaryQuantizer> BinaryQuantizer::from_wire(wire::BinaryQuant model) {
  RVF_TRY(check_rows(model.threshold, model.threshold.size()));
  BinaryQuantizer q;
  q.model_ = std::move(model);
  return q;
}

void BinaryQuantizer::encode(const float* vector, uint8_t* code) const noexcept {
  std::fill_n(code, code_bytes(), uint8_t{0});
  for (size_t i = 0; i < dim(); ++i) {
    const unsigned bit = vector[i] > model_.threshold[i] ? 1U : 0U;
    code[i / 8] = static_cast<uint8_t>(code[i / 8] | bit << (i % 8));
  }
}

}  // namespace rvf::quant
