// Which rows a compaction keeps and in which tier each goes. Pure functions.
#pragma once
#include <cstdint>
#include <vector>

#include "runtime/access_counter.hpp"
#include "runtime/live_state.hpp"
#include "rvf/store.hpp"

namespace rvf::runtime {

struct CompactionPlan {
  std::vector<uint64_t> order;       // live rows of the source in output order
  uint64_t tier_end[3] = {
      0, 0, 0};  // order[0, tier_end[0]) is hot, up to tier_end[1] warm, the rest cold
  uint8_t tier_of(uint64_t position) const noexcept {
    return position < tier_end[0] ? 0 : position < tier_end[1] ? 1 : 2;
  }
};

// A lossy storage takes all rows into its tier. Else, without tiers, every row stays as exact as it
// is stored now; with them rows go by how often queries found them; where nothing was ever counted
// all are warm. Within a tier rows that keep their codes come first, by quantiser.
// `dead` are the rows to leave out.
CompactionPlan make_plan(const LiveState& state, const index::DeadRows& dead,
                         const CompactOptions& options, Storage storage,
                         const AccessCounter& access);

// Equal for equal plans: an interrupted compaction is continued only by one that wants the same.
uint64_t plan_hash(const CompactionPlan& plan, const CompactOptions& options, Storage storage);

}  // namespace rvf::runtime
