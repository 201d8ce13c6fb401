#include "quant/rabitq.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "quant/shape.hpp"

namespace rvf::quant {
namespace {

double dot(const float* a, const float* b, size_t n) noexcept {
  double sum[4] = {};
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (size_t l = 0; l < 4; ++l) sum[l] += double{a[i + l]} * b[i + l];
  }
  for (; i < n; ++i) sum[0] += double{a[i]} * b[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// Of a vector too large for f32: every distance is in doubt.
constexpr RaBitQFactors kUnknownFactors{
    .add = 0, .scale = 0, .error = std::numeric_limits<float>::infinity()};

bool finite(const RaBitQFactors& f) noexcept {
  return std::isfinite(f.add) && std::isfinite(f.scale) && std::isfinite(f.error);
}

// Writes rotation(a - b).
void rotate_difference(const Rotation& rotation, const float* a, const float* b, float* out) {
  for (size_t i = 0; i < rotation.dim(); ++i) out[i] = a[i] - b[i];
  rotation.apply(out, out);
}

}  // namespace

Result<RaBitQ> RaBitQ::make(Metric metric, unsigned bits, std::span<const float> centroids,
                            size_t dim, uint64_t seed, uint32_t rounds) {
  RVF_TRY(check_rows(centroids, dim));
  if (bits == 0 || bits > kMaxRaBitQBits || dim > kMaxDimension || rounds > 255) {
    return Error(ErrorCode::kBadArgument,
                 "RaBitQ has 1 to 8 bits, up to 65535 dimensions and up "
                 "to 255 rounds of rotation, not " +
                     std::to_string(bits) + ", " + std::to_string(dim) + " and " +
                     std::to_string(rounds));
  }
  if (metric == Metric::kHamming) {
    return Error(ErrorCode::kWrongMetric, "RaBitQ does not estimate hamming distances");
  }
  RaBitQ q;
  q.metric_ = metric;
  q.bits_ = bits;
  q.rotation_ = Rotation::make(dim, seed, rounds);
  q.centroids_.assign(centroids.begin(), centroids.end());
  q.table_ = CentroidTable(centroids, dim);
  const size_t count = q.table_.count();
  std::vector<double> sum(dim);
  for (size_t i = 0; i < centroids.size(); ++i) sum[i % dim] += double{centroids[i]};
  q.mean_.resize(dim);
  for (size_t j = 0; j < dim; ++j) {
    q.mean_[j] = static_cast<float>(sum[j] / static_cast<double>(count));
  }
  q.rotated_mean_.resize(q.padded());
  q.rotation_.apply(q.mean_.data(), q.rotated_mean_.data());
  q.rotated_.resize(count * q.padded());
  for (size_t c = 0; c < count; ++c) {
    rotate_difference(q.rotation_, q.centroids_.data() + c * dim, q.mean_.data(),
                      q.rotated_.data() + c * q.padded());
    const float* rotated = q.rotated_.data() + c * q.padded();
    q.norms_.push_back(static_cast<float>(std::sqrt(dot(rotated, rotated, q.padded()))));
  }
  return q;
}

Result<RaBitQ> RaBitQ::from_wire(const wire::RaBitQ& model, size_t dim, Metric metric) {
  if (model.rotation != wire::RotationKind::kAlternatingHadamard ||
      model.padded_dimension != Rotation::padded_of(dim)) {
    return Error(ErrorCode::kUnsupported,
                 "the RaBitQ rotation of kind " +
                     std::to_string(static_cast<unsigned>(model.rotation)) + ", padded to " +
                     std::to_string(model.padded_dimension) + ", is unknown here");
  }
  return make(metric, model.bits, model.centroids, dim, model.seed, model.rounds);
}

wire::RaBitQ RaBitQ::to_wire() const {
  return {.rounds = static_cast<uint8_t>(rotation_.rounds()),
          .bits = static_cast<uint8_t>(bits_),
          .rotation = wire::RotationKind::kAlternatingHadamard,
          .seed = rotation_.seed(),
          .padded_dimension = static_cast<uint32_t>(padded()),
          .centroids = centroids_};
}

size_t RaBitQ::memory_bytes() const noexcept {
  return rotation_.memory_bytes() + table_.memory_bytes() +
         (centroids_.size() + mean_.size() + rotated_mean_.size() + rotated_.size()) *
             sizeof(float);
}

// The vector itself, or for cosine one of length 1.
const float* RaBitQ::as_compared(const float* vector, std::vector<float>& scratch) const {
  if (metric_ != Metric::kCosine) return vector;
  const double norm = std::sqrt(dot(vector, vector, dim()));
  scratch.resize(dim());
  for (size_t i = 0; i < dim(); ++i) {
    scratch[i] = norm > 0 ? static_cast<float>(vector[i] / norm) : 0.0F;
  }
  return scratch.data();
}

uint32_t RaBitQ::nearest_centroid(const float* vector, Scratch& scratch) const {
  uint32_t index = 0;
  float distance = 0;
  table_.nearest(as_compared(vector, scratch.vector), dim(), 1, &index, &distance);
  return index;
}

void RaBitQ::nearest_centroids(std::span<const float> rows, uint32_t* index,
                               Scratch& scratch) const {
  const size_t n = rows.size() / dim();
  std::vector<float> distance(n);
  if (metric_ != Metric::kCosine) {
    return table_.nearest(rows.data(), dim(), n, index, distance.data());
  }
  std::vector<float> unit;
  unit.reserve(rows.size());
  for (size_t i = 0; i < n; ++i) {
    const float* row = as_compared(rows.data() + i * dim(), scratch.vector);
    unit.insert(unit.end(), row, row + dim());
  }
  table_.nearest(unit.data(), dim(), n, index, distance.data());
}

RaBitQFactors RaBitQ::encode_levels(const float* vector, uint32_t centroid, unsigned bits,
                                    uint8_t* levels, Scratch& scratch) const {
  const size_t n = padded();
  std::vector<float>& r = scratch.residual;
  r.resize(n);
  rotate_difference(rotation_, as_compared(vector, scratch.vector),
                    centroids_.data() + centroid * dim(), r.data());
  const float* c = rotated_centroid(centroid);
  choose_levels(r.data(), n, bits, levels);

  const auto middle = double{level_middle(bits)};
  double size2 = 0;  // |v|^2
  double along = 0;  // <v, r>
  double with_centroid = 0;  // <v, R(c - m)>
  for (size_t i = 0; i < n; ++i) {
    const double v = levels[i] - middle;
    size2 += v * v;
    along += v * r[i];
    with_centroid += v * c[i];
  }
  const double norm2 = dot(r.data(), r.data(), n);
  const bool l2 = metric_ == Metric::kL2;
  const double times = l2 ? 2 : 1;
  // <r, R c>, only for inner products
  const double offset = l2 ? 0 : dot(r.data(), c, n) + dot(r.data(), rotated_mean_.data(), n);
  RaBitQFactors f{.add = static_cast<float>(l2 ? norm2 : -offset), .scale = 0, .error = 0};
  if (along > 0) {  // else the vector is its centroid, and the code says nothing
    const double k = norm2 / along;
    const double lost = std::max(0.0, size2 * norm2 / (along * along) - 1);  // 1 / cos^2 - 1
    f = {.add = static_cast<float>((l2 ? norm2 : -offset) + times * k * with_centroid),
         .scale = static_cast<float>(-times * k),
         .error = static_cast<float>(times * std::sqrt(norm2 * lost / static_cast<double>(n - 1)))};
  }
  return finite(f) ? f : kUnknownFactors;
}

RaBitQFactors RaBitQ::encode(const float* vector, uint32_t centroid, uint8_t* code,
                             Scratch& scratch) const {
  scratch.levels.resize(padded());
  const RaBitQFactors factors =
      encode_levels(vector, centroid, bits_, scratch.levels.data(), scratch);
  pack_levels(scratch.levels.data(), padded(), bits_, code);
  return factors;
}

void RaBitQ::decode(const uint8_t* code, const RaBitQFactors& factors, uint32_t centroid,
                    float* out, Scratch& scratch) const {
  const size_t n = padded();
  scratch.levels.resize(n);
  scratch.residual.resize(n);
  unpack_levels(code, n, bits_, scratch.levels.data());
  const float middle = level_middle(bits_);
  double size2 = 0;
  for (const uint8_t level : scratch.levels) {
    size2 += (double{middle} - level) * (double{middle} - level);
  }
  // <v, r> / |v|^2 from the factors: a = |r| / cos, e^2 = a^2 - |r|^2.
  const double times = metric_ == Metric::kL2 ? 2 : 1;
  const double a2 = size2 * (factors.scale / times) * (factors.scale / times);
  const double e = factors.error / times;
  const double norm2 = std::max(0.0, a2 - e * e * static_cast<double>(n - 1));
  const double step = a2 > 0 ? norm2 / std::sqrt(a2 * size2) : 0;
  const float* c = rotated_centroid(centroid);
  for (size_t i = 0; i < n; ++i) {
    const double v = static_cast<float>(scratch.levels[i]) - middle;
    scratch.residual[i] = static_cast<float>(c[i] + step * v);
  }
  rotation_.invert(scratch.residual.data(), scratch.residual.data());
  for (size_t i = 0; i < dim(); ++i) out[i] = scratch.residual[i] + mean_[i];
}

Result<RaBitQQuery> RaBitQ::prepare(std::span<const float> query) const {
  if (query.size() != dim()) {
    return Error(ErrorCode::kWrongDimension, "the query has " + std::to_string(query.size()) +
                                                 " dimensions, not " + std::to_string(dim()));
  }
  RVF_TRY(check_rows(query, dim()));
  RaBitQQuery q;
  q.bits_ = bits_;
  q.vector_.assign(query.begin(), query.end());
  if (metric_ == Metric::kCosine) as_compared(query.data(), q.vector_);
  q.rotated_.resize(padded());
  rotate_difference(rotation_, q.vector_.data(), mean_.data(), q.rotated_.data());
  double sum = 0;
  for (const float x : q.rotated_) sum += double{x};
  q.sum_ = static_cast<float>(sum);
  q.distance_.resize(table_.width());
  table_.distances(q.vector_.data(), q.distance_.data());
  q.distance_.resize(centroid_count());
  if (metric_ == Metric::kL2) {
    q.add_ = q.distance_;
  } else {
    const float base = metric_ == Metric::kCosine ? 1.0F : 0.0F;
    q.add_.resize(centroid_count());
    for (size_t c = 0; c < q.add_.size(); ++c) {
      q.add_[c] =
          static_cast<float>(base - dot(q.vector_.data(), centroids_.data() + c * dim(), dim()));
    }
  }
  // Sums of f32 lose digits where centroids or query are far from the mean. An estimate of 8 bits is
  // so exact that this share of its error factor still covers them.
  constexpr double kRounding = 2e-4;
  const double norm = std::sqrt(dot(q.rotated_.data(), q.rotated_.data(), padded()));
  q.doubt_.resize(centroid_count());
  for (size_t c = 0; c < q.doubt_.size(); ++c) {
    const double d = std::sqrt(double{q.distance_[c]});
    q.distance_[c] = static_cast<float>(d);
    q.doubt_[c] = static_cast<float>(d + kRounding * (norm + double{norms_[c]}));
  }
  return q;
}

Estimate RaBitQQuery::estimate(const uint8_t* code, const RaBitQFactors& factors,
                               uint32_t centroid) const noexcept {
  const float levels = dot_packed(code, rotated_.data(), rotated_.size(), bits_);
  const float along = levels - level_middle(bits_) * sum_;
  return {.distance = (factors.add + add_[centroid]) + factors.scale * along,
          .error = factors.error * doubt_[centroid]};
}

}  // namespace rvf::quant
