#include "wire/meta_codec.hpp"

#include <algorithm>
#include <bit>
#include <functional>

#include "wire/codec.hpp"
#include "wire/meta_blocks.hpp"
#include "wire/meta_pack.hpp"

namespace rvf::wire {
namespace {

constexpr const char* kName = "META";
constexpr uint8_t kColumnar = 0;
enum SegmentFlag : uint8_t {
  kExplicitIds = 1 << 0,
  kFirstRow = 1 << 1,
  kExplicitRows = 1 << 2,
  kAllSegmentFlags = 7
};
constexpr size_t kDirectoryEntry = 8;
constexpr uint64_t kMaxPlainText = UINT32_MAX;

size_t bitmap_bytes(uint64_t rows) noexcept { return static_cast<size_t>((rows + 7) / 8); }

unsigned code_width(uint64_t dictionary_size) noexcept {
  return dictionary_size <= 256 ? 1 : dictionary_size <= 65536 ? 2 : 4;
}

void write_codes(ByteWriter& out, const std::vector<uint32_t>& codes, size_t dictionary_size) {
  const unsigned width = code_width(dictionary_size);
  for (const uint32_t code : codes) out.raw(&code, width);
  out.align(8);
}

std::vector<uint32_t> read_codes(ByteReader& in, uint64_t count, uint64_t dictionary_size) {
  const unsigned width = code_width(dictionary_size);
  if (!can_hold(in, count, width)) return {};
  std::vector<uint32_t> codes(static_cast<size_t>(count));
  for (uint32_t& code : codes) {
    code = width == 1 ? in.u8() : width == 2 ? in.u16() : in.u32();
    if (code >= dictionary_size) in.fail();
  }
  skip_padding(in, 8);
  return codes;
}

struct DataWriter {
  ByteWriter& out;

