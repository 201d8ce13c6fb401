// The readers behind layouts::decode(), one a layout.
#pragma once
#include "layouts/budget.hpp"
#include "layouts/foreign.hpp"
#include "layouts/runtime_find.hpp"

namespace rvf::layouts {

// A branch of a branch of ... is followed this far.
inline constexpr int kMaxAncestors = 16;

Result<ForeignStore> decode_runtime(ByteSpan file, FoundManifest found,
                                    const DecodeOptions& options, Budget& budget, int ancestors);
Result<ForeignStore> decode_wasm_export(ByteSpan file, FoundManifest found, Budget& budget);
Result<ForeignStore> decode_wire(ByteSpan file, const FoundManifest& found, Budget& budget);

// Counts of what was not as it should be, told once each.
struct HashNotes {
  uint64_t unverified = 0;
  uint64_t other_algorithm = 0;
  // kBadChecksum where the payload is not what was written.
  Status check(const RuntimeSegment& segment);
  void tell(std::vector<std::string>& notes) const;
};

}  // namespace rvf::layouts
