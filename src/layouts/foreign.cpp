#include "layouts/foreign.hpp"

#include "layouts/readers.hpp"
#include "layouts/string_ids.hpp"

namespace rvf::layouts {

const char* layout_name(Layout layout) noexcept {
  switch (layout) {
    case Layout::kNative: return "native";
    case Layout::kRuntime: return "runtime";
    case Layout::kWasm: return "wasm";
    case Layout::kWire: return "wire";
    case Layout::kUnknown: break;
  }
  return "unknown";
}

Layout detect(ByteSpan file) {
  const auto found = find_foreign_manifest(file);
  return found ? found->layout : Layout::kUnknown;
}

Status HashNotes::check(const RuntimeSegment& s) {
  switch (check_hash(s.header, s.payload)) {
    case HashState::kOwn: break;
    case HashState::kOther: ++other_algorithm; break;
    case HashState::kUnverified: ++unverified; break;
    case HashState::kWrong:
      return Error(ErrorCode::kBadChecksum,
                   std::string(segment_type_name(s.header.type)) + " segment " +
                       std::to_string(s.header.segment_id) + " at offset " +
                       std::to_string(s.offset) + " fails its hash",
                   s.header.segment_id, s.offset);
  }
  return {};
}

void HashNotes::tell(std::vector<std::string>& notes) const {
  if (unverified > 0) {
    notes.push_back(std::to_string(unverified) +
                    " segment(s) have no hash; nothing shows whether they are whole");
  }
  if (other_algorithm > 0) {
    notes.push_back(std::to_string(other_algorithm) +
                    " segment(s) were verified by another algorithm than their layout's");
  }
}

Result<ForeignStore> decode(ByteSpan file, const DecodeOptions& options) {
  RVF_ASSIGN(FoundManifest found, find_foreign_manifest(file));
  Budget budget(options.memory_budget, file.size());
  switch (found.layout) {
    case Layout::kRuntime: {
      RVF_ASSIGN(ForeignStore store, decode_runtime(file, std::move(found), options, budget, 0));
      if (store.keys.empty()) apply_string_ids(options.string_ids, store);
      return store;
    }
    case Layout::kWasm: return decode_wasm_export(file, std::move(found), budget);
    case Layout::kWire: return decode_wire(file, found, budget);
    default:
      return Error(ErrorCode::kManifestNotFound,
                   "the newest manifest is of the native layout, but no commit is intact");
  }
}

}  // namespace rvf::layouts
