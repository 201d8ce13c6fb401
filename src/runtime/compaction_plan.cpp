#include "runtime/compaction_plan.hpp"

#include <algorithm>

#include "quant/tiers.hpp"
#include "runtime/tier_encoder.hpp"
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

quant::Tier tier_of(Storage storage) noexcept {
  return storage == Storage::kInt8 ? quant::Tier::kWarm : quant::Tier::kCold;
}

// The rows of `tier` in the order in which they are written.
void append_tier(const LiveState& state, std::span<const uint64_t> rows,
                 std::span<const quant::Tier> tiers, quant::Tier tier, std::vector<uint64_t>& out) {
  std::vector<std::pair<uint64_t, uint64_t>> sorted;  // quantiser, row
  for (size_t i = 0; i < rows.size(); ++i) {
    if (tiers[i] != tier) continue;
    const uint64_t kept = kept_quantizer(state, rows[i], static_cast<uint8_t>(tier));
    sorted.emplace_back(kept - 1, rows[i]);  // none, 0, becomes the last
  }
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [quantizer, row] : sorted) out.push_back(row);
}

}  // namespace

CompactionPlan make_plan(const LiveState& state, const index::DeadRows& dead,
                         const CompactOptions& options, Storage storage,
                         const AccessCounter& access) {
  std::vector<uint64_t> rows;
  rows.reserve(state.rows.size() - dead.count());
  for (uint64_t row = 0; row < state.rows.size(); ++row) {
    if (!dead.test(row)) rows.push_back(row);
  }
  CompactionPlan plan;
  if (!options.tiers && storage == Storage::kExact) {
    std::fill(std::begin(plan.tier_end), std::end(plan.tier_end), rows.size());
    plan.order = std::move(rows);
    return plan;
  }
  const std::vector<quant::Tier> tiers =
      storage == Storage::kExact ? choose_tiers(state, rows, options, access)
                                 : std::vector<quant::Tier>(rows.size(), tier_of(storage));
  plan.order.reserve(rows.size());
  for (const quant::Tier t : {quant::Tier::kHot, quant::Tier::kWarm, quant::Tier::kCold}) {
    append_tier(state, rows, tiers, t, plan.order);
    plan.tier_end[static_cast<size_t>(t)] = plan.order.size();
  }
  return plan;
}

uint64_t plan_hash(const CompactionPlan& plan, const CompactOptions& options, Storage storage) {
  const auto rows = std::as_bytes(std::span(plan.order));
  const uint64_t layout =
      options.search_layout ? 4U << static_cast<uint16_t>(*options.search_layout) : 0U;
  const uint64_t settings = (options.tiers ? 1U : 0U) | (options.cold_shard ? 2U : 0U) | layout |
                            uint64_t{static_cast<uint8_t>(storage)} << 32;
  const uint64_t ends = wire::xxh3_64(std::as_bytes(std::span(plan.tier_end)), settings);
  return wire::xxh3_64(rows, ends);
}

}  // namespace rvf::runtime
