#include "quant/rabitq_code.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/kernels.hpp"

namespace rvf::quant {
namespace {

constexpr size_t kLanes = 16;  // sums kept apart, so that the compiler may use vectors
using Lanes = float __attribute__((vector_size(32)));
using LaneInts = int32_t __attribute__((vector_size(32)));

float total(const float (&sum)[kLanes]) noexcept {
  float t[kLanes];
  std::copy(sum, sum + kLanes, t);
  for (size_t step = kLanes / 2; step > 0; step /= 2) {
    for (size_t i = 0; i < step; ++i) t[i] += t[i + step];
  }
  return t[0];
}

// Squared cosine, times the constant |residual|^2, of the residual and the levels that `scale`
// rounds it to. Inlined into a function for each instruction set, with the same results in all.
__attribute__((always_inline)) inline double fit(const float* residual, size_t padded, float scale,
                                                 float top) noexcept {
  Lanes along[2] = {};
  Lanes size[2] = {};
  for (size_t i = 0; i < padded; i += kLanes) {
    for (size_t part = 0; part < 2; ++part) {
      Lanes r;
      __builtin_memcpy(&r, residual + i + part * 8, sizeof(r));
      const Lanes a = r < 0 ? -r : r;
      const Lanes x = a * scale;
      const LaneInts whole = __builtin_convertvector(x < top ? x : top - Lanes{}, LaneInts);
      const Lanes m = __builtin_convertvector(whole, Lanes) + 0.5F;
      along[part] += m * a;
      size[part] += m * m;
    }
  }
  float sums[2][kLanes];
  __builtin_memcpy(sums[0], along, sizeof(along));
  __builtin_memcpy(sums[1], size, sizeof(size));
  const double dot = total(sums[0]);
  return dot * dot / double{total(sums[1])};
}

using Fit = double (*)(const float*, size_t, float, float) noexcept;

double plain_fit(const float* residual, size_t padded, float scale, float top) noexcept {
  return fit(residual, padded, scale, top);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) double avx2_fit(const float* residual, size_t padded, float scale,
                                                float top) noexcept {
  return fit(residual, padded, scale, top);
}
#endif

Fit best_fit() noexcept {
#if defined(__x86_64__)
  if (kernels::isa_includes(kernels::best_isa(), kernels::Isa::kAvx2)) return avx2_fit;
#endif
  return plain_fit;
}

// Tries `steps` scales from `from` on, each `ratio` times the one before.
float best_of(Fit fit_of, const float* residual, size_t padded, float top, float from, float ratio,
              int steps, double& best) noexcept {
  float chosen = from;
  float scale = from;
  for (int i = 0; i < steps; ++i, scale *= ratio) {
    const double f = fit_of(residual, padded, scale, top);
    if (f > best) {
      best = f;
      chosen = scale;
    }
  }
  return chosen;
}

}  // namespace

void choose_levels(const float* residual, size_t padded, unsigned bits, uint8_t* levels) noexcept {
  const unsigned half = 1U << (bits - 1);
  float largest = 0;
  for (size_t i = 0; i < padded; ++i) largest = std::max(largest, std::abs(residual[i]));
  float scale = 0;
  const float whole = static_cast<float>(half) / largest;  // the largest value just fits
  if (bits > 1 && std::isfinite(whole)) {
    // Few bits want the largest values clipped. The values are spread like a normal distribution
    // by the rotation, so a scale beyond 2.4 times `whole` is never best.
    constexpr float kCoarse = 1.1F;
    constexpr float kFine = 1.015F;
    const auto top = static_cast<float>(half - 1);
    const Fit fit_of = best_fit();
    double best = -1;
    scale = best_of(fit_of, residual, padded, top, whole * 0.7F, kCoarse, 14, best);
    float around = scale;
    for (int i = 0; i < 6; ++i) around /= kFine;
    double fine = -1;
    scale = best_of(fit_of, residual, padded, top, around, kFine, 13, fine);
  }
  for (size_t i = 0; i < padded; ++i) {
    const float x = std::abs(residual[i]) * scale;
    const unsigned m = x < static_cast<float>(half - 1) ? static_cast<unsigned>(x) : half - 1;
    levels[i] = static_cast<uint8_t>(residual[i] >= 0 ? half + m : half - 1 - m);
  }
}

void pack_levels(const uint8_t* levels, size_t padded, unsigned bits, uint8_t* packed) noexcept {
  for (size_t i = 0; i < padded; i += 8, packed += bits) {
    uint64_t word = 0;
    for (size_t l = 0; l < 8; ++l) word |= uint64_t{levels[i + l]} << (l * bits);
    for (unsigned b = 0; b < bits; ++b) packed[b] = static_cast<uint8_t>(word >> (8 * b));
  }
}

void unpack_levels(const uint8_t* packed, size_t padded, unsigned bits, uint8_t* levels) noexcept {
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  for (size_t i = 0; i < padded; i += 8, packed += bits) {
    uint64_t word = 0;
    for (unsigned b = 0; b < bits; ++b) word |= uint64_t{packed[b]} << (8 * b);
    for (size_t l = 0; l < 8; ++l) levels[i + l] = static_cast<uint8_t>(word >> (l * bits) & mask);
  }
}

float dot_levels(const uint8_t* levels, const float* values, size_t padded) noexcept {
  float sum[kLanes] = {};
  for (size_t i = 0; i < padded; i += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) {
      sum[l] += static_cast<float>(levels[i + l]) * values[i + l];
    }
  }
  return total(sum);
}

float dot_packed(const uint8_t* packed, const float* values, size_t padded,
                 unsigned bits) noexcept {
  uint8_t levels[kLanes];
  float sum[kLanes] = {};
  for (size_t i = 0; i < padded; i += kLanes, packed += size_t{2} * bits) {
    unpack_levels(packed, kLanes, bits, levels);
    for (size_t l = 0; l < kLanes; ++l) sum[l] += static_cast<float>(levels[l]) * values[i + l];
  }
  return total(sum);
}

}  // namespace rvf::quant
