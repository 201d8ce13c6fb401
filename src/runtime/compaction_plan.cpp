#include "runtime/compaction_plan.hpp"

#include <algorithm>

#include "quant/tiers.hpp"
#include "wire/checksum.hpp"

namespace rvf::runtime {
namespace {

std::vector<quant::Tier> choose_tiers(const LiveState& state, const std::vector<uint64_t>& rows,
                                      const CompactOptions& options, const AccessCounter& access) {
  if (access.total() == 0) {
    // Nothing tells rows apart: all are warm, unless no share at all is to be.
    const bool none_warm = !(options.hot_fraction + options.warm_fraction > 0);
    return std::vector<quant::Tier>(rows.size(),
                                    none_warm ? quant::Tier::kCold : quant::Tier::kWarm);
  }
  std::vector<uint8_t> estimates(rows.size());
  std::vector<quant::Tier> now(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const VecSegment& segment = state.segment_of(rows[i]);
    estimates[i] = access.estimate(segment.id_of(rows[i]));
    now[i] = static_cast<quant::Tier>(std::min<uint8_t>(segment.tier_of(rows[i]), 2));
  }
  // A row that was never sorted into a tier is stored hot without having earned it.
  if (state.tiered_segments == 0) std::fill(now.begin(), now.end(), quant::Tier::kCold);
  quant::TierPolicy policy;
  policy.hot_fraction = options.hot_fraction;
  policy.warm_fraction = options.warm_fraction;
  return quant::assign_tiers(estimates, now, policy);
}

}  // namespace

CompactionPlan make_plan(const LiveState& state, const index::DeadRows& dead,
                         const CompactOptions& options, const AccessCounter& access) {
  CompactionPlan plan;
  plan.order.reserve(state.rows.size() - dead.count());
  for (uint64_t row = 0; row < state.rows.size(); ++row) {
    if (!dead.test(row)) plan.order.push_back(row);
  }
  std::fill(std::begin(plan.tier_end), std::end(plan.tier_end), plan.order.size());
  if (!options.tiers) return plan;
  const std::vector<quant::Tier> tiers = choose_tiers(state, plan.order, options, access);
  std::vector<uint64_t> sorted;
  sorted.reserve(plan.order.size());
  for (const quant::Tier t : {quant::Tier::kHot, quant::Tier::kWarm, quant::Tier::kCold}) {
    for (size_t i = 0; i < tiers.size(); ++i) {
      if (tiers[i] == t) sorted.push_back(plan.order[i]);
    }
    plan.tier_end[static_cast<size_t>(t)] = sorted.size();
  }
  plan.order = std::move(sorted);
  return plan;
}

uint64_t plan_hash(const CompactionPlan& plan, const CompactOptions& options) {
  const auto rows = std::as_bytes(std::span(plan.order));
  const uint64_t layout =
      options.search_layout ? 4U << static_cast<uint16_t>(*options.search_layout) : 0U;
  const uint64_t settings = (options.tiers ? 1U : 0U) | (options.cold_shard ? 2U : 0U) | layout;
  const uint64_t ends = wire::xxh3_64(std::as_bytes(std::span(plan.tier_end)), settings);
  return wire::xxh3_64(rows, ends);
}

}  // namespace rvf::runtime
