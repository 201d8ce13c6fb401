#include "quant/product.hpp"

#include <algorithm>

#include "quant/kmeans.hpp"
#include "quant/shape.hpp"

namespace rvf::quant {
namespace {

// Copies part `m` of each row, filled up with zeros.
std::vector<float> part_of(std::span<const float> rows, size_t dim, size_t m, size_t size) {
  const size_t n = rows.size() / dim;
  const size_t first = m * size;
  const size_t used = std::min(size, dim - first);
  std::vector<float> out(n * size);
  for (size_t i = 0; i < n; ++i) {
    std::copy_n(rows.data() + i * dim + first, used, out.data() + i * size);
  }
  return out;
}

// The number of subspaces that has no empty one, for parts as large as `subspaces` makes them.
size_t covering(size_t dim, size_t subspaces) {
  const size_t size = (dim + subspaces - 1) / subspaces;
  return (dim + size - 1) / size;
}

}  // namespace

float ProductTables::distance(const uint8_t* code) const noexcept {
  float sum[4] = {base_, 0, 0, 0};
  for (size_t m = 0; m < subspaces_; ++m) sum[m % 4] += entries_[m * centroids_ + code[m]];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

ByteTables ProductTables::to_bytes() const {
  ByteTables out;
  out.entries.resize(entries_.size());
  out.rounding = kernels::round_tables(entries_.data(), subspaces_, centroids_, out.entries.data());
  out.rounding.bias += base_;
  return out;
}

Result<ProductQuantizer> ProductQuantizer::train(std::span<const float> rows, size_t dim,
                                                 const ProductOptions& options) {
  RVF_TRY(check_rows(rows, dim));
  const size_t parts = options.subspaces == 0 ? (dim + 7) / 8 : options.subspaces;
  if (parts > dim || covering(dim, parts) != parts || dim > kMaxDimension) {
    return Error(ErrorCode::kBadArgument,
                 std::to_string(parts) + " subspaces of equal size do not cut dimension " +
                     std::to_string(dim) + "; " +
                     std::to_string(covering(dim, std::min(parts, dim))) + " do");
  }
  if (options.centroids < 2 || options.centroids > 256) {
    return Error(ErrorCode::kBadArgument,
                 std::to_string(options.centroids) + " centroids a subspace are not 2 to 256");
  }
  const size_t size = (dim + parts - 1) / parts;
  wire::ProductQuant model{.subspaces = static_cast<uint16_t>(parts),
                           .centroids = static_cast<uint16_t>(options.centroids),
                           .sub_dimension = static_cast<uint16_t>(size),
                           .codebook = {}};
  model.codebook.reserve(parts * options.centroids * size);
  for (size_t m = 0; m < parts; ++m) {
    RVF_ASSIGN(const KMeans means, train_kmeans(part_of(rows, dim, m, size), size,
                                                {.centroids = options.centroids,
                                                 .iterations = options.iterations,
                                                 .sample_per_centroid = options.sample_per_centroid,
                                                 .seed = options.seed + m,
                                                 .executor = options.executor}));
    model.codebook.insert(model.codebook.end(), means.centroids.begin(), means.centroids.end());
    // Fewer rows than centroids: the others repeat the last one and are never chosen.
    for (size_t c = means.count(); c < options.centroids; ++c) {
      model.codebook.insert(model.codebook.end(),
                            means.centroids.end() - static_cast<ptrdiff_t>(size),
                            means.centroids.end());
    }
  }
  return from_wire(std::move(model), dim);
}

Result<ProductQuantizer> ProductQuantizer::from_wire(wire::ProductQuant model, size_t dim) {
  const size_t covered = size_t{model.subspaces} * model.sub_dimension;
  if (dim == 0 || model.centroids == 0 || covered < dim || covered >= dim + model.sub_dimension ||
      model.codebook.size() != covered * model.centroids) {
    return Error(ErrorCode::kBadArgument,
                 "the code book does not fit dimension " + std::to_string(dim));
  }
  if (model.centroids > 256) {
    return Error(ErrorCode::kUnsupported,
                 "codes of " + std::to_string(model.centroids) + " centroids do not fit a byte");
  }
  RVF_TRY(check_rows(model.codebook, model.sub_dimension));
  ProductQuantizer q;
  q.dim_ = dim;
  const size_t book = size_t{model.centroids} * model.sub_dimension;
  for (size_t m = 0; m < model.subspaces; ++m) {
    q.tables_.emplace_back(std::span(model.codebook).subspan(m * book, book), model.sub_dimension);
  }
  q.model_ = std::move(model);
  return q;
}

void ProductQuantizer::encode(std::span<const float> rows, uint8_t* codes,
                              Executor* executor) const {
  constexpr size_t kBatch = 64;
  const size_t size = model_.sub_dimension;
  const size_t filled = subspaces() * size;
  const auto body = [&](size_t, uint64_t begin, uint64_t end) {
    std::vector<float> copy;
    uint32_t index[kBatch];
    float distance[kBatch];
    for (size_t at = begin; at < end; at += kBatch) {
      const size_t n = std::min<size_t>(kBatch, end - at);
      const float* first = rows.data() + at * dim_;
      if (filled != dim_) {  // the last part reaches beyond the row
        copy.assign(n * filled, 0.0F);
        for (size_t i = 0; i < n; ++i) {
          std::copy_n(first + i * dim_, dim_, copy.data() + i * filled);
        }
        first = copy.data();
      }
      for (size_t m = 0; m < subspaces(); ++m) {
        tables_[m].nearest(first + m * size, filled, n, index, distance);
        for (size_t i = 0; i < n; ++i) {
          codes[(at + i) * code_bytes() + m] = static_cast<uint8_t>(index[i]);
        }
      }
    }
  };
  const size_t n = rows.size() / dim_;
  if (executor == nullptr) {
    body(0, 0, n);
  } else {
    executor->parallel_for(n, 1024, body);
  }
}

void ProductQuantizer::decode(const uint8_t* code, float* out) const noexcept {
  const size_t size = model_.sub_dimension;
  for (size_t m = 0; m < subspaces(); ++m) {
    const size_t c = code[m] < model_.centroids ? code[m] : 0;
    const float* centroid = model_.codebook.data() + (m * model_.centroids + c) * size;
    std::copy_n(centroid, std::min(size, dim_ - m * size), out + m * size);
  }
}

Result<ProductTables> ProductQuantizer::prepare(std::span<const float> query, Metric metric) const {
  if (query.size() != dim_) {
    return Error(ErrorCode::kWrongDimension, "the query has " + std::to_string(query.size()) +
                                                 " dimensions, not " + std::to_string(dim_));
  }
  RVF_TRY(check_rows(query, dim_));
  if (metric == Metric::kHamming) {
    return Error(ErrorCode::kWrongMetric, "product codes have no hamming distance");
  }
  const size_t size = model_.sub_dimension;
  const size_t count = model_.centroids;
  ProductTables out;
  out.subspaces_ = subspaces();
  out.centroids_ = count;
  out.base_ = metric == Metric::kCosine ? 1.0F : 0.0F;
  out.entries_.resize(subspaces() * count);
  std::vector<float> all(tables_[0].width());
  std::vector<float> part(size);
  for (size_t m = 0; m < subspaces(); ++m) {
    float* entries = out.entries_.data() + m * count;
    std::ranges::fill(part, 0.0F);
    std::copy_n(query.data() + m * size, std::min(size, dim_ - m * size), part.data());
    if (metric == Metric::kL2) {
      tables_[m].distances(part.data(), all.data());
      std::copy_n(all.data(), count, entries);
      continue;
    }
    const float* centroid = model_.codebook.data() + m * count * size;
    for (size_t c = 0; c < count; ++c, centroid += size) {
      float sum = 0;
      for (size_t j = 0; j < size; ++j) sum += part[j] * centroid[j];
      entries[c] = -sum;
    }
  }
  return out;
}

}  // namespace rvf::quant
