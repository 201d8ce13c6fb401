#include "runtime/writer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/no_throw.hpp"
#include "types/planted_bug.hpp"

namespace rvf::runtime {

uint64_t now_ns() noexcept {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count());
}

Writer::Writer(std::shared_ptr<io::File> file, manifest::ManifestLog log, uint64_t end,
               uint32_t next_epoch)
    : file_(std::move(file)), log_(std::move(log)), end_(align64(end)), next_epoch_(next_epoch) {
  head_ = log_.head();
  root_ = log_.root();
  if (root_.extension) next_segment_id_ = root_.extension->next_segment_id;
  found_unsynced_ = end_ > 0;
}

void Writer::raise_next_segment_id(uint64_t next) noexcept {
  next_segment_id_ = std::max(next_segment_id_, next);
}

Status Writer::check_usable() const {
  if (poisoned_.empty()) return {};
  return Error(ErrorCode::kWriterPoisoned,
               "an earlier write failed (" + poisoned_ + "); close the store and open it again");
}

void Writer::begin_batch() {
  batch_ = {};
  batch_start_ = end_;
  batch_segment_id_ = next_segment_id_;
  batch_head_ = head_;
  batch_root_ = root_;
}

void Writer::abandon_batch() noexcept {
  if (planted(PlantedBug::kKeepFailedBatch)) return;
  batch_ = {};
  head_ = std::move(batch_head_);
  root_ = std::move(batch_root_);
  next_segment_id_ = batch_segment_id_;
  if (end_ != batch_start_ || !poisoned_.empty()) (void)take_back(batch_start_);
}

// The file must end where the next segment begins: a root is found by being last.
Status Writer::take_back(uint64_t end) noexcept {
  end_ = end;
  if (foreign_) return {};
  auto cut = no_throw([&]() -> Status {
    if (!planted(PlantedBug::kKeepFailedWrite)) return file_->truncate(end);
    RVF_ASSIGN(const uint64_t size, file_->size());
    end_ = align64(size);
    return {};
  });
  if (!cut) return poison(std::move(cut).error());
  return {};
}

Error Writer::poison(Error cause) noexcept {
  if (planted(PlantedBug::kKeepPoisonedWriter) || !poisoned_.empty()) return cause;
  const Status told = no_throw([&]() -> Status {
    poisoned_ = cause.message;
    return {};
  });
  if (!told) poisoned_ = told.error().message;  // short enough to need no memory
  return cause;
}

Status Writer::check_end() {
  RVF_ASSIGN(const uint64_t size, file_->size());
  if (align64(size) == end_) return {};
  foreign_ = true;
  return poison(Error(ErrorCode::kPathLost, "another program wrote to the store's file, which is " +
                                                std::to_string(size) + " bytes long and not " +
                                                std::to_string(end_)));
}

Status Writer::put(std::span<const wire::ByteSpan> parts) {
  RVF_TRY(check_end());
  Unless written([this] { (void)take_back(end_); });
  if (auto s = file_->write(end_, parts); !s && !planted(PlantedBug::kSwallowWriteError)) return s;
  written.keep();
  return {};
}

Status Writer::sync() {
  auto synced = no_throw([&] { return file_->sync(); });
  if (!synced) return poison(std::move(synced).error());
  found_unsynced_ = false;
  return {};
}

SegmentHeader Writer::next_header(const Segment& segment, wire::ByteSpan payload) const {
  SegmentHeader header;
  header.type = segment.type;
  header.flags = segment.flags;
  header.segment_id = segment.segment_id != 0 ? segment.segment_id : next_segment_id_;
  header.payload_length = payload.size();
  header.timestamp_ns = now_ns();
  header.checksum = head_.profile.checksum;
  header.compression = segment.compression;
  header.uncompressed_length = segment.uncompressed_length;
  header.alignment_pad = wire::padding_for(payload.size());
  header.content_hash = wire::content_hash(header.checksum, payload);
  return header;
}

Result<wire::DirEntry> Writer::append(const Segment& segment, wire::ByteSpan payload) {
  const SegmentHeader header = next_header(segment, payload);
  wire::DirEntry entry;
  entry.tier = segment.tier;
  entry.block_count = segment.block_count;
  entry.uncompressed_length = segment.uncompressed_length;
  const std::array<std::byte, kSegmentAlignment> zeros{};
  return append_verbatim(header, payload, std::span(zeros).first(header.alignment_pad), entry);
}

