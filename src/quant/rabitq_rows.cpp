#include "quant/rabitq_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "quant/shape.hpp"

namespace rvf::quant {
namespace {

struct Factors {
  float step = 0;
  uint16_t centroid = 0;
};

Factors factors_of(const uint8_t* at) noexcept {
  Factors f;
  std::memcpy(&f.step, at, 4);
  std::memcpy(&f.centroid, at + 4, 2);
  return f;
}

}  // namespace

Result<RaBitQRows> RaBitQRows::from_wire(wire::RaBitQ model, size_t dim) {
  const size_t count = dim == 0 ? 0 : model.centroids.size() / dim;
  if (model.rotation != wire::RotationKind::kAlternatingHadamard ||
      model.padded_dimension != Rotation::padded_of(dim) || (model.bits != 4 && model.bits != 8) ||
      count > kMaxCentroids) {
    return Error(ErrorCode::kUnsupported,
                 "rows coded by RaBitQ with rotation " +
                     std::to_string(static_cast<unsigned>(model.rotation)) + ", " +
                     std::to_string(model.bits) + " bits and " + std::to_string(count) +
                     " centroids are unknown here");
  }
  RVF_TRY(check_rows(model.centroids, dim));
  RaBitQRows q;
  q.rotation_ = Rotation::make(dim, model.seed, model.rounds);
  q.model_ = std::move(model);
  return q;
}

RaBitQRows::Scratch RaBitQRows::make_scratch() const {
  return {.values = std::vector<float>(padded()), .levels = std::vector<uint8_t>(padded())};
}

void RaBitQRows::encode(const float* vector, uint32_t centroid, Scratch& scratch,
                        uint8_t* row) const noexcept {
  float* r = scratch.values.data();
  const float* c = this->centroid(centroid);
  for (size_t i = 0; i < dim(); ++i) r[i] = vector[i] - c[i];
  rotation_.apply(r, r);
  choose_levels(r, padded(), bits(), scratch.levels.data());
  pack_levels(scratch.levels.data(), padded(), bits(), row);
  const float middle = level_middle(bits());
  double along = 0;
  double size2 = 0;
  for (size_t i = 0; i < padded(); ++i) {
    const double v = static_cast<float>(scratch.levels[i]) - middle;
    along += v * r[i];
    size2 += v * v;
  }
  auto step = static_cast<float>(along / size2);
  if (!(step > 0) || !std::isfinite(step)) step = 0;
  const auto number = static_cast<uint16_t>(centroid);
  std::memcpy(row + code_bytes(), &step, 4);
  std::memcpy(row + code_bytes() + 4, &number, 2);
}

void RaBitQRows::decode(const uint8_t* row, Scratch& scratch, float* vector) const noexcept {
  if (!is_whole(row)) {
    std::fill_n(vector, dim(), 0.0F);
    return;
  }
  const Factors f = factors_of(row + code_bytes());
  unpack_levels(row, padded(), bits(), scratch.levels.data());
  const float middle = level_middle(bits());
  float* r = scratch.values.data();
  for (size_t i = 0; i < padded(); ++i) {
    r[i] = f.step * (static_cast<float>(scratch.levels[i]) - middle);
  }
  rotation_.invert(r, r);
  const float* c = centroid(f.centroid);
  for (size_t i = 0; i < dim(); ++i) vector[i] = c[i] + r[i];
}

bool RaBitQRows::is_whole(const uint8_t* row) const noexcept {
  const Factors f = factors_of(row + code_bytes());
  return f.centroid < centroid_count() && std::isfinite(f.step) && f.step >= 0;
}

double RaBitQRows::residual2(const uint8_t* row, Scratch& scratch) const noexcept {
  const Factors f = factors_of(row + code_bytes());
  unpack_levels(row, padded(), bits(), scratch.levels.data());
  const double middle = level_middle(bits());
  double size2 = 0;
  for (const uint8_t level : scratch.levels) size2 += (level - middle) * (level - middle);
  return double{f.step} * f.step * size2;
}

}  // namespace rvf::quant
