#include "manifest/manifest_log.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "types/planted_bug.hpp"
#include "wire/checksum.hpp"
#include "wire/segment.hpp"

namespace rvf::manifest {
namespace {

constexpr uint32_t kRadix = 16;
constexpr uint32_t kFullEvery = kRadix * kRadix * kRadix * kRadix;
// At most 15 links a level and the full one; a file that claims more only wants to be expensive.
constexpr size_t kMaxChain = 4 * (kRadix - 1) + 1;
// A directory this small is cheaper to repeat than to chain.
constexpr size_t kAlwaysFull = 8;

// How many commits the manifest with this number since the last full one covers.
uint32_t commits_covered(uint32_t number) {
  uint32_t covered = 1;
  while (number % (covered * kRadix) == 0) covered *= kRadix;
  return covered;
}

Error invalid(const std::string& what, uint64_t offset) {
  return {ErrorCode::kManifestInvalid,
          "the manifest at offset " + std::to_string(offset) + " " + what, 0, offset};
}

Head head_of(wire::Level1&& l) {
  Head h;
  if (!l.profile.empty()) h.profile = std::move(l.profile.front());
  if (!l.capability.empty()) h.capability = l.capability.front();
  h.index_layers = std::move(l.index_layers);
  h.tiers = std::move(l.tiers);
  h.shards = std::move(l.shards);
  h.sketch_segments = std::move(l.sketch_segments);
  h.compaction = std::move(l.compaction);
  h.metadata_indexes = std::move(l.metadata_indexes);
  h.schema = std::move(l.schema);
  h.prefetch = std::move(l.prefetch);
  h.id_restarts = std::move(l.id_restarts);
  h.witness = std::move(l.witness);
  h.key_directory = std::move(l.key_directory);
  h.dimensions = std::move(l.dimensions);
  if (!l.storage.empty()) h.storage = l.storage.front().storage;
  h.numbers_declared = !l.id_kind.empty();
  h.unknown = std::move(l.unknown);
  return h;
}

Change change_of(wire::Level1& l) {
  Change c;
  for (wire::DirEntry& e : l.directory) {
    if (e.type == SegmentType::kInvalid) {
      c.removed.push_back(e.segment_id);
    } else {
      c.added.push_back(e);
    }
  }
  c.rows = std::move(l.row_map);
  c.dead = std::move(l.dead_rows);
  return c;
}

wire::Level1 level1_of(const Head& head, const Change& change) {
  wire::Level1 l;
  l.profile = {head.profile};
  l.capability = {head.capability};
  l.index_layers = head.index_layers;
  l.tiers = head.tiers;
  l.shards = head.shards;
  l.sketch_segments = head.sketch_segments;
  l.compaction = head.compaction;
  l.metadata_indexes = head.metadata_indexes;
  l.schema = head.schema;
  l.prefetch = head.prefetch;
  l.id_restarts = head.id_restarts;
  l.witness = head.witness;
  l.key_directory = head.key_directory;
  l.dimensions = head.dimensions;
  if (head.storage != Storage::kExact) l.storage = {{head.storage}};
  if (head.numbers_declared) l.id_kind = {{IdKind::kNumbers}};
  l.unknown = head.unknown;
  l.directory = change.added;
  for (const uint64_t id : change.removed) {
    wire::DirEntry gone;
    gone.segment_id = id;
    gone.flags = segment_flag::kTombstone;
    l.directory.push_back(gone);
  }
  l.row_map = change.rows;
  l.dead_rows = change.dead;
  std::sort(l.dead_rows.begin(), l.dead_rows.end());
  return l;
}

}  // namespace

bool is_damage(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kIo:
    case ErrorCode::kOutOfMemory:
    case ErrorCode::kBudgetExceeded:
    case ErrorCode::kPermission:
    case ErrorCode::kUnsupported:
    case ErrorCode::kNoSuchFile: return false;
    default: return true;
  }
}

uint64_t segment_bytes(const wire::DirEntry& entry) noexcept {
  return kSegmentHeaderSize + align64(entry.payload_length);
}

