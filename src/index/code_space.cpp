#include "index/code_space.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "types/splitmix.hpp"
#include "kernels/convert.hpp"

namespace rvf::index {
namespace {

constexpr uint64_t kSampleRows = 2048;
constexpr uint64_t kSampleValues = uint64_t{1} << 21;
// The share of values that the code range covers. A whole outlier dimension in a thousand stays
// inside.
constexpr double kCovered = 0.9998;

void normalise(std::vector<float>& v) {
  double norm = 0;
  for (const float x : v) norm += static_cast<double>(x) * x;
  if (!(norm > 0)) return;
  const auto f = static_cast<float>(1 / std::sqrt(norm));
  for (float& x : v) x *= f;
}

}  // namespace

void CodeSpace::Query::set(uint32_t node) noexcept {
  const int8_t* code = space_->codes_.get() + node * space_->stride_;
  for (size_t i = 0; i < space_->stride_; ++i) code_[i] = static_cast<uint8_t>(code[i] ^ 0x80);
  norm_ = space_->norms_[node];
  extra_ = space_->extra_.empty() ? 0 : space_->extra_[node];
}

void CodeSpace::Query::set_as_search(uint32_t node) noexcept {
  set(node);
  extra_ = 0;
}

void CodeSpace::Query::distances(const uint32_t* nodes, size_t n, float* out) const noexcept {
  const CodeSpace& s = *space_;
  const int8_t** rows = rows_.get();
  int32_t* dots = dots_.get();
  for (size_t i = 0; i < n; ++i) rows[i] = s.codes_.get() + nodes[i] * s.stride_;
  s.dots_(code_.get(), rows, n, s.stride_, dots);
  for (size_t i = 0; i < n; ++i) {
    out[i] = static_cast<float>(norm_ + s.terms_[nodes[i]] - 2 * static_cast<int64_t>(dots[i]));
  }
  if (s.extra_.empty()) return;
  for (size_t i = 0; i < n; ++i) {
    const float d = extra_ - s.extra_[nodes[i]];
    out[i] += d * d;
  }
}

Result<CodeSpace> CodeSpace::make(const GraphInput& input, uint64_t seed, Executor& executor) {
  CodeSpace s;
  s.stride_ = (input.dim + 63) / 64 * 64;
  s.dots_ = kernels::code_dots();
  s.codes_ = aligned_array<int8_t>(static_cast<size_t>(input.count) * s.stride_);
  if (s.codes_ == nullptr) {
    return Error(ErrorCode::kOutOfMemory, "no memory for the codes of " +
                                              std::to_string(input.count) + " rows of " +
                                              std::to_string(input.dim) + " dimensions");
  }
  s.norms_.resize(static_cast<size_t>(input.count));
  s.terms_.resize(static_cast<size_t>(input.count));
  RVF_TRY(s.fit(input, seed));
  executor.parallel_for(input.count, 256,
                        [&](size_t, uint64_t b, uint64_t e) { s.encode(input, b, e); });
  if (input.metric == Metric::kInnerProduct) {
    const int64_t largest = *std::max_element(s.norms_.begin(), s.norms_.end());
    s.extra_.resize(s.norms_.size());
    for (size_t i = 0; i < s.norms_.size(); ++i) {
      s.extra_[i] = static_cast<float>(std::sqrt(static_cast<double>(largest - s.norms_[i])));
    }
  }
  return s;
}

Status CodeSpace::fit(const GraphInput& input, uint64_t seed) {
  const size_t dim = input.dim;
  normalise_ = input.metric == Metric::kCosine;
  mean_.assign(dim, 0.0F);
  const bool euclidean = input.metric == Metric::kL2 || input.metric == Metric::kHamming;
  const bool small = input.dtype == DType::kI8 || input.dtype == DType::kU8 ||
                     input.dtype == DType::kI4 || input.dtype == DType::kBinary;
  std::vector<float> v(dim);
  if (small && euclidean) {
    if (input.dtype == DType::kU8) mean_.assign(dim, 128.0F);
    return {};
  }
  const uint64_t wanted = std::clamp<uint64_t>(kSampleValues / dim, 16, kSampleRows);
  const uint64_t rows = std::min(input.count, wanted);
  std::vector<float> sample;
  sample.reserve(static_cast<size_t>(rows) * dim);
  for (uint64_t i = 0; i < rows; ++i) {
    const uint64_t pick = rows == input.count ? i : splitmix64(seed + i) % input.count;
    RVF_TRY(kernels::decode_row((*input.rows)[input.first_row + pick], input.dtype, v));
    for (float& x : v) {
      if (!std::isfinite(x)) x = 0;
    }
    if (normalise_) normalise(v);
    for (size_t d = 0; d < dim; ++d) mean_[d] += v[d] / static_cast<float>(rows);
    sample.insert(sample.end(), v.begin(), v.end());
  }
  // The extra coordinate of ip is measured from the origin, so ip is not centred.
  if (input.metric == Metric::kInnerProduct) mean_.assign(dim, 0.0F);
  for (size_t i = 0; i < sample.size(); ++i) sample[i] = std::fabs(sample[i] - mean_[i % dim]);
  const auto at =
      sample.begin() + static_cast<ptrdiff_t>(kCovered * static_cast<double>(sample.size() - 1));
  std::nth_element(sample.begin(), at, sample.end());
  float reach = *at;
  if (!(reach > 0)) reach = *std::max_element(sample.begin(), sample.end());
  scale_ = reach > 0 && std::isfinite(127.0F / reach) ? 127.0F / reach : 1.0F;
  return {};
}

void CodeSpace::encode(const GraphInput& input, uint64_t begin, uint64_t end) {
  std::vector<float> v(input.dim);
  for (uint64_t r = begin; r < end; ++r) {
    int8_t* code = codes_.get() + r * stride_;
    std::fill_n(code, stride_, int8_t{0});
    if (!kernels::decode_row((*input.rows)[input.first_row + r], input.dtype, v).ok()) continue;
    if (normalise_) normalise(v);
    int64_t norm = 0;
    int64_t sum = 0;
    for (size_t d = 0; d < input.dim; ++d) {
      // The comparisons send NaN to the lower bound; adding 1.5 * 2^23 rounds to nearest even.
      float x = (v[d] - mean_[d]) * scale_;
      x = x > -128.0F ? x : -128.0F;
      x = x < 127.0F ? x : 127.0F;
      const int c = std::bit_cast<int32_t>(x + 12582912.0F) - 0x4B400000;
      code[d] = static_cast<int8_t>(c);
      norm += int64_t{c} * c;
      sum += c;
    }
    norms_[r] = norm;
    terms_[r] = norm + 256 * sum;
  }
}

}  // namespace rvf::index
