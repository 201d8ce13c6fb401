// Temperature tiers: which vectors are stored hot (as given), warm (int8) and cold (few bits), from
// access estimates. A pure function; thread-safe.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace rvf::quant {

enum class Tier : uint8_t { kHot = 0, kWarm = 1, kCold = 2 };  // as stored in VEC block directories

struct TierPolicy {
  double hot_fraction = 0.05;  // of all items, at most, that are promoted to hot
  double warm_fraction = 0.25;  // of all items, at most, that are promoted to warm
  // An item keeps its tier until its estimate falls below (1 - hysteresis) of what promotion would
  // need: 0 to 1.
  double hysteresis = 0.25;
};

// `estimates[i]` is the sketch's estimate for item i, `current[i]` its tier so far; an empty
// `current` means that all are cold. Yields the new tier of each item. Items that were not read
// since the last ageing (estimate 0) are cold. Where many share one estimate and do not all fit a
// tier, none of them is promoted to it. Items held by hysteresis come on top of the fractions.
std::vector<Tier> assign_tiers(std::span<const uint8_t> estimates, std::span<const Tier> current,
                               const TierPolicy& policy);

}  // namespace rvf::quant