void Change::then(const Change& later) {
  const std::unordered_set<uint64_t> gone(later.removed.begin(), later.removed.end());
  std::unordered_set<uint64_t> vanished;
  if (!gone.empty()) {
    std::erase_if(added, [&](const wire::DirEntry& e) {
      if (!gone.contains(e.segment_id)) return false;
      vanished.insert(e.segment_id);
      return true;
    });
    std::erase_if(rows,
                  [&](const wire::RowMapEntry& e) { return vanished.contains(e.segment_id); });
  }
  for (const uint64_t id : later.removed) {
    if (!vanished.contains(id)) removed.push_back(id);
  }
  added.insert(added.end(), later.added.begin(), later.added.end());
  rows.insert(rows.end(), later.rows.begin(), later.rows.end());
  dead.insert(dead.end(), later.dead.begin(), later.dead.end());
}

Result<RawManifest> read_manifest(const io::File& file, uint64_t offset, uint64_t file_size) {
  if (offset % kSegmentAlignment != 0 || offset > file_size ||
      file_size - offset < kSegmentHeaderSize + kRootSize) {
    return invalid("does not lie inside the file", offset);
  }
  std::array<std::byte, kSegmentHeaderSize> raw{};
  RVF_TRY(file.read(offset, raw));
  RVF_ASSIGN(const SegmentHeader header, wire::decode_header(raw, offset));
  const uint64_t room = file_size - offset - kSegmentHeaderSize;
  if (header.type != SegmentType::kManifest || header.payload_length < kRootSize ||
      header.payload_length > room || header.payload_length > kMaxLevel1 + kRootSize) {
    return invalid("has a wrong header", offset);
  }
  wire::Bytes payload(static_cast<size_t>(header.payload_length));
  RVF_TRY(file.read(offset + kSegmentHeaderSize, payload));
  if (!wire::hash_matches(header, payload) && !planted(PlantedBug::kIgnoreManifestHash)) {
    return Error(ErrorCode::kBadChecksum,
                 "the manifest at offset " + std::to_string(offset) + " fails its content hash",
                 header.segment_id, offset);
  }
  RawManifest m;
  RVF_ASSIGN(m.root, wire::decode_root(wire::ByteSpan(payload).last(kRootSize)));
  if (m.root.level1_offset != offset + kSegmentHeaderSize ||
      m.root.level1_length != payload.size() - kRootSize) {
    return invalid("has a root that points elsewhere", offset);
  }
  if (!m.root.extension) return invalid("has a root without the extension block", offset);
  // A dead row is a row, and a row takes at least a bit of some payload.
  const uint64_t max_dead = file_size < (uint64_t{1} << 60) ? file_size * 8 : ~uint64_t{0};
  RVF_ASSIGN(m.level1,
             wire::decode_level1(wire::ByteSpan(payload).first(payload.size() - kRootSize),
                                 std::min(max_dead, m.root.extension->rows)));
  if (m.level1.chain.size() > 2) return invalid("has a chain of more than two links", offset);
  m.link = {m.root.epoch, offset, header.segment_id, header.content_hash};
  return m;
}

