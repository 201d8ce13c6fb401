// Finding the newest manifest that can be trusted. A file that was closed or killed between commits
// ends with it; otherwise the file is searched backwards for roots, each of which is tried in full.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

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
  // Why the newest rejected one that is whole in itself, and that a barrier vouches for, was not
  // taken: what it builds on or names is damaged.
  std::optional<Error> damage;
  std::vector<uint64_t> not_whole;  // where the roots of the others lie, or should; newest first
};

// Further checks of a candidate, for example that the segments it names are whole; an error rejects
// it.
using Accept = std::function<Status(const ManifestLog&)>;

// Errors: kManifestNotFound (names what the file looks like instead), kNotAStore, kIo.
Result<Found> find_manifest(const io::File& file, const Accept& accept);

// Why a commit behind the one that was found must be taken for one that was durable and has been
// damaged since; nothing if all that lies there may be a write that was never finished. Not to be
// asked while a writer is at work.
Result<std::optional<Error>> damage_behind(const io::File& file, const Found& found);

// Level 0 alone, from one read of the last 4096 bytes; fails where a backward scan would be needed.
Result<wire::Root> boot(const io::File& file);

}  // namespace rvf::manifest
