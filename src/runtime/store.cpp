#include "rvf/store.hpp"

#include <string>
#include <thread>

#include "runtime/no_throw.hpp"
#include "runtime/path_guard.hpp"
#include "runtime/store_impl.hpp"
#include "types/planted_bug.hpp"

namespace rvf {

using runtime::no_throw;

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&& other) noexcept {
  if (this != &other) {
    if (impl_) (void)close();
    impl_ = std::move(other.impl_);
  }
  return *this;
}
Store::~Store() {
  if (impl_) (void)close();
}

void Store::Impl::publish() {
  published.root = log().root();
  published.owner = {log_head(), published.root};
  published.live_bytes = log().live_bytes();
  published.next_id = (writer ? writer->root() : published.root).extension->next_id;
  if (log_head().schema != published.schema_entries) {
    std::vector<wire::SchemaEntry> entries = log_head().schema;
    // load() has seen it, or the writer made it: it reads.
    if (auto schema = runtime::schema_of(entries)) {
      published.schema = std::make_shared<const meta::Schema>(std::move(*schema));
    }
    published.schema_entries = std::move(entries);
  }
  published.id_kind = IdKind::kUndecided;
  if (published.schema->find(kKeyField) != nullptr) {
    published.id_kind = IdKind::kTexts;
  } else if (log_head().numbers_declared ||
             (writer ? writer->root() : published.root).extension->rows > 0) {
    published.id_kind = IdKind::kNumbers;
  }
  if (!planted(PlantedBug::kStaleSnapshot)) current = nullptr;
}

void Store::Impl::show(const manifest::Change& change,
                       std::vector<std::shared_ptr<const runtime::VecSegment>> segments) {
  std::unique_lock guard(state_mutex);
  torn = true;
  for (const uint64_t id : change.removed) directory.erase(id);
  for (const wire::DirEntry& e : change.added) directory[e.segment_id] = e;
  for (auto& segment : segments) {
    if (!state.add_rows(std::move(segment))) return;
  }
  if (planted(PlantedBug::kShowHalfBatch)) {
    publish();
    torn = false;
    guard.unlock();
    std::this_thread::yield();
    guard.lock();
  }
  for (const uint64_t row : change.dead) state.kill(row);
  publish();
  torn = false;
}

Status Store::Impl::heal() {
  if (!torn) return {};
  // What was put off until a commit is in the file, but in no manifest yet.
  if (writer != nullptr) {
    RVF_TRY(writer->check_usable());
    RVF_TRY(writer->commit(Durability::kFlush));
  }
  RVF_ASSIGN(auto loaded, writer != nullptr ? load(file) : load_beside_writers(file));
  adopt(std::move(loaded));
  ++generation;
  return {};
}

Status Store::Impl::ready_to_write() {
  RVF_TRY(check_writable());
  return heal();
}

void Store::Impl::forget_rows() {
  if (!planted(PlantedBug::kKeepIdsAfterCompaction) || ids == nullptr) {
    ids = std::make_shared<runtime::IdIndex>();
  }
  keys = std::make_shared<runtime::KeyIndex>();
  parts = std::make_shared<runtime::PartCache>();
  expiries = std::make_shared<runtime::ExpiryCache>();
}

Status Store::Impl::check_open() const {
  if (file == nullptr) return Error(ErrorCode::kBadArgument, "the store is closed");
  return {};
}

Status Store::Impl::check_writable() const {
  RVF_TRY(check_open());
  if (writer == nullptr) {
    return Error(ErrorCode::kReadOnly,
                 path + " was opened for reading; open it with Store::open to write");
  }
  RVF_TRY(lock->is_ours());
  return writer->check_usable();
}

Status Store::Impl::check_place() const { return runtime::check_named(*fs, path, *file); }

Result<std::shared_ptr<const Snapshot::Impl>> Store::Impl::snapshot_impl() const {
  std::lock_guard guard(state_mutex);
  RVF_TRY(check_open());
  if (current == nullptr) {
    if (torn) return runtime::out_of_memory();
    auto made = std::make_shared<Snapshot::Impl>();
    made->state = state;
    made->pins = state.pins();
    made->directory.reserve(directory.size());
    for (const auto& [id, entry] : directory) made->directory.push_back(entry);
    made->owner = published.owner;
    made->epoch = published.root.epoch;
    made->scratch = scratch;
    made->access = access;
    made->ids = ids;
    made->keys = keys;
    made->parts = parts;
    made->expiries = expiries;
    made->schema = published.schema;
    made->id_kind = published.id_kind;
    current = std::move(made);
  }
  return current;
}

Result<Snapshot> Store::snapshot() const {
  return no_throw([&]() -> Result<Snapshot> {
    if (impl_->torn) {
      std::lock_guard writing(impl_->write_mutex);
      RVF_TRY(impl_->heal());
    }
    RVF_ASSIGN(auto made, impl_->snapshot_impl());
    return Snapshot(std::move(made));
  });
}

