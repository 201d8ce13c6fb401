#include "meta/part.hpp"

#include <algorithm>
#include <string>

#include "meta/tokenizer.hpp"

namespace rvf::meta {

Result<Part> Part::open(uint64_t segment_id, wire::ByteSpan payload) {
  RVF_ASSIGN(wire::MetaLayout layout, wire::read_meta_layout(payload));
  if (!layout.first_row && layout.rows.empty()) {
    return Error(ErrorCode::kBadMetadata, "a META segment of the store without row numbers",
                 segment_id);
  }
  Part part;
  part.segment_id_ = segment_id;
  part.first_row_ = layout.first_row.value_or(0);
  part.rows_ = layout.row_count;
  for (size_t i = 0; i < layout.columns.size(); ++i) {
    RVF_ASSIGN(auto column, wire::MetaColumnView::open(payload, layout, i));
    part.columns_.push_back(std::move(column));
  }
  part.explicit_rows_ = std::move(layout.rows);
  return part;
}

Result<uint64_t> Part::index_owner(wire::ByteSpan payload) {
  wire::ByteReader in(payload);
  RVF_ASSIGN(const wire::MetaIndexHeader header, wire::read_meta_index_header(in));
  return header.meta_segment;
}

Status Part::add_index(wire::ByteSpan payload) {
  wire::ByteReader in(payload);
  RVF_ASSIGN(const wire::MetaIndexHeader header, wire::read_meta_index_header(in));
  switch (header.kind) {
    case wire::MetaIndexKind::kRange: {
      RVF_ASSIGN(auto view, wire::RangeIndexView::open(payload));
      ranges_.push_back(std::move(view));
      return {};
    }
    case wire::MetaIndexKind::kBitmap: {
      RVF_ASSIGN(auto view, wire::BitmapIndexView::open(payload));
      bitmaps_.push_back(std::move(view));
      return {};
    }
    case wire::MetaIndexKind::kInverted: {
      RVF_ASSIGN(auto view, wire::InvertedView::open(payload));
      // Terms of an earlier folding: the words are looked for in the texts, until a compaction.
      if (view.flags() != term_flags({})) return {};
      words_.push_back(std::move(view));
      return {};
    }
  }
  return {};
}

std::optional<uint32_t> Part::position_of(uint64_t row) const noexcept {
  if (!is_update()) {
    if (row < first_row_ || row - first_row_ >= rows_) return std::nullopt;
    return static_cast<uint32_t>(row - first_row_);
  }
  const auto at = std::lower_bound(explicit_rows_.begin(), explicit_rows_.end(), row);
  if (at == explicit_rows_.end() || *at != row) return std::nullopt;
  return static_cast<uint32_t>(at - explicit_rows_.begin());
}

namespace {

template <class View, class Field>
const View* find_field(const std::vector<View>& views, uint16_t field, Field field_of) noexcept {
  for (const View& v : views) {
    if (field_of(v) == field) return &v;
  }
  return nullptr;
}

}  // namespace

const wire::MetaColumnView* Part::column(uint16_t field) const noexcept {
  return find_field(columns_, field, [](const auto& v) { return v.id(); });
}
const wire::RangeIndexView* Part::range_index(uint16_t field) const noexcept {
  return find_field(ranges_, field, [](const auto& v) { return v.header().field; });
}
const wire::BitmapIndexView* Part::bitmap_index(uint16_t field) const noexcept {
  return find_field(bitmaps_, field, [](const auto& v) { return v.header().field; });
}
const wire::InvertedView* Part::words(uint16_t field) const noexcept {
  return find_field(words_, field, [](const auto& v) { return v.field_id(); });
}

Value ColumnReader::value(uint32_t row) {
  if (column_.form() != wire::MetaColumnView::Form::kBlocks) return column_.value(row);
  if (row >= column_.rows() || column_.is_null(row)) return std::monostate{};
  const std::string_view s = text(row);
  if (column_.type() != FieldType::kBytes) return std::string(s);
  const wire::ByteSpan raw = wire::as_bytes(s);
  return wire::Bytes(raw.begin(), raw.end());
}

std::string_view ColumnReader::text(uint32_t row) {
  if (row >= column_.rows() || column_.is_null(row)) return {};
  switch (column_.form()) {
    case wire::MetaColumnView::Form::kTable: return column_.table()[row];
    case wire::MetaColumnView::Form::kCoded: return column_.table()[column_.code(row)];
    case wire::MetaColumnView::Form::kBlocks: break;
    default: return {};
  }
  const uint32_t per_block = column_.blocks().rows_per_block();
  const uint32_t index = row / per_block;
  if (block_index_ != index) {
    block_index_ = index;
    auto block = column_.blocks().block(index);
    block_ = block ? std::move(*block) : wire::StringTable();
  }
  const uint32_t at = row % per_block;
  return at < block_.size() ? block_[at] : std::string_view();
}

}  // namespace rvf::meta
