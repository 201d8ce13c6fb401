#include "quant/tiers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace rvf::quant {
namespace {

size_t count(const std::vector<Tier>& tiers, Tier tier) {
  return static_cast<size_t>(std::ranges::count(tiers, tier));
}

TEST(Tiers, FractionsAreKeptAndTheMostReadAreHot) {
  std::vector<uint8_t> estimates(200);
  for (size_t i = 0; i < estimates.size(); ++i) estimates[i] = static_cast<uint8_t>(i);
  const auto tiers =
      assign_tiers(estimates, {}, {.hot_fraction = 0.1, .warm_fraction = 0.2, .hysteresis = 0.25});
  EXPECT_EQ(count(tiers, Tier::kHot), 20U);
  EXPECT_EQ(count(tiers, Tier::kWarm), 40U);
  for (size_t i = 1; i < tiers.size(); ++i) EXPECT_LE(tiers[i], tiers[i - 1]);
}

TEST(Tiers, WhatWasNeverReadIsCold) {
  const std::vector<uint8_t> zeros(50);
  EXPECT_EQ(count(assign_tiers(zeros, {}, {.hot_fraction = 1, .warm_fraction = 1}), Tier::kCold),
            50U);
  const std::vector<Tier> hot(50, Tier::kHot);
  EXPECT_EQ(
      count(assign_tiers(zeros, hot, {.hot_fraction = 1, .warm_fraction = 1, .hysteresis = 1}),
            Tier::kCold),
      50U);
}

TEST(Tiers, TiesThatDoNotFitAreNotPromoted) {
  const std::vector<uint8_t> same(100, 9);
  const auto tiers = assign_tiers(same, {}, {.hot_fraction = 0.1, .warm_fraction = 0.2});
  EXPECT_EQ(count(tiers, Tier::kCold), 100U);
  const auto all = assign_tiers(same, {}, {.hot_fraction = 1, .warm_fraction = 0});
  EXPECT_EQ(count(all, Tier::kHot), 100U);
}

TEST(Tiers, ASmallChangeDoesNotMoveAnItem) {
  std::vector<uint8_t> estimates(100, 10);
  std::fill_n(estimates.begin(), 5, 100);
  const TierPolicy policy{.hot_fraction = 0.05, .warm_fraction = 0, .hysteresis = 0.3};
  auto tiers = assign_tiers(estimates, {}, policy);
  EXPECT_EQ(count(tiers, Tier::kHot), 5U);
  estimates[0] = 90;  // the threshold stands between 90 and 100 now
  estimates[50] = 95;
  tiers = assign_tiers(estimates, tiers, policy);
  EXPECT_EQ(tiers[0], Tier::kHot);
  estimates[0] = 5;
  tiers = assign_tiers(estimates, tiers, policy);
  EXPECT_EQ(tiers[0], Tier::kCold);
}

TEST(Tiers, WithoutChangeTheAnswerIsStable) {
  std::mt19937_64 rng(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint8_t> estimates(1 + rng() % 300);
    for (uint8_t& e : estimates) e = static_cast<uint8_t>(rng() % (1 + rng() % 256));
    const TierPolicy policy{.hot_fraction = 0.1, .warm_fraction = 0.3, .hysteresis = 0.2};
    const auto once = assign_tiers(estimates, {}, policy);
    EXPECT_EQ(assign_tiers(estimates, once, policy), once);
    EXPECT_LE(count(once, Tier::kHot), estimates.size() / 10);
  }
}

TEST(Tiers, NoItemsAreNoTiers) { EXPECT_TRUE(assign_tiers({}, {}, {}).empty()); }

}  // namespace
}  // namespace rvf::quant
