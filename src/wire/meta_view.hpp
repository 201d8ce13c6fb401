// One META column where it lies in the mapped file: nothing is decoded but what is asked for.
// Opening checks the structure in O(1); offsets and codes are checked when used, so hostile bytes
// yield wrong values at worst. (Content hashes are the store's to check.)
// Ownership: borrows the payload. Thread-safety: immutable.
#pragma once
#include <optional>

#include "wire/meta_blocks.hpp"
#include "wire/meta_codec.hpp"
#include "wire/meta_pack.hpp"

namespace rvf::wire {

// A string table in place.
class TableView {
 public:
  TableView() = default;
  static Result<TableView> read(ByteReader& in, uint64_t count);
  uint32_t size() const noexcept { return count_; }
  std::string_view operator[](uint64_t i) const noexcept {  // empty where the offsets are damaged
    if (i >= count_) return {};
    uint32_t ends[2];
    std::memcpy(ends, offsets_.data() + i * 4, 8);
    if (ends[0] > ends[1] || ends[1] > bytes_.size()) return {};
    return bytes_.substr(ends[0], ends[1] - ends[0]);
  }

 private:
  ByteSpan offsets_;
  std::string_view bytes_;
  uint32_t count_ = 0;
};

class MetaColumnView {
 public:
  enum class Form : uint8_t { kWide, kPacked, kBits, kTable, kBlocks, kCoded, kLists };

  static Result<MetaColumnView> open(ByteSpan payload, const MetaLayout& layout, size_t index);

  uint16_t id() const noexcept { return id_; }
  MetaType type() const noexcept { return type_; }
  Form form() const noexcept { return form_; }
  std::string_view name() const noexcept { return name_; }
  uint32_t rows() const noexcept { return rows_; }

  bool has_nulls() const noexcept { return !nulls_.empty(); }
  bool is_null(uint32_t row) const noexcept {
    return has_nulls() && (std::to_integer<unsigned>(nulls_[row / 8]) >> (row % 8) & 1) != 0;
  }
  ByteSpan nulls() const noexcept { return nulls_; }  // bit i: row i is null; empty: none
  // Smallest and largest of the numbers that are neither null nor NaN, as bits of the type;
  // nothing where there is none.
  struct Range {
    uint64_t min = 0, max = 0;
  };
  std::optional<Range> range() const noexcept { return range_; }

  // kWide: 8 bytes a row. kPacked: packing().width bytes a row. kBits: one bit a row.
  ByteSpan data() const noexcept { return data_; }
  const NumberPacking& packing() const noexcept { return packing_; }
  // kTable: the rows. kCoded, kLists: the dictionary.
  const TableView& table() const noexcept { return table_; }
  const TextBlocksView& blocks() const noexcept { return blocks_; }
  // kCoded: one code a row. kLists: the codes of all lists.
  uint32_t code(uint64_t i) const noexcept {
    if ((i + 1) * code_width_ > data_.size()) return UINT32_MAX;
    uint32_t v = 0;
    std::memcpy(&v, data_.data() + i * code_width_, code_width_);
    return v;
  }
  unsigned code_width() const noexcept { return code_width_; }
  struct Span {
    uint32_t begin = 0, end = 0;
  };
  Span list(uint32_t row) const noexcept;  // kLists: its codes; empty where damaged

  uint64_t bits(uint32_t row) const noexcept;  // numbers: the value's 64 bits
  // A copy of one value; decompresses a block for kBlocks. monostate for null and where the bytes
  // are damaged.
  MetaValue value(uint32_t row) const;

 private:
  Status open_data(ByteReader& in, uint32_t dictionary_count, uint8_t flags);

  uint16_t id_ = 0;
  MetaType type_ = MetaType::kString;
  Form form_ = Form::kWide;
  uint8_t code_width_ = 1;
  uint32_t rows_ = 0;
  std::string_view name_;
  ByteSpan nulls_;
  std::optional<Range> range_;
  ByteSpan data_;
  ByteSpan offsets_;
  NumberPacking packing_;
  TableView table_;
  TextBlocksView blocks_;
};

}  // namespace rvf::wire
