#include "runtime/compaction.hpp"

#include <algorithm>
#include <string>
#include <thread>

#include "runtime/no_throw.hpp"
#include "types/planted_bug.hpp"
#include "wire/vec_codec.hpp"

namespace rvf {
namespace runtime {
namespace {

constexpr uint64_t kChunkBytes = 64ULL << 20;
constexpr uint64_t kCheckpointBytes = 256ULL << 20;

}  // namespace

Result<CompactReport> Compaction::run() {
  Status done = no_throw([&] { return run_steps(); });
  if (done) return report_;
  // What was copied so far is of use to the next try, unless the reason will not go away by itself.
  if (done.error().code != ErrorCode::kCancelled && output_ != nullptr && !replaced_) {
    output_ = nullptr;
    writer_ = nullptr;
    (void)store_.fs->remove(output_path_);
  }
  if (shard_ != nullptr && !replaced_) (void)store_.fs->remove(shard_->path());
  return std::move(done).error();
}

Status Compaction::run_steps() {
  RVF_TRY(begin());
  RVF_TRY(prepare_tiers());
  RVF_TRY(copy_rows());
  RVF_TRY(copy_attachments(store_.directory, source_->state));
  RVF_TRY(copy_metadata());
  if (options_.rebuild_index) RVF_TRY(index_output());
  if (options_.tiers) RVF_TRY(write_hot());
  return finish();
}

Status Compaction::begin() {
  std::lock_guard writing(store_.write_mutex);
  RVF_TRY(check_names());
  RVF_TRY(store_.commit(Durability::kSync));
  RVF_ASSIGN(source_, store_.snapshot_impl());
  source_root_ = store_.writer->root();
  source_head_ = store_.writer->head();
  generation_ = store_.generation;
  RVF_ASSIGN(report_.bytes_before, store_.file->size());
  RVF_ASSIGN(const auto dead, source_->dead());
  RVF_TRY(choose_storage());
  plan_ = make_plan(source_->state, *dead, options_, storage_, *store_.access);
  report_.rows_dropped = source_->state.rows.size() - plan_.order.size();
  // Segment ids of the copy come out of a range that writers of the source will not touch.
  first_segment_id_ = store_.writer->next_segment_id();
  const uint64_t row_bytes = wire::row_stride(source_->state.dtype, source_->state.dimension);
  const uint64_t metadata_segments =
      (plan_.order.size() / kMaxPartRows + 1) * (uint64_t{2} * source_head_.schema.size() + 1);
  store_.writer->raise_next_segment_id(first_segment_id_ + 4096 + metadata_segments +
                                       plan_.order.size() * row_bytes / (kChunkBytes / 4) * 2);
  started_ = std::chrono::steady_clock::now();
  return open_output();
}

Status Compaction::choose_storage() {
  storage_ = options_.storage.value_or(source_head_.storage);
  RVF_TRY(check_storage(storage_, source_->state.dtype));
  if (storage_ == Storage::kExact || !options_.tiers) return {};
  return Error(ErrorCode::kBadArgument, std::string("storage ") + storage_name(storage_) +
                                            " puts all vectors into the same codes, so it has no "
                                            "tiers; compact to exact storage first");
}

Status Compaction::checkpoint(uint64_t next_position, bool sync) {
  progress_.next_source_row = next_position;
  progress_.phase = next_position == plan_.order.size() ? wire::CompactionState::kAllRowsCopied
                                                        : wire::CompactionState::kCopying;
  if (shard_ != nullptr) {
    if (sync) RVF_TRY(shard_->sync());
    writer_->head().shards = {shard_->ref()};
  }
  writer_->head().compaction = {progress_};
  return writer_->end_batch(sync ? Durability::kSync : Durability::kNone);
}

// The quantisers come first in the output; a resumed run finds them there.
Status Compaction::prepare_tiers() {
  if (plan_.tier_end[0] == plan_.order.size()) return {};
  if (report_.resumed) {
    RVF_ASSIGN(const auto output,
               LiveState::load(writer_->log(), output_, store_.shard_opener(), 0, 0));
    for (const auto& [id, q] : output.quantizers) encoder_.adopt(id, *q.code);
  }
  writer_->begin_batch();
  const auto order = std::span<const uint64_t>(plan_.order);
  for (uint8_t tier = 1; tier < 3; ++tier) {
    const uint64_t begin = plan_.tier_end[tier - 1];
    const auto rows = order.subspan(begin, plan_.tier_end[tier] - begin);
    if (auto s = encoder_.prepare(source_->state, rows, tier, *writer_); !s) {
      writer_->abandon_batch();
      return s;
    }
  }
  return checkpoint(progress_.next_source_row, true);
}

Status Compaction::copy_rows() {
  const uint64_t row_bytes = wire::row_stride(source_->state.dtype, source_->state.dimension);
  const uint64_t chunk_rows = std::max<uint64_t>(1, kChunkBytes / row_bytes);
  uint64_t since_sync = 0;
  for (uint64_t at = progress_.next_source_row; at < plan_.order.size();) {
    uint64_t end = std::min<uint64_t>(at + chunk_rows, plan_.order.size());
    for (const uint64_t border : plan_.tier_end) {
      if (at < border) end = std::min(end, border);
    }
    writer_->begin_batch();
    Status copied = copy_chunk(at, end);
    since_sync += (end - at) * row_bytes;
    const bool sync = since_sync >= kCheckpointBytes || end == plan_.order.size();
    if (copied) copied = checkpoint(end, sync);
    if (!copied) {
      writer_->abandon_batch();
      return copied;
    }
    if (sync) since_sync = 0;
    throttle((end - at) * row_bytes);
    at = end;
    RVF_TRY(report_progress(at));
  }
  return {};
}

Status Compaction::copy_chunk(uint64_t begin, uint64_t end) {
  const auto rows = std::span<const uint64_t>(plan_.order).subspan(begin, end - begin);
  // A damaged vector must not get a fresh, valid checksum.
  for (const uint64_t row : rows) RVF_TRY(verify_source_of(row));
  return append_rows(source_->state, rows, plan_.tier_of(begin));
}

Status Compaction::verify_source_of(uint64_t row) {
  const VecSegment& segment = source_->state.segment_of(row);
  const uint64_t id = segment.entry().segment_id;
  const auto at = std::lower_bound(verified_segments_.begin(), verified_segments_.end(), id);
  if (at != verified_segments_.end() && *at == id) return {};
  RVF_TRY(source_->state.verified_segment(segment.entry()));
  verified_segments_.insert(at, id);
  return {};
}

Result<wire::DirEntry> Compaction::append_vectors(const Writer::Segment& segment,
                                                  wire::ByteSpan payload) {
  if (segment.tier != 2 || !options_.cold_shard) return writer_->append(segment, payload);
  if (shard_ == nullptr) {
    RVF_ASSIGN(shard_, ShardWriter::create(*store_.fs, store_.path, source_root_.identity.file_id));
  }
  const SegmentHeader header = writer_->next_header(segment, payload);
  RVF_ASSIGN(wire::DirEntry entry, shard_->append(header, payload));
  entry.tier = segment.tier;
  entry.block_count = segment.block_count;
  writer_->raise_next_segment_id(header.segment_id + 1);
  writer_->batch().added.push_back(entry);
  return entry;
}

Status Compaction::append_rows(const LiveState& from, std::span<const uint64_t> rows,
                               uint8_t tier) {
  if (rows.empty()) return {};
  std::vector<uint64_t> ids(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) ids[i] = from.id_of(rows[i]);
  RVF_ASSIGN(const TierEncoder::Encoded encoded, encoder_.encode(from, rows, ids, tier));
  Writer::Segment segment;
  segment.type = SegmentType::kVec;
  segment.tier = tier;
  segment.block_count = encoded.blocks;
  RVF_ASSIGN(const wire::DirEntry entry, append_vectors(segment, encoded.payload));
  wire::Root& root = writer_->root();
  const auto [low, high] = std::minmax_element(ids.begin(), ids.end());
  writer_->batch().rows.push_back(
      {entry.segment_id, root.extension->rows, rows.size(), *low, *high});
  if (tier != 0) {
    writer_->head().tiers.push_back({entry.segment_id, tier, encoded.dtype, rows.size()});
  }
  root.extension->rows += rows.size();
  root.total_vectors = root.extension->rows - root.extension->dead_rows;
  report_.tier_rows[tier] += rows.size();
  return {};
}

Status Compaction::copy_attachments(const std::map<uint64_t, wire::DirEntry>& directory,
                                    const LiveState& from) {
  const SegmentOwner owner(source_head_, source_root_);
  // The caller's directory may change under a concurrent writer, so it is copied first.
  std::vector<wire::DirEntry> entries;
  {
    std::lock_guard guard(store_.state_mutex);
    for (const auto& [id, entry] : directory) {
      if (owner.is_attachment(entry)) entries.push_back(entry);
    }
  }
  writer_->begin_batch();
  for (const wire::DirEntry& entry : entries) {
    if (writer_->log().directory().contains(entry.segment_id)) continue;
    auto view = from.verified_segment(entry);
    Status copied = view ? Status() : Status(view.error());
    if (copied) {
      if (auto s = writer_->append_verbatim(view->header, view->payload, view->trailer, entry);
          !s) {
        copied = std::move(s).error();
      }
    }
    if (!copied) {
      writer_->abandon_batch();
      return copied;
    }
    throttle(entry.payload_length);
  }
  return checkpoint(plan_.order.size(), true);
}

// Brings over what was written to the source since begin(); the write lock is held.
Status Compaction::catch_up() {
  const LiveState& now = store_.state;
  const LiveState& then = source_->state;
  std::vector<uint64_t> newer;
  for (uint64_t row = then.rows.size(); row < now.rows.size(); ++row) {
    if (!now.dead.test(row)) newer.push_back(row);
  }
  wire::Root& root = writer_->root();
  if (now.dead.count() != then.dead.count()) {
    for (uint64_t position = 0; position < plan_.order.size(); ++position) {
      if (now.dead.test(plan_.order[position])) writer_->batch().dead.push_back(position);
    }
    root.extension->dead_rows += writer_->batch().dead.size();
  }
  const uint64_t first_new_row = root.extension->rows;
  const uint64_t row_bytes = wire::row_stride(now.dtype, now.dimension);
  const uint64_t chunk = std::max<uint64_t>(1, kChunkBytes / row_bytes);
  for (uint64_t at = 0; at < newer.size(); at += chunk) {
    const auto rows =
        std::span<const uint64_t>(newer).subspan(at, std::min(chunk, newer.size() - at));
    RVF_TRY(append_rows(now, rows, 0));
  }
  RVF_TRY(catch_up_metadata(newer, first_new_row));
  const SegmentOwner owner_here(writer_->head(), root);
  for (const auto& [id, entry] : writer_->log().directory()) {
    if (owner_here.is_attachment(entry) && !store_.directory.contains(id)) {
      writer_->batch().removed.push_back(id);
    }
  }
  const SegmentOwner owner_there(store_.writer->head(), store_.writer->root());
  for (const auto& [id, entry] : store_.directory) {
    if (!owner_there.is_attachment(entry) || writer_->log().directory().contains(id)) continue;
    RVF_ASSIGN(const wire::SegmentView view, now.verified_segment(entry));
    RVF_TRY(writer_->append_verbatim(view.header, view.payload, view.trailer, entry));
  }
  store_.access->age();
  if (const auto sketch = store_.access->take_changes(1)) RVF_TRY(append_sketch(*writer_, *sketch));
  root.extension->next_id = store_.writer->root().extension->next_id;
  root.total_vectors = root.extension->rows - root.extension->dead_rows;
  writer_->raise_next_segment_id(store_.writer->next_segment_id());
  return {};
}

Status Compaction::finish() {
  std::lock_guard writing(store_.write_mutex);
  RVF_TRY(store_.ready_to_write());
  if (store_.generation != generation_) {
    return Error(ErrorCode::kCancelled,
                 "the store was rolled back during the compaction; compact again");
  }
  RVF_TRY(store_.commit(Durability::kSync));
  writer_->begin_batch();
  Status done = catch_up();
  writer_->head().compaction.clear();
  writer_->begin_new_history(store_.log().epoch() + 1);
  if (done) done = writer_->end_batch(Durability::kSync);
  if (!done) {
    writer_->abandon_batch();
    return done;
  }
  RVF_TRY(source_->state.intact());
  RVF_TRY(store_.state.intact());
  // The new file has to open before it may replace the old one.
  RVF_ASSIGN(auto opened, store_.load(output_));
  if (!opened.found.at_tail || opened.found.log.epoch() != writer_->log().epoch()) {
    return Error(ErrorCode::kCorrupt,
                 "the compacted file does not read back as it was written; the store is unchanged");
  }
  report_.bytes_after = opened.found.file_size;
  // A store must not come to be named that names a shard which is not.
  if (shard_ != nullptr) RVF_TRY(store_.fs->sync_parent(shard_->path()));
  if (!planted(PlantedBug::kRenameBeforeWhole)) {
    RVF_TRY(check_names());
    RVF_TRY(store_.fs->copy_attributes(store_.path, output_path_));  // as they are by now
    RVF_TRY(store_.fs->rename(output_path_, store_.path));
  }
  replaced_ = true;
  // Who waits for the old file finds that the name has gone on to one that is locked.
  store_.file->unlock();
  store_.torn = true;  // until adopt() is done, memory speaks of a file that has no name any more
  Status durable = no_throw([&] {
    return planted(PlantedBug::kSkipParentSync) ? Status() : store_.fs->sync_parent(store_.path);
  });
  store_.adopt(std::move(opened));
  ++store_.generation;
  if (durable)
    remove_other_shards(*store_.fs, store_.path, shard_ == nullptr ? "" : shard_->ref().name);
  // After a power loss the old file may be back: what is written to the new one would be gone.
  if (!durable) return store_.writer->poison(std::move(durable).error());
  return {};
}

Status Compaction::report_progress(uint64_t position) {
  if (options_.progress == nullptr || (*options_.progress)(position, plan_.order.size())) return {};
  return Error(ErrorCode::kCancelled, "the compaction was stopped; the next one continues it");
}

void Compaction::throttle(uint64_t bytes) {
  bytes_moved_ += bytes * 2;  // read and written
  if (options_.bytes_per_second == 0) return;
  const std::chrono::duration<double> due(static_cast<double>(bytes_moved_) /
                                          static_cast<double>(options_.bytes_per_second));
  std::this_thread::sleep_until(started_ +
                                std::chrono::duration_cast<std::chrono::nanoseconds>(due));
}

}  // namespace runtime

Result<CompactReport> Store::Impl::compact(const CompactOptions& compact_options) {
  if (planted(PlantedBug::kKeepOldFile)) return CompactReport{};
  if (compacting.exchange(true)) {
    return Error(ErrorCode::kBadArgument, "a compaction of this store is running already");
  }
  runtime::Unless over([&] { compacting = false; });
  return runtime::Compaction(*this, compact_options).run();
}

}  // namespace rvf
