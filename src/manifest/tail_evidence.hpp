// Whether a manifest that does not verify had been whole on disk once. A power loss leaves each
// half-sector of a write as it was written or as something else altogether; so bytes that are wrong
// amid right ones came later, and are damage. docs/durability.md, "Damage or an unfinished write".
#pragma once
#include "io/file.hpp"
#include "wire/root_codec.hpp"

namespace rvf::manifest {

// `root_offset`: where 4096 bytes lie that are, or should be, a root. `before`: of the newest
// manifest that verifies. True only where it is certain; false where a torn write may look so.
Result<bool> was_whole(const io::File& file, uint64_t root_offset, const wire::Root& before);

}  // namespace rvf::manifest
