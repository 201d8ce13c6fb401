// The directory of a store through its epochs. A manifest either lists everything (full) or what
// changed since an earlier manifest (delta, chained by OVERLAY_CHAIN). Commit number c since the
// last full manifest covers the commits (c - 16^j, c], 16^j being the largest power of 16 that
// divides c: an entry is written once a level, and a reader follows at most 15 links a level. So
// neither a commit nor an open grows with the number of commits before it. docs/format.md,
// "Manifest chain".
// Thread-safety: as a plain value.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "io/file.hpp"
#include "rvf/result.hpp"
#include "wire/level1_codec.hpp"
#include "wire/root_codec.hpp"

namespace rvf::manifest {

// What one commit, or several, did to the directory.
struct Change {
  std::vector<wire::DirEntry> added;
  std::vector<uint64_t> removed;  // segment ids
  std::vector<wire::RowMapEntry> rows;  // of added VEC segments
  std::vector<uint64_t> dead;  // row numbers that died

  bool empty() const noexcept { return added.empty() && removed.empty() && dead.empty(); }
  // Appends what happened later. A segment both added and removed vanishes.
  void then(const Change& later);
};

// Records that every manifest states in full.
struct Head {
  wire::ProfileConfig profile;
  wire::Capability capability;
  std::vector<wire::IndexLayerEntry> index_layers;
  std::vector<wire::TierMapEntry> tiers;
  std::vector<wire::ShardRef> shards;
  std::vector<uint64_t> sketch_segments;
  std::vector<wire::CompactionState> compaction;
  std::vector<wire::SchemaEntry> schema;
  Storage storage = Storage::kExact;
  bool numbers_declared = false;  // the ids are numbers, whether there is a row or not
  // Not used by this version, kept for those that do.
  std::vector<wire::MetadataIndexEntry> metadata_indexes;
  std::vector<wire::PrefetchEntry> prefetch;
  std::vector<wire::IdRestart> id_restarts;
  std::vector<wire::WitnessChainRef> witness;
  wire::Bytes key_directory;
  std::vector<wire::DimensionEntry> dimensions;
  std::vector<wire::UnknownRecord> unknown;  // of a newer writer: kept
};

struct EpochInfo {
  uint32_t epoch = 0;
  uint64_t manifest_offset = 0;
  uint64_t vectors = 0;
  uint64_t modified_ns = 0;
  bool full = false;
};

// An encoded manifest segment, and what the log becomes once it is on disk.
class ManifestLog {
 public:
  ManifestLog() = default;

  // Reads the Level 1 that `root` points to and the manifests it builds on, checking every hash.
  static Result<ManifestLog> load(const io::File& file, const wire::Root& root);

  const wire::Root& root() const noexcept { return root_; }
  const Head& head() const noexcept { return head_; }
  uint32_t epoch() const noexcept { return root_.epoch; }
  const std::map<uint64_t, wire::DirEntry>& directory() const noexcept { return directory_; }
  // Ascending by first_row.
  const std::vector<wire::RowMapEntry>& row_map() const noexcept { return row_map_; }
  std::vector<uint64_t> dead_rows() const;  // ascending
  uint64_t live_bytes() const noexcept { return live_bytes_; }
  // The next manifest will not speak of a compaction any more.
  void finish_compaction() noexcept { head_.compaction.clear(); }
  // The newest manifest; none before the first commit.
  std::optional<wire::ChainLink> link() const;

  struct Commit {
    Change change;
    Head head;
    wire::Root root;  // epoch, counts, hot pointers and times; place, hash and chain are filled in
    bool full = false;  // forced: after compaction, rollback or recovery
    bool cut_history = false;  // link to no epoch before this one
    std::optional<wire::ChainLink> previous;  // the epoch before, where it is not this log's newest
    uint64_t offset = 0;  // where the segment will lie
    uint64_t segment_id = 0;  // the manifest's own
  };
  struct Prepared;
  // Encodes the manifest for `commit` as a whole segment whose last 4096 bytes are the root.
  Result<Prepared> prepare(Commit commit) const;
  // Takes the memory that adopt() will need, so that a commit cannot fail once it is in the file.
  void reserve_for(const Prepared& prepared);
  // Adopts what prepare() returned, after reserve_for() and after it reached the file.
  void adopt(Prepared&& prepared) noexcept;

  // Every epoch that can still be reached, newest first. Stops without error where the history was
  // cut.
  static Result<std::vector<EpochInfo>> epochs(const io::File& file, const wire::Root& newest);

 private:
  // One manifest of the chain that describes the current epoch.
  struct Node {
    wire::ChainLink link;
    Change change;
  };
  friend struct Prepared;

  void apply(const Change& change);

  wire::Root root_;
  Head head_;
  std::vector<Node> chain_;  // the full manifest first
  std::map<uint64_t, wire::DirEntry> directory_;
  std::vector<wire::RowMapEntry> row_map_;
  uint64_t live_bytes_ = 0;
};

struct ManifestLog::Prepared {
  wire::Bytes segment;
  wire::Root root;
  Head head;
  Change own;  // this commit's change
  std::map<uint64_t, wire::DirEntry> added;  // of it
  size_t keep_nodes = 0;  // of the old chain
  Node node;
};

// A manifest as it lies in the file: header checked, payload hash checked, root checked.
struct RawManifest {
  wire::ChainLink link;
  wire::Level1 level1;
  wire::Root root;
};
Result<RawManifest> read_manifest(const io::File& file, uint64_t header_offset, uint64_t file_size);

// Falling back to an older epoch is for damage. Where the newest one cannot be read for a reason
// that may pass, an older one must not take its place: the next commit would bury what is there.
bool is_damage(ErrorCode code) noexcept;

uint64_t segment_bytes(const wire::DirEntry& entry) noexcept;  // with header and padding

}  // namespace rvf::manifest
