#include "wire/level1_codec.hpp"

#include <string>

namespace rvf::wire {
namespace {

// Each record type is a list of fixed or self-delimiting entries; put() and get() mirror each
// other.

template <size_t N>
void put(ByteWriter& w, const std::array<uint8_t, N>& a) {
  w.raw(a.data(), N);
}
template <size_t N>
void get(ByteReader& r, std::array<uint8_t, N>& a) {
  const ByteSpan s = r.bytes(N);
  if (s.size() == N) std::memcpy(a.data(), s.data(), N);
}
void put(ByteWriter& w, uint64_t v) { w.u64(v); }
void get(ByteReader& r, uint64_t& v) { v = r.u64(); }

void put(ByteWriter& w, const DirEntry& e) {
  w.u64(e.segment_id);
  w.u8(static_cast<uint8_t>(e.type));
  w.u8(e.tier);
  w.u16(e.flags);
  w.u32(0);
  w.u64(e.offset);
  w.u64(e.payload_length);
  w.u64(e.uncompressed_length);
  w.u16(e.shard);
  w.u16(e.compression);
  w.u32(e.block_count);
  put(w, e.hash);
}
void get(ByteReader& r, DirEntry& e) {
  e.segment_id = r.u64();
  e.type = static_cast<SegmentType>(r.u8());
  e.tier = r.u8();
  e.flags = r.u16();
  r.skip(4);
  e.offset = r.u64();
  e.payload_length = r.u64();
  e.uncompressed_length = r.u64();
  e.shard = r.u16();
  e.compression = r.u16();
  e.block_count = r.u32();
  get(r, e.hash);
}

void put(ByteWriter& w, const RowMapEntry& e) {
  for (const uint64_t v : {e.segment_id, e.first_row, e.rows, e.min_id, e.max_id}) w.u64(v);
}
void get(ByteReader& r, RowMapEntry& e) {
  for (uint64_t* v : {&e.segment_id, &e.first_row, &e.rows, &e.min_id, &e.max_id}) *v = r.u64();
}

void put(ByteWriter& w, const ChainLink& e) {
  w.u32(e.epoch);
  w.u32(0);
  w.u64(e.offset);
  w.u64(e.segment_id);
  put(w, e.hash);
}
void get(ByteReader& r, ChainLink& e) {
  e.epoch = r.u32();
  r.skip(4);
  e.offset = r.u64();
  e.segment_id = r.u64();
  get(r, e.hash);
}

void put(ByteWriter& w, const ShardRef& e) {
  w.u16(e.shard);
  w.u16(static_cast<uint16_t>(e.name.size()));
  w.text(std::string_view(e.name).substr(0, 65535));
  w.u64(e.bytes);
  put(w, e.file_id);
  put(w, e.hash);
}
void get(ByteReader& r, ShardRef& e) {
  e.shard = r.u16();
  e.name = r.text(r.u16());
  // The name comes from the file: it must not lead out of the store's own folder.
  if (e.name.empty() || e.name == "." || e.name == ".." ||
      e.name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
    r.fail();
  }
  e.bytes = r.u64();
  get(r, e.file_id);
  get(r, e.hash);
}

void put(ByteWriter& w, const TierMapEntry& e) {
  w.u64(e.segment_id);
  w.u8(e.tier);
  w.u8(static_cast<uint8_t>(e.dtype));
  w.zeros(6);
  w.u64(e.rows);
}
void get(ByteReader& r, TierMapEntry& e) {
  e.segment_id = r.u64();
  e.tier = r.u8();
  e.dtype = static_cast<DType>(r.u8());
  r.skip(6);
  e.rows = r.u64();
}

void put(ByteWriter& w, const IndexLayerEntry& e) {
  w.u64(e.segment_id);
  w.u8(e.layer);
  w.u8(e.index_type);
  w.zeros(6);
  w.u64(e.first_row);
  w.u64(e.rows);
}
void get(ByteReader& r, IndexLayerEntry& e) {
  e.segment_id = r.u64();
  e.layer = r.u8();
  e.index_type = r.u8();
  r.skip(6);
  e.first_row = r.u64();
  e.rows = r.u64();
}

void put(ByteWriter& w, const CompactionState& e) {
  put(w, e.source_file_id);
  w.u32(e.source_epoch);
  w.u8(e.phase);
  w.zeros(3);
  w.u64(e.next_source_row);
  w.u64(e.settings_hash);
}
void get(ByteReader& r, CompactionState& e) {
  get(r, e.source_file_id);
  e.source_epoch = r.u32();
  e.phase = r.u8();
  r.skip(3);
  e.next_source_row = r.u64();
  e.settings_hash = r.u64();
}

void put(ByteWriter& w, const Capability& e) {
  w.u64(e.required);
  w.u64(e.optional);
}
void get(ByteReader& r, Capability& e) {
  e.required = r.u64();
  e.optional = r.u64();
}

void put(ByteWriter& w, const ProfileConfig& e) {
  w.u8(e.profile);
  w.u8(static_cast<uint8_t>(e.metric));
  w.u8(static_cast<uint8_t>(e.dtype));
  w.u8(static_cast<uint8_t>(e.checksum));
  w.u32(e.dimension);
  w.u16(e.graph_degree);
  w.u16(static_cast<uint16_t>(e.search_layout));
  w.u32(e.ef_construction);
  w.u64(e.seed);
  w.u32(static_cast<uint32_t>(e.schema.size()));
  w.text(e.schema);
}
void get(ByteReader& r, ProfileConfig& e) {
  e.profile = r.u8();
  e.metric = static_cast<Metric>(r.u8());
  e.dtype = static_cast<DType>(r.u8());
  e.checksum = static_cast<ChecksumAlgo>(r.u8());
  e.dimension = r.u32();
  e.graph_degree = r.u16();
  // What a later version may add is searched like anything else here.
  const uint16_t layout = r.u16();
  e.search_layout = layout <= static_cast<uint16_t>(SearchLayout::kPartitions)
                        ? static_cast<SearchLayout>(layout)
                        : SearchLayout::kFused;
  e.ef_construction = r.u32();
  e.seed = r.u64();
  e.schema = r.text(r.u32());
}

void put(ByteWriter& w, const PrefetchEntry& e) {
  w.u64(e.offset);
  w.u64(e.length);
}
void get(ByteReader& r, PrefetchEntry& e) {
  e.offset = r.u64();
  e.length = r.u64();
}

void put(ByteWriter& w, const WitnessChainRef& e) {
  for (const uint64_t v : {e.first_segment, e.last_segment, e.entries}) w.u64(v);
  put(w, e.head);
}
void get(ByteReader& r, WitnessChainRef& e) {
  for (uint64_t* v : {&e.first_segment, &e.last_segment, &e.entries}) *v = r.u64();
  get(r, e.head);
}

void put(ByteWriter& w, const MetadataIndexEntry& e) {
  w.u64(e.segment_id);
  w.u16(e.field_id);
  w.u8(e.kind);
  w.zeros(5);
}
void get(ByteReader& r, MetadataIndexEntry& e) {
  e.segment_id = r.u64();
  e.field_id = r.u16();
  e.kind = r.u8();
  r.skip(5);
}

void put(ByteWriter& w, const DimensionEntry& e) {
  w.u16(e.dimension);
  w.u8(static_cast<uint8_t>(e.dtype));
  w.zeros(5);
  w.u64(e.rows);
}
void get(ByteReader& r, DimensionEntry& e) {
  e.dimension = r.u16();
  e.dtype = static_cast<DType>(r.u8());
  r.skip(5);
  e.rows = r.u64();
}

void put(ByteWriter& w, const IdRestart& e) {
  for (const uint64_t v : {e.segment_id, e.first_id, e.row}) w.u64(v);
}
void get(ByteReader& r, IdRestart& e) {
  for (uint64_t* v : {&e.segment_id, &e.first_id, &e.row}) *v = r.u64();
}

void put(ByteWriter& w, const SchemaEntry& e) {
  w.u16(e.field_id);
  w.u8(static_cast<uint8_t>(e.type));
  w.u8(e.indexed);
  w.u16(static_cast<uint16_t>(e.name.size()));
  w.text(e.name);
}
void get(ByteReader& r, SchemaEntry& e) {
  e.field_id = r.u16();
  e.type = static_cast<FieldType>(r.u8());
  e.indexed = r.u8();
  e.name = r.text(r.u16());
}

void put(ByteWriter& w, const StorageEntry& e) {
  w.u8(static_cast<uint8_t>(e.storage));
  w.zeros(7);
}
void get(ByteReader& r, StorageEntry& e) {
  e.storage = static_cast<Storage>(r.u8());
  r.skip(7);
}

void put(ByteWriter& w, const IdKindEntry& e) {
  w.u8(static_cast<uint8_t>(e.kind));
  w.zeros(7);
}
void get(ByteReader& r, IdKindEntry& e) {
  e.kind = static_cast<IdKind>(r.u8());
  r.skip(7);
}

// A record is {u16 tag, u32 length, u16 0, value, zeros to a multiple of 8}.
void put_record(ByteWriter& w, uint16_t tag, ByteSpan value) {
  w.u16(tag);
  w.u32(static_cast<uint32_t>(value.size()));
  w.u16(0);
  w.bytes(value);
  w.align(8);
}

template <class T>
void put_list(ByteWriter& w, RecordTag tag, const std::vector<T>& entries) {
  if (entries.empty()) return;
  Bytes value;
  ByteWriter v(value);
  for (const T& e : entries) put(v, e);
  put_record(w, static_cast<uint16_t>(tag), value);
}

template <class T>
bool get_list(ByteSpan value, std::vector<T>& out) {
  ByteReader r(value);
  while (r.ok() && r.remaining() > 0) {
    T entry{};
    get(r, entry);
    if (r.ok()) out.push_back(std::move(entry));
  }
  return r.ok();
}

Result<bool> get_storage(ByteSpan value, std::vector<StorageEntry>& out) {
  if (!get_list(value, out)) return false;
  for (const StorageEntry& e : out) {
    if (e.storage <= Storage::kRaBitQ4) continue;
    return Error(ErrorCode::kUnsupported, "the store keeps its vectors in storage " +
                                              std::to_string(static_cast<unsigned>(e.storage)) +
                                              ", unknown to this version");
  }
  return true;
}

Result<bool> get_id_kind(ByteSpan value, std::vector<IdKindEntry>& out) {
  if (!get_list(value, out)) return false;
  for (const IdKindEntry& e : out) {
    if (e.kind == IdKind::kNumbers) continue;
    return Error(ErrorCode::kUnsupported, "the store's ids are of kind " +
                                              std::to_string(static_cast<unsigned>(e.kind)) +
                                              ", unknown to this version");
  }
  return true;
}

Result<bool> get_record(Level1& l, uint16_t tag, ByteSpan value, uint64_t max_dead_rows) {
  switch (static_cast<RecordTag>(tag)) {
    case RecordTag::kSegmentDir: return get_list(value, l.directory);
    case RecordTag::kTempTierMap: return get_list(value, l.tiers);
    case RecordTag::kIndexLayers: return get_list(value, l.index_layers);
    case RecordTag::kOverlayChain: return get_list(value, l.chain);
    case RecordTag::kCompactionState: return get_list(value, l.compaction);
    case RecordTag::kShardRefs: return get_list(value, l.shards);
    case RecordTag::kCapability: return get_list(value, l.capability);
    case RecordTag::kProfileConfig: return get_list(value, l.profile);
    case RecordTag::kAccessSketchRef: return get_list(value, l.sketch_segments);
    case RecordTag::kPrefetch: return get_list(value, l.prefetch);
    case RecordTag::kIdRestart: return get_list(value, l.id_restarts);
    case RecordTag::kWitnessChain: return get_list(value, l.witness);
    case RecordTag::kKeyDirectory: l.key_directory.assign(value.begin(), value.end()); return true;
    case RecordTag::kDeletionBitmap: {
      RVF_ASSIGN(l.dead_rows, decode_bitmap(value, max_dead_rows));
      return true;
    }
    case RecordTag::kMetadataIndexDir: return get_list(value, l.metadata_indexes);
    case RecordTag::kDimensionCatalog: return get_list(value, l.dimensions);
    case RecordTag::kRowMap: return get_list(value, l.row_map);
    case RecordTag::kSchema: return get_list(value, l.schema);
    case RecordTag::kStorage: return get_storage(value, l.storage);
    case RecordTag::kIdKind: return get_id_kind(value, l.id_kind);
  }
  l.unknown.push_back({tag, Bytes(value.begin(), value.end())});
  return true;
}

}  // namespace

Bytes encode_level1(const Level1& l) {
  Bytes out;
  ByteWriter w(out);
  put_list(w, RecordTag::kProfileConfig, l.profile);
  put_list(w, RecordTag::kCapability, l.capability);
  put_list(w, RecordTag::kOverlayChain, l.chain);
  put_list(w, RecordTag::kSegmentDir, l.directory);
  put_list(w, RecordTag::kRowMap, l.row_map);
  if (!l.dead_rows.empty()) {
    put_record(w, static_cast<uint16_t>(RecordTag::kDeletionBitmap), encode_bitmap(l.dead_rows));
  }
  put_list(w, RecordTag::kIndexLayers, l.index_layers);
  put_list(w, RecordTag::kTempTierMap, l.tiers);
  put_list(w, RecordTag::kShardRefs, l.shards);
  put_list(w, RecordTag::kCompactionState, l.compaction);
  put_list(w, RecordTag::kAccessSketchRef, l.sketch_segments);
  put_list(w, RecordTag::kPrefetch, l.prefetch);
  put_list(w, RecordTag::kIdRestart, l.id_restarts);
  put_list(w, RecordTag::kWitnessChain, l.witness);
  if (!l.key_directory.empty()) {
    put_record(w, static_cast<uint16_t>(RecordTag::kKeyDirectory), l.key_directory);
  }
  put_list(w, RecordTag::kMetadataIndexDir, l.metadata_indexes);
  put_list(w, RecordTag::kDimensionCatalog, l.dimensions);
  put_list(w, RecordTag::kSchema, l.schema);
  put_list(w, RecordTag::kStorage, l.storage);
  put_list(w, RecordTag::kIdKind, l.id_kind);
  for (const UnknownRecord& u : l.unknown) put_record(w, u.tag, u.value);
  w.align(kSegmentAlignment);
  return out;
}

Result<Level1> decode_level1(ByteSpan bytes, uint64_t max_dead_rows) {
  Level1 l;
  ByteReader r(bytes);
  while (r.remaining() >= 8) {
    const uint16_t tag = r.u16();
    const uint32_t length = r.u32();
    r.skip(2);
    if (tag == 0 && length == 0) continue;  // padding
    const ByteSpan value = r.bytes(length);
    if (!r.ok()) return Error(ErrorCode::kManifestInvalid, "a Level 1 record passes the end");
    r.align(8);
    RVF_ASSIGN(const bool whole, get_record(l, tag, value, max_dead_rows));
    if (!whole) {
      return Error(ErrorCode::kManifestInvalid,
                   "Level 1 record " + std::to_string(tag) + " is malformed");
    }
  }
  return l;
}

}  // namespace rvf::wire