Result<ManifestLog> ManifestLog::load(const io::File& file, const wire::Root& root) {
  RVF_ASSIGN(const uint64_t size, file.size());
  std::vector<RawManifest> newest_first;
  uint64_t offset = root.level1_offset - kSegmentHeaderSize;
  if (root.level1_offset < kSegmentHeaderSize) return invalid("lies before the file", 0);
  while (true) {
    RVF_ASSIGN(RawManifest m, read_manifest(file, offset, size));
    if (!newest_first.empty()) {
      const wire::ChainLink& base = newest_first.back().level1.chain[1];
      if (m.link.hash != base.hash || m.link.epoch != base.epoch) {
        return invalid("is not the one that a later manifest builds on", offset);
      }
    }
    if (m.root.identity.file_id != root.identity.file_id) {
      return invalid("belongs to another store", offset);
    }
    const bool full = m.level1.chain.size() < 2;
    newest_first.push_back(std::move(m));
    if (full) break;
    if (newest_first.size() == kMaxChain) return invalid("builds on too many others", offset);
    // Offsets fall strictly, so a hostile chain cannot loop.
    const uint64_t next = newest_first.back().level1.chain[1].offset;
    if (next >= offset) return invalid("builds on a later one", offset);
    offset = next;
  }
  ManifestLog log;
  for (auto it = newest_first.rbegin(); it != newest_first.rend(); ++it) {
    Node node{it->link, change_of(it->level1)};
    log.apply(node.change);
    log.chain_.push_back(std::move(node));
  }
  log.root_ = newest_first.front().root;
  log.head_ = head_of(std::move(newest_first.front().level1));
  if (log.head_.capability.required != 0) {
    return Error(ErrorCode::kUnsupported,
                 "the store needs a feature that this version does not know; a newer rvf wrote it");
  }
  if (log.head_.profile.dimension != log.root_.dimension) {
    return invalid("has a root and a Level 1 of different dimension", root.level1_offset);
  }
  uint64_t next_row = 0;
  for (const wire::RowMapEntry& r : log.row_map_) {
    if (r.first_row != next_row || r.rows > size * 8) {
      return invalid("has a row map with gaps", root.level1_offset);
    }
    next_row += r.rows;
  }
  if (next_row != log.root_.extension->rows) {
    return invalid("counts rows that its row map lacks", root.level1_offset);
  }
  return log;
}

void ManifestLog::apply(const Change& change) {
  std::unordered_set<uint64_t> without_rows;
  for (const uint64_t id : change.removed) {
    const auto it = directory_.find(id);
    if (it == directory_.end()) continue;
    live_bytes_ -= segment_bytes(it->second);
    if (it->second.type == SegmentType::kVec) without_rows.insert(id);
    directory_.erase(it);
  }
  if (!without_rows.empty()) {
    std::erase_if(row_map_, [&](const auto& r) { return without_rows.contains(r.segment_id); });
  }
  for (const wire::DirEntry& e : change.added) {
    if (directory_.insert_or_assign(e.segment_id, e).second) live_bytes_ += segment_bytes(e);
  }
  row_map_.insert(row_map_.end(), change.rows.begin(), change.rows.end());
}

std::optional<wire::ChainLink> ManifestLog::link() const {
  if (chain_.empty()) return std::nullopt;
  return chain_.back().link;
}

