#include "index/fused_space.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/convert.hpp"
#include "kernels/square_sum.hpp"
#include "types/splitmix.hpp"

namespace rvf::index {
namespace {

constexpr uint64_t kSampleRows = 8192;
constexpr uint64_t kSampleValues = uint64_t{1} << 23;
constexpr float kMeanNorm2 = 64;
constexpr double kLargestNorm2 = 1e37;
// Rows so many times farther from the middle than the median one are not fitted to.
constexpr float kFarther = 16;
constexpr float kFarthest = 1000;  // from the centre, where rows are 8 away

void make_finite(std::span<float> v) {
  for (float& x : v) x = std::fabs(x) <= std::numeric_limits<float>::max() ? x : 0;
}

float quantile(std::vector<float> values, double share) {
  const auto at =
      values.begin() + static_cast<ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// Centre and scale of the sample's rows without those that lie far off.
void fit_to(const std::vector<float>& sample, FusedFrame& frame) {
  const size_t width = frame.coordinates();
  const size_t rows = sample.size() / width;
  const size_t few = std::min<size_t>(rows, 255);
  std::vector<float> middle(width);
  std::vector<float> column(few);
  for (size_t d = 0; d < width; ++d) {
    for (size_t i = 0; i < few; ++i) column[i] = sample[i * width + d];
    middle[d] = quantile(column, 0.5);
  }
  std::vector<float> distances(rows);
  for (size_t i = 0; i < rows; ++i) {
    double sum = 0;
    for (size_t d = 0; d < width; ++d) {
      const double x = static_cast<double>(sample[i * width + d]) - middle[d];
      sum += x * x;
    }
    distances[i] = static_cast<float>(std::min(sum, kLargestNorm2));
  }
  const float limit = kFarther * quantile(distances, 0.5);
  std::vector<double> mean(width, 0.0);
  double kept = 0;
  double norm2 = 0;
  for (size_t i = 0; i < rows; ++i) {
    if (distances[i] > limit && limit > 0) continue;
    ++kept;
    norm2 += static_cast<double>(distances[i]);
    for (size_t d = 0; d < width; ++d) {
      mean[d] += static_cast<double>(sample[i * width + d]) - middle[d];
    }
  }
  double spread = norm2 / kept;
  for (size_t d = 0; d < width; ++d) {
    mean[d] /= kept;
    spread -= mean[d] * mean[d];
    frame.centre[d] = static_cast<float>(middle[d] + mean[d]);
  }
  const auto scale = static_cast<float>(std::sqrt(kMeanNorm2 / spread));
  if (spread > 0 && std::isfinite(scale) && scale > 0) frame.scale = scale;
  for (float& c : frame.centre) {
    if (!std::isfinite(c)) c = 0;
  }
}

}  // namespace

Result<FusedSpace> FusedSpace::from(FusedFrame frame) {
  const bool whole = frame.dim > 0 && frame.dim <= kMaxDimension &&
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
  std::vector<float> v(input.dim);
  if (input.metric == Metric::kInnerProduct) {
    std::vector<float> norms;
    norms.reserve(static_cast<size_t>(input.count));
    for (uint64_t r = 0; r < input.count; ++r) {
      RVF_TRY(kernels::decode_row((*input.rows)[input.first_row + r], input.dtype, v));
      make_finite(v);
      norms.push_back(static_cast<float>(std::min(kernels::square_sum(v), kLargestNorm2)));
    }
    // A few rows of another magnitude must not make all others look alike.
    const float most = *std::max_element(norms.begin(), norms.end());
    frame.largest_norm2 = std::min(most, kFarther * quantile(norms, 0.99));
  }
  const uint64_t wanted = std::clamp<uint64_t>(kSampleValues / input.dim, 64, kSampleRows);
  const uint64_t rows = std::min(input.count, wanted);
  const size_t width = frame.coordinates();
  std::vector<float> sample(static_cast<size_t>(rows) * width);
  frame.centre.assign(width, 0.0F);
  const FusedSpace unplaced(frame);
  for (uint64_t i = 0; i < rows; ++i) {
    const uint64_t pick = rows == input.count ? i : splitmix64(seed + i) % input.count;
    RVF_TRY(kernels::decode_row((*input.rows)[input.first_row + pick], input.dtype, v));
    unplaced.lift(v, false, &sample[static_cast<size_t>(i) * width]);
  }
  fit_to(sample, frame);
  return from(std::move(frame));
}

bool FusedSpace::lift(std::span<float> vector, bool is_query, float* out) const noexcept {
  make_finite(vector);
  const bool ip = frame_.metric == Metric::kInnerProduct;
  const double norm2 = ip || frame_.metric == Metric::kCosine ? kernels::square_sum(vector) : 0;
  double length = 1;
  double rest = 0;
  if (frame_.metric == Metric::kCosine && norm2 > 0) length = 1 / std::sqrt(norm2);
  if (ip) {
    const auto largest = static_cast<double>(frame_.largest_norm2);
    // The length of an ip query changes no order; with that of the rows its products lose least.
    if (norm2 > 0 && (is_query || norm2 > largest)) length = std::sqrt(largest / norm2);
    if (!is_query) rest = std::sqrt(std::max(0.0, largest - norm2));
  }
  if (length == 1) {
    std::copy(vector.begin(), vector.end(), out);
  } else {
    for (size_t d = 0; d < vector.size(); ++d) {
      out[d] = static_cast<float>(static_cast<double>(vector[d]) * length);
    }
  }
  if (ip) out[vector.size()] = static_cast<float>(rest);
  return frame_.metric == Metric::kCosine && !(norm2 > 0);
}

bool FusedSpace::place(std::span<float> vector, bool is_query, float* out) const noexcept {
  const bool is_null = lift(vector, is_query, out);
  const size_t n = frame_.coordinates();
  for (size_t d = 0; d < n; ++d) out[d] = (out[d] - frame_.centre[d]) * frame_.scale;
  const double norm2 = kernels::square_sum({out, n});
  // Beyond this only the direction counts, and single precision loses what tells rows apart.
  if (!(norm2 <= double{kFarthest} * kFarthest)) {
    double largest = 0;
    for (size_t d = 0; d < n; ++d) {
      largest = std::max(largest, std::fabs(static_cast<double>(out[d])));
    }
    if (!std::isfinite(largest)) largest = std::numeric_limits<float>::max();
    double sum = 0;
    for (size_t d = 0; d < n; ++d) {
      const double x = std::clamp(static_cast<double>(out[d]) / largest, -1.0, 1.0);
      sum += x * x;
    }
    const double by = kFarthest / (largest * std::sqrt(sum));
    for (size_t d = 0; d < n; ++d) {
      const double x = std::clamp(static_cast<double>(out[d]), -largest, largest);
      out[d] = static_cast<float>(x * by);
    }
  }
  rotation_.apply(out, out);
  return is_null;
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
