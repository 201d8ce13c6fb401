#include "index/row_table.hpp"

#include <algorithm>
#include <string>

namespace rvf::index {

void RowTable::make_table(Block& block, uint64_t used) {
  if (block.table == nullptr) {
    auto table = std::make_shared<Pointers>();
    for (uint64_t i = 0; i < used; ++i) (*table)[i] = block.base + i * block.stride;
    block.table = std::move(table);
  } else if (block.table.use_count() > 1) {
    block.table = std::make_shared<Pointers>(*block.table);  // a copy of this table still reads it
  }
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
      blocks_.push_back({base, run.stride, nullptr});
    } else {
      Block& block = blocks_.back();
      const bool follows = block.table == nullptr && block.stride == run.stride &&
                           reinterpret_cast<uintptr_t>(block.base) + at * block.stride ==
                               reinterpret_cast<uintptr_t>(base);
      if (!follows) {
        make_table(block, at);
        for (uint64_t i = 0; i < n; ++i) (*block.table)[at + i] = base + i * run.stride;
      }
    }
    size_ += n;
    done += n;
  }
  return {};
}

}  // namespace rvf::index
