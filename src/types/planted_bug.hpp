// Mistakes that the reliability tests make the library commit, so that each suite proves that it
// can fail. In a developer build one of them can be switched on; in any other build planted() is
// the constant false and costs nothing.
#pragma once
#include <cstdint>
#ifdef RVF_PLANTED_BUGS
#include <atomic>
#endif

namespace rvf {

// Each is asked about in one place of the library: where the right thing is done otherwise.
enum class PlantedBug : uint32_t {
  kNone = 0,
  // Commits and crashes.
  kSkipDataSync,  // no barrier between the data and the manifest that names them
  kSkipManifestSync,  // a commit returns before its manifest is durable
  kManifestBeforeData,  // the manifest goes to disk behind the barrier that should come after it
  kIgnorePayloadHash,  // recovery believes segments that no barrier vouches for
  kSkipParentSync,  // a compaction does not make its rename durable
  kAcknowledgeBeforeWrite,  // kSync calls return while their bytes are still in memory
  kRenameBeforeWhole,  // the compacted file takes the store's place before its last commit
  // Failing calls.
  kKeepPoisonedWriter,  // after a failed sync the writer goes on as if nothing had happened
  kKeepFailedWrite,  // the bytes of a write that failed are not cut off
  kSwallowWriteError,  // a failed write is reported as done
  // What a store shows.
  kForgetDeletion,  // a deleted row stays
  kForgetUpsert,  // the row that an upsert replaces stays
  kStaleSnapshot,  // a snapshot is not made anew after a commit
  kKeepIdsAfterCompaction,  // ids go on to lead to the rows that they had before
  kShowHalfBatch,  // the new rows of a batch are visible before those that they replace are gone
  // What a process shares with others.
  kTakeNoLock,  // whoever asks gets the right to write
  kLeakFile,  // a file that is not needed any more stays open
  kKeepOldFile,  // a compaction leaves the store as it was
  kBelieveEveryHash,  // for fuzzing: what hashes and checksums would stop goes on
  // Damaged and hostile files, little memory.
  kIgnoreManifestHash,  // a manifest is believed whatever its content hash
  kIgnoreDirectory,  // any whole segment is taken for the one that the manifest names
  kUseDamagedParts,  // metadata and graphs of a small store are used without their hashes
  kIgnoreLostPages,  // zeros that stand for lost pages of a file are taken for its content
  kKeepFailedBatch,  // a batch that ran out of memory is not taken back
  kRepairUnverified,  // a repair takes over what fails its hash
};

#ifdef RVF_PLANTED_BUGS
inline std::atomic<uint32_t> planted_bug_now{0};
inline bool planted(PlantedBug bug) noexcept {
  return planted_bug_now.load(std::memory_order_relaxed) == static_cast<uint32_t>(bug);
}
#else
constexpr bool planted(PlantedBug) noexcept { return false; }
#endif

}  // namespace rvf
