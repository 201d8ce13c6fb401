// Residual product quantisation: the nearest of a few coarse centroids, and a product code of what
// is left. Immutable; thread-safe.
#pragma once
#include <cstdint>
#include <span>

#include "quant/product.hpp"

namespace rvf::quant {

class ResidualQuantizer {
 public:
  // `coarse` centroids, at least 1; `fine` as for ProductQuantizer, with the same errors.
  static Result<ResidualQuantizer> train(std::span<const float> rows, size_t dim, size_t coarse,
                                         const ProductOptions& fine);
  static Result<ResidualQuantizer> from_wire(const wire::ResidualQuant& model, size_t dim);
  wire::ResidualQuant to_wire() const { return {coarse_, fine_.model()}; }

  size_t dim() const noexcept { return fine_.dim(); }
  size_t coarse_count() const noexcept { return table_.count(); }
  size_t code_bytes() const noexcept { return fine_.code_bytes(); }  // without the coarse centroid

  // `rows` is [n][dim], `coarse` [n], `codes` [n][code_bytes()].
  void encode(std::span<const float> rows, uint32_t* coarse, uint8_t* codes,
              Executor* executor = nullptr) const;
  // `coarse` below coarse_count(), `out` [dim].
  void decode(uint32_t coarse, const uint8_t* code, float* out) const noexcept;

  // Tables for the codes of one coarse centroid: l2 of the query to the decoded vector.
  // kWrongDimension, kNotFinite.
  Result<ProductTables> prepare(std::span<const float> query, uint32_t coarse) const;
  // Squared distances of a query to the coarse centroids, [table().width()].
  const CentroidTable& table() const noexcept { return table_; }

 private:
  std::vector<float> coarse_;  // [coarse_count()][dim]
  CentroidTable table_;
  ProductQuantizer fine_;
};

}  // namespace rvf::quant
