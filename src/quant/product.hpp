// Product quantisation: the vector is cut into parts, each part is stored as the number of its
// nearest centroid; a query compares codes by adding table entries.
// Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", 2011.
// Trained quantisers and tables are immutable; thread-safe.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/pq_scan.hpp"
#include "quant/centroid_table.hpp"
#include "rvf/executor.hpp"
#include "rvf/result.hpp"
#include "rvf/types.hpp"
#include "wire/quant_codec.hpp"

namespace rvf::quant {

struct ProductOptions {
  size_t subspaces = 0;  // codes a vector; 0: one for 8 dimensions
  size_t centroids = 256;  // a subspace, 2 to 256
  uint32_t iterations = 10;
  size_t sample_per_centroid = 128;  // rows used for training, at most; 0: all
  uint64_t seed = 1;
  Executor* executor = nullptr;  // not owned; the result does not depend on it
};

// Table entries rounded to bytes, for scans that add bytes.
struct ByteTables {
  std::vector<uint8_t> entries;  // [subspaces][centroids]
  kernels::TableRounding rounding;  // from sums of bytes to distances, and by how much they are off
};

// What a query pays for each code: squared distances for l2, minus dot products for ip.
class ProductTables {
 public:
  size_t subspaces() const noexcept { return subspaces_; }
  size_t centroids() const noexcept { return centroids_; }
  std::span<const float> entries() const noexcept { return entries_; }  // [subspaces][centroids]

  // The distance of the query to the decoded vector. `code` is [subspaces()].
  float distance(const uint8_t* code) const noexcept;
  ByteTables to_bytes() const;

 private:
  friend class ProductQuantizer;
  size_t subspaces_ = 0;
  size_t centroids_ = 0;
  float base_ = 0;  // 1 for cosine
  std::vector<float> entries_;
};

class ProductQuantizer {
 public:
  // `rows` is [n][dim], n at least 1. kBadArgument where subspaces of equal size do not cover dim
  // (the message names the number that does) or for a wrong shape; kNotFinite.
  static Result<ProductQuantizer> train(std::span<const float> rows, size_t dim,
                                        const ProductOptions& options);
  // From a file; the same errors, and kUnsupported for more than 256 centroids.
  static Result<ProductQuantizer> from_wire(wire::ProductQuant model, size_t dim);

  const wire::ProductQuant& model() const noexcept { return model_; }
  size_t dim() const noexcept { return dim_; }
  size_t subspaces() const noexcept { return model_.subspaces; }
  size_t code_bytes() const noexcept { return model_.subspaces; }  // one byte a subspace

  // `rows` is [n][dim], `codes` [n][code_bytes()].
  void encode(std::span<const float> rows, uint8_t* codes, Executor* executor = nullptr) const;
  // `code` is [code_bytes()] with entries below centroids (others count as 0), `out` is [dim].
  void decode(const uint8_t* code, float* out) const noexcept;

  // For cosine, rows and query are to have length 1: then it is 1 + ip.
  // kWrongDimension, kNotFinite, kWrongMetric for hamming.
  Result<ProductTables> prepare(std::span<const float> query, Metric metric) const;

 private:
  size_t dim_ = 0;
  wire::ProductQuant model_;
  std::vector<CentroidTable> tables_;  // [subspaces]
};

}  // namespace rvf::quant
