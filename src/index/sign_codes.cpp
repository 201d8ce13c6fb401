#include "index/sign_codes.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace rvf::index {
namespace {

constexpr size_t kAtOnce = 256;  // records: they stay in the first cache
constexpr int kTop = (1 << kernels::kSignPlanes) - 1;

}  // namespace

void write_sign_code(const FusedLayout& l, const std::byte* block, std::byte* record) noexcept {
  const std::byte* bytes = block + FusedLayout::kVector;
  uint32_t squares = 0;
  uint32_t sum = 0;
  std::memset(record, 0, l.sign_bytes);
  for (uint32_t w = 0; w < l.sign_words; ++w) {
    uint64_t word = 0;
    const uint32_t n = std::min(64U, l.padded - w * 64);
    for (uint32_t i = 0; i < n; ++i) {
      const int c = std::to_integer<int>(bytes[w * 64 + i]) - 128;
      squares += static_cast<uint32_t>(c * c);
      sum += static_cast<uint32_t>(std::abs(c));
      word |= uint64_t{c >= 0} << i;
    }
    std::memcpy(record + size_t{8} * w, &word, 8);
  }
  float norm2;
  float scale;
  std::memcpy(&norm2, block + FusedLayout::kNorm, 4);
  std::memcpy(&scale, block + FusedLayout::kScale, 4);
  const float kappa =
      sum == 0 ? 0 : scale * (static_cast<float>(squares) / static_cast<float>(sum));
  const float mul = -2 * kappa;
  std::memcpy(record + size_t{8} * l.sign_words, &norm2, 4);
  std::memcpy(record + size_t{8} * l.sign_words + 4, &mul, 4);
}

void SignQuery::prepare(const FusedLayout& l, const float* placed) {
  float most = 0;
  double norm2 = 0;
  for (uint32_t i = 0; i < l.padded; ++i) {
    most = std::max(most, std::fabs(placed[i]));
    norm2 += static_cast<double>(placed[i]) * static_cast<double>(placed[i]);
  }
  words_ = l.sign_words;
  padded_ = static_cast<float>(l.padded);
  norm2_ = static_cast<float>(norm2);
  unit_ = most / static_cast<float>(kTop);
  planes_.assign(words_ * kernels::kSignPlanes, 0);
  const float per_unit = unit_ > 0 ? 1 / unit_ : 0;
  double rounding2 = 0;
  for (uint32_t i = 0; i < l.padded; ++i) {
    // Odd multiples of the unit from -kTop to kTop.
    const float level = (placed[i] * per_unit + static_cast<float>(kTop + 1)) / 2;
    // NaN and infinity come of queries, or spaces, at the ends of what a float can be.
    const int bounded = level > 0 ? static_cast<int>(std::min(level, static_cast<float>(kTop))) : 0;
    const double off = static_cast<double>(placed[i]) -
                       static_cast<double>(unit_) * static_cast<double>(2 * bounded - kTop);
    rounding2 += off * off;
    for (unsigned p = 0; p < kernels::kSignPlanes; ++p) {
      planes_[p * words_ + i / 64] |= static_cast<uint64_t>(bounded >> p & 1) << (i % 64);
    }
  }
  rounding2_ = static_cast<float>(rounding2);
}

void SignQuery::bounds(const SignCodes& codes, uint32_t part, const uint32_t* numbers, size_t n,
                       float within, float deviations, std::vector<SignBounds>& out) const {
  const FusedLayout& l = codes.layout;
  const std::byte* records = codes.parts[part];
  const uint32_t first = part << codes.part_shift;
  SignFrame frame;
  frame.norm2 = norm2_;
  frame.unit = unit_;
  frame.whole = padded_ * static_cast<float>(kTop);
  frame.quarter = padded_ * 0.25F;
  // Over random rotations the estimate's error is that of the part of the query that is orthogonal
  // to the row, which is neither longer than the query nor than their distance.
  frame.of_row = deviations * deviations * 4 * std::min(norm2_, within) / (padded_ - 1);
  frame.of_query = deviations * deviations * rounding2_;
  frame.within = within;
  uint32_t differ[kAtOnce] = {};
  float add[kAtOnce] = {};
  float mul[kAtOnce] = {};
  float low[kSignBatch];
  float high[kSignBatch];
  for (size_t at = 0; at < n; at += kAtOnce) {
    const size_t some = std::min(kAtOnce, n - at);
    differences_({planes_.data(), words_}, records, l.sign_bytes, numbers + at, some, differ);
    for (size_t i = 0; i < some; ++i) {
      const std::byte* factors =
          records + size_t{numbers[at + i]} * l.sign_bytes + size_t{8} * words_;
      std::memcpy(&add[i], factors, 4);
      std::memcpy(&mul[i], factors + 4, 4);
    }
    for (size_t batch = 0; batch < some; batch += kSignBatch) {
      uint32_t kept =
          kernels_->sign_bounds(frame, add + batch, mul + batch, differ + batch, low, high);
      if (some - batch < kSignBatch) kept &= (1U << (some - batch)) - 1;
      for (; kept != 0; kept &= kept - 1) {
        const auto i = static_cast<size_t>(std::countr_zero(kept));
        out.push_back({low[i], high[i], first + numbers[at + batch + i]});
      }
    }
  }
}

}  // namespace rvf::index
