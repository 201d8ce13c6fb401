#include <algorithm>
#include <numeric>
#include <string>
#include <unordered_set>

#include "runtime/batch_metadata.hpp"
#include "runtime/id_walk.hpp"
#include "runtime/no_throw.hpp"
#include "runtime/store_impl.hpp"
#include "types/planted_bug.hpp"
#include "wire/compress.hpp"
#include "wire/journal_codec.hpp"
#include "wire/sketch_codec.hpp"

namespace rvf {
namespace {

Status check_vectors(const Vectors& v, size_t id_count, uint32_t dimension) {
  if (v.count == 0) return {};
  if (v.data == nullptr) return Error(ErrorCode::kBadArgument, "the batch has no data");
  if (v.dimension != dimension) {
    return Error(ErrorCode::kWrongDimension, "the vectors have " + std::to_string(v.dimension) +
                                                 " dimensions, the store " +
                                                 std::to_string(dimension));
  }
  if (vector_bytes(v.dtype, v.dimension) == 0) {
    return Error(ErrorCode::kUnsupported,
                 std::string("vectors of dtype ") + dtype_name(v.dtype) + " cannot be ingested");
  }
  if (id_count != 0 && id_count != v.count) {
    return Error(ErrorCode::kBadArgument, "there are " + std::to_string(v.count) + " vectors and " +
                                              std::to_string(id_count) + " ids");
  }
  return {};
}

Status check_ids(std::span<const uint64_t> ids) {
  bool ascending = true;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == kNoId) {
      return Error(ErrorCode::kBadArgument, "the id 18446744073709551615 is reserved");
    }
    ascending = ascending && (i == 0 || ids[i] > ids[i - 1]);
  }
  if (ascending) return {};
  std::vector<uint64_t> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice == sorted.end()) return {};
  return Error(ErrorCode::kDuplicateId, "the id " + std::to_string(*twice) +
                                            " occurs twice in the batch; nothing was written");
}

// Text ids: none is empty, none is there twice.
Status check_keys(std::span<const std::string> keys) {
  std::unordered_set<std::string_view> seen;
  for (const std::string& key : keys) {
    if (key.empty()) return Error(ErrorCode::kBadArgument, "a text id is empty");
    if (!seen.insert(key).second) {
      return Error(ErrorCode::kDuplicateId,
                   "the id '" + key + "' occurs twice in the batch; nothing was written");
    }
  }
  return {};
}

void sort_unique(std::vector<uint64_t>& v) {
  std::sort(v.begin(), v.end());
  v.erase(std::unique(v.begin(), v.end()), v.end());
}

// What a batch will do to the rows that exist. Rows that have expired die as well, and count as
// rows that are not there.
struct Effects {
  std::vector<uint64_t> dead;
  uint64_t replaced = 0;
  uint64_t deleted = 0;
  std::vector<uint64_t> deleted_ids;
};

Effects effects_of(const runtime::LiveState& state, const index::DeadRows& gone,
                   runtime::IdIndex& index, std::span<const uint64_t> new_ids, bool may_exist,
                   std::span<const uint64_t> delete_ids) {
  Effects e;
  std::vector<std::optional<uint64_t>> rows;
  if (!delete_ids.empty()) {
    index.find_all(state, delete_ids, rows);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i]) continue;
      e.dead.push_back(*rows[i]);
      e.deleted_ids.push_back(delete_ids[i]);
    }
    sort_unique(e.dead);
    sort_unique(e.deleted_ids);
    for (const uint64_t row : e.dead) e.deleted += gone.test(row) ? 0 : 1;
    if (planted(PlantedBug::kForgetDeletion)) e.dead.clear();
  }
  if (may_exist) {
    index.find_all(state, new_ids, rows);
    for (const auto& row : rows) {
      if (!row) continue;
      e.replaced += gone.test(*row) ? 0 : 1;
      if (!planted(PlantedBug::kForgetUpsert)) e.dead.push_back(*row);
    }
    sort_unique(e.dead);
  }
  return e;
}

wire::RowMapEntry row_map_entry(uint64_t segment_id, uint64_t first_row,
                                std::span<const uint64_t> ids) {
  const auto [low, high] = std::minmax_element(ids.begin(), ids.end());
  return {segment_id, first_row, ids.size(), *low, *high};
}

