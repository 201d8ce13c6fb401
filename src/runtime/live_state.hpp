// What a query needs, kept up to date commit by commit. A snapshot is a copy of it: the row table
// and the dead rows share their parts with the original until either changes.
// Not thread-safe: the store's state lock guards it; copies are immutable.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "index/index.hpp"
#include "index/row_bitmap.hpp"
#include "index/row_table.hpp"
#include "manifest/manifest_log.hpp"
#include "runtime/mapped_file.hpp"
#include "runtime/segment_owner.hpp"
#include "runtime/vec_segment.hpp"
#include "wire/fused_codec.hpp"
#include "wire/segment.hpp"

namespace rvf::runtime {

// The index over the first rows, with the payloads it reads.
struct LoadedIndex {
  std::unique_ptr<index::Index> graph;
  std::vector<wire::ByteSpan> layer_c;
  std::vector<wire::ByteSpan> fused;
  uint64_t rows = 0;
  std::string problem;  // why there is a graph in the file but none in use
};

class LiveState {
 public:
  // `shards` opens the file of a shard; `heap_budget` limits what decoding may take, 0: no limit.
  // Of a store of at most `verify_up_to` live bytes derived data is hashed before it is used.
  using OpenShard = std::function<Result<std::shared_ptr<io::File>>(const wire::ShardRef&)>;
  static Result<LiveState> load(const manifest::ManifestLog& log, std::shared_ptr<io::File> file,
                                const OpenShard& shards, uint64_t heap_budget,
                                uint64_t verify_up_to);

  // The bytes of a segment's payload after checking its header against the directory.
  Result<wire::ByteSpan> payload(const wire::DirEntry& entry) const;
  // The whole segment, with header and trailer.
  Result<wire::SegmentView> segment(const wire::DirEntry& entry) const;
  // The same after checking the content hash, for which the segment is read from end to end.
  Result<wire::SegmentView> verified_segment(const wire::DirEntry& entry) const;
  // The payload for use: in a small store only if its hash holds, in a large one as it lies there.
  Result<wire::ByteSpan> usable_payload(const wire::DirEntry& entry) const;
  // Starts reading a segment that will be read from end to end soon.
  void will_need(const wire::DirEntry& entry) const;

  // Brings bytes of a segment's payload, from `begin` on, into the page cache; returns when they are
  // there.
  Status page_in(const wire::DirEntry& entry, uint64_t begin, uint64_t length) const;

  // Reads a VEC segment; add_rows() then cannot fail for want of memory or of a mapping.
  Result<std::shared_ptr<const VecSegment>> load_rows(const wire::DirEntry& entry,
                                                      const wire::RowMapEntry& rows) const;
  Status add_rows(std::shared_ptr<const VecSegment> segment);
  void kill(uint64_t row) { dead.set(row); }
  void load_index(const manifest::Head& head, const std::map<uint64_t, wire::DirEntry>& directory);

  uint64_t live() const noexcept { return rows.size() - dead.count(); }
  const VecSegment& segment_of(uint64_t row) const noexcept;
  uint64_t id_of(uint64_t row) const noexcept { return segment_of(row).id_of(row); }

  // Decoders of warm and cold blocks, by the segment id of their QUANT_SEG.
  Quantizers quantizers;
  uint64_t tiered_segments = 0;  // how many VEC segments a tiering compaction wrote

  DType dtype = DType::kF32;
  uint32_t dimension = 0;
  Metric metric = Metric::kL2;
  index::RowTable rows;
  index::DeadRows dead;
  std::vector<std::shared_ptr<const VecSegment>> segments;  // ascending by first row
  std::shared_ptr<const LoadedIndex> index;  // may be null
  uint64_t heap_bytes = 0;

  // Keeps every address above valid.
  std::vector<std::shared_ptr<const io::Mapping>> pins() const;
  // kTruncated if something that was read was not the file's: it was cut off under the reader.
  Status intact() const;

 private:
  // Bytes that fail their hash are damage, whatever they seem to ask for: a newer version of this
  // library, or much memory. Otherwise `error` is the cause.
  Error cause_of(const wire::DirEntry& entry, const Error& error) const;
  bool fits(const wire::FusedHeader& header) const;
  void find_partitions(const std::map<uint64_t, wire::DirEntry>& directory, LoadedIndex& out) const;
  void find_fused(const std::map<uint64_t, wire::DirEntry>& directory,
                  const wire::IndexLayerEntry& graph, LoadedIndex& out) const;
  MappedFile* file_of(const wire::DirEntry& entry) const;  // null for an unknown shard

  std::shared_ptr<MappedFile> file_;
  std::map<uint16_t, std::shared_ptr<MappedFile>> shard_files_;
  uint64_t heap_budget_ = 0;
  bool verifies_ = false;  // a small store
};

}  // namespace rvf::runtime
