// Opening: finding the newest commit that can be trusted, and taking it in.
#include <string>

#include "runtime/no_throw.hpp"
#include "runtime/open_foreign.hpp"
#include "runtime/path_guard.hpp"
#include "runtime/shard_writer.hpp"
#include "runtime/store_impl.hpp"
#include "types/planted_bug.hpp"
#include "wire/segment.hpp"
#include "wire/sketch_codec.hpp"

namespace rvf {

using runtime::no_throw;

namespace {

constexpr uint32_t kPlausibleEpochJump = 1U << 20;

Error explain(Error e, const std::string& path) {
  if (e.message.find(path) == std::string::npos) e.message = path + ": " + e.message;
  return e;
}

// Without these a store is not what its manifest says. Damage in any other segment concerns who
// reads it.
bool is_essential(SegmentType type) {
  return type == SegmentType::kVec || type == SegmentType::kQuant;
}

// Which segments a candidate manifest has to prove: those that no barrier vouches for, or all
// vectors of a small store.
Status check_segments(const manifest::ManifestLog& log, runtime::LiveState& state,
                      const io::File& file, uint64_t verify_at_open) {
  if (planted(PlantedBug::kIgnorePayloadHash)) return {};
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

Result<Store> Store::open(const std::string& path, const OpenOptions& open) {
  return no_throw([&]() -> Result<Store> {
    RVF_ASSIGN(auto impl, Impl::at(path, open));
    // Looked at before the lock is taken: a foreign file must not get a lock file beside it.
    RVF_ASSIGN(const bool exists, impl->fs->exists(impl->path));
    if (!exists) {
      const bool is_link = impl->path.find(path) == std::string::npos;
      return Error(ErrorCode::kNoSuchFile, "there is no store " + path +
                                               (is_link ? ", which means " + impl->path : "") +
                                               "; `rvf create` makes one");
    }
    RVF_ASSIGN(const auto seen, impl->fs->open(impl->path, io::OpenMode::kRead));
    RVF_ASSIGN(const layouts::Layout foreign, runtime::foreign_layout(*seen));
    if (foreign != layouts::Layout::kUnknown) return runtime::convert_needed(path, foreign);
    RVF_ASSIGN(runtime::Locked locked, runtime::open_locked(*impl->fs, impl->path, open));
    impl->lock = std::move(locked.lock);
    RVF_ASSIGN(auto loaded, impl->load(std::move(locked.file)));
    impl->adopt(std::move(loaded));
    return Store(std::move(impl));
  });
}

Result<Store> Store::open_readonly(const std::string& path, const OpenOptions& open) {
  return no_throw([&]() -> Result<Store> {
    RVF_ASSIGN(auto impl, Impl::at(path, open));
    Status opened = impl->open_for_reading();
    if (!opened && runtime::may_be_foreign(opened.error().code)) {
      auto foreign = Impl::open_foreign(*impl->fs, impl->path, open);
      if (foreign || foreign.error().code != ErrorCode::kManifestNotFound) return foreign;
    }
    RVF_TRY(std::move(opened));
    return Store(std::move(impl));
  });
}

Result<Store> Store::from_bytes(std::vector<std::byte> bytes, const OpenOptions& open) {
  return no_throw([&]() -> Result<Store> {
    OpenOptions options = open;
    options.file_system = io::memory_file_system();
    const std::string name = "memory.rvf";
    {
      RVF_ASSIGN(auto file, options.file_system->open(name, io::OpenMode::kCreateNew));
      RVF_TRY(file->write(0, bytes));
    }
    auto store = Store::open(name, options);
    if (store || store.error().code != ErrorCode::kConvertNeeded) return store;
    return Store::open_readonly(name, options);
  });
}

runtime::LiveState::OpenShard Store::Impl::shard_opener() const {
  return [this](const wire::ShardRef& ref) -> Result<std::shared_ptr<io::File>> {
    RVF_ASSIGN(auto opened, fs->open(runtime::shard_path(path, ref.name), io::OpenMode::kRead));
    RVF_ASSIGN(const uint64_t size, opened->size());
    if (size < ref.bytes) {
      return Error(ErrorCode::kTruncated,
                   "the shard " + ref.name + " is shorter than the store says");
    }
    return std::shared_ptr<io::File>(std::move(opened));
  };
}

Result<std::unique_ptr<Store::Impl>> Store::Impl::at(const std::string& path,
                                                     const OpenOptions& open) {
  auto impl = std::make_unique<Impl>();
  impl->options = open;
  impl->fs = open.file_system ? open.file_system : io::posix_file_system(open.survive_lost_pages);
  RVF_ASSIGN(impl->path, impl->fs->resolve(path));
  return impl;
}

Result<Store::Impl::Opened> Store::Impl::find(std::shared_ptr<io::File> from) const {
  Opened opened;
  opened.file = std::move(from);
  const auto accept = [&](const manifest::ManifestLog& log) -> Status {
    const auto& compaction = log.head().compaction;
    if (!compaction.empty() && compaction.front().phase != wire::CompactionState::kAllRowsCopied) {
      return Error(ErrorCode::kManifestInvalid, "the manifest belongs to an unfinished compaction");
    }
    RVF_TRY(runtime::schema_of(log.head().schema));
    RVF_ASSIGN(auto loaded,
               runtime::LiveState::load(log, opened.file, shard_opener(), options.memory_budget,
                                        options.verify_at_open));
    RVF_TRY(check_segments(log, loaded, *opened.file, options.verify_at_open));
    RVF_TRY(loaded.intact());
    opened.state = std::move(loaded);
    return {};
  };
  auto found = manifest::find_manifest(*opened.file, accept);
  if (!found) return explain(std::move(found).error(), path);
  opened.found = std::move(*found);
  opened.damage = opened.found.damage;
  return opened;
}

// Writing on top of an older commit would bury what is still readable of the newer ones, and a
// reader would take old answers for new ones.
Result<Store::Impl::Opened> Store::Impl::accept_damage(Result<Opened> opened) const {
  if (!opened || !opened->damage || options.last_intact) return opened;
  const std::string epoch = std::to_string(opened->found.log.epoch());
  Error e = explain(*std::move(opened->damage), path);
  e.message +=
      "; commits after epoch " + epoch +
      " depend on it. last_intact (--last-intact) opens that epoch; `rvf rollback --epoch " +
      epoch + "` gives the rest up for good, `rvf repair` saves what can be had of it";
  return e;
}

Result<Store::Impl::Opened> Store::Impl::load(std::shared_ptr<io::File> from) const {
  RVF_ASSIGN(auto opened, find(std::move(from)));
  RVF_ASSIGN(opened.damage, manifest::damage_behind(*opened.file, opened.found));
  return accept_damage(std::move(opened));
}

// An end that is unfinished may be what a writer is writing. Whether there is one can only be asked
// afterwards, when it may just have finished: so the end counts as left behind only where it was
// seen twice with nobody writing.
Result<Store::Impl::Opened> Store::Impl::load_beside_writers(
    const std::shared_ptr<io::File>& from) const {
  std::optional<uint64_t> seen;  // the file's size with that end
  while (true) {
    RVF_ASSIGN(auto opened, find(from));
    if (opened.found.at_tail || opened.damage) return accept_damage(std::move(opened));
    RVF_ASSIGN(opened.damage, manifest::damage_behind(*from, opened.found));
    const auto locked = from->is_locked();
    if (locked.ok() && *locked) {
      opened.damage.reset();
      opened.writer_at_work = true;
      return opened;
    }
    RVF_ASSIGN(const uint64_t size, from->size());
    if (seen == size && opened.found.file_size == size) return accept_damage(std::move(opened));
    seen = size;
  }
}

Status Store::Impl::open_for_reading() {
  RVF_ASSIGN(std::shared_ptr<io::File> opened, fs->open(path, io::OpenMode::kRead));
  RVF_ASSIGN(auto loaded, load_beside_writers(opened));
  adopt(std::move(loaded));
  return {};
}

void Store::Impl::adopt(Opened opened) {
  manifest::Found& found = opened.found;
  RecoveryInfo info;
  info.epoch = found.log.epoch();
  info.recovered = !found.at_tail && !opened.writer_at_work;
  info.damaged = opened.damage.has_value();
  if (opened.writer_at_work) {
    found.rejected = 0;
    found.reason.clear();
  } else {
    info.ignored_bytes = found.file_size - found.manifest_end;
  }
  info.reason =
      found.reason.empty() && info.recovered ? "the last write was not finished" : found.reason;
  if (!found.log.head().compaction.empty()) {
    info.recovered = true;
    info.reason += (info.reason.empty() ? "" : "; ") +
                   std::string(
                       "what a compaction had copied is used: the vectors, perhaps without "
                       "their metadata and attachments");
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
  torn = true;
  file = std::move(opened.file);
  state = std::move(opened.state);
  directory = found.log.directory();
  recovery = std::move(info);
  forget_rows();
  if (!access) access = load_access(found.log, state);
  if (lock != nullptr) {
    writer =
        std::make_unique<runtime::Writer>(file, std::move(found.log), found.file_size, next_epoch);
    writer->set_guard([this] { return check_place(); });
  } else {
    reader_log = std::move(found.log);
  }
  published.application = log().head().profile.schema;
  published.storage = log().head().storage;
  publish();
  torn = false;
}

}  // namespace rvf
