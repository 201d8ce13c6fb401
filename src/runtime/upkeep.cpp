// What a store needs from time to time so that it stays fast and in bounds, and when it pays.
#include <algorithm>

#include "runtime/no_throw.hpp"
#include "runtime/store_impl.hpp"
#include "wire/vec_codec.hpp"

namespace rvf {
namespace {

// Rows outside the index wait until they are this share of those inside: writing the index anew
// then costs a row no more than the index of so many rows.
constexpr uint64_t kWaitingShare = 8;
// Where the file has other names a compaction would part it from them.
bool may_compact(io::FileSystem& fs, const std::string& path) {
  const auto names = fs.link_count(path);
  return names && *names < 2;
}

// A compaction writes what lives once more, so it waits until as much is dead; and this much, so
// that small stores are not compacted all the time.
constexpr uint64_t kLeastDeadBytes = 4ULL << 20;

bool index_is_due(uint64_t rows, uint64_t indexed) noexcept {
  if (indexed == 0) return rows >= runtime::kMinGraphRows;
  return rows - indexed >=
         std::max(runtime::kMinGraphRows / kWaitingShare, indexed / kWaitingShare);
}

}  // namespace

Result<UpkeepReport> Store::upkeep(const UpkeepOptions& upkeep) {
  return runtime::no_throw([&]() -> Result<UpkeepReport> {
    UpkeepReport report;
    if (upkeep.index) {
      std::lock_guard writing(impl_->write_mutex);
      RVF_TRY(impl_->ready_to_write());
      const auto& index = impl_->state.index;
      const uint64_t indexed = index != nullptr && index->graph != nullptr ? index->rows : 0;
      if (index_is_due(impl_->state.rows.size(), indexed)) {
        RVF_TRY(impl_->build_index(upkeep.progress));
        report.indexed = true;
      }
    }
    const StoreStatus now = status();
    report.bytes_before = report.bytes_after = now.file_bytes;
    // Segments live while one of their rows does.
    const uint64_t dead_rows =
        now.deleted * wire::row_stride(now.dtype, static_cast<size_t>(now.dimension));
    const uint64_t live_bytes = now.live_bytes - std::min(now.live_bytes, dead_rows);
    const uint64_t dead_bytes = now.file_bytes - std::min(now.file_bytes, live_bytes);
    if (!upkeep.compact || dead_bytes < live_bytes + kLeastDeadBytes) return report;
    if (!may_compact(*impl_->fs, impl_->path)) return report;
    CompactOptions compact;
    compact.bytes_per_second = upkeep.bytes_per_second;
    compact.progress = upkeep.progress;
    compact.rebuild_index = upkeep.index || now.indexed_rows > 0;
    RVF_ASSIGN(const CompactReport done, impl_->compact(compact));
    report.compacted = true;
    report.bytes_after = done.bytes_after;
    return report;
  });
}

}  // namespace rvf