Result<wire::DirEntry> Writer::append_verbatim(const SegmentHeader& header, wire::ByteSpan payload,
                                               wire::ByteSpan trailer, const wire::DirEntry& old) {
  RVF_TRY(check_usable());
  if (payload.size() >= kMaxPayload) {
    return Error(ErrorCode::kTooLarge, "a segment payload must be shorter than 4 GiB");
  }
  std::array<std::byte, kSegmentHeaderSize> raw{};
  wire::encode_header(header, raw);
  const std::span<const std::byte> parts[] = {raw, payload, trailer};
  const uint64_t size = raw.size() + payload.size() + trailer.size();
  if (auto& added = batch_.added; added.size() == added.capacity()) {
    added.reserve(added.size() * 2 + 4);  // nothing may fail behind the write
  }
  RVF_TRY(put(parts));
  wire::DirEntry entry = old;
  entry.segment_id = header.segment_id;
  entry.type = header.type;
  entry.flags = header.flags;
  entry.offset = end_;
  entry.payload_length = payload.size();
  entry.compression = static_cast<uint16_t>(header.compression);
  entry.uncompressed_length = header.uncompressed_length;
  entry.hash = header.content_hash;
  entry.shard = 0;
  end_ += size;
  next_segment_id_ = std::max(next_segment_id_, header.segment_id + 1);
  batch_.added.push_back(entry);
  return entry;
}

Status Writer::end_batch(Durability durability) {
  if (planted(PlantedBug::kAcknowledgeBeforeWrite)) durability = Durability::kNone;
  manifest::Change with_batch = pending_;
  with_batch.then(batch_);
  std::swap(pending_, with_batch);
  if (durability != Durability::kNone) {
    Unless written([&] { std::swap(pending_, with_batch); });
    RVF_TRY(write_manifest(durability));
    written.keep();
  }
  batch_ = {};
  return {};
}

Status Writer::commit(Durability durability) {
  if (!pending_.empty()) return write_manifest(durability);
  if ((unsynced_ || found_unsynced_) && durability == Durability::kSync) {
    RVF_TRY(check_usable());
    RVF_TRY(check_guard());
    RVF_TRY(sync());
    unsynced_ = false;
  }
  return {};
}

Status Writer::write_manifest(Durability durability) {
  RVF_TRY(check_usable());
  RVF_TRY(check_guard());
  // First barrier: whatever the manifest names is on disk before the manifest is.
  if (durability == Durability::kSync && !planted(PlantedBug::kSkipDataSync)) RVF_TRY(sync());
  manifest::ManifestLog::Commit commit;
  commit.change = pending_;
  commit.head = head_;
  commit.root = root_;
  commit.root.epoch = next_epoch_;
  commit.root.modified_ns = now_ns();
  commit.root.flags =
      static_cast<uint16_t>((commit.root.flags & ~wire::root_flag::kDataSynced) |
                            (durability == Durability::kSync ? wire::root_flag::kDataSynced : 0));
  commit.root.extension->next_segment_id = next_segment_id_ + 1;
  commit.full = force_full_;
  commit.previous = previous_;
  commit.cut_history = cut_history_;
  commit.offset = end_;
  commit.segment_id = next_segment_id_;
  RVF_ASSIGN(auto prepared, log_.prepare(std::move(commit)));
  // Once the manifest is in the file nothing may fail for want of memory.
  log_.reserve_for(prepared);
  wire::Root next_root = prepared.root;
  manifest::Head next_head = prepared.head;
  RVF_TRY(put_manifest(prepared.segment));
  end_ += prepared.segment.size();
  ++next_segment_id_;
  if (durability == Durability::kSync && !planted(PlantedBug::kSkipManifestSync)) {
    // After a failed second barrier nobody knows which epoch is on disk; only a reopen can tell.
    RVF_TRY(sync());
  }
  unsynced_ = durability != Durability::kSync;
  log_.adopt(std::move(prepared));
  root_ = std::move(next_root);
  head_ = std::move(next_head);
  pending_ = {};
  force_full_ = false;
  cut_history_ = false;
  previous_ = std::nullopt;
  ++next_epoch_;
  return {};
}

Status Writer::put_manifest(wire::ByteSpan segment) {
  if (!planted(PlantedBug::kManifestBeforeData)) return put(std::span(&segment, 1));
  wire::Bytes data(end_ - batch_start_);
  RVF_TRY(file_->read(batch_start_, data));
  RVF_TRY(file_->truncate(batch_start_));
  RVF_TRY(file_->write(end_, segment));
  return file_->write(batch_start_, data);
}

Status Writer::rollback_to(manifest::ManifestLog old, uint64_t next_id) {
  manifest::Head head = old.head();
  wire::Root root = old.root();
  root.extension->next_id = std::max(next_id, root.extension->next_id);
  std::swap(log_, old);
  std::swap(head_, head);
  std::swap(root_, root);
  previous_ = old.link();
  force_full_ = true;
  Unless written([&] {
    std::swap(log_, old);
    std::swap(head_, head);
    std::swap(root_, root);
    previous_ = std::nullopt;
    force_full_ = false;
  });
  RVF_TRY(write_manifest(Durability::kSync));
  written.keep();
  return {};
}

}  // namespace rvf::runtime
