// One VEC segment, ready to be searched: its blocks as runs of rows, and the ids of the rows.
// Immutable; borrows the mapped bytes, owns the rows that had to be decoded from columnar blocks.
#pragma once
#include <memory>
#include <unordered_map>
#include <vector>

#include "index/row_table.hpp"
#include "quant/scalar.hpp"
#include "rvf/types.hpp"
#include "wire/level1_codec.hpp"
#include "wire/vec_codec.hpp"

namespace rvf::runtime {

struct TierQuantizer {
  std::shared_ptr<const quant::ScalarQuantizer> quantizer;
  uint8_t tier = 0;
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
  uint64_t heap_bytes() const noexcept { return decoded_bytes_; }
  uint8_t tier_of(uint64_t row) const noexcept;

  Status append_runs(index::RowTable& table) const;

  struct Block {
    uint64_t first_row = 0;
    wire::VecBlock wire;
    const std::byte* rows = nullptr;
    size_t stride = 0;
  };
  const std::vector<Block>& blocks() const noexcept { return blocks_; }

 private:
  struct AlignedFree {
    void operator()(std::byte* p) const noexcept { ::operator delete(p, std::align_val_t{64}); }
  };
  using AlignedBytes = std::unique_ptr<std::byte, AlignedFree>;

  Status decode_columnar(Block& block, DType dtype, uint32_t dimension,
                         const Quantizers& quantizers);
  const Block& block_of(uint64_t row) const noexcept;

  wire::DirEntry entry_;
  wire::RowMapEntry rows_;
  std::vector<Block> blocks_;
  std::vector<AlignedBytes> decoded_;
  uint64_t decoded_bytes_ = 0;
};

}  // namespace rvf::runtime
