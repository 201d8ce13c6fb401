// The file that a compaction writes: made, or taken up where an earlier one stopped.
#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/compaction.hpp"
#include "runtime/no_throw.hpp"
#include "runtime/path_guard.hpp"
#include "types/planted_bug.hpp"

namespace rvf::runtime {

Status Compaction::open_output() {
  progress_.source_file_id = source_root_.identity.file_id;
  progress_.source_epoch = source_->epoch;
  progress_.settings_hash = plan_hash(plan_, options_, storage_);
  const std::string usual = store_.path + ".compact";
  constexpr unsigned kMostNames = 100;
  for (unsigned number = 0; number < kMostNames && !report_.resumed; ++number) {
    output_path_ = numbered_name(usual, number);
    RVF_ASSIGN(report_.resumed, resume(output_path_));
    RVF_ASSIGN(const bool taken, store_.fs->exists(output_path_));
    if (!taken) break;
  }
  if (report_.resumed) return {};
  RVF_ASSIGN(auto made, create_beside(*store_.fs, usual, io::OpenMode::kCreatePrivate));
  output_path_ = std::move(made.path);
  output_ = std::move(made.file);
  RVF_TRY(output_->lock());
  RVF_TRY(store_.fs->copy_attributes(store_.path, output_path_));
  writer_ = std::make_unique<Writer>(output_, manifest::ManifestLog(), 0, 1);
  writer_->head().profile = source_head_.profile;
  if (options_.search_layout) writer_->head().profile.search_layout = *options_.search_layout;
  writer_->head().capability = source_head_.capability;
  writer_->head().unknown = source_head_.unknown;
  writer_->head().metadata_indexes = source_head_.metadata_indexes;
  writer_->head().schema = source_head_.schema;
  writer_->head().storage = storage_;
  // Where no row is left to tell it.
  writer_->head().numbers_declared = source_head_.numbers_declared ||
                                     (source_->id_kind == IdKind::kNumbers && plan_.order.empty());
  writer_->root() = source_root_;
  writer_->root().entry_points = writer_->root().top_layer = writer_->root().prefetch = {};
  writer_->root().centroids = writer_->root().quant_dictionary = writer_->root().hot_cache = {};
  writer_->root().total_vectors = 0;
  writer_->root().extension->rows = 0;
  writer_->root().extension->dead_rows = 0;
  writer_->raise_next_segment_id(first_segment_id_);
  writer_->begin_batch();
  if (planted(PlantedBug::kRenameBeforeWhole)) {
    RVF_TRY(store_.fs->rename(output_path_, store_.path));
  }
  return checkpoint(0, false);
}

// A file whose other names would go on to mean what it was before is not replaced.
Status Compaction::check_names() const {
  RVF_TRY(store_.check_place());
  RVF_ASSIGN(const uint64_t names, store_.fs->link_count(store_.path));
  if (names < 2) return {};
  return Error(
      ErrorCode::kBadArgument,
      store_.path + " has " + std::to_string(names) +
          " names (hard links), and a compaction makes a new file of one of them: the "
          "others would keep the old content. Remove them, or make symbolic links of them");
}

// A store of its own, or no store at all, is somebody else's and stays.
bool Compaction::is_leftover(io::File& file, const std::string& path) const {
  const auto there = store_.fs->identity(path);
  const auto mine = store_.file->identity();
  if (there && mine && *there == *mine) return true;  // a rename whose other half was lost
  const auto found = manifest::find_manifest(file, nullptr);
  if (found) {
    const manifest::ManifestLog& log = found->log;
    const bool finished = log.epoch() == source_->epoch + 1;
    return log.root().identity.file_id == progress_.source_file_id &&
           (finished || !log.head().compaction.empty());
  }
  const auto size = file.size();
  std::array<std::byte, kSegmentHeaderSize> first{};
  if (!size ||
      (*size > 0 && !file.read(0, std::span(first).first(std::min(first.size(), *size))))) {
    return false;
  }
  uint32_t magic = 0;
  std::memcpy(&magic, first.data(), sizeof(magic));
  return magic == kSegmentMagic || first == decltype(first){};
}

Result<bool> Compaction::resume(const std::string& path) {
  auto opened = store_.fs->open(path, io::OpenMode::kReadWrite);
  if (!opened) return false;
  std::shared_ptr<io::File> file = std::move(*opened);
  if (!file->lock() || !is_leftover(*file, path)) return false;
  Unless taken_up([&] { (void)no_throw([&] { return store_.fs->remove(path); }); });
  if (options_.cold_shard) return false;  // a half written shard is not taken up again
  auto found = manifest::find_manifest(*file, [&](const manifest::ManifestLog& log) -> Status {
    // Only what a barrier vouches for is taken up again.
    if ((log.root().flags & wire::root_flag::kDataSynced) == 0) {
      return Error(ErrorCode::kTruncated, "not synced");
    }
    return {};
  });
  if (!found || found->log.head().compaction.empty()) return false;
  const wire::CompactionState& there = found->log.head().compaction.front();
  if (there.source_file_id != progress_.source_file_id ||
      there.source_epoch != progress_.source_epoch ||
      there.settings_hash != progress_.settings_hash ||
      there.next_source_row > plan_.order.size()) {
    return false;
  }
  taken_up.keep();
  RVF_TRY(file->truncate(found->manifest_end));
  progress_ = there;
  output_ = std::move(file);
  const uint32_t next = found->log.epoch() + 1;
  writer_ = std::make_unique<Writer>(output_, std::move(found->log), found->manifest_end, next);
  return true;
}

}  // namespace rvf::runtime
