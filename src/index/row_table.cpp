#include "index/row_table.hpp"

#include <algorithm>
#include <string>

namespace rvf::index {

// The block's pointers, ready to be written; a copy of this table may still read the former ones.
RowTable::Pointers& RowTable::own_table(Block& block, uint64_t used) {
  const bool is_new = block.table.get() == nullptr;
  Pointers& table = block.table.writable();
  for (uint64_t i = 0; is_new && i < used; ++i) table[i] = block.base + i * block.stride;
  return table;
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
    } else {
      Block& block = blocks_.back();
      const bool follows = block.table.get() == nullptr && block.stride == run.stride &&
                           reinterpret_cast<uintptr_t>(block.base) + at * block.stride ==
                               reinterpret_cast<uintptr_t>(base);
      if (!follows) {
        Pointers& table = own_table(block, at);
        for (uint64_t i = 0; i < n; ++i) table[at + i] = base + i * run.stride;
      }
    }
    size_ += n;
    done += n;
  }
  return {};
}

}  // namespace rvf::index
