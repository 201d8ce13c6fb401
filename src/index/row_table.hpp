// RowTable: from a global row ordinal (dense from 0) to the address of its vector bytes.
// Rows come in runs, one for each block of vectors in a file. A block of 256 ordinals inside one
// run is stored as base and stride, a block that several runs share as 256 pointers, so a lookup is
// O(1) however fragmented the file. Rows with a source are made by it when a lookup first asks for
// them. The table owns no row and no source: the caller keeps the mapping alive.
// Thread-safety: immutable once shared. A copy is cheap (24 bytes a block) and may be appended to
// while the original is read.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/copy_on_write.hpp"
#include "index/row_source.hpp"
#include "rvf/result.hpp"

namespace rvf::index {

struct RowRun {
  uint64_t row_base = 0;  // ordinal of the first row
  uint64_t count = 0;
  const std::byte* base = nullptr;
  size_t stride = 0;  // bytes from one row to the next; rows are usually 64-byte aligned
  const RowSource* source = nullptr;  // null: the rows are there
};

class RowTable {
 public:
  static constexpr uint64_t kBlock = 256;

  uint64_t size() const noexcept { return size_; }

  // row < size().
  const std::byte* operator[](uint64_t row) const noexcept {
    const Block& b = blocks_[row / kBlock];
    const uint64_t i = row % kBlock;
    return b.other.get() == nullptr ? b.base + i * b.stride : made(b, i);
  }

  // Calls visit(first, stride, begin, count) for maximal strided pieces of rows [begin, end).
  template <class Visit>
  void for_each_piece(uint64_t begin, uint64_t end, Visit&& visit) const {
    for (uint64_t row = begin; row < end;) {
      const Block& b = blocks_[row / kBlock];
      uint64_t stop = row + 1;
      if (b.other.get() == nullptr) {
        stop = row / kBlock * kBlock + kBlock;
        if (stop > end) stop = end;
      }
      visit((*this)[row], b.stride, row, stop - row);
      row = stop;
    }
  }

  // Rows must follow on: run.row_base == size(). kBadArgument if not.
  Status append_run(const RowRun& run);

 private:
  struct Entry {
    const std::byte* row = nullptr;
    const RowSource* source = nullptr;
  };
  // What base and stride do not say of a block.
  struct Other {
    const RowSource* source = nullptr;  // of all rows, while there are no entries
    std::vector<Entry> entries;  // none, or kBlock
  };
  struct Block {
    const std::byte* base = nullptr;
    size_t stride = 0;
    CopyOnWrite<Other> other;  // mostly null
  };
  static const std::byte* made(const Block& block, uint64_t i) noexcept;
  static std::vector<Entry>& own_entries(Block& block, uint64_t used);
  static bool follows(const Block& block, uint64_t used, const RowRun& run,
                      const std::byte* base) noexcept;

  std::vector<Block> blocks_;
  uint64_t size_ = 0;
};

}  // namespace rvf::index