Result<QueryResult> Store::query(std::span<const float> vector, const QueryOptions& options) const {
  return no_throw([&]() -> Result<QueryResult> {
    RVF_ASSIGN(const Snapshot s, snapshot());
    return s.query(vector, options);
  });
}

Result<std::vector<QueryResult>> Store::query_batch(const Vectors& queries,
                                                    const QueryOptions& options) const {
  return no_throw([&]() -> Result<std::vector<QueryResult>> {
    RVF_ASSIGN(const Snapshot s, snapshot());
    return s.query_batch(queries, options, impl_->options.executor.get());
  });
}

Result<std::vector<float>> Store::get(uint64_t id) const {
  return no_throw([&]() -> Result<std::vector<float>> {
    RVF_ASSIGN(const Snapshot s, snapshot());
    return s.get(id);
  });
}

Result<bool> Store::refresh() {
  return no_throw([&]() -> Result<bool> {
    std::lock_guard writing(impl_->write_mutex);
    {
      std::lock_guard guard(impl_->state_mutex);
      RVF_TRY(impl_->check_open());
      if (impl_->writer != nullptr) return false;
    }
    RVF_ASSIGN(const auto there, impl_->fs->identity(impl_->path));
    RVF_ASSIGN(const auto mine, impl_->file->identity());
    std::shared_ptr<io::File> file = impl_->file;
    if (there != mine) {
      RVF_ASSIGN(auto opened, impl_->fs->open(impl_->path, io::OpenMode::kRead));
      file = std::move(opened);
    } else {
      // Level 0 tells for one read whether anything happened.
      auto root = manifest::boot(*file);
      if (root && root->level1_offset == impl_->reader_log.root().level1_offset) return false;
    }
    RVF_ASSIGN(auto opened, impl_->load_beside_writers(file));
    if (there == mine && opened.found.log.epoch() == impl_->reader_log.epoch()) return false;
    impl_->adopt(std::move(opened));
    return true;
  });
}

StoreStatus Store::status() const {
  std::optional<uint64_t> shown;
  const bool expires = [&] {
    std::lock_guard guard(impl_->state_mutex);
    return impl_->published.schema->find(kExpiryField) != nullptr;
  }();
  if (expires) {
    // Fields that do not read are the matter of who asks for them.
    if (const auto now = snapshot()) {
      if (const auto size = now->size()) shown = *size;
    }
  }
  std::lock_guard guard(impl_->state_mutex);
  StoreStatus s;
  if (impl_->file == nullptr) return s;
  const wire::Root& root = impl_->published.root;
  s.vectors = shown.value_or(impl_->state.live());
  s.deleted = impl_->state.dead.count();
  s.dimension = impl_->state.dimension;
  s.metric = impl_->state.metric;
  s.dtype = impl_->state.dtype;
  s.epoch = root.epoch;
  if (auto size = impl_->file->size()) s.file_bytes = *size;
  s.live_bytes = impl_->published.live_bytes + kSegmentHeaderSize + root.level1_length + kRootSize;
  s.segments = impl_->directory.size();
  s.next_id = impl_->published.next_id;
  s.created_ns = root.created_ns;
  s.modified_ns = root.modified_ns;
  s.index_kind = "none";
  if (impl_->state.index != nullptr) {
    const runtime::LoadedIndex& index = *impl_->state.index;
    if (index.graph != nullptr) {
      const index::IndexInfo info = index.graph->describe();
      s.index_kind = info.kind;
      s.search_layout = info.layout;
      s.indexed_rows = info.rows;
      s.index_bytes = info.bytes;
      s.index_default_ef = info.default_ef;
    } else {
      s.index_kind = "damaged (" + index.problem + ")";
    }
  }
  for (const auto& segment : impl_->state.segments) {
    for (const auto& b : segment->blocks()) {
      s.tier_rows[b.wire.tier < 3 ? b.wire.tier : 2] += b.wire.count;
      if (b.lazy == nullptr) continue;
      s.coded_rows += b.wire.count;
      s.decoded_rows += b.lazy->decoded_rows();
    }
  }
  s.layout = impl_->layout;
  s.notes = impl_->notes;
  s.application = impl_->published.application;
  s.storage = impl_->published.storage;
  s.id_kind = impl_->published.id_kind;
  for (const meta::SchemaField& f : impl_->published.schema->fields()) {
    s.fields += f.field.name.front() != '_' ? 1 : 0;
  }
  for (const auto& [id, entry] : impl_->directory) {
    if (runtime::is_own_metadata(entry)) s.metadata_bytes += entry.payload_length;
  }
  s.file_id = root.identity.file_id;
  s.writable = impl_->writer != nullptr;
  s.recovery = impl_->recovery;
  return s;
}