Status append_attachments(runtime::Writer& writer, std::span<const Attachment> attachments,
                          WriteReport& report) {
  for (const Attachment& a : attachments) {
    const auto type = static_cast<SegmentType>(a.type);
    if (!runtime::may_attach(type, a.flags)) {
      return Error(ErrorCode::kBadArgument, std::string("a segment of type ") +
                                                segment_type_name(type) + " cannot be attached");
    }
    runtime::Writer::Segment segment;
    segment.type = type;
    segment.flags = a.flags;
    wire::ByteSpan payload = a.payload;
    wire::Bytes packed;
    if (a.compress && a.payload.size() < UINT32_MAX) {
      RVF_ASSIGN(packed, wire::compress(Compression::kZstd, a.payload));
      if (packed.size() < a.payload.size()) {
        segment.compression = Compression::kZstd;
        segment.flags |= segment_flag::kCompressed;
        segment.uncompressed_length = static_cast<uint32_t>(a.payload.size());
        payload = packed;
      }
    }
    RVF_ASSIGN(const wire::DirEntry entry, writer.append(segment, payload));
    report.attached.push_back(entry.segment_id);
  }
  return {};
}

// Appends everything of the batch to the file and to writer.batch().
Status append_batch(runtime::Writer& writer, const WriteBatch& batch, std::span<const uint64_t> ids,
                    const std::vector<runtime::EncodedRows>& rows, const Effects& effects,
                    const runtime::BatchMetadata& metadata,
                    const std::map<uint64_t, wire::DirEntry>& directory, WriteReport& report) {
  uint64_t row = writer.root().extension->rows;
  const uint64_t first_row = row;
  for (const runtime::EncodedRows& part : rows) {
    runtime::Writer::Segment segment;
    segment.type = SegmentType::kVec;
    segment.block_count = part.blocks;
    RVF_ASSIGN(const wire::DirEntry entry, writer.append(segment, part.payload));
    writer.batch().rows.push_back(
        row_map_entry(entry.segment_id, row, ids.subspan(part.first, part.count)));
    row += part.count;
  }
  RVF_TRY(metadata.append(writer, first_row, ids));
  if (!effects.deleted_ids.empty()) {
    runtime::Writer::Segment segment;
    segment.type = SegmentType::kJournal;
    wire::Journal journal;
    journal.epoch = writer.log().epoch() + 1;
    journal.entries.emplace_back(wire::JournalDeleteList{effects.deleted_ids});
    RVF_TRY(writer.append(segment, wire::encode_journal(journal)));
  }
  RVF_TRY(append_attachments(writer, batch.attach, report));
  const runtime::SegmentOwner owner(writer.head(), writer.root());
  for (const uint64_t id : batch.detach) {
    const auto it = directory.find(id);
    if (it == directory.end()) {
      return Error(ErrorCode::kNotFound,
                   "there is no segment " + std::to_string(id) + " to detach");
    }
    if (!owner.is_attachment(it->second)) {
      return Error(ErrorCode::kBadArgument,
                   "segment " + std::to_string(id) + " is the store's own, not an attachment");
    }
    writer.batch().removed.push_back(id);
  }
  writer.batch().dead = effects.dead;

  wire::Root& root = writer.root();
  root.extension->rows = row;
  root.extension->dead_rows += effects.dead.size();
  root.total_vectors = root.extension->rows - root.extension->dead_rows;
  for (const uint64_t id : ids) root.extension->next_id = std::max(root.extension->next_id, id + 1);
  return {};
}

Status load_segments(const runtime::LiveState& state, const manifest::Change& change,
                     std::vector<std::shared_ptr<const runtime::VecSegment>>& out) {
  for (const wire::RowMapEntry& r : change.rows) {
    const auto entry = std::find_if(change.added.begin(), change.added.end(),
                                    [&](const auto& e) { return e.segment_id == r.segment_id; });
    RVF_ASSIGN(auto segment, state.load_rows(*entry, r));
    out.push_back(std::move(segment));
  }
  return {};
}

}  // namespace