std::vector<uint64_t> ManifestLog::dead_rows() const {
  std::vector<uint64_t> all;
  for (const Node& n : chain_) all.insert(all.end(), n.change.dead.begin(), n.change.dead.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

Result<ManifestLog::Prepared> ManifestLog::prepare(Commit commit) const {
  Prepared p;
  p.own = std::move(commit.change);
  for (const wire::DirEntry& e : p.own.added) p.added.insert_or_assign(e.segment_id, e);
  p.head = std::move(commit.head);
  p.root = std::move(commit.root);

  bool full = commit.full || chain_.empty() || directory_.size() <= kAlwaysFull;
  const uint32_t number = full ? 0 : p.root.epoch - chain_.front().link.epoch;
  // The chain counts commits by epochs, so an epoch that is not the next one starts anew.
  full = full || p.root.epoch != root_.epoch + 1 || number % kFullEvery == 0;

  Change covered;
  if (full) {
    for (const Node& n : chain_) covered.then(n.change);
  } else {
    const uint32_t base = p.root.epoch - commits_covered(number);
    p.keep_nodes = chain_.size();
    while (p.keep_nodes > 1 && chain_[p.keep_nodes - 1].link.epoch > base) --p.keep_nodes;
    for (size_t i = p.keep_nodes; i < chain_.size(); ++i) covered.then(chain_[i].change);
  }
  covered.then(p.own);
  if (full) covered.removed.clear();

  wire::Level1 level1 = level1_of(p.head, covered);
  const auto previous = commit.previous ? commit.previous : link();
  if (previous && !commit.cut_history) level1.chain.push_back(*previous);
  if (!full) level1.chain.push_back(chain_[p.keep_nodes - 1].link);
  wire::Bytes payload = wire::encode_level1(level1);
  if (payload.size() > kMaxLevel1) {
    return Error(ErrorCode::kTooLarge, "the segment directory is too long; compact the store");
  }

  uint64_t live_bytes = live_bytes_;
  size_t live_segments = directory_.size() + p.own.added.size();
  for (const uint64_t id : p.own.removed) {
    const auto it = directory_.find(id);
    if (it == directory_.end()) continue;
    live_bytes -= segment_bytes(it->second);
    --live_segments;
  }
  for (const wire::DirEntry& e : p.own.added) live_bytes += segment_bytes(e);

  p.root.level1_offset = commit.offset + kSegmentHeaderSize;
  p.root.level1_length = payload.size();
  wire::Root::Extension& ext = *p.root.extension;
  ext.live_bytes = live_bytes;
  ext.live_segments = static_cast<uint32_t>(live_segments);
  ext.manifest_segment_id = commit.segment_id;
  ext.level1_hash = wire::xxh3_128(payload);
  const auto root = wire::encode_root(p.root);
  payload.insert(payload.end(), root.begin(), root.end());

  SegmentHeader header;
  header.type = SegmentType::kManifest;
  header.segment_id = commit.segment_id;
  header.checksum = p.head.profile.checksum;
  header.timestamp_ns = p.root.modified_ns;
  p.segment = wire::make_segment(header, payload);
  p.node.link = {p.root.epoch, commit.offset, commit.segment_id,
                 wire::content_hash(header.checksum, payload)};
  p.node.change = std::move(covered);
  return p;
}

void ManifestLog::reserve_for(const Prepared& p) {
  const auto grow = [](auto& list, size_t more) {
    if (list.capacity() - list.size() < more) list.reserve(list.size() * 2 + more);
  };
  grow(chain_, 1);
  grow(row_map_, p.own.rows.size());
}

void ManifestLog::adopt(Prepared&& p) noexcept {
  root_ = std::move(p.root);
  head_ = std::move(p.head);
  chain_.erase(chain_.begin() + static_cast<ptrdiff_t>(p.keep_nodes), chain_.end());
  chain_.push_back(std::move(p.node));
  bool without_rows = false;
  for (const uint64_t id : p.own.removed) {
    const auto it = directory_.find(id);
    if (it == directory_.end()) continue;
    live_bytes_ -= segment_bytes(it->second);
    without_rows |= it->second.type == SegmentType::kVec;
    directory_.erase(it);
  }
  if (without_rows) {
    std::erase_if(row_map_, [&](const auto& r) {
      const auto& gone = p.own.removed;
      return std::find(gone.begin(), gone.end(), r.segment_id) != gone.end();
    });
  }
  for (const auto& [id, entry] : p.added) live_bytes_ += segment_bytes(entry);
  directory_.merge(p.added);
  for (const auto& [id, entry] : p.added) directory_.find(id)->second = entry;  // was there
  row_map_.insert(row_map_.end(), p.own.rows.begin(), p.own.rows.end());
}

Result<std::vector<EpochInfo>> ManifestLog::epochs(const io::File& file, const wire::Root& newest) {
  RVF_ASSIGN(const uint64_t size, file.size());
  std::vector<EpochInfo> all;
  uint64_t offset = newest.level1_offset - kSegmentHeaderSize;
  while (true) {
    auto m = read_manifest(file, offset, size);
    if (!m) {
      if (all.empty() || !is_damage(m.error().code)) return std::move(m).error();
      break;
    }
    all.push_back({m->root.epoch, offset, m->root.total_vectors, m->root.modified_ns,
                   m->level1.chain.size() < 2});
    if (m->level1.chain.empty() || m->level1.chain[0].offset >= offset) break;
    offset = m->level1.chain[0].offset;
  }
  return all;
}

}  // namespace rvf::manifest
