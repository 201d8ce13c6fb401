#include "runtime/live_state.hpp"

#include <algorithm>
#include <string>

#include "index/graph.hpp"
#include "io/lost_pages.hpp"
#include "types/planted_bug.hpp"
#include "wire/segment.hpp"

namespace rvf::runtime {
namespace {

Status verify_payload(const wire::SegmentView& segment) {
  if (wire::hash_matches(segment.header, segment.payload)) return {};
  return Error(ErrorCode::kBadChecksum,
               std::string(segment_type_name(segment.header.type)) + " segment " +
                   std::to_string(segment.header.segment_id) + " at offset " +
                   std::to_string(segment.offset) + " fails its content hash",
               segment.header.segment_id, segment.offset);
}

}  // namespace

Result<LiveState> LiveState::load(const manifest::ManifestLog& log, std::shared_ptr<io::File> file,
                                  const OpenShard& open_shard, uint64_t heap_budget,
                                  uint64_t verify_up_to) {
  LiveState s;
  s.dtype = log.head().profile.dtype;
  s.metric = log.head().profile.metric;
  s.dimension = log.root().dimension;
  if (s.dimension == 0 || vector_bytes(s.dtype, s.dimension) == 0 || s.metric > Metric::kHamming) {
    return Error(ErrorCode::kManifestInvalid,
                 "the manifest names an impossible dimension, dtype or metric");
  }
  s.file_ = std::make_shared<MappedFile>(std::move(file));
  s.heap_budget_ = heap_budget;
  s.verifies_ = log.live_bytes() <= verify_up_to;
  for (const wire::ShardRef& ref : log.head().shards) {
    RVF_ASSIGN(auto shard, open_shard(ref));
    s.shard_files_[ref.shard] = std::make_shared<MappedFile>(std::move(shard));
  }
  for (const auto& [id, entry] : log.directory()) {
    if (entry.type != SegmentType::kQuant || entry.tier == 0) continue;
    RVF_ASSIGN(const wire::ByteSpan bytes, s.payload(entry));
    auto quantizer = TierQuantizer::from_payload(bytes);
    if (!quantizer) return s.cause_of(entry, quantizer.error());
    if (quantizer->code == nullptr || quantizer->code->dim() != s.dimension) continue;
    s.heap_bytes += quantizer->code->memory_bytes();
    s.quantizers[id] = {std::move(quantizer->code), entry.tier};
  }
  s.tiered_segments = log.head().tiers.size();
  for (const wire::RowMapEntry& r : log.row_map()) {
    const auto it = log.directory().find(r.segment_id);
    if (it == log.directory().end() || it->second.type != SegmentType::kVec) {
      return Error(ErrorCode::kManifestInvalid, "the row map names segment " +
                                                    std::to_string(r.segment_id) +
                                                    ", which the directory lacks");
    }
    RVF_ASSIGN(auto segment, s.load_rows(it->second, r));
    RVF_TRY(s.add_rows(std::move(segment)));
  }
  for (const uint64_t row : log.dead_rows()) {
    if (row >= s.rows.size()) {
      return Error(ErrorCode::kManifestInvalid,
                   "the deletion bitmap names a row that does not exist");
    }
    s.kill(row);
  }
  s.load_index(log.head(), log.directory());
  return s;
}

MappedFile* LiveState::file_of(const wire::DirEntry& entry) const {
  if (entry.shard == 0) return file_.get();
  const auto it = shard_files_.find(entry.shard);
  return it == shard_files_.end() ? nullptr : it->second.get();
}

void LiveState::will_need(const wire::DirEntry& entry) const {
  if (const MappedFile* file = file_of(entry))
    file->will_need(entry.offset, manifest::segment_bytes(entry));
}

Status LiveState::page_in(const wire::DirEntry& entry, uint64_t begin, uint64_t length) const {
  RVF_ASSIGN(const wire::ByteSpan bytes, payload(entry));
  const wire::ByteSpan wanted = bytes.subspan(begin, length);
  file_of(entry)->will_need(entry.offset + kSegmentHeaderSize + begin, length);
  constexpr size_t kLeastPage = 4096;
  for (size_t at = 0; at < wanted.size(); at += kLeastPage) {
    (void)*static_cast<const volatile std::byte*>(&wanted[at]);
  }
  return {};
}

Result<wire::SegmentView> LiveState::verified_segment(const wire::DirEntry& entry) const {
  RVF_ASSIGN(const wire::SegmentView view, segment(entry));
  will_need(entry);
  RVF_TRY(verify_payload(view));
  return view;
}

Result<wire::SegmentView> LiveState::segment(const wire::DirEntry& entry) const {
  MappedFile* file = file_of(entry);
  if (file == nullptr) {
    return Error(ErrorCode::kManifestInvalid, "a segment lies in an unknown shard",
                 entry.segment_id);
  }
  RVF_ASSIGN(const wire::ByteSpan bytes, file->view(entry.offset, manifest::segment_bytes(entry)));
  auto view = wire::read_segment(bytes, 0, false);
  if (!view) {
    Error e = std::move(view).error();
    e.segment_id = entry.segment_id;
    e.file_offset = entry.offset;
    return e;
  }
  const SegmentHeader& h = view->header;
  const bool differs = h.segment_id != entry.segment_id || h.type != entry.type ||
                       h.payload_length != entry.payload_length || h.content_hash != entry.hash ||
                       h.flags != entry.flags ||
                       static_cast<uint16_t>(h.compression) != entry.compression ||
                       h.uncompressed_length != entry.uncompressed_length;
  if (differs && !planted(PlantedBug::kIgnoreDirectory)) {
    return Error(ErrorCode::kCorrupt,
                 "segment " + std::to_string(entry.segment_id) + " at offset " +
                     std::to_string(entry.offset) + " is not the one that the manifest names",
                 entry.segment_id, entry.offset);
  }
  view->offset = entry.offset;
  return view;
}

Result<wire::ByteSpan> LiveState::payload(const wire::DirEntry& entry) const {
  RVF_ASSIGN(const wire::SegmentView view, segment(entry));
  return view.payload;
}

Result<wire::ByteSpan> LiveState::usable_payload(const wire::DirEntry& entry) const {
  if (!verifies_ || planted(PlantedBug::kUseDamagedParts)) return payload(entry);
  RVF_ASSIGN(const wire::SegmentView view, verified_segment(entry));
  return view.payload;
}

Result<std::shared_ptr<const VecSegment>> LiveState::load_rows(const wire::DirEntry& entry,
                                                               const wire::RowMapEntry& r) const {
  RVF_ASSIGN(const wire::ByteSpan bytes, payload(entry));
  auto segment = VecSegment::load(entry, r, bytes, dtype, dimension, quantizers);
  if (!segment) return cause_of(entry, segment.error());
  if (heap_budget_ != 0 && heap_bytes + (*segment)->heap_bytes() > heap_budget_) {
    return cause_of(entry,
                    {ErrorCode::kBudgetExceeded,
                     "decoding its codes and columns may take more than the memory budget of " +
                         std::to_string(heap_budget_) + " bytes"});
  }
  return segment;
}

Error LiveState::cause_of(const wire::DirEntry& entry, const Error& error) const {
  const auto whole = verified_segment(entry);
  return whole ? error : whole.error();
}

Status LiveState::add_rows(std::shared_ptr<const VecSegment> segment) {
  RVF_TRY(segment->append_runs(rows));
  heap_bytes += segment->heap_bytes();
  segments.push_back(std::move(segment));
  return {};
}

bool LiveState::fits(const wire::FusedHeader& h) const {
  return h.first_row == 0 && h.total_nodes <= rows.size() && h.dim == dimension &&
         h.dtype == dtype && h.metric == metric;
}

// The search layout of exactly this graph; anything else of that type is left alone.
void LiveState::find_fused(const std::map<uint64_t, wire::DirEntry>& directory,
                           const wire::IndexLayerEntry& graph, LoadedIndex& out) const {
  const auto index_entry = directory.find(graph.segment_id);
  for (auto it = index_entry; it != directory.end(); ++it) {  // written behind it
    if (!is_own_fused(it->second)) continue;
    const auto bytes = usable_payload(it->second);
    if (!bytes) continue;
    const auto view = wire::parse_fused(*bytes);
    if (!view) continue;
    const wire::FusedHeader& h = view->header;
    const bool of_graph = !h.partitions && h.index_segment == graph.segment_id &&
                          h.index_hash == index_entry->second.hash && h.total_nodes == graph.rows;
    if (of_graph && fits(h)) out.fused.push_back(*bytes);
  }
}

// Partitions need no graph; of several the last one counts.
void LiveState::find_partitions(const std::map<uint64_t, wire::DirEntry>& directory,
                                LoadedIndex& out) const {
  for (const auto& [id, entry] : directory) {
    if (!is_own_fused(entry)) continue;
    const auto bytes = usable_payload(entry);
    if (!bytes) {
      out.problem = bytes.error().message;
      continue;
    }
    const auto view = wire::parse_fused(*bytes);
    if (view && view->header.partitions && fits(view->header)) out.fused.assign(1, *bytes);
  }
}

void LiveState::load_index(const manifest::Head& head,
                           const std::map<uint64_t, wire::DirEntry>& directory) {
  index = nullptr;
  auto loaded = std::make_shared<LoadedIndex>();
  if (head.index_layers.empty()) find_partitions(directory, *loaded);
  const bool partitions = !loaded->fused.empty();
  if (head.index_layers.empty() && !partitions && loaded->problem.empty()) return;
  wire::ByteSpan layer_a;
  const auto fail = [&](const std::string& why) {
    loaded->graph = nullptr;
    loaded->layer_c.clear();
    loaded->fused.clear();
    loaded->problem = why;
    index = std::move(loaded);
  };
  for (const wire::IndexLayerEntry& layer : head.index_layers) {
    const auto it = directory.find(layer.segment_id);
    if (it == directory.end()) return fail("an index segment is missing from the directory");
    auto bytes = usable_payload(it->second);
    if (!bytes) return fail(bytes.error().message);
    if (layer.layer == 0) {
      layer_a = *bytes;
    } else {
      loaded->layer_c.push_back(*bytes);
    }
  }
  if (!head.index_layers.empty()) find_fused(directory, head.index_layers.front(), *loaded);
  auto graph = index::open_fused(loaded->fused);
  if (!graph && !partitions) {
    loaded->fused.clear();
    graph = index::open_graph(loaded->layer_c, layer_a);
  }
  if (!graph) return fail(graph.error().message);
  const index::IndexInfo info = (*graph)->describe();
  if (info.first_row != 0 || info.rows > rows.size() || info.metric != metric) {
    return fail("the index belongs to other rows");
  }
  loaded->rows = info.rows;
  loaded->graph = std::move(*graph);
  index = std::move(loaded);
}

const VecSegment& LiveState::segment_of(uint64_t row) const noexcept {
  auto it = std::upper_bound(segments.begin(), segments.end(), row,
                             [](uint64_t r, const auto& s) { return r < s->rows().first_row; });
  return **(it - 1);
}

Status LiveState::intact() const {
  if (!io::any_pages_lost() || file_ == nullptr) return {};
  for (const auto& mapping : pins()) RVF_TRY(mapping->intact());
  return {};
}

std::vector<std::shared_ptr<const io::Mapping>> LiveState::pins() const {
  std::vector<std::shared_ptr<const io::Mapping>> all = file_->mappings();
  for (const auto& [shard, file] : shard_files_) {
    const auto more = file->mappings();
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace rvf::runtime
