// Finding the newest manifest that can be trusted. A file that was closed or killed between commits
// ends with it; otherwise the file is searched backwards for roots, each of which is tried in full.
#pragma once
#include <functional>
#include <string>

#include "manifest/manifest_log.hpp"

namespace rvf::manifest {

struct Found {
  ManifestLog log;
  bool at_tail = true;  // the file ends with this manifest
  uint64_t manifest_end = 0;  // offset of the first byte after it
  uint64_t file_size = 0;
  uint32_t rejected = 0;  // newer manifests that did not verify
  uint32_t highest_seen = 0;  // the highest epoch that a rejected one claims
  std::string reason;  // why the first of them was rejected; empty if the tail is merely unfinished
};

// Further checks of a candidate, for example that the segments it names are whole; an error rejects
// it.
using Accept = std::function<Status(const ManifestLog&)>;

// Errors: kManifestNotFound (names what the file looks like instead), kNotAStore, kIo.
Result<Found> find_manifest(const io::File& file, const Accept& accept);

// Level 0 alone, from one read of the last 4096 bytes; fails where a backward scan would be needed.
Result<wire::Root> boot(const io::File& file);

}  // namespace rvf::manifest