Status runtime::append_sketch(Writer& writer, const wire::SketchSegment& sketch) {
  Writer::Segment segment;
  segment.type = SegmentType::kSketch;
  RVF_ASSIGN(const wire::DirEntry entry, writer.append(segment, wire::encode_sketch(sketch)));
  for (const uint64_t old : writer.head().sketch_segments) writer.batch().removed.push_back(old);
  writer.head().sketch_segments = {entry.segment_id};
  return {};
}

// The ids of the new vectors, and whether they may exist already.
Result<Store::Impl::NewIds> Store::Impl::new_ids(const WriteBatch& batch) const {
  NewIds out;
  const size_t count = batch.vectors.count;
  const uint64_t next_id = writer->root().extension->next_id;
  if (count == 0) return out;
  if (!batch.ids.empty()) {
    out.ids.assign(batch.ids.begin(), batch.ids.end());
    out.may_exist = *std::min_element(batch.ids.begin(), batch.ids.end()) < next_id;
    return out;
  }
  if (next_id > kNoId - count) {
    return Error(ErrorCode::kTooLarge,
                 "no ids are left after the highest one; give ids explicitly");
  }
  out.ids.resize(count);
  if (batch.keys.empty()) {
    std::iota(out.ids.begin(), out.ids.end(), next_id);
    return out;
  }
  RVF_ASSIGN(const auto there, rows_of_keys(batch.keys));
  uint64_t next = next_id;
  for (size_t i = 0; i < count; ++i) {
    out.ids[i] = there[i] ? state.id_of(*there[i]) : next++;
    out.may_exist = out.may_exist || there[i].has_value();
  }
  return out;
}

Result<std::vector<std::optional<uint64_t>>> Store::Impl::rows_of_keys(
    std::span<const std::string> wanted) const {
  RVF_ASSIGN(const auto now, snapshot_impl());
  const std::vector<std::string_view> views(wanted.begin(), wanted.end());
  return now->rows_of_keys(views);
}

// Everything that the batch deletes, by id.
Result<std::vector<uint64_t>> Store::Impl::ids_to_delete(const WriteBatch& batch) const {
  std::vector<uint64_t> out(batch.delete_ids.begin(), batch.delete_ids.end());
  if (!batch.delete_keys.empty()) {
    RVF_ASSIGN(const auto rows, rows_of_keys(batch.delete_keys));
    for (const auto& row : rows) {
      if (row) out.push_back(state.id_of(*row));
    }
  }
  if (batch.delete_range) {
    const auto [first, last] = *batch.delete_range;
    if (last < first) {
      return Error(ErrorCode::kBadArgument, "the range of ids ends before it begins");
    }
    runtime::IdWalk walk(state, first);
    for (auto step = walk.next(); step && step->id <= last; step = walk.next()) {
      if (!state.dead.test(step->row)) out.push_back(step->id);
    }
  }
  if (!batch.delete_where.empty()) {
    RVF_ASSIGN(const auto now, snapshot_impl());
    RVF_ASSIGN(const auto selected, now->select(batch.delete_where));
    selected->rows.for_each(0, now->state.rows.size(),
                            [&](uint64_t row) { out.push_back(now->state.id_of(row)); });
  }
  return out;
}

Result<std::vector<uint64_t>> Store::Impl::rows_to_update(const WriteBatch& batch) const {
  std::vector<std::optional<uint64_t>> found;
  if (batch.update_keys.empty()) {
    ids->find_all(state, batch.update_ids, found);
  } else {
    RVF_ASSIGN(found, rows_of_keys(batch.update_keys));
  }
  std::vector<uint64_t> rows;
  if (found.empty()) return rows;
  RVF_ASSIGN(const auto gone_now, gone());
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i] || gone_now->test(*found[i])) {
      return Error(ErrorCode::kNotFound,
                   "no vector has the id " +
                       (batch.update_keys.empty() ? std::to_string(batch.update_ids[i])
                                                  : "'" + batch.update_keys[i] + "'") +
                       "; nothing was written");
    }
    rows.push_back(*found[i]);
  }
  return rows;
}

