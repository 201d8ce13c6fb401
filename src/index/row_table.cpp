#include "index/row_table.hpp"

#include <algorithm>
#include <string>

namespace rvf::index {

const std::byte* RowTable::made(const Block& block, uint64_t i) noexcept {
  const Other& other = *block.other.get();
  Entry entry{block.base + i * block.stride, other.source};
  if (!other.entries.empty()) entry = other.entries[i];
  if (entry.source != nullptr) entry.source->make(entry.row);
  return entry.row;
}

// The block's rows one by one, ready to be written; a copy of this table may still read the former.
std::vector<RowTable::Entry>& RowTable::own_entries(Block& block, uint64_t used) {
  Other& other = block.other.writable();
  if (other.entries.empty()) {
    other.entries.resize(kBlock);
    for (uint64_t i = 0; i < used; ++i) {
      other.entries[i] = {block.base + i * block.stride, other.source};
    }
  }
  return other.entries;
}

// Whether the rows at `base` go on where the block's `used` rows end.
bool RowTable::follows(const Block& block, uint64_t used, const RowRun& run,
                       const std::byte* base) noexcept {
  const Other* other = block.other.get();
  if (other != nullptr && !other->entries.empty()) return false;
  const RowSource* source = other == nullptr ? nullptr : other->source;
  return source == run.source && block.stride == run.stride &&
         reinterpret_cast<uintptr_t>(block.base) + used * block.stride ==
             reinterpret_cast<uintptr_t>(base);
}

Status RowTable::append_run(const RowRun& run) {
  if (run.row_base != size_) {
    return Error(ErrorCode::kBadArgument, "a run starts at row " + std::to_string(run.row_base) +
                                              ", the table ends at row " + std::to_string(size_));
  }
  for (uint64_t done = 0; done < run.count;) {
    const uint64_t at = size_ % kBlock;
    const uint64_t n = std::min(kBlock - at, run.count - done);
    const std::byte* base = run.base + done * run.stride;
    if (at == 0) {
      blocks_.push_back({base, run.stride, {}});
      if (run.source != nullptr) blocks_.back().other.writable().source = run.source;
    } else if (Block& block = blocks_.back(); !follows(block, at, run, base)) {
      std::vector<Entry>& entries = own_entries(block, at);
      for (uint64_t i = 0; i < n; ++i) entries[at + i] = {base + i * run.stride, run.source};
    }
    size_ += n;
    done += n;
  }
  return {};
}

}  // namespace rvf::index
