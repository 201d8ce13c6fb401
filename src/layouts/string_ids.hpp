// The string ids that the published JavaScript package keeps beside a store, in
// "<store>.idmap.json": {"idToLabel":{"doc-a":1},"labelToId":{"1":"doc-a"},"nextLabel":2}.
#pragma once
#include <string>
#include <vector>

#include "layouts/foreign.hpp"

namespace rvf::layouts {

// Sets `keys` of the store if the sidecar names any of its ids; the others get their number. A
// sidecar that does not read is a note.
void apply_string_ids(ByteSpan sidecar, ForeignStore& store);

// The sidecar for these ids and keys.
std::string make_string_ids(const std::vector<uint64_t>& ids, const std::vector<std::string>& keys);

}  // namespace rvf::layouts
