#include "wire/meta_view.hpp"

#include <bit>

#include "wire/codec.hpp"

namespace rvf::wire {
namespace {

constexpr const char* kName = "META";

uint32_t u32_at(ByteSpan array, uint64_t index) noexcept {
  uint32_t v = 0;
  std::memcpy(&v, array.data() + index * 4, 4);
  return v;
}

unsigned code_width_of(uint64_t dictionary_size) noexcept {
  return dictionary_size <= 256 ? 1 : dictionary_size <= 65536 ? 2 : 4;
}

bool is_number(MetaType type) noexcept {
  return type == MetaType::kI64 || type == MetaType::kU64 || type == MetaType::kF64 ||
         type == MetaType::kTimestamp;
}

}  // namespace

Result<TableView> TableView::read(ByteReader& in, uint64_t count) {
  TableView view;
  if (!can_hold(in, count, 4)) return payload_error(kName, in, {});
  view.count_ = static_cast<uint32_t>(count);
  view.offsets_ = in.bytes((count + 1) * 4);
  if (!in.ok()) return payload_error(kName, in, {});
  view.bytes_ = in.text(u32_at(view.offsets_, count));
  skip_padding(in, 8);
  if (!in.ok()) return payload_error(kName, in, {});
  return view;
}

Result<MetaColumnView> MetaColumnView::open(ByteSpan payload, const MetaLayout& layout,
                                            size_t index) {
  const MetaColumnInfo& info = layout.columns[index];
  ByteReader in(payload.subspan(info.offset, info.end - info.offset));
  if (!is_known(info.type) || (info.flags & ~kMetaAllFlags) != 0) {
    return payload_error(kName, in, "field " + std::to_string(info.id) + " has an unknown type",
                         ErrorCode::kUnsupported);
  }
  MetaColumnView view;
  view.id_ = info.id;
  view.type_ = info.type;
  view.rows_ = layout.row_count;
  const uint16_t name_length = in.u16();
  in.skip(2);
  const uint32_t dictionary_count = in.u32();
  view.name_ = in.text(name_length);
  skip_padding(in, 8);
  if ((info.flags & kMetaNulls) != 0) {
    view.nulls_ = in.bytes((uint64_t{layout.row_count} + 7) / 8);
    skip_padding(in, 8);
  }
  if ((info.flags & kMetaRange) != 0) view.range_ = Range{in.u64(), in.u64()};
  RVF_TRY(view.open_data(in, dictionary_count, info.flags));
  return view;
}

Status MetaColumnView::open_data(ByteReader& in, uint32_t dictionary_count, uint8_t flags) {
  const uint64_t rows = rows_;
  const bool coded = (flags & kMetaDictionary) != 0;
  const bool text = type_ == MetaType::kString || type_ == MetaType::kBytes;
  if (is_number(type_)) {
    form_ = Form::kWide;
    uint64_t width = 8;
    if ((flags & kMetaPacked) != 0) {
      form_ = Form::kPacked;
      width = packing_.width = in.u8();
      packing_.decimals = in.u8();
      in.skip(6);
      packing_.step = in.u64();
      packing_.base = in.u64();
      if ((width != 1 && width != 2 && width != 4) || packing_.decimals > kMaxDecimals) in.fail();
    }
    data_ = in.bytes(rows * width);
  } else if (type_ == MetaType::kBool) {
    form_ = Form::kBits;
    data_ = in.bytes((rows + 7) / 8);
  } else if ((flags & kMetaBlocks) != 0 && text) {
    form_ = Form::kBlocks;
    RVF_ASSIGN(blocks_, TextBlocksView::read(in, rows));
  } else if (!coded && text) {
    form_ = Form::kTable;
    RVF_ASSIGN(table_, TableView::read(in, rows));
  } else {
    RVF_ASSIGN(table_, TableView::read(in, dictionary_count));
    code_width_ = static_cast<uint8_t>(code_width_of(dictionary_count));
    uint64_t codes = rows;
    form_ = Form::kCoded;
    if (type_ == MetaType::kStringList) {
      form_ = Form::kLists;
      offsets_ = in.bytes((rows + 1) * 4);
      skip_padding(in, 8);
      codes = in.ok() ? u32_at(offsets_, rows) : 0;
    }
    data_ = in.bytes(codes * code_width_);
  }
  if (!in.ok()) return payload_error(kName, in, {});
  return {};
}

MetaColumnView::Span MetaColumnView::list(uint32_t row) const noexcept {
  const Span s{u32_at(offsets_, row), u32_at(offsets_, uint64_t{row} + 1)};
  if (s.begin > s.end || uint64_t{s.end} * code_width_ > data_.size()) return {};
  return s;
}

uint64_t MetaColumnView::bits(uint32_t row) const noexcept {
  if (form_ == Form::kWide) {
    uint64_t v = 0;
    std::memcpy(&v, data_.data() + size_t{row} * 8, 8);
    return v;
  }
  uint32_t offset = 0;
  std::memcpy(&offset, data_.data() + size_t{row} * packing_.width, packing_.width);
  const uint64_t integer = packing_.integer(offset);
  if (type_ != MetaType::kF64) return integer;
  return std::bit_cast<uint64_t>(decimal_value(static_cast<int64_t>(integer), packing_.decimals));
}

MetaValue MetaColumnView::value(uint32_t row) const {
  if (row >= rows_ || is_null(row)) return std::monostate{};
  const auto as_text = [&](std::string_view s) -> MetaValue {
    if (type_ != MetaType::kBytes) return std::string(s);
    const ByteSpan raw = as_bytes(s);
    return Bytes(raw.begin(), raw.end());
  };
  switch (form_) {
    case Form::kWide:
    case Form::kPacked: {
      const uint64_t v = bits(row);
      if (type_ == MetaType::kU64) return v;
      if (type_ == MetaType::kF64) return std::bit_cast<double>(v);
      return static_cast<int64_t>(v);
    }
    case Form::kBits: return (std::to_integer<unsigned>(data_[row / 8]) >> (row % 8) & 1) != 0;
    case Form::kTable: return as_text(table_[row]);
    case Form::kBlocks: {
      const auto block = blocks_.block(row / blocks_.rows_per_block());
      if (!block) return std::monostate{};
      return as_text((*block)[row % blocks_.rows_per_block()]);
    }
    case Form::kCoded: return as_text(table_[code(row)]);
    case Form::kLists: {
      std::vector<std::string> out;
      const Span s = list(row);
      for (uint32_t i = s.begin; i < s.end; ++i) out.emplace_back(table_[code(i)]);
      return out;
    }
  }
  return std::monostate{};
}

}  // namespace rvf::wire
