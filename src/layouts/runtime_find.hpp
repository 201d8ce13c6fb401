// Finding the newest manifest of a runtime container or a WASM export.
#pragma once
#include <string>
#include <vector>

#include "layouts/foreign.hpp"
#include "layouts/runtime_bytes.hpp"

namespace rvf::layouts {

struct FoundManifest {
  Layout layout = Layout::kUnknown;  // kRuntime, kWasm, or kNative or kWire: those end with a root
  RuntimeManifest manifest;  // of the former two
  RuntimeSegment segment;
  std::vector<std::string> notes;
};

// Searches the whole file backwards. Deployed readers believe the first thing that has the shape of
// a manifest; here one whose hash holds goes before a newer one that was changed.
// kManifestNotFound, kManifestInvalid.
Result<FoundManifest> find_foreign_manifest(ByteSpan file);

}  // namespace rvf::layouts
