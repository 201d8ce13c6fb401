// k-means clustering: the centroids of partitions and code books. Lloyd's algorithm on a sample,
// started by greedy k-means++ (Arthur and Vassilvitskii, 2007). The result depends on rows, options and
// nothing else: not on the machine, the instruction set or the number of threads.
// Thread-safe.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "rvf/executor.hpp"
#include "rvf/result.hpp"

namespace rvf::quant {

struct KMeansOptions {
  size_t centroids = 256;
  uint32_t iterations = 10;  // at most; it stops earlier when the error hardly falls any more
  size_t sample_per_centroid = 128;  // rows used for training, at most; 0: all
  uint64_t seed = 1;
  Executor* executor = nullptr;  // not owned; null: the calling thread
};

struct KMeans {
  size_t dim = 0;
  std::vector<float> centroids;  // [count][dim]; no two alike unless the rows leave no choice
  double mean_distance = 0;  // mean squared distance of the sample from its centroids
  uint32_t iterations = 0;

  size_t count() const noexcept { return dim == 0 ? 0 : centroids.size() / dim; }
};

// `rows` is [n][dim], n at least 1. With fewer rows than centroids there are as many centroids as
// rows. Takes memory for the sample and the centroids.
// kBadArgument for a wrong shape or no centroids, kNotFinite for NaN or infinity.
Result<KMeans> train_kmeans(std::span<const float> rows, size_t dim, const KMeansOptions& options);

}  // namespace rvf::quant
