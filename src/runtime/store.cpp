#include "rvf/store.hpp"

#include <sys/random.h>

#include <cstring>
#include <string>

#include "runtime/shard_writer.hpp"
#include "runtime/store_impl.hpp"
#include "wire/segment.hpp"
#include "wire/sketch_codec.hpp"

namespace rvf {
namespace {

constexpr uint32_t kPlausibleEpochJump = 1U << 20;

Status check_create(const CreateOptions& o) {
  if (o.dimension == 0 || o.dimension > kMaxDimension) {
    return Error(ErrorCode::kBadArgument, "dimension must be 1 to 65535, not " + std::to_string(o.dimension));
  }
  switch (o.dtype) {
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
    case DType::kI8:
    case DType::kU8:
    case DType::kBinary: break;
    default:
      return Error(ErrorCode::kBadArgument, std::string("a store cannot hold dtype ") + dtype_name(o.dtype));
  }
  if (o.metric > Metric::kHamming) return Error(ErrorCode::kWrongMetric, "unknown metric");
  if ((o.metric == Metric::kHamming) != (o.dtype == DType::kBinary) && o.metric == Metric::kHamming) {
    return Error(ErrorCode::kWrongMetric, "metric hamming needs dtype binary");
  }
  if (o.graph_m < 4 || o.graph_m > 64) {
    return Error(ErrorCode::kBadArgument, "graph_m must be 4 to 64");
  }
  if (o.ef_construction < 8 || o.ef_construction > 4096) {
    return Error(ErrorCode::kBadArgument, "ef_construction must be 8 to 4096");
  }
  return {};
}

Error explain(Error e, const std::string& path) {
  if (e.message.find(path) == std::string::npos) e.message = path + ": " + e.message;
  return e;
}

// Without these a store is not what its manifest says. Damage in any other segment concerns who reads it.
bool is_essential(SegmentType type) { return type == SegmentType::kVec || type == SegmentType::kQuant; }

// Which segments a candidate manifest has to prove: those that no barrier vouches for, or all vectors of a small
// store.
Status check_segments(const manifest::ManifestLog& log, runtime::LiveState& state, const io::File& file,
                      uint64_t verify_at_open) {
  const bool synced = (log.root().flags & wire::root_flag::kDataSynced) != 0;
  uint64_t trusted_up_to = 0;
  if (log.live_bytes() > verify_at_open) {
    if (synced) return {};
    RVF_ASSIGN(const uint64_t size, file.size());
    // Walk back to the last epoch that was synced; what lies before it cannot be torn.
    uint64_t offset = log.root().level1_offset - kSegmentHeaderSize;
    while (true) {
      auto m = manifest::read_manifest(file, offset, size);
      if (!m) break;
      if ((m->root.flags & wire::root_flag::kDataSynced) != 0) {
        trusted_up_to = offset;
        break;
      }
      if (m->level1.chain.empty() || m->level1.chain[0].offset >= offset) break;
      offset = m->level1.chain[0].offset;
    }
  }
  for (const auto& [id, entry] : log.directory()) {
    if (entry.shard == 0 && entry.offset < trusted_up_to) continue;
    if (synced && !is_essential(entry.type)) continue;
    RVF_TRY(state.verified_segment(entry));
  }
  return {};
}

std::shared_ptr<runtime::AccessCounter> load_access(const manifest::ManifestLog& log,
                                                    const runtime::LiveState& state) {
  for (const uint64_t id : log.head().sketch_segments) {
    const auto it = log.directory().find(id);
    if (it == log.directory().end()) continue;
    auto payload = state.payload(it->second);
    if (!payload) continue;
    auto segment = wire::decode_sketch(*payload);
    if (!segment) continue;
    // A sketch only steers placement: one that does not read is no reason to fail.
    if (auto sketch = quant::CountMinSketch::from_wire(*segment)) {
      return std::make_shared<runtime::AccessCounter>(std::move(*sketch));
    }
  }
  return std::make_shared<runtime::AccessCounter>(state.rows.size());
}

}  // namespace

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

namespace {

// The first commit of a store, in a file that takes the store's name only when it is whole: a crash leaves
// either no store or an empty one that opens.
Status write_first_commit(io::FileSystem& fs, const std::string& path, const CreateOptions& create) {
  const std::string unfinished = path + ".new";
  RVF_TRY(fs.remove(unfinished));
  RVF_ASSIGN(auto created, fs.open(unfinished, io::OpenMode::kCreateNew));
  std::shared_ptr<io::File> file = std::move(created);

  runtime::Writer writer(file, manifest::ManifestLog(), 0, 1);
  wire::ProfileConfig& profile = writer.head().profile;
  profile.metric = create.metric;
  profile.dtype = create.dtype;
  profile.dimension = create.dimension;
  profile.graph_degree = create.graph_m;
  profile.ef_construction = create.ef_construction;
  profile.seed = create.seed;
  profile.schema = create.application;
  wire::Root& root = writer.root();
  root.dimension = static_cast<uint16_t>(create.dimension);
  root.dtype = create.dtype;
  root.created_ns = runtime::now_ns();
  root.extension.emplace();
  root.extension->metric = create.metric;
  if (::getrandom(root.identity.file_id.data(), root.identity.file_id.size(), 0) !=
      static_cast<ssize_t>(root.identity.file_id.size())) {
    std::memcpy(root.identity.file_id.data(), &root.created_ns, 8);
  }
  writer.begin_batch();
  writer.force_full_manifest();
  Status written = writer.end_batch(Durability::kSync);
  if (written) written = fs.rename(unfinished, path);
  if (!written) {
    (void)fs.remove(unfinished);
    return written;
  }
  return fs.sync_parent(path);
}

}  // namespace

Result<Store> Store::create(const std::string& path, const CreateOptions& create,
                            const OpenOptions& open) {
  RVF_TRY(check_create(create));
  auto impl = std::make_unique<Impl>();
  impl->options = open;
  impl->path = path;
  impl->fs = open.file_system ? open.file_system : io::posix_file_system();
  const Error taken(ErrorCode::kAlreadyExists, path + " exists already; open it, or remove it first");
  RVF_ASSIGN(const bool exists, impl->fs->exists(path));
  if (exists) return taken;
  RVF_ASSIGN(impl->lock, impl->fs->lock(path));
  RVF_ASSIGN(const bool appeared, impl->fs->exists(path));  // while the lock was waited for
  if (appeared) return taken;
  Status made = write_first_commit(*impl->fs, path, create);
  if (made) made = impl->open_file(true);
  if (!made) {
    (void)impl->fs->remove(path);
    return std::move(made).error();
  }
  return Store(std::move(impl));
}

Result<Store> Store::open(const std::string& path, const OpenOptions& open) {
  auto impl = std::make_unique<Impl>();
  impl->options = open;
  impl->path = path;
  impl->fs = open.file_system ? open.file_system : io::posix_file_system();
  // Looked at before the lock is taken: a foreign file must not get a lock file beside it.
  RVF_ASSIGN(const bool exists, impl->fs->exists(path));
  if (!exists) {
    return Error(ErrorCode::kNoSuchFile, "there is no store " + path + "; `rvf create` makes one");
  }
  RVF_TRY(impl->fs->open(path, io::OpenMode::kRead));
  RVF_ASSIGN(impl->lock, impl->fs->lock(path));
  RVF_TRY(impl->open_file(true));
  return Store(std::move(impl));
}

Result<Store> Store::open_readonly(const std::string& path, const OpenOptions& open) {
  auto impl = std::make_unique<Impl>();
  impl->options = open;
  impl->path = path;
  impl->fs = open.file_system ? open.file_system : io::posix_file_system();
  RVF_TRY(impl->open_file(false));
  return Store(std::move(impl));
}

Result<Store> Store::from_bytes(std::vector<std::byte> bytes, const OpenOptions& open) {
  OpenOptions options = open;
  options.file_system = io::memory_file_system();
  const std::string name = "memory.rvf";
  {
    RVF_ASSIGN(auto file, options.file_system->open(name, io::OpenMode::kCreateNew));
    RVF_TRY(file->write(0, bytes));
  }
  return Store::open(name, options);
}

runtime::LiveState::OpenShard Store::Impl::shard_opener() const {
  return [this](const wire::ShardRef& ref) -> Result<std::shared_ptr<io::File>> {
    RVF_ASSIGN(auto opened, fs->open(runtime::shard_path(path, ref.name), io::OpenMode::kRead));
    RVF_ASSIGN(const uint64_t size, opened->size());
    if (size < ref.bytes) {
      return Error(ErrorCode::kTruncated, "the shard " + ref.name + " is shorter than the store says");
    }
    return std::shared_ptr<io::File>(std::move(opened));
  };
}

Result<Store::Impl::Opened> Store::Impl::load(std::shared_ptr<io::File> from) const {
  Opened opened;
  opened.file = std::move(from);
  const auto accept = [&](const manifest::ManifestLog& log) -> Status {
    const auto& compaction = log.head().compaction;
    if (!compaction.empty() && compaction.front().phase != wire::CompactionState::kAllRowsCopied) {
      return Error(ErrorCode::kManifestInvalid, "the manifest belongs to an unfinished compaction");
    }
    auto loaded = runtime::LiveState::load(log, opened.file, shard_opener(), options.memory_budget);
    Status whole = loaded ? check_segments(log, *loaded, *opened.file, options.verify_at_open)
                         : Status(loaded.error());
    if (!whole) {
      const bool was_durable = (log.root().flags & wire::root_flag::kDataSynced) != 0;
      if (was_durable && !opened.damage) opened.damage = whole.error();
      return whole;
    }
    opened.state = std::move(*loaded);
    return {};
  };
  auto found = manifest::find_manifest(*opened.file, accept);
  if (!found) return explain(std::move(found).error(), path);
  opened.found = std::move(*found);
  return opened;
}

Status Store::Impl::open_file(bool writable) {
  RVF_ASSIGN(auto opened,
             fs->open(path, writable ? io::OpenMode::kReadWrite : io::OpenMode::kRead));
  RVF_ASSIGN(auto loaded, load(std::move(opened)));
  // Writing on top of an older commit would bury what is still readable of the newer ones.
  if (writable && loaded.damage) {
    Error e = explain(*std::move(loaded.damage), path);
    e.message += "; commits after epoch " + std::to_string(loaded.found.log.epoch()) +
                 " depend on it. Read-only opening uses that epoch; `rvf rollback --epoch " +
                 std::to_string(loaded.found.log.epoch()) + "` gives the rest up for good";
    return e;
  }
  adopt(std::move(loaded));
  return {};
}

void Store::Impl::adopt(Opened opened) {
  manifest::Found& found = opened.found;
  RecoveryInfo info;
  info.epoch = found.log.epoch();
  info.ignored_bytes = found.file_size - found.manifest_end;
  info.recovered = !found.at_tail;
  info.reason = found.reason.empty() && info.recovered ? "the last write was not finished" : found.reason;
  if (!found.log.head().compaction.empty()) {
    info.recovered = true;
    info.reason += (info.reason.empty() ? "" : "; ") + std::string("what a compaction had copied is used");
    found.log.finish_compaction();
  }
  uint32_t next_epoch = found.log.epoch() + 1;
  if (found.rejected > 0) {
    const bool plausible = found.highest_seen > found.log.epoch() &&
                           found.highest_seen - found.log.epoch() < kPlausibleEpochJump;
    info.lost_epochs = plausible ? found.highest_seen - found.log.epoch() : found.rejected;
    // The lost epochs keep their numbers to themselves.
    if (plausible) next_epoch = found.highest_seen + 1;
  }
  std::lock_guard guard(state_mutex);
  file = std::move(opened.file);
  state = std::move(opened.state);
  directory = found.log.directory();
  recovery = std::move(info);
  ids = std::make_shared<runtime::IdIndex>();
  if (!access) access = load_access(found.log, state);
  if (lock != nullptr) {
    writer = std::make_unique<runtime::Writer>(file, std::move(found.log), found.file_size, next_epoch);
  } else {
    reader_log = std::move(found.log);
  }
  published.application = log().head().profile.schema;
  publish();
}

void Store::Impl::publish() {
  published.root = log().root();
  published.live_bytes = log().live_bytes();
  published.next_id = (writer ? writer->root() : published.root).extension->next_id;
  current = nullptr;
}

Status Store::Impl::check_open() const {
  if (file == nullptr) return Error(ErrorCode::kBadArgument, "the store is closed");
  return {};
}

Status Store::Impl::check_writable() const {
  RVF_TRY(check_open());
  if (writer == nullptr) {
    return Error(ErrorCode::kReadOnly, path + " was opened for reading; open it with Store::open to write");
  }
  return writer->check_usable();
}

Result<std::shared_ptr<const Snapshot::Impl>> Store::Impl::snapshot_impl() const {
  std::lock_guard guard(state_mutex);
  RVF_TRY(check_open());
  if (current == nullptr) {
    auto made = std::make_shared<Snapshot::Impl>();
    made->state = state;
    made->pins = state.pins();
    made->directory.reserve(directory.size());
    for (const auto& [id, entry] : directory) made->directory.push_back(entry);
    made->epoch = published.root.epoch;
    made->scratch = scratch;
    made->access = access;
    made->ids = ids;
    current = std::move(made);
  }
  return current;
}

Result<Snapshot> Store::snapshot() const {
  RVF_ASSIGN(auto made, impl_->snapshot_impl());
  return Snapshot(std::move(made));
}

Result<QueryResult> Store::query(std::span<const float> vector, const QueryOptions& options) const {
  RVF_ASSIGN(const Snapshot s, snapshot());
  return s.query(vector, options);
}

Result<std::vector<QueryResult>> Store::query_batch(const Vectors& queries,
                                                    const QueryOptions& options) const {
  RVF_ASSIGN(const Snapshot s, snapshot());
  return s.query_batch(queries, options, impl_->options.executor.get());
}

Result<std::vector<float>> Store::get(uint64_t id) const {
  RVF_ASSIGN(const Snapshot s, snapshot());
  return s.get(id);
}

Result<bool> Store::refresh() {
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
  RVF_ASSIGN(auto opened, impl_->load(std::move(file)));
  if (there == mine && opened.found.log.epoch() == impl_->reader_log.epoch()) return false;
  impl_->adopt(std::move(opened));
  return true;
}

StoreStatus Store::status() const {
  std::lock_guard guard(impl_->state_mutex);
  StoreStatus s;
  if (impl_->file == nullptr) return s;
  const wire::Root& root = impl_->published.root;
  s.vectors = impl_->state.live();
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
      s.indexed_rows = info.rows;
      s.index_bytes = info.bytes;
      s.index_default_ef = info.default_ef;
    } else {
      s.index_kind = "damaged (" + index.problem + ")";
    }
  }
  for (const auto& segment : impl_->state.segments) {
    for (const auto& b : segment->blocks()) s.tier_rows[b.wire.tier < 3 ? b.wire.tier : 2] += b.wire.count;
  }
  s.application = impl_->published.application;
  s.file_id = root.identity.file_id;
  s.writable = impl_->writer != nullptr;
  s.recovery = impl_->recovery;
  return s;
}

