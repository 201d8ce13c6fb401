#include "wire/metaidx_codec.hpp"

#include <algorithm>
#include <bit>
#include <functional>

#include "wire/checksum.hpp"
#include "wire/codec.hpp"
#include "wire/level1_codec.hpp"

namespace rvf::wire {
namespace {

constexpr const char* kName = "METAIDX";
constexpr uint64_t kSignBit = 1ULL << 63;

bool has_order(MetaType type) noexcept {
  return type != MetaType::kBool && type != MetaType::kEnum && type != MetaType::kStringList;
}

Result<std::vector<uint64_t>> read_set(ByteSpan payload, uint32_t begin, uint32_t end,
                                       uint64_t max_rows) {
  ByteReader in(payload);
  in.skip(begin);
  const ByteSpan padded = in.bytes(end < begin ? UINT64_MAX : end - begin);
  if (!in.ok()) return payload_error(kName, in, {});
  RVF_ASSIGN(std::vector<uint64_t> rows, decode_bitmap(padded, max_rows));
  if (rows.size() > max_rows) {
    return payload_error(kName, in, "more rows than allowed", ErrorCode::kBudgetExceeded);
  }
  return rows;
}

}  // namespace

uint64_t sort_key(uint64_t value) noexcept { return value; }
uint64_t sort_key(int64_t value) noexcept { return static_cast<uint64_t>(value) ^ kSignBit; }
uint64_t sort_key(std::string_view text) noexcept { return xxh3_64(as_bytes(text)); }
uint64_t sort_key(double value) noexcept {
  const auto bits = std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
  return (bits & kSignBit) != 0 ? ~bits : bits | kSignBit;
}

void write_meta_index_header(ByteWriter& out, const MetaIndexHeader& header) {
  out.number(header.kind);
  out.number(header.type);
  out.u16(header.field);
  out.u32(header.schema);
  out.u64(header.key_count);
  out.u64(header.null_count);
  out.u64(header.meta_segment);
  out.zeros(kMetaIndexHeaderSize - 32);
}

Result<MetaIndexHeader> read_meta_index_header(ByteReader& in) {
  MetaIndexHeader header;
  header.kind = static_cast<MetaIndexKind>(in.u8());
  header.type = static_cast<MetaType>(in.u8());
  header.field = in.u16();
  header.schema = in.u32();
  header.key_count = in.u64();
  header.null_count = in.u64();
  header.meta_segment = in.u64();
  skip_padding(in, kMetaIndexHeaderSize);
  if (!in.ok()) return payload_error(kName, in, {});
  if (header.kind > MetaIndexKind::kBitmap || !is_known(header.type)) {
    return payload_error(kName, in,
                         "kind " + std::to_string(static_cast<unsigned>(header.kind)) +
                             " over type " + std::to_string(static_cast<unsigned>(header.type)) +
                             " is unknown",
                         ErrorCode::kUnsupported);
  }
  return header;
}

Bytes encode_range_index(const RangeIndex& index) {
  Bytes bytes;
  ByteWriter out(bytes);
  MetaIndexHeader header = index.header;
  header.kind = MetaIndexKind::kRange;
  header.key_count = index.keys.size();
  header.null_count = index.null_rows.size();
  write_meta_index_header(out, header);
  write_array(out, index.keys);
  write_array(out, index.rows);
  write_array(out, index.null_rows);
  out.align(8);
  return bytes;
}

Result<RangeIndex> decode_range_index(ByteSpan payload) {
  ByteReader in(payload);
  RangeIndex index;
  RVF_ASSIGN(index.header, read_meta_index_header(in));
  if (index.header.kind != MetaIndexKind::kRange || !has_order(index.header.type)) {
    return payload_error(kName, in, "not a range index", ErrorCode::kBadMetadata);
  }
  index.keys = read_array<uint64_t>(in, index.header.key_count);
  index.rows = read_array<uint32_t>(in, index.header.key_count);
  index.null_rows = read_array<uint32_t>(in, index.header.null_count);
  skip_padding(in, 8);
  RVF_TRY(expect_end(kName, in));
  for (size_t i = 1; i < index.keys.size(); ++i) {
    const bool ordered = index.keys[i - 1] < index.keys[i] ||
                         (index.keys[i - 1] == index.keys[i] && index.rows[i - 1] < index.rows[i]);
    if (!ordered) {
      return payload_error(kName, in, "entry " + std::to_string(i) + " is out of order",
                           ErrorCode::kBadMetadata);
    }
  }
  if (std::ranges::adjacent_find(index.null_rows, std::greater_equal<>()) !=
      index.null_rows.end()) {
    return payload_error(kName, in, "the rows without a value do not ascend",
                         ErrorCode::kBadMetadata);
  }
  return index;
}

Bytes encode_bitmap_index(const BitmapIndex& index) {
  Bytes bytes;
  ByteWriter out(bytes);
  MetaIndexHeader header = index.header;
  header.kind = MetaIndexKind::kBitmap;
  header.key_count = index.keys.size();
  header.null_count = index.null_rows.size();
  write_meta_index_header(out, header);
  index.keys.write(out);
  const size_t directory = out.size();
  out.zeros((index.rows.size() + 2) * 4);
  out.align(8);
  const auto write_set = [&](size_t position, const std::vector<uint64_t>& rows) {
    out.patch(directory + position * 4, static_cast<uint32_t>(out.size()));
    out.bytes(encode_bitmap(rows));
  };
  for (size_t i = 0; i < index.rows.size(); ++i) write_set(i, index.rows[i]);
  write_set(index.rows.size(), index.null_rows);
  out.patch(directory + (index.rows.size() + 1) * 4, static_cast<uint32_t>(out.size()));
  return bytes;
}

Result<BitmapIndex> decode_bitmap_index(ByteSpan payload, uint64_t max_rows) {
  ByteReader in(payload);
  BitmapIndex index;
  RVF_ASSIGN(index.header, read_meta_index_header(in));
  if (index.header.kind != MetaIndexKind::kBitmap) {
    return payload_error(kName, in, "not a bitmap index", ErrorCode::kBadMetadata);
  }
  RVF_ASSIGN(index.keys, StringTable::read(in, index.header.key_count));
  const auto offsets = read_array<uint32_t>(in, index.header.key_count + 2);
  skip_padding(in, 8);
  if (!in.ok()) return payload_error(kName, in, {});
  if (offsets.front() != in.position() || offsets.back() != payload.size()) {
    return payload_error(kName, in, "the sets do not fill the segment", ErrorCode::kBadMetadata);
  }
  index.rows.reserve(index.keys.size());
  for (size_t i = 0; i < index.keys.size(); ++i) {
    ByteReader key(as_bytes(index.keys[i]));
    if (!read_meta_value(key) || key.remaining() != 0 ||
        (i > 0 && index.keys[i] <= index.keys[i - 1])) {
      return payload_error(kName, in, "key " + std::to_string(i) + " is no value, or out of order",
                           ErrorCode::kBadMetadata);
    }
    RVF_ASSIGN(std::vector<uint64_t> rows, read_set(payload, offsets[i], offsets[i + 1], max_rows));
    max_rows -= rows.size();
    index.rows.push_back(std::move(rows));
  }
  RVF_ASSIGN(index.null_rows,
             read_set(payload, offsets[index.keys.size()], offsets.back(), max_rows));
  if (index.null_rows.size() != index.header.null_count) {
    return payload_error(kName, in, "null_count does not fit", ErrorCode::kBadMetadata);
  }
  return index;
}

}  // namespace rvf::wire