Result<runtime::BatchMetadata> Store::Impl::metadata_of(const WriteBatch& batch,
                                                        WriteReport& report) const {
  RVF_ASSIGN(const meta::Schema schema, runtime::schema_of(writer->head().schema));
  runtime::BatchMetadata metadata(schema);
  RVF_TRY(metadata.declare(batch.fields));
  RVF_TRY(metadata.add_columns(batch.columns, batch.vectors.count));
  if (!batch.keys.empty()) RVF_TRY(metadata.add_keys(batch.keys));
  RVF_ASSIGN(const std::vector<uint64_t> rows, rows_to_update(batch));
  if (rows.empty()) return metadata;
  RVF_TRY(metadata.add_updates(batch.update_columns, rows));
  report.updated = rows.size();
  return metadata;
}

Result<Snapshot::Impl::Dead> Store::Impl::gone() const {
  if (published.schema->find(kExpiryField) == nullptr) return runtime::borrowed(state.dead);
  RVF_ASSIGN(const auto now, snapshot_impl());
  return now->dead();
}

Status Store::Impl::check_id_kind(const WriteBatch& batch) const {
  IdKind kind = published.id_kind;
  if (kind == IdKind::kUndecided) {
    if (!batch.keys.empty()) {
      kind = IdKind::kTexts;
    } else if (batch.vectors.count > 0) {
      kind = IdKind::kNumbers;
    }
  }
  const bool texts =
      !batch.keys.empty() || !batch.delete_keys.empty() || !batch.update_keys.empty();
  const bool numbers = !batch.ids.empty() || !batch.delete_ids.empty() || batch.delete_range ||
                       !batch.update_ids.empty();
  if (kind == IdKind::kTexts && numbers && !keeps_both_ids) {
    return Error(ErrorCode::kWrongIdKind,
                 "the ids of this store are texts; a number names none of its vectors");
  }
  if (kind == IdKind::kTexts && batch.vectors.count > 0 && batch.keys.empty() && !keeps_both_ids) {
    return Error(ErrorCode::kWrongIdKind,
                 "the ids of this store are texts, so that each new vector needs one");
  }
  if (kind == IdKind::kNumbers && texts && !keeps_both_ids) {
    return Error(ErrorCode::kWrongIdKind,
                 "the ids of this store are numbers; a text names none of its vectors");
  }
  return {};
}

Result<WriteReport> Store::Impl::write(const WriteBatch& batch) {
  RVF_TRY(ready_to_write());
  RVF_TRY(check_vectors(batch.vectors, batch.ids.size(), state.dimension));
  RVF_TRY(check_id_kind(batch));
  RVF_TRY(check_ids(batch.ids));
  RVF_TRY(check_ids(batch.update_ids));
  RVF_TRY(check_keys(batch.keys));
  RVF_TRY(check_keys(batch.update_keys));
  if (!batch.keys.empty() && batch.keys.size() != batch.vectors.count) {
    return Error(ErrorCode::kBadArgument, "there are " + std::to_string(batch.vectors.count) +
                                              " vectors and " + std::to_string(batch.keys.size()) +
                                              " text ids");
  }

  WriteReport report;
  RVF_ASSIGN(const auto gone_now, gone());
  RVF_ASSIGN(const NewIds fresh, new_ids(batch));
  if (!fresh.ids.empty() && batch.keys.empty()) report.first_id = fresh.ids.front();
  RVF_ASSIGN(const runtime::BatchMetadata metadata, metadata_of(batch, report));
  RVF_TRY(check_widening(metadata.schema()));
  RVF_ASSIGN(const std::vector<uint64_t> to_delete, ids_to_delete(batch));
  RVF_ASSIGN(const auto rows,
             runtime::encode_rows(batch.vectors, fresh.ids, state.dtype, state.dimension));
  const Effects effects = effects_of(state, *gone_now, *ids, fresh.ids, fresh.may_exist, to_delete);
  report.added = batch.vectors.count;
  report.replaced = effects.replaced;
  report.deleted = effects.deleted;
  report.epoch = log().epoch();
  if (rows.empty() && effects.dead.empty() && batch.attach.empty() && batch.detach.empty() &&
      metadata.empty()) {
    RVF_TRY(define_fields(batch.fields));
    report.epoch = log().epoch();
    return report;
  }

  {
    runtime::BatchScope scope(*writer);
    RVF_TRY(append_batch(*writer, batch, fresh.ids, rows, effects, metadata, directory, report));
    const manifest::Change change = writer->batch();
    // Read back before the commit: afterwards nothing may fail any more.
    std::vector<std::shared_ptr<const runtime::VecSegment>> segments;
    RVF_TRY(load_segments(state, change, segments));
    RVF_TRY(state.intact());  // what was looked up in it decides what is written
    RVF_TRY(writer->end_batch(options.durability));
    scope.keep();
    report.epoch = log().epoch();
    show(change, std::move(segments));
  }
  // The rows are committed, whatever becomes of their index; without it they are scanned.
  if (options.index_policy == IndexPolicy::kAuto && index_is_behind()) {
    Status built = runtime::no_throw([&] { return build_index(nullptr); });
    if (!built) report.index_problem = std::move(built).error();
  }
  return report;
}

