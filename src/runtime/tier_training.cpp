#include "runtime/tier_training.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/convert.hpp"
#include "quant/grouped_centroids.hpp"

namespace rvf::runtime {
namespace {

constexpr size_t kRowsPerCentroid = 40;  // that train it
constexpr size_t kCentroidBytes = 4U << 20;
constexpr size_t kSampleBytes = 64U << 20;
constexpr size_t kSuitSample = 2048;
constexpr double kWorse = 1.5;  // mean squared residuals that a quantiser still suits
constexpr uint64_t kSeed = 0x5256465F524F5753;

// 4 sqrt(n), but neither more than a small part of the codes nor too many to hold.
size_t centroid_count(size_t rows, size_t dim) {
  const auto wanted = static_cast<size_t>(4 * std::sqrt(static_cast<double>(rows)));
  const size_t most = std::min(
      {quant::RaBitQRows::kMaxCentroids, kCentroidBytes / (dim * sizeof(float)), rows / 32});
  return std::clamp<size_t>(wanted, 1, std::max<size_t>(most, 1));
}

}  // namespace

// Up to `count` of the rows, evenly spread.
Result<std::vector<float>> TierTraining::sample(size_t count) const {
  const size_t dim = from_.dimension;
  const size_t n = std::clamp<size_t>(count, 1, rows_.size());
  std::vector<float> out(n * dim);
  for (size_t i = 0; i < n; ++i) {
    const uint64_t row = rows_[i * rows_.size() / n];
    RVF_TRY(
        kernels::decode_row(from_.rows[row], from_.dtype, std::span(out).subspan(i * dim, dim)));
  }
  return out;
}

Result<TierTraining::Code> TierTraining::scalar(const Code& there) const {
  wire::ScalarQuant model;
  model.bits = 8;
  if (there != nullptr) model = there->scalar()->model();
  std::vector<float> v(from_.dimension);
  bool fits = there != nullptr;
  for (const uint64_t row : rows_) {
    RVF_TRY(kernels::decode_row(from_.rows[row], from_.dtype, v));
    if (model.min.empty()) model.min = model.max = v;
    for (size_t d = 0; d < v.size(); ++d) {
      fits = fits && v[d] >= model.min[d] && v[d] <= model.max[d];
      model.min[d] = std::min(model.min[d], v[d]);
      model.max[d] = std::max(model.max[d], v[d]);
    }
  }
  if (fits) return there;
  wire::Quant quant;
  quant.dimension = static_cast<uint16_t>(from_.dimension);
  quant.model = std::move(model);
  RVF_ASSIGN(quant::RowCode code, quant::RowCode::from_wire(std::move(quant)));
  return std::make_shared<const quant::RowCode>(std::move(code));
}

Result<bool> TierTraining::suits(const Code& there, std::span<const uint64_t> coded) const {
  const quant::RaBitQRows& rabitq = *there->rabitq();
  auto scratch = rabitq.make_scratch();
  double before = 0;
  size_t n = 0;
  for (size_t i = 0; i < kSuitSample && i < coded.size(); ++i) {
    const uint64_t row = coded[i * coded.size() / std::min(kSuitSample, coded.size())];
    const VecSegment::Block& block = from_.segment_of(row).block_of(row);
    if (block.lazy == nullptr || block.lazy->code() != there) continue;
    const std::byte* code = block.lazy->code_of(row - block.first_row);
    before += rabitq.residual2(reinterpret_cast<const uint8_t*>(code), scratch);
    ++n;
  }
  if (n == 0) return false;
  RVF_ASSIGN(const auto centroids,
             quant::GroupedCentroids::make(rabitq.model().centroids, from_.dimension));
  auto nearest = centroids.make_scratch();
  RVF_ASSIGN(const std::vector<float> rows, sample(kSuitSample));
  double now = 0;
  size_t asked = 0;
  for (size_t at = 0; at < rows.size(); at += from_.dimension) {
    float distance2 = 0;
    (void)centroids.nearest(rows.data() + at, nearest, &distance2);
    now += distance2;
    ++asked;
  }
  return now / static_cast<double>(asked) <= kWorse * before / static_cast<double>(n);
}

Result<TierTraining::Code> TierTraining::rabitq(const Code& there,
                                                std::span<const uint64_t> coded) const {
  if (there != nullptr) {
    RVF_ASSIGN(const bool good, suits(there, coded));
    if (good) return there;
  }
  const size_t dim = from_.dimension;
  const size_t wanted = centroid_count(rows_.size(), dim);
  const size_t most = std::max(kSampleBytes / (dim * sizeof(float)), wanted);
  RVF_ASSIGN(const std::vector<float> rows, sample(std::min(wanted * kRowsPerCentroid, most)));
  wire::RaBitQ model;
  model.bits = 4;
  model.rounds = quant::Rotation::kDefaultRounds;
  model.rotation = wire::RotationKind::kAlternatingHadamard;
  model.seed = kSeed;
  model.padded_dimension = static_cast<uint32_t>(quant::Rotation::padded_of(dim));
  RVF_ASSIGN(model.centroids, quant::train_grouped_centroids(rows, dim, wanted, kSeed, executor_));
  wire::Quant quant;
  quant.dimension = static_cast<uint16_t>(dim);
  quant.model = std::move(model);
  RVF_ASSIGN(quant::RowCode code, quant::RowCode::from_wire(std::move(quant)));
  return std::make_shared<const quant::RowCode>(std::move(code));
}

}  // namespace rvf::runtime
