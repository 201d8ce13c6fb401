// One META segment of a store, as mapped, with the indexes over it.
// A base part holds all fields of the rows first_row to first_row + rows - 1; an update part holds
// new values of some fields for the rows it lists.
// Ownership: borrows the payloads. Thread-safety: immutable once its indexes are added.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "wire/meta_view.hpp"
#include "wire/metaidx_inverted.hpp"
#include "wire/metaidx_view.hpp"

namespace rvf::meta {

class Part {
 public:
  static Result<Part> open(uint64_t segment_id, wire::ByteSpan payload);
  // The META segment that a METAIDX payload belongs to.
  static Result<uint64_t> index_owner(wire::ByteSpan payload);
  Status add_index(wire::ByteSpan payload);

  uint64_t segment_id() const noexcept { return segment_id_; }
  bool is_update() const noexcept { return !explicit_rows_.empty(); }
  uint64_t first_row() const noexcept { return first_row_; }
  uint32_t rows() const noexcept { return rows_; }
  // Ascending row numbers of an update part.
  std::span<const uint64_t> explicit_rows() const noexcept { return explicit_rows_; }
  // The position of a row number in the part.
  std::optional<uint32_t> position_of(uint64_t row) const noexcept;

  std::span<const wire::MetaColumnView> columns() const noexcept { return columns_; }
  const wire::MetaColumnView* column(uint16_t field) const noexcept;  // null: all null
  const wire::RangeIndexView* range_index(uint16_t field) const noexcept;
  const wire::BitmapIndexView* bitmap_index(uint16_t field) const noexcept;
  const wire::InvertedView* words(uint16_t field) const noexcept;

 private:
  uint64_t segment_id_ = 0;
  uint64_t first_row_ = 0;
  uint32_t rows_ = 0;
  std::vector<uint64_t> explicit_rows_;
  std::vector<wire::MetaColumnView> columns_;
  std::vector<wire::RangeIndexView> ranges_;
  std::vector<wire::BitmapIndexView> bitmaps_;
  std::vector<wire::InvertedView> words_;
};

// Reads values of one column one after another; keeps the block of compressed texts it used last.
class ColumnReader {
 public:
  explicit ColumnReader(const wire::MetaColumnView& column) : column_(column) {}
  Value value(uint32_t row);
  // Of a string or bytes column; the view holds until the next call. Empty for null.
  std::string_view text(uint32_t row);

 private:
  const wire::MetaColumnView& column_;
  std::optional<uint32_t> block_index_;
  wire::StringTable block_;
};

}  // namespace rvf::meta
