// Level 1: the records that stand before the root in a MANIFEST payload. docs/format.md, "Level 1".
// Unknown tags survive: they are kept as bytes and written again.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "rvf/metadata.hpp"
#include "rvf/result.hpp"
#include "rvf/storage.hpp"
#include "rvf/types.hpp"
#include "types/segment.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

enum class RecordTag : uint16_t {
  kSegmentDir = 0x01,
  kTempTierMap = 0x02,
  kIndexLayers = 0x03,
  kOverlayChain = 0x04,
  kCompactionState = 0x05,
  kShardRefs = 0x06,
  kCapability = 0x07,
  kProfileConfig = 0x08,
  kAccessSketchRef = 0x09,
  kPrefetch = 0x0A,
  kIdRestart = 0x0B,
  kWitnessChain = 0x0C,
  kKeyDirectory = 0x0D,
  kDeletionBitmap = 0x0E,
  kMetadataIndexDir = 0x0F,
  kDimensionCatalog = 0x10,
  kRowMap = 0xF001,  // ours: which rows a VEC_SEG holds
  kSchema = 0xF002,  // ours: the metadata fields
  kStorage = 0xF003,  // what compactions turn vectors into
  kIdKind = 0xF004,  // what an empty store was told of its ids
};

// An entry of type INVALID (with the TOMBSTONE flag) takes the segment out of the directory.
struct DirEntry {
  uint64_t segment_id = 0;
  SegmentType type = SegmentType::kInvalid;
  uint8_t tier = 0;
  uint16_t flags = 0;
  uint64_t offset = 0;  // of the header, from the start of the shard's file
  uint64_t payload_length = 0;
  uint64_t uncompressed_length = 0;  // 0: stored as it is
  uint16_t shard = 0;  // 0: this file, n: the n-th of SHARD_REFS
  uint16_t compression = 0;
  uint32_t block_count = 0;
  ContentHash hash{};
  friend bool operator==(const DirEntry&, const DirEntry&) = default;
};

struct RowMapEntry {
  uint64_t segment_id = 0;
  uint64_t first_row = 0;
  uint64_t rows = 0;
  uint64_t min_id = 0;
  uint64_t max_id = 0;
  friend bool operator==(const RowMapEntry&, const RowMapEntry&) = default;
};

struct ChainLink {
  uint32_t epoch = 0;
  uint64_t offset = 0;  // of that manifest's segment header
  uint64_t segment_id = 0;
  ContentHash hash{};
  friend bool operator==(const ChainLink&, const ChainLink&) = default;
};

struct ShardRef {
  uint16_t shard = 0;
  std::string name;  // beside this file, without a folder: "name.rvf.cold.0"
  uint64_t bytes = 0;
  std::array<uint8_t, 16> file_id{};
  ContentHash hash{};
  friend bool operator==(const ShardRef&, const ShardRef&) = default;
};

struct TierMapEntry {
  uint64_t segment_id = 0;
  uint8_t tier = 0;
  DType dtype = DType::kF32;
  uint64_t rows = 0;
  friend bool operator==(const TierMapEntry&, const TierMapEntry&) = default;
};

struct IndexLayerEntry {
  uint64_t segment_id = 0;
  uint8_t layer = 0;  // 0 A, 1 B, 2 C
  uint8_t index_type = 0;
  uint64_t first_row = 0;
  uint64_t rows = 0;
  friend bool operator==(const IndexLayerEntry&, const IndexLayerEntry&) = default;
};

// How far a compaction has come; only in the manifests of its unfinished output file.
struct CompactionState {
  std::array<uint8_t, 16> source_file_id{};
  uint32_t source_epoch = 0;
  uint64_t next_source_row = 0;
  static constexpr uint8_t kCopying = 0, kAllRowsCopied = 1;
  uint8_t phase = kCopying;
  uint64_t settings_hash = 0;
  friend bool operator==(const CompactionState&, const CompactionState&) = default;
};

struct Capability {
  uint64_t required = 0;  // bits a reader must know
  uint64_t optional = 0;
  friend bool operator==(const Capability&, const Capability&) = default;
};