Result<std::vector<EpochEntry>> Store::epochs() const {
  return no_throw([&]() -> Result<std::vector<EpochEntry>> {
    std::shared_ptr<io::File> file;
    wire::Root root;
    {
      std::lock_guard guard(impl_->state_mutex);
      RVF_TRY(impl_->check_open());
      file = impl_->file;
      root = impl_->published.root;
    }
    RVF_ASSIGN(const auto found, manifest::ManifestLog::epochs(*file, root));
    std::vector<EpochEntry> out;
    for (const manifest::EpochInfo& e : found) {
      out.push_back({e.epoch, e.manifest_offset, e.vectors, e.modified_ns, e.full});
    }
    return out;
  });
}

Status Store::close() {
  if (!impl_) return {};
  std::lock_guard writing(impl_->write_mutex);
  Status last;
  if (impl_->writer != nullptr) {
    last = no_throw([&] { return impl_->check_writable(); });
  }
  if (!last) {
    // The call that failed has said so; only what was put off until now is still to be answered
    // for.
    if (!impl_->writer->has_uncommitted()) last = {};
  } else if (impl_->writer != nullptr) {
    last = no_throw([&]() -> Status {
      RVF_TRY(impl_->save_access());
      return impl_->commit(impl_->options.durability == Durability::kSync ? Durability::kSync
                                                                          : Durability::kFlush);
    });
  }
  std::lock_guard guard(impl_->state_mutex);
  impl_->current = nullptr;
  impl_->state = {};
  impl_->writer = nullptr;
  // Snapshots keep the file open; its name last, so that who waits for it finds the file free.
  if (impl_->file != nullptr && impl_->lock != nullptr) impl_->file->unlock();
  impl_->file = nullptr;
  impl_->lock = nullptr;
  return last;
}

Result<WriteReport> Store::ingest(const Vectors& vectors, std::span<const uint64_t> ids) {
  WriteBatch batch;
  batch.vectors = vectors;
  batch.ids = ids;
  return write(batch);
}

Result<WriteReport> Store::ingest(const Vectors& vectors, std::span<const std::string> keys,
                                  std::span<const Column> columns) {
  WriteBatch batch;
  batch.vectors = vectors;
  batch.keys = keys;
  batch.columns = columns;
  return write(batch);
}

Result<WriteReport> Store::remove_where(std::string_view filter) {
  if (filter.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return Error(ErrorCode::kBadFilter, "an empty filter would delete everything");
  }
  WriteBatch batch;
  batch.delete_where = filter;
  return write(batch);
}

Result<WriteReport> Store::update_metadata(std::span<const uint64_t> ids,
                                           std::span<const Column> columns) {
  WriteBatch batch;
  batch.update_ids = ids;
  batch.update_columns = columns;
  return write(batch);
}

Result<WriteReport> Store::update_metadata(std::span<const std::string> keys,
                                           std::span<const Column> columns) {
  WriteBatch batch;
  batch.update_keys = keys;
  batch.update_columns = columns;
  return write(batch);
}

Status Store::define_fields(std::span<const Field> fields) {
  return no_throw([&]() -> Status {
    std::lock_guard writing(impl_->write_mutex);
    return impl_->define_fields(fields);
  });
}

Result<WriteReport> Store::remove(std::span<const uint64_t> ids) {
  WriteBatch batch;
  batch.delete_ids = ids;
  return write(batch);
}

Result<WriteReport> Store::remove(std::span<const std::string> keys) {
  WriteBatch batch;
  batch.delete_keys = keys;
  return write(batch);
}

Result<WriteReport> Store::remove_range(uint64_t first, uint64_t last) {
  WriteBatch batch;
  batch.delete_range.emplace(first, last);
  return write(batch);
}

Result<WriteReport> Store::write(const WriteBatch& batch) {
  return no_throw([&]() -> Result<WriteReport> {
    std::lock_guard writing(impl_->write_mutex);
    return impl_->write(batch);
  });
}

Status Store::commit() {
  return no_throw([&]() -> Status {
    std::lock_guard writing(impl_->write_mutex);
    return impl_->commit(Durability::kSync);
  });
}

Result<uint32_t> Store::rollback(uint32_t epoch) {
  return no_throw([&]() -> Result<uint32_t> {
    std::lock_guard writing(impl_->write_mutex);
    return impl_->rollback(epoch);
  });
}

Status Store::build_index(const Progress* progress) {
  return no_throw([&]() -> Status {
    std::lock_guard writing(impl_->write_mutex);
    RVF_TRY(impl_->ready_to_write());
    return impl_->build_index(progress);
  });
}

Result<CompactReport> Store::compact(const CompactOptions& options) {
  return no_throw([&]() -> Result<CompactReport> { return impl_->compact(options); });
}

Result<VerifyReport> Store::verify(const VerifyOptions& options) const {
  return no_throw([&]() -> Result<VerifyReport> { return impl_->verify(options); });
}

}  // namespace rvf
