// RaBitQ: 1 to 8 bits a dimension, an unbiased estimate of the distance, and a bound of its error.
// Gao and Long, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for
// Approximate Nearest Neighbor Search", 2024; for more than a bit: Gao et al., "Practical and
// Asymptotically Optimal Quantization of High-Dimensional Vectors in Euclidean Space", 2025.
//
// With R the rotation, m the mean of the centroids, c the centroid of vector o, q the query:
//   r = R(o - c), code levels x with v = x - (2^B - 1) / 2 along r, k = |r|^2 / <v, r>
//   l2      |r|^2 + 2k<v, R(c - m)>      + |q - c|^2 - 2k<v, R(q - m)>
//   ip      -<r, R c> + k<v, R(c - m)>   - <q, c>    -  k<v, R(q - m)>
//   cosine  1 + ip of vectors and query of length 1 (a vector or query of length 0 stays 0)
// The first part is `add`, the factor of <v, R(q - m)> is `scale`. One standard deviation of the
// estimate over random rotations is at most `error` * |q - c|, error = s|r| sqrt((1/cos^2 - 1) /
// (padded - 1)), cos that of v and r, s = 2 for l2, else 1.
// Immutable after make(); thread-safe.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "quant/centroid_table.hpp"
#include "quant/rabitq_code.hpp"
#include "quant/rotation.hpp"
#include "rvf/result.hpp"
#include "rvf/types.hpp"
#include "wire/quant_codec.hpp"

namespace rvf::quant {

// What stands beside a code. All are 0 where a vector equals its centroid, but for `add` of ip;
// `error` alone is infinite where the others would be.
struct RaBitQFactors {
  float add = 0;
  float scale = 0;
  float error = 0;
  friend bool operator==(const RaBitQFactors&, const RaBitQFactors&) = default;
};

struct Estimate {
  float distance = 0;
  float error = 0;  // one standard deviation, at most
};

// Where the true distance lies, beyond `deviations` standard deviations of doubt. With 1.9 it is
// right for 97 in 100 vectors at least, with 3 for 998 in 1000.
enum class Side : uint8_t { kBelow, kAbove, kUnknown };
inline constexpr float kDefaultDeviations = 2.5F;
constexpr Side side_of(Estimate e, float distance, float deviations = kDefaultDeviations) noexcept {
  const float doubt = e.error * deviations;
  if (e.distance + doubt < distance) return Side::kBelow;
  if (e.distance - doubt > distance) return Side::kAbove;
  return Side::kUnknown;
}

class RaBitQ;

// A query, rotated once; what depends on a centroid is worked out for each of them. Outlives no
// RaBitQ. Immutable; thread-safe.
class RaBitQQuery {
 public:
  Estimate estimate(const uint8_t* code, const RaBitQFactors& factors,
                    uint32_t centroid) const noexcept;

  const std::vector<float>& rotated() const noexcept { return rotated_; }  // R(q - m), [padded]
  float rotated_sum() const noexcept { return sum_; }
  float add(uint32_t centroid) const noexcept { return add_[centroid]; }
  float distance_to(uint32_t centroid) const noexcept { return distance_[centroid]; }
  // What RaBitQFactors::error is to be multiplied by.
  float doubt(uint32_t centroid) const noexcept { return doubt_[centroid]; }
  // The query as it is compared: of length 1 for cosine.
  const std::vector<float>& vector() const noexcept { return vector_; }

 private:
  friend class RaBitQ;
  unsigned bits_ = 1;
  float sum_ = 0;
  std::vector<float> vector_;
  std::vector<float> rotated_;
  std::vector<float> add_;  // [centroids]: |q - c|^2 or -<q, c>, cosine: 1 - <q, c>
  std::vector<float> distance_;  // [centroids]: |q - c|
  std::vector<float> doubt_;  // [centroids]: the same, not below what rounding may do
};

class RaBitQ {
 public:
  // `centroids` is [count][dim], at least one; train_kmeans() makes them (of vectors of length 1
  // for cosine). kBadArgument for a wrong shape or bits, kNotFinite for centroids with NaN,
  // kWrongMetric for hamming.
  static Result<RaBitQ> make(Metric metric, unsigned bits, std::span<const float> centroids,
                             size_t dim, uint64_t seed, uint32_t rounds = Rotation::kDefaultRounds);
  // From a file; the same errors, and kUnsupported for a rotation of another kind.
  static Result<RaBitQ> from_wire(const wire::RaBitQ& model, size_t dim, Metric metric);
  wire::RaBitQ to_wire() const;

  Metric metric() const noexcept { return metric_; }
  unsigned bits() const noexcept { return bits_; }
  size_t dim() const noexcept { return rotation_.dim(); }
  size_t padded() const noexcept { return rotation_.padded(); }
  size_t code_bytes() const noexcept { return packed_bytes(padded(), bits_); }
  uint32_t centroid_count() const noexcept { return static_cast<uint32_t>(table_.count()); }
  std::span<const float> centroids() const noexcept { return centroids_; }
  const CentroidTable& table() const noexcept { return table_; }
  size_t memory_bytes() const noexcept;

  // Working memory of encode() and decode(); one a thread, reusable.
  struct Scratch {
    std::vector<float> vector;
    std::vector<float> residual;
    std::vector<uint8_t> levels;
  };

  uint32_t nearest_centroid(const float* vector, Scratch& scratch) const;
  // Of many rows, [n][dim]; `index` is [n].
  void nearest_centroids(std::span<const float> rows, uint32_t* index, Scratch& scratch) const;
  // `vector` is [dim], finite; `code` is [code_bytes()].
  RaBitQFactors encode(const float* vector, uint32_t centroid, uint8_t* code,
                       Scratch& scratch) const;
  // The same, but one byte a level, and of `bits` bits instead of bits().
  RaBitQFactors encode_levels(const float* vector, uint32_t centroid, unsigned bits,
                              uint8_t* levels, Scratch& scratch) const;

  // The vector of the least squared error along the code; for cosine that of length about 1.
  // `out` is [dim].
  void decode(const uint8_t* code, const RaBitQFactors& factors, uint32_t centroid, float* out,
              Scratch& scratch) const;

  // kWrongDimension, kNotFinite.
  Result<RaBitQQuery> prepare(std::span<const float> query) const;

 private:
  const float* rotated_centroid(uint32_t c) const noexcept {
    return rotated_.data() + c * padded();
  }
  const float* as_compared(const float* vector, std::vector<float>& scratch) const;

  Metric metric_ = Metric::kL2;
  unsigned bits_ = 1;
  Rotation rotation_;
  std::vector<float> centroids_;  // [count][dim]
  std::vector<float> mean_;  // [dim]
  std::vector<float> rotated_mean_;  // [padded]: R m
  std::vector<float> rotated_;  // [count][padded]: R(c - m)
  std::vector<float> norms_;  // [count]: |c - m|
  CentroidTable table_;
};

}  // namespace rvf::quant