// What create() was told: none of it is assumed again on open.
struct ProfileConfig {
  uint8_t profile = 0;
  Metric metric = Metric::kL2;
  DType dtype = DType::kF32;
  ChecksumAlgo checksum = ChecksumAlgo::kXxh3;
  uint32_t dimension = 0;
  uint16_t graph_degree = 16;
  SearchLayout search_layout = SearchLayout::kFused;
  uint32_t ef_construction = 200;
  uint64_t seed = 0;
  std::string schema;  // free text of the application, for example a text collection's settings
  friend bool operator==(const ProfileConfig&, const ProfileConfig&) = default;
};

struct PrefetchEntry {
  uint64_t offset = 0, length = 0;
  friend bool operator==(const PrefetchEntry&, const PrefetchEntry&) = default;
};

struct WitnessChainRef {
  uint64_t first_segment = 0, last_segment = 0, entries = 0;
  std::array<uint8_t, 32> head{};
  friend bool operator==(const WitnessChainRef&, const WitnessChainRef&) = default;
};

struct MetadataIndexEntry {
  uint64_t segment_id = 0;
  uint16_t field_id = 0;
  uint8_t kind = 0;  // 0 inverted, 1 range, 2 bitmap
  friend bool operator==(const MetadataIndexEntry&, const MetadataIndexEntry&) = default;
};

struct DimensionEntry {
  uint16_t dimension = 0;
  DType dtype = DType::kF32;
  uint64_t rows = 0;
  friend bool operator==(const DimensionEntry&, const DimensionEntry&) = default;
};

struct IdRestart {
  uint64_t segment_id = 0, first_id = 0, row = 0;
  friend bool operator==(const IdRestart&, const IdRestart&) = default;
};

struct SchemaEntry {
  uint16_t field_id = 0;  // as META names it
  FieldType type = FieldType::kString;
  uint8_t indexed = 0;  // FieldIndex bits
  std::string name;
  friend bool operator==(const SchemaEntry&, const SchemaEntry&) = default;
};

struct StorageEntry {
  Storage storage = Storage::kExact;
  friend bool operator==(const StorageEntry&, const StorageEntry&) = default;
};

// Text ids need no record: the schema has their field.
struct IdKindEntry {
  IdKind kind = IdKind::kNumbers;
  friend bool operator==(const IdKindEntry&, const IdKindEntry&) = default;
};

struct UnknownRecord {
  uint16_t tag = 0;
  Bytes value;
  friend bool operator==(const UnknownRecord&, const UnknownRecord&) = default;
};

struct Level1 {
  std::vector<DirEntry> directory;
  std::vector<RowMapEntry> row_map;
  std::vector<ChainLink>
      chain;  // [0] the epoch before; [1], if there, the manifest this one adds to
  std::vector<uint64_t> dead_rows;  // ascending
  std::vector<ShardRef> shards;
  std::vector<TierMapEntry> tiers;
  std::vector<IndexLayerEntry> index_layers;
  std::vector<CompactionState> compaction;  // none or one
  std::vector<Capability> capability;  // none or one
  std::vector<ProfileConfig> profile;  // none or one
  std::vector<uint64_t> sketch_segments;
  std::vector<PrefetchEntry> prefetch;
  std::vector<IdRestart> id_restarts;
  std::vector<WitnessChainRef> witness;
  Bytes key_directory;
  std::vector<MetadataIndexEntry> metadata_indexes;
  std::vector<DimensionEntry> dimensions;
  std::vector<SchemaEntry> schema;
  std::vector<StorageEntry> storage;  // none or one
  std::vector<IdKindEntry> id_kind;  // none or one
  std::vector<UnknownRecord> unknown;
  friend bool operator==(const Level1&, const Level1&) = default;
};

// Padded so that a root which follows, and the segment after it, start on 64 bytes.
Bytes encode_level1(const Level1& level1);
// More dead rows than `max_dead_rows` are an error: a run of the bitmap may name far more rows than
// it has bytes.
Result<Level1> decode_level1(ByteSpan bytes, uint64_t max_dead_rows);

// The DELETION_BITMAP record: sets of u64 by 16-bit containers keyed on value >> 16.
Bytes encode_bitmap(std::span<const uint64_t> ascending);
Result<std::vector<uint64_t>> decode_bitmap(ByteSpan bytes, uint64_t max_values);

}  // namespace rvf::wire