Status Store::Impl::check_widening(const meta::Schema& wanted) const {
  RVF_ASSIGN(const meta::Schema before, runtime::schema_of(writer->head().schema));
  if (wanted == before) return {};
  RVF_ASSIGN(const auto now, snapshot_impl());
  RVF_ASSIGN(const meta::Table* table, now->table());
  return runtime::check_widening(*table, now->state.dead, wanted);
}

Status Store::Impl::define_fields(std::span<const Field> fields) {
  RVF_TRY(ready_to_write());
  RVF_ASSIGN(meta::Schema schema, runtime::schema_of(writer->head().schema));
  const meta::Schema before = schema;
  RVF_TRY(runtime::merge_fields(fields, schema));
  if (schema == before) return {};
  RVF_TRY(check_widening(schema));
  runtime::BatchScope scope(*writer);
  writer->head().schema = runtime::schema_entries(schema);
  // A change of the head alone leaves nothing pending, so it is committed at once.
  RVF_TRY(writer->end_batch(options.durability == Durability::kNone ? Durability::kFlush
                                                                    : options.durability));
  scope.keep();
  show({}, {});
  return {};
}

Status Store::Impl::commit(Durability durability) {
  RVF_TRY(ready_to_write());
  RVF_TRY(writer->commit(durability));
  show({}, {});
  return {};
}

Status Store::Impl::save_access() {
  constexpr uint64_t kWorthACommit = 1000;
  const auto sketch = access->take_changes(kWorthACommit);
  if (!sketch) return {};
  runtime::BatchScope scope(*writer);
  RVF_TRY(runtime::append_sketch(*writer, *sketch));
  RVF_TRY(writer->end_batch(options.durability));
  scope.keep();
  return {};
}

Result<uint32_t> Store::Impl::rollback(uint32_t epoch) {
  RVF_TRY(commit(Durability::kSync));
  // What is damaged behind that epoch must not be found again, so it is written anew.
  if (epoch == log().epoch() && !recovery.damaged) return epoch;
  RVF_ASSIGN(const auto known, manifest::ManifestLog::epochs(*file, log().root()));
  const auto target = std::find_if(known.begin(), known.end(),
                                   [&](const manifest::EpochInfo& e) { return e.epoch == epoch; });
  if (target == known.end()) {
    return Error(ErrorCode::kNotFound, "epoch " + std::to_string(epoch) +
                                           " is not in the file; it reaches back to " +
                                           std::to_string(known.back().epoch));
  }
  RVF_ASSIGN(const uint64_t size, file->size());
  RVF_ASSIGN(const auto raw, manifest::read_manifest(*file, target->manifest_offset, size));
  RVF_ASSIGN(auto old, manifest::ManifestLog::load(*file, raw.root));
  RVF_ASSIGN(auto old_state,
             runtime::LiveState::load(old, file, shard_opener(), options.memory_budget,
                                      options.verify_at_open));

  // Ids that were given out are not given again; behind texts are numbers that nobody was given.
  const bool numbers = published.id_kind != IdKind::kTexts;
  RVF_TRY(writer->rollback_to(std::move(old), numbers ? published.next_id : 0));
  ++generation;
  std::lock_guard guard(state_mutex);
  torn = true;
  state = std::move(old_state);
  directory = log().directory();
  forget_rows();
  publish();
  torn = false;
  return log().epoch();
}

}  // namespace rvf
