// Long texts of a META column, compressed in blocks of equally many rows so that one row can be
// read without the others. docs/format.md, "META". Thread-safe.
#pragma once
#include <string>

#include "wire/meta_value.hpp"

namespace rvf::wire {

// The block form of `table`, or nothing where it would not be clearly smaller.
Bytes pack_text_blocks(const StringTable& table);  // empty: not worth it

// Borrows the bytes.
class TextBlocksView {
 public:
  TextBlocksView() = default;
  // Reads the directory and leaves `in` behind the blocks.
  static Result<TextBlocksView> read(ByteReader& in, uint64_t rows);

  uint32_t rows_per_block() const noexcept { return rows_per_block_; }
  uint32_t blocks() const noexcept { return static_cast<uint32_t>(ends_.size() / 4); }
  uint64_t rows() const noexcept { return rows_; }
  uint64_t plain_bytes() const noexcept { return plain_bytes_; }
  // The rows [index * rows_per_block, ...) as a table.
  Result<StringTable> block(uint32_t index) const;

 private:
  uint32_t end_of(uint32_t index) const noexcept;

  uint64_t rows_ = 0;
  uint32_t rows_per_block_ = 1;
  uint64_t plain_bytes_ = 0;
  ByteSpan ends_;
  ByteSpan plain_;
  ByteSpan data_;
};

}  // namespace rvf::wire