  template <class T>
  void operator()(const std::vector<T>& v) const {
    write_array(out, v);
  }
  void operator()(const std::vector<uint8_t>& v) const {
    Bytes bits(bitmap_bytes(v.size()));
    for (size_t i = 0; i < v.size(); ++i) {
      if (v[i] != 0) bits[i / 8] |= static_cast<std::byte>(1U << (i % 8));
    }
    out.bytes(bits);
    out.align(8);
  }
  void operator()(const StringTable& v) const { v.write(out); }
  void operator()(const CodedText& v) const {
    v.dictionary.write(out);
    write_codes(out, v.codes, v.dictionary.size());
  }
  void operator()(const TextLists& v) const {
    v.dictionary.write(out);
    write_array(out, v.offsets);
    out.align(8);
    write_codes(out, v.codes, v.dictionary.size());
  }
};

size_t dictionary_size(const MetaData& data) noexcept {
  if (const auto* v = std::get_if<CodedText>(&data)) return v->dictionary.size();
  if (const auto* v = std::get_if<TextLists>(&data)) return v->dictionary.size();
  return 0;
}

void write_number(ByteWriter& out, const MetaValue& value) {
  if (const auto* v = std::get_if<int64_t>(&value)) out.i64(*v);
  if (const auto* v = std::get_if<uint64_t>(&value)) out.u64(*v);
  if (const auto* v = std::get_if<double>(&value)) out.f64(*v);
}

void write_packed(ByteWriter& out, const MetaColumn& column, const NumberPacking& packing) {
  out.u8(packing.width);
  out.u8(packing.decimals);
  out.zeros(6);
  out.u64(packing.step);
  out.u64(packing.base);
  for (const uint32_t offset : pack_numbers(column, packing)) out.raw(&offset, packing.width);
  out.align(8);
}

// Yields the flags for the directory.
uint8_t write_column(ByteWriter& out, const MetaColumn& column) {
  const bool coded = std::holds_alternative<CodedText>(column.data) ||
                     std::holds_alternative<TextLists>(column.data);
  unsigned flags = coded ? kMetaDictionary : 0;
  out.u16(static_cast<uint16_t>(column.name.size()));
  out.u16(0);
  out.u32(static_cast<uint32_t>(dictionary_size(column.data)));
  out.text(column.name);
  out.align(8);
  if (!column.nulls.empty()) {
    flags |= kMetaNulls;
    out.bytes(column.nulls);
    out.align(8);
  }
  if (const auto range = value_range(column)) {
    flags |= kMetaRange;
    write_number(out, range->min);
    write_number(out, range->max);
  }
  if (const auto packing = choose_packing(column)) {
    write_packed(out, column, *packing);
    return static_cast<uint8_t>(flags | kMetaPacked);
  }
  const auto* table = std::get_if<StringTable>(&column.data);
  if (table != nullptr && !column.quick_texts) {
    if (const Bytes blocks = pack_text_blocks(*table); !blocks.empty()) {
      out.bytes(blocks);
      return static_cast<uint8_t>(flags | kMetaBlocks);
    }
  }
  std::visit(DataWriter{out}, column.data);
  return static_cast<uint8_t>(flags);
}

Result<TextLists> read_lists(ByteReader& in, uint64_t rows, uint32_t dictionary_count) {
  TextLists lists;
  RVF_ASSIGN(lists.dictionary, StringTable::read(in, dictionary_count));
  lists.offsets = read_array<uint32_t>(in, rows + 1);
  skip_padding(in, 8);
  if (!in.ok() || lists.offsets.front() != 0 || !std::ranges::is_sorted(lists.offsets)) {
    return payload_error(kName, in, "the offsets of a list column do not ascend from 0");
  }
  lists.codes = read_codes(in, lists.offsets.back(), dictionary_count);
  return lists;
}

bool is_number(MetaType type) noexcept {
  return type == MetaType::kI64 || type == MetaType::kU64 || type == MetaType::kF64 ||
         type == MetaType::kTimestamp;
}

Result<NumberPacking> read_packing(ByteReader& in, MetaType type) {
  NumberPacking packing;
  packing.width = in.u8();
  packing.decimals = in.u8();
  skip_padding(in, 8);
  packing.step = in.u64();
  packing.base = in.u64();
  const bool known_width = (packing.width == 1 || packing.width == 2 || packing.width == 4) &&
                           packing.decimals <= kMaxDecimals;
  if (in.ok() && (!known_width || (packing.decimals != 0 && type != MetaType::kF64))) {
    return payload_error(kName, in, "a number packing that does not exist");
  }
  return packing;
}

template <class T, class Convert>
MetaData unpack(ByteReader& in, const NumberPacking& packing, const MetaColumn& column,
                uint64_t rows, Convert convert) {
  const ByteSpan offsets = in.bytes(rows * packing.width);
  skip_padding(in, 8);
  std::vector<T> out(in.ok() ? static_cast<size_t>(rows) : 0);
  for (size_t i = 0; i < out.size(); ++i) {
    if (column.is_null(i)) continue;
    uint32_t offset = 0;
    std::memcpy(&offset, offsets.data() + i * packing.width, packing.width);
    out[i] = convert(packing.integer(offset));
  }
  return out;
}

Result<MetaData> read_packed(ByteReader& in, const MetaColumn& column, uint64_t rows) {
  RVF_ASSIGN(const NumberPacking packing, read_packing(in, column.type));
  if (column.type == MetaType::kU64) {
    return unpack<uint64_t>(in, packing, column, rows, [](uint64_t v) { return v; });
  }
  if (column.type == MetaType::kF64) {
    return unpack<double>(in, packing, column, rows, [&](uint64_t v) {
      return decimal_value(static_cast<int64_t>(v), packing.decimals);
    });
  }
  return unpack<int64_t>(in, packing, column, rows,
                         [](uint64_t v) { return static_cast<int64_t>(v); });
}

Result<StringTable> read_blocks(ByteReader& in, uint64_t rows) {
  RVF_ASSIGN(const TextBlocksView view, TextBlocksView::read(in, rows));
  if (view.plain_bytes() > kMaxPlainText) {
    return payload_error(kName, in, "the texts of a column are too long unpacked",
                         ErrorCode::kTooLarge);
  }
  StringTable all;
  for (uint32_t b = 0; b < view.blocks(); ++b) {
    RVF_ASSIGN(const StringTable part, view.block(b));
    for (size_t i = 0; i < part.size(); ++i) all.add(part[i]);
  }
  return all;
}

Result<MetaData> read_data(ByteReader& in, MetaType type, bool coded, uint64_t rows,
                           uint32_t dictionary_count) {
  switch (type) {
    case MetaType::kI64:
    case MetaType::kTimestamp: return MetaData(read_array<int64_t>(in, rows));
    case MetaType::kU64: return MetaData(read_array<uint64_t>(in, rows));
    case MetaType::kF64: return MetaData(read_array<double>(in, rows));
    case MetaType::kBool: {
      const ByteSpan bits = in.bytes(bitmap_bytes(rows));
      skip_padding(in, 8);
      std::vector<uint8_t> out(in.ok() ? static_cast<size_t>(rows) : 0);
      for (size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<uint8_t>(std::to_integer<unsigned>(bits[i / 8]) >> (i % 8) & 1);
      }
      return MetaData(std::move(out));
    }
    case MetaType::kStringList: {
      RVF_ASSIGN(TextLists lists, read_lists(in, rows, dictionary_count));
      return MetaData(std::move(lists));
    }
    case MetaType::kString:
    case MetaType::kBytes:
    case MetaType::kEnum: break;
  }
  if (!coded) {
    RVF_ASSIGN(StringTable table, StringTable::read(in, rows));
    return MetaData(std::move(table));
  }
  CodedText text;
  RVF_ASSIGN(text.dictionary, StringTable::read(in, dictionary_count));
  text.codes = read_codes(in, rows, dictionary_count);
  return MetaData(std::move(text));
}

bool coding_fits(MetaType type, bool coded) noexcept {
  if (type == MetaType::kString) return true;
  return coded == (type == MetaType::kEnum || type == MetaType::kStringList);
}

MetaValue number_from_bits(MetaType type, uint64_t bits) noexcept {
  if (type == MetaType::kU64) return bits;
  if (type == MetaType::kF64) return std::bit_cast<double>(bits);
  return static_cast<int64_t>(bits);
}

}  // namespace

Bytes encode_meta(const MetaSegment& meta) {
  Bytes bytes;
  ByteWriter out(bytes);
  uint64_t first = meta.first_id;
  uint64_t last = meta.row_count == 0 ? first : first + meta.row_count - 1;
  if (!meta.ids.empty()) {
    first = *std::ranges::min_element(meta.ids);
    last = *std::ranges::max_element(meta.ids);
  }
  uint8_t flags = meta.ids.empty() ? 0 : kExplicitIds;
  if (meta.first_row) flags = kFirstRow;
  if (!meta.rows.empty()) flags = kExplicitRows;
  if ((flags & (kFirstRow | kExplicitRows)) != 0) last = meta.last_id;
  out.u32(meta.schema);
  out.u64(first);
  out.u64(last);
  out.u16(static_cast<uint16_t>(meta.columns.size()));
  out.u8(kColumnar);
  out.u8(flags);
  out.u32(meta.row_count);
  out.u64(meta.first_row.value_or(0));
  out.align(64);
  const size_t directory = out.size();
  out.zeros(meta.columns.size() * kDirectoryEntry);
  write_array(out, (flags & kExplicitRows) != 0 ? meta.rows : meta.ids);
  for (size_t i = 0; i < meta.columns.size(); ++i) {
    const size_t entry = directory + i * kDirectoryEntry;
    out.patch(entry, meta.columns[i].id);
    out.patch(entry + 2, meta.columns[i].type);
    out.patch(entry + 4, static_cast<uint32_t>(out.size()));
    out.patch(entry + 3, write_column(out, meta.columns[i]));
  }
  return bytes;
}

Result<MetaLayout> read_meta_layout(ByteSpan payload) {
  ByteReader in(payload);
  MetaLayout layout;
  layout.schema = in.u32();
  layout.first_id = in.u64();
  layout.last_id = in.u64();
  const uint16_t fields = in.u16();
  const uint8_t encoding = in.u8();
  const uint8_t flags = in.u8();
  layout.row_count = in.u32();
  const uint64_t first_row = in.u64();
  skip_padding(in, 64);
  const bool one_way = std::popcount(flags) <= 1;  // to say whom a row belongs to
  if (in.ok() && (encoding != kColumnar || (flags & ~kAllSegmentFlags) != 0 || !one_way)) {
    return payload_error(kName, in,
                         "encoding " + std::to_string(encoding) + " with flags " +
                             std::to_string(flags) + " is unknown",
                         ErrorCode::kUnsupported);
  }
  if (!can_hold(in, fields, kDirectoryEntry)) return payload_error(kName, in, {});
  layout.columns.resize(fields);
  for (MetaColumnInfo& c : layout.columns) {
    c.id = in.u16();
    c.type = static_cast<MetaType>(in.u8());
    c.flags = in.u8();
    c.offset = in.u32();
  }
  if ((flags & kFirstRow) != 0) {
    layout.first_row = first_row;
    if (in.ok() && first_row > UINT64_MAX - layout.row_count) in.fail();
  } else if (first_row != 0 && in.ok()) {
    return payload_error(kName, in, "a first row without the flag for it", ErrorCode::kBadMetadata);
  } else if ((flags & kExplicitRows) != 0) {
    layout.rows = read_array<uint64_t>(in, layout.row_count);
    if (in.ok() &&
        (layout.rows.empty() ||
         std::ranges::adjacent_find(layout.rows, std::greater_equal<>()) != layout.rows.end())) {
      return payload_error(kName, in, "the row numbers do not ascend", ErrorCode::kBadMetadata);
    }
  } else if ((flags & kExplicitIds) != 0) {
    layout.ids = read_array<uint64_t>(in, layout.row_count);
    const bool fits = !layout.ids.empty() &&
                      *std::ranges::min_element(layout.ids) == layout.first_id &&
                      *std::ranges::max_element(layout.ids) == layout.last_id;
    if (!fits)
      return payload_error(kName, in, "the ids do not fit first and last", ErrorCode::kBadMetadata);
  } else if (in.ok() && layout.last_id - layout.first_id !=
                            (layout.row_count == 0 ? 0 : layout.row_count - 1)) {
    return payload_error(kName, in, "the id range does not fit the row count",
                         ErrorCode::kBadMetadata);
  }
  uint64_t expected = in.position();
  for (size_t i = 0; i < fields && in.ok(); ++i) {
    MetaColumnInfo& c = layout.columns[i];
    const uint64_t end = i + 1 < fields ? layout.columns[i + 1].offset : payload.size();
    if ((i == 0 && c.offset != expected) || c.offset % 8 != 0 || end < c.offset ||
        end > payload.size()) {
      return payload_error(kName, in, "column " + std::to_string(i) + " lies outside its place",
                           ErrorCode::kBadMetadata);
    }
    c.end = static_cast<uint32_t>(end);
    expected = end;
  }
  if (!in.ok()) return payload_error(kName, in, {});
  if (expected != payload.size()) {
    return payload_error(kName, in, "bytes follow that belong to no column",
                         ErrorCode::kBadMetadata);
  }
  return layout;
}

Result<MetaColumn> decode_meta_column(ByteSpan payload, const MetaLayout& layout, size_t index) {
  const MetaColumnInfo& info = layout.columns[index];
  const bool coded = (info.flags & kMetaDictionary) != 0;
  ByteReader in(payload.subspan(info.offset, info.end - info.offset));
  if (!is_known(info.type) || (info.flags & ~kMetaAllFlags) != 0) {
    return payload_error(kName, in,
                         "field " + std::to_string(info.id) + " has unknown type " +
                             std::to_string(static_cast<unsigned>(info.type)) + " or flags " +
                             std::to_string(info.flags),
                         ErrorCode::kUnsupported);
  }
  MetaColumn column;
  column.id = info.id;
  column.type = info.type;
  const uint16_t name_length = in.u16();
  if (in.u16() != 0) in.fail();
  const uint32_t dictionary_count = in.u32();
  column.name = std::string(in.text(name_length));
  skip_padding(in, 8);
  const bool packed = (info.flags & kMetaPacked) != 0;
  const bool blocks = (info.flags & kMetaBlocks) != 0;
  const bool text = info.type == MetaType::kString || info.type == MetaType::kBytes;
  if (!coding_fits(info.type, coded) || (!coded && dictionary_count != 0) ||
      (packed && !is_number(info.type)) || (blocks && (coded || !text))) {
    return payload_error(kName, in, "field '" + column.name + "' cannot have this dictionary",
                         ErrorCode::kBadMetadata);
  }
  if ((info.flags & kMetaNulls) != 0) {
    column.nulls = read_bytes(in, bitmap_bytes(layout.row_count));
    skip_padding(in, 8);
  }
  const bool has_range = (info.flags & kMetaRange) != 0;
  MetaRange range;
  if (has_range) {
    range.min = number_from_bits(info.type, in.u64());
    range.max = number_from_bits(info.type, in.u64());
  }
  if (packed) {
    RVF_ASSIGN(column.data, read_packed(in, column, layout.row_count));
  } else if (blocks) {
    RVF_ASSIGN(column.data, read_blocks(in, layout.row_count));
  } else {
    RVF_ASSIGN(column.data, read_data(in, info.type, coded, layout.row_count, dictionary_count));
  }
  RVF_TRY(expect_end(kName, in));
  // A range that lies would make a query skip rows that match.
  const auto actual = value_range(column);
  if (actual.has_value() != has_range || (has_range && *actual != range)) {
    return payload_error(kName, in,
                         "field '" + column.name + "': minimum and maximum do not fit its values",
                         ErrorCode::kBadMetadata);
  }
  return column;
}

Result<MetaSegment> decode_meta(ByteSpan payload) {
  RVF_ASSIGN(MetaLayout layout, read_meta_layout(payload));
  MetaSegment meta;
  meta.schema = layout.schema;
  meta.row_count = layout.row_count;
  meta.columns.reserve(layout.columns.size());
  for (size_t i = 0; i < layout.columns.size(); ++i) {
    RVF_ASSIGN(MetaColumn column, decode_meta_column(payload, layout, i));
    meta.columns.push_back(std::move(column));
  }
  meta.first_id = layout.first_id;
  meta.ids = std::move(layout.ids);
  meta.first_row = layout.first_row;
  meta.rows = std::move(layout.rows);
  if (meta.first_row || !meta.rows.empty()) meta.last_id = layout.last_id;
  return meta;
}

}  // namespace rvf::wire
