// WITNESS_SEG: an append-only log whose entries are chained by SHAKE-256-256, so that none can be
// changed or taken out unseen. docs/format.md has the byte table. Pure functions, thread-safe.
#pragma once
#include <array>

#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

using WitnessHash = std::array<uint8_t, 32>;
inline constexpr size_t kWitnessEntrySize = 73;

struct WitnessEntry {
  WitnessHash previous{};     // chain_hash() of the entry before; zeros for the first of a store
  WitnessHash action_hash{};  // SHAKE-256-256 of the action's text
  uint64_t timestamp_ns = 0;
  uint8_t type = 0;  // 0 provenance, 1 computation, further numbers are kept
  friend bool operator==(const WitnessEntry&, const WitnessEntry&) = default;
};

// Over the 73 bytes of the entry as stored.
WitnessHash chain_hash(const WitnessEntry& entry) noexcept;
WitnessHash action_hash(std::string_view action) noexcept;

// The entry that follows `previous` in the chain.
WitnessEntry next_witness(const WitnessHash& previous, std::string_view action,
                          uint64_t timestamp_ns, uint8_t type) noexcept;

Bytes encode_witness(const std::vector<WitnessEntry>& entries);
// Checks the layout only.
Result<std::vector<WitnessEntry>> decode_witness(ByteSpan payload);

// Verifies that the entries continue a chain that stands at `previous`; yields the chain's new
// hash. kBrokenAncestry names the first entry that does not fit.
Result<WitnessHash> verify_witness_chain(const std::vector<WitnessEntry>& entries,
                                         const WitnessHash& previous = {});

}  // namespace rvf::wire
