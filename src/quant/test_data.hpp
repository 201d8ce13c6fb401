// Generated rows for the tests of this folder.
#pragma once
#include <random>
#include <vector>

namespace rvf::quant {

inline std::vector<float> gaussian(size_t rows, size_t dim, uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(rows * dim);
  for (float& x : out) x = normal(rng);
  return out;
}

inline std::vector<float> clustered(size_t rows, size_t dim, size_t clusters, float spread,
                                    uint64_t seed) {
  const std::vector<float> centres = gaussian(clusters, dim, seed);
  std::vector<float> out = gaussian(rows, dim, seed + 1);
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = centres[i / dim % clusters * dim + i % dim] + spread * out[i];
  }
  return out;
}

}  // namespace rvf::quant
