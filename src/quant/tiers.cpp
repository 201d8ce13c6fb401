#include "quant/tiers.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace rvf::quant {
namespace {

constexpr unsigned kNever = 256;  // above every estimate
using Histogram = std::array<uint64_t, 256>;

// The smallest estimate, at least 1, that no more than `budget` items reach.
unsigned threshold(const Histogram& counts, double budget) noexcept {
  unsigned limit = kNever;
  double reached = 0;
  while (limit > 1) {
    reached += static_cast<double>(counts[limit - 1]);
    if (reached > budget) break;
    --limit;
  }
  return limit;
}

struct Limits {
  unsigned enter;
  unsigned stay;
};

Limits limits(const Histogram& counts, double budget, double hysteresis) noexcept {
  const unsigned enter = threshold(counts, budget);
  const double stay = std::ceil(enter * (1 - std::clamp(hysteresis, 0.0, 1.0)));
  return {enter, std::max(1U, static_cast<unsigned>(stay))};
}

}  // namespace

std::vector<Tier> assign_tiers(std::span<const uint8_t> estimates, std::span<const Tier> current,
                               const TierPolicy& policy) {
  Histogram counts{};
  for (const uint8_t e : estimates) ++counts[e];
  const auto n = static_cast<double>(estimates.size());
  const double hot_budget = std::clamp(policy.hot_fraction, 0.0, 1.0) * n;
  const double warm_budget = std::clamp(policy.warm_fraction, 0.0, 1.0) * n;
  const Limits hot = limits(counts, hot_budget, policy.hysteresis);
  // What is warm enough for hot does not use up the warm tier's share.
  const Limits warm = limits(counts, std::min(n, hot_budget + warm_budget), policy.hysteresis);

  std::vector<Tier> tiers(estimates.size(), Tier::kCold);
  for (size_t i = 0; i < estimates.size(); ++i) {
    const Tier before = i < current.size() ? current[i] : Tier::kCold;
    const unsigned e = estimates[i];
    if (e >= (before == Tier::kHot ? hot.stay : hot.enter)) {
      tiers[i] = Tier::kHot;
    } else if (e >= (before == Tier::kCold ? warm.enter : warm.stay)) {
      tiers[i] = Tier::kWarm;
    }
  }
  return tiers;
}

}  // namespace rvf::quant
