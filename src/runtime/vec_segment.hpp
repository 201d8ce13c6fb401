// One VEC segment, ready to be searched: its blocks as runs of rows, and the ids of the rows.
// Immutable; borrows the mapped bytes, owns the place for rows that are decoded from codes and
// columns when they are first asked for.
#pragma once
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "index/row_table.hpp"
#include "quant/row_code.hpp"
#include "runtime/lazy_rows.hpp"
#include "rvf/types.hpp"
#include "wire/level1_codec.hpp"
#include "wire/vec_codec.hpp"

namespace rvf::runtime {

struct TierQuantizer {
  std::shared_ptr<const quant::RowCode> code;
  uint8_t tier = 0;
  // Of a QUANT_SEG; a null code for a quantiser that codes no rows.
  static Result<TierQuantizer> from_payload(wire::ByteSpan payload);
};
using Quantizers = std::unordered_map<uint64_t, TierQuantizer>;

class VecSegment {
 public:
  // Checks the payload against its row map entry and against what the store holds.
  static Result<std::shared_ptr<const VecSegment>> load(const wire::DirEntry& entry,
                                                        const wire::RowMapEntry& rows,
                                                        wire::ByteSpan payload, DType dtype,
                                                        uint32_t dimension,
                                                        const Quantizers& quantizers);

  const wire::DirEntry& entry() const noexcept { return entry_; }
  const wire::RowMapEntry& rows() const noexcept { return rows_; }
  uint64_t id_of(uint64_t row) const noexcept;  // a row number of the store inside this segment
  void copy_ids(std::vector<uint64_t>& out) const;  // appends, in row order
  // The row, counted from the segment's first, with the n-th smallest id. Where rows do not ascend
  // by id their order is made once, in 4 bytes a row. Thread-safe.
  uint64_t by_id(uint64_t n) const;
  // What decoding may come to take, were every row asked for.
  uint64_t heap_bytes() const noexcept { return reserved_bytes_; }
  uint8_t tier_of(uint64_t row) const noexcept;

  Status append_runs(index::RowTable& table) const;

  struct Block {
    uint64_t first_row = 0;
    wire::VecBlock wire;
    const std::byte* rows = nullptr;
    size_t stride = 0;
    std::shared_ptr<const LazyRows> lazy;  // null: the rows lie in the mapping
    const std::byte* row(uint64_t i) const noexcept {
      const std::byte* at = rows + i * stride;
      if (lazy != nullptr) lazy->make(at);
      return at;
    }
  };
  const std::vector<Block>& blocks() const noexcept { return blocks_; }
  const Block& block_of(uint64_t row) const noexcept;

  // One block for itself; the errors of load().
  static Result<Block> open_block(const wire::DirEntry& entry, wire::VecBlock block, DType dtype,
                                  uint32_t dimension, const Quantizers& quantizers);

 private:
  wire::DirEntry entry_;
  wire::RowMapEntry rows_;
  std::vector<Block> blocks_;
  uint64_t reserved_bytes_ = 0;
  mutable std::once_flag ordered_;
  mutable std::vector<uint32_t> by_id_;  // empty: rows ascend by id
};

}  // namespace rvf::runtime
