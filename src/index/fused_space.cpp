#include "index/fused_space.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/convert.hpp"
#include "types/splitmix.hpp"

namespace rvf::index {
namespace {

constexpr uint64_t kSampleRows = 8192;
constexpr uint64_t kSampleValues = uint64_t{1} << 23;
constexpr float kMeanNorm2 = 64;

double square(std::span<const float> v) {
  double sum = 0;
  for (const float x : v) sum += static_cast<double>(x) * x;
  return sum;
}

void make_finite(std::span<float> v) {
  for (float& x : v) {
    if (!std::isfinite(x)) x = 0;
  }
}

}  // namespace

Result<FusedSpace> FusedSpace::from(FusedFrame frame) {
  const bool whole = frame.dim > 0 && frame.dim < kMaxDimension &&
                     frame.centre.size() == frame.coordinates() && std::isfinite(frame.scale) &&
                     frame.scale > 0 && std::isfinite(frame.largest_norm2) &&
                     std::all_of(frame.centre.begin(), frame.centre.end(),
                                 [](float f) { return std::isfinite(f); });
  if (!whole) return Error(ErrorCode::kCorrupt, "the frame of the fused layout is damaged");
  FusedSpace s;
  s.layout_ = FusedLayout::of(frame.coordinates());
  s.rotation_ = quant::Rotation::make(frame.coordinates(), frame.seed);
  s.frame_ = std::move(frame);
  return s;
}

Result<FusedSpace> FusedSpace::fit(const GraphInput& input, uint64_t seed) {
  FusedFrame frame;
  frame.metric = input.metric;
  frame.dim = static_cast<uint32_t>(input.dim);
  frame.seed = seed;
  frame.centre.assign(frame.coordinates(), 0.0F);
  std::vector<float> v(input.dim);
  if (input.metric == Metric::kInnerProduct) {
    for (uint64_t r = 0; r < input.count; ++r) {
      RVF_TRY(kernels::decode_row((*input.rows)[input.first_row + r], input.dtype, v));
      make_finite(v);
      frame.largest_norm2 = std::max(frame.largest_norm2, static_cast<float>(square(v)));
    }
    if (!std::isfinite(frame.largest_norm2)) frame.largest_norm2 = 0;
  }
  const uint64_t wanted = std::clamp<uint64_t>(kSampleValues / input.dim, 64, kSampleRows);
  const uint64_t rows = std::min(input.count, wanted);
  std::vector<double> mean(frame.coordinates(), 0.0);
  double norm2 = 0;
  for (uint64_t i = 0; i < rows; ++i) {
    const uint64_t pick = rows == input.count ? i : splitmix64(seed + i) % input.count;
    RVF_TRY(kernels::decode_row((*input.rows)[input.first_row + pick], input.dtype, v));
    make_finite(v);
    const double norm = square(v);
    const double by = input.metric == Metric::kCosine && norm > 0 ? 1 / std::sqrt(norm) : 1;
    for (size_t d = 0; d < v.size(); ++d) mean[d] += v[d] * by;
    if (input.metric == Metric::kInnerProduct) {
      const double rest = std::max(0.0, frame.largest_norm2 - norm);
      mean.back() += std::sqrt(rest);
      norm2 += norm + rest;
    } else {
      norm2 += norm * by * by;
    }
  }
  const auto n = static_cast<double>(rows);
  double spread = norm2 / n;
  for (size_t d = 0; d < mean.size(); ++d) {
    frame.centre[d] = static_cast<float>(mean[d] / n);
    spread -= (mean[d] / n) * (mean[d] / n);
  }
  const auto scale = static_cast<float>(std::sqrt(kMeanNorm2 / spread));
  if (spread > 0 && std::isfinite(scale) && scale > 0) frame.scale = scale;
  for (float& c : frame.centre) {
    if (!std::isfinite(c)) c = 0;
  }
  return from(std::move(frame));
}

void FusedSpace::place(std::span<float> vector, bool is_query, float* out) const noexcept {
  make_finite(vector);
  const bool ip = frame_.metric == Metric::kInnerProduct;
  double norm2 = 0;
  if (ip || frame_.metric == Metric::kCosine) norm2 = square(vector);
  // The length of an ip query changes no order; with that of the rows its products lose least.
  double length = 1;
  if (norm2 > 0 && frame_.metric == Metric::kCosine) length = 1 / std::sqrt(norm2);
  if (norm2 > 0 && ip && is_query) length = std::sqrt(frame_.largest_norm2 / norm2);
  const auto by = static_cast<float>(length);
  for (size_t d = 0; d < vector.size(); ++d) {
    out[d] = (vector[d] * by - frame_.centre[d]) * frame_.scale;
  }
  if (ip) {
    const float rest =
        is_query ? 0 : std::max(0.0F, frame_.largest_norm2 - static_cast<float>(norm2));
    out[vector.size()] = (std::sqrt(rest) - frame_.centre.back()) * frame_.scale;
  }
  rotation_.apply(out, out);
  for (uint32_t d = 0; d < layout_.padded; ++d) {
    if (!std::isfinite(out[d])) out[d] = 0;  // rows of another magnitude than those fitted to
  }
}

const FusedKernels& fused_kernels(kernels::Isa isa) noexcept {
#if RVF_INDEX_X86
  if (isa == kernels::Isa::kBest) isa = kernels::best_isa();
  if (kernels::isa_includes(isa, kernels::Isa::kAvx512)) return kFusedAvx512;
  if (kernels::isa_includes(isa, kernels::Isa::kAvx2)) return kFusedAvx2;
#else
  (void)isa;
#endif
  return kFusedScalar;
}

}  // namespace rvf::index
