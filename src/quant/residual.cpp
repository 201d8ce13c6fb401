#include "quant/residual.hpp"

#include <algorithm>

#include "quant/kmeans.hpp"
#include "quant/shape.hpp"

namespace rvf::quant {
namespace {

// Takes each row's coarse centroid away from it.
std::vector<float> residuals(std::span<const float> rows, const CentroidTable& table,
                             const std::vector<float>& coarse, uint32_t* index,
                             Executor* executor) {
  const size_t dim = table.dim();
  const size_t n = rows.size() / dim;
  std::vector<float> distance(n);
  table.nearest(rows.data(), dim, n, index, distance.data(), executor);
  std::vector<float> out(rows.begin(), rows.end());
  for (size_t i = 0; i < n; ++i) {
    const float* c = coarse.data() + index[i] * dim;
    for (size_t j = 0; j < dim; ++j) out[i * dim + j] -= c[j];
  }
  return out;
}

}  // namespace

Result<ResidualQuantizer> ResidualQuantizer::train(std::span<const float> rows, size_t dim,
                                                   size_t coarse, const ProductOptions& fine) {
  RVF_ASSIGN(KMeans means, train_kmeans(rows, dim,
                                        {.centroids = coarse,
                                         .iterations = fine.iterations,
                                         .sample_per_centroid = fine.sample_per_centroid,
                                         .seed = fine.seed,
                                         .executor = fine.executor}));
  ResidualQuantizer q;
  q.coarse_ = std::move(means.centroids);
  q.table_ = CentroidTable(q.coarse_, dim);
  std::vector<uint32_t> index(rows.size() / dim);
  RVF_ASSIGN(q.fine_,
             ProductQuantizer::train(
                 residuals(rows, q.table_, q.coarse_, index.data(), fine.executor), dim, fine));
  return q;
}

Result<ResidualQuantizer> ResidualQuantizer::from_wire(const wire::ResidualQuant& model,
                                                       size_t dim) {
  RVF_TRY(check_rows(model.coarse, dim));
  ResidualQuantizer q;
  q.coarse_ = model.coarse;
  q.table_ = CentroidTable(q.coarse_, dim);
  RVF_ASSIGN(q.fine_, ProductQuantizer::from_wire(model.fine, dim));
  return q;
}

void ResidualQuantizer::encode(std::span<const float> rows, uint32_t* coarse, uint8_t* codes,
                               Executor* executor) const {
  fine_.encode(residuals(rows, table_, coarse_, coarse, executor), codes, executor);
}

void ResidualQuantizer::decode(uint32_t coarse, const uint8_t* code, float* out) const noexcept {
  fine_.decode(code, out);
  const float* c = coarse_.data() + coarse * dim();
  for (size_t j = 0; j < dim(); ++j) out[j] += c[j];
}

Result<ProductTables> ResidualQuantizer::prepare(std::span<const float> query,
                                                 uint32_t coarse) const {
  std::vector<float> left(query.begin(), query.end());
  if (left.size() == dim()) {
    const float* c = coarse_.data() + coarse * dim();
    for (size_t j = 0; j < dim(); ++j) left[j] -= c[j];
  }
  return fine_.prepare(left, Metric::kL2);
}

}  // namespace rvf::quant
