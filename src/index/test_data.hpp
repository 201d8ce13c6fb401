// Generated vectors for the tests of this folder.
#pragma once
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "index/aligned_array.hpp"
#include "index/flat.hpp"
#include "index/graph.hpp"
#include "kernels/convert.hpp"

namespace rvf::index {

struct TestSet {
  DType dtype = DType::kF32;
  size_t dim = 0;
  size_t stride = 0;
  AlignedArray<std::byte> data;
  RowTable table;
  std::vector<std::vector<float>> queries;

  GraphInput input(Metric metric, uint64_t count) const {
    return {&table, 0, count, dtype, dim, metric};
  }
};

// Rows around `clusters` centres (0: one standard normal cloud), and queries of the same kind.
inline TestSet make_set(size_t rows, size_t dim, size_t clusters, DType dtype = DType::kF32,
                        size_t queries = 50, unsigned seed = 1) {
  TestSet set;
  set.dtype = dtype;
  set.dim = dim;
  set.stride = (vector_bytes(dtype, dim) + 63) / 64 * 64;
  set.data = aligned_array<std::byte>(rows * set.stride);
  std::memset(set.data.get(), 0, rows * set.stride);
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> centres(clusters, std::vector<float>(dim));
  for (auto& c : centres) {
    for (float& x : c) x = normal(rng) * 3;
  }
  std::vector<float> v(dim);
  for (size_t i = 0; i < rows + queries; ++i) {
    const std::vector<float>* c = clusters == 0 ? nullptr : &centres[rng() % clusters];
    for (size_t d = 0; d < dim; ++d) {
      v[d] = normal(rng) + (c == nullptr ? 0 : (*c)[d]);
      if (dtype == DType::kU8) v[d] = std::min(255.0F, std::max(0.0F, v[d] * 16 + 128));
      if (dtype == DType::kI8) v[d] = std::min(127.0F, std::max(-128.0F, v[d] * 16));
    }
    if (i < rows) {
      (void)kernels::encode_row(v, dtype, set.data.get() + i * set.stride);
    } else {
      set.queries.push_back(v);
    }
  }
  (void)set.table.append_run({0, rows, set.data.get(), set.stride});
  return set;
}

inline RowBitmap every(uint64_t rows, uint64_t step) {
  RowBitmap out;
  for (uint64_t row = 0; row < rows; row += step) out.set(row);
  return out;
}

inline std::vector<wire::ByteSpan> spans_of(const GraphPayloads& p) {
  return {p.layer_c.begin(), p.layer_c.end()};
}

inline std::vector<wire::ByteSpan> fused_of(const GraphPayloads& p) {
  std::vector<wire::ByteSpan> out;
  for (const LargePayload& f : p.fused) out.push_back(f.span());
  return out;
}

inline SearchResult search(const Index& index, const TestSet& set, const std::vector<float>& query,
                           Metric metric, const SearchRequest& more = {}) {
  SearchResult out;
  auto q = kernels::prepare(query, metric, set.dtype, set.dim);
  if (!q.ok()) return out;
  SearchRequest request = more;
  request.query = &*q;
  request.vector = query;
  request.rows = &set.table;
  SearchScratch scratch;
  const Status s = index.search(request, scratch, out);
  if (!s.ok()) out.hits.clear();
  return out;
}

inline double recall(const Index& index, const TestSet& set, Metric metric,
                     const SearchRequest& more = {}) {
  FlatIndex flat;
  size_t found = 0;
  size_t wanted = 0;
  for (const auto& query : set.queries) {
    const SearchResult truth = search(flat, set, query, metric, more);
    const SearchResult got = search(index, set, query, metric, more);
    wanted += truth.hits.size();
    for (const Hit& t : truth.hits) {
      for (const Hit& g : got.hits) found += g.row == t.row ? 1 : 0;
    }
  }
  return wanted == 0 ? 0 : static_cast<double>(found) / static_cast<double>(wanted);
}

}  // namespace rvf::index