Result<std::vector<EpochEntry>> Store::epochs() const {
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
}

Status Store::close() {
  if (!impl_) return {};
  std::lock_guard writing(impl_->write_mutex);
  Status last;
  if (impl_->writer != nullptr) last = impl_->writer->check_usable();
  if (!last) {
    // The call that failed has said so; only what was put off until now is still to be answered for.
    if (!impl_->writer->has_uncommitted()) last = {};
  } else if (impl_->writer != nullptr) {
    last = impl_->save_access();
    if (last) last = impl_->commit(impl_->options.durability == Durability::kSync ? Durability::kSync
                                                                        : Durability::kFlush);
  }
  std::lock_guard guard(impl_->state_mutex);
  impl_->current = nullptr;
  impl_->state = {};
  impl_->writer = nullptr;
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

Result<WriteReport> Store::remove(std::span<const uint64_t> ids) {
  WriteBatch batch;
  batch.delete_ids = ids;
  return write(batch);
}

Result<WriteReport> Store::remove_range(uint64_t first, uint64_t last) {
  if (last < first) return Error(ErrorCode::kBadArgument, "the range of ids ends before it begins");
  RVF_ASSIGN(const Snapshot s, snapshot());
  std::vector<uint64_t> ids;
  for (const uint64_t id : s.ids()) {
    if (id >= first && id <= last) ids.push_back(id);
  }
  return remove(ids);
}

Result<WriteReport> Store::write(const WriteBatch& batch) {
  std::lock_guard writing(impl_->write_mutex);
  return impl_->write(batch);
}

Status Store::commit() {
  std::lock_guard writing(impl_->write_mutex);
  return impl_->commit(Durability::kSync);
}

Result<uint32_t> Store::rollback(uint32_t epoch) {
  std::lock_guard writing(impl_->write_mutex);
  return impl_->rollback(epoch);
}

Status Store::build_index(const Progress* progress) {
  std::lock_guard writing(impl_->write_mutex);
  RVF_TRY(impl_->check_writable());
  return impl_->build_index(progress);
}

Result<CompactReport> Store::compact(const CompactOptions& options) { return impl_->compact(options); }

Result<VerifyReport> Store::verify(const VerifyOptions& options) const { return impl_->verify(options); }

}  // namespace rvf
