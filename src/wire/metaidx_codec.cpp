#include "wire/metaidx_codec.hpp"

#include <bit>

#include "wire/codec.hpp"
#include "wire/level1_codec.hpp"

namespace rvf::wire {
namespace {

constexpr const char* kName = "METAIDX";
constexpr uint64_t kSignBit = 1ULL << 63;

bool has_order(MetaType type) noexcept {
  return type == MetaType::kI64 || type == MetaType::kU64 || type == MetaType::kF64 ||
         type == MetaType::kTimestamp;
}

void write_set(ByteWriter& out, const std::vector<uint64_t>& ids) {
  const Bytes bitmap = encode_bitmap(ids);
  out.u64(bitmap.size());
  out.bytes(bitmap);
  out.align(8);
}

Result<std::vector<uint64_t>> read_set(ByteReader& in, uint64_t max_ids) {
  const ByteSpan bitmap = in.bytes(in.u64());
  skip_padding(in, 8);
  if (!in.ok()) return payload_error(kName, in, {});
  RVF_ASSIGN(std::vector<uint64_t> ids, decode_bitmap(bitmap, max_ids));
  if (ids.size() > max_ids) {
    return payload_error(kName, in, "more ids than allowed", ErrorCode::kBudgetExceeded);
  }
  return ids;
}

bool strictly_ascending(const std::vector<uint64_t>& ids) noexcept {
  for (size_t i = 1; i < ids.size(); ++i) {
    if (ids[i] <= ids[i - 1]) return false;
  }
  return true;
}

}  // namespace

uint64_t sort_key(uint64_t value) noexcept { return value; }
uint64_t sort_key(int64_t value) noexcept { return static_cast<uint64_t>(value) ^ kSignBit; }
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
  out.u64(header.max_segment);
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
  header.max_segment = in.u64();
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
  header.null_count = index.null_ids.size();
  write_meta_index_header(out, header);
  write_array(out, index.keys);
  write_array(out, index.ids);
  write_array(out, index.null_ids);
  return bytes;
}

Result<RangeIndex> decode_range_index(ByteSpan payload) {
  ByteReader in(payload);
  RangeIndex index;
  RVF_ASSIGN(index.header, read_meta_index_header(in));
  if (index.header.kind != MetaIndexKind::kRange || !has_order(index.header.type)) {
    return payload_error(kName, in, "not a range index over numbers", ErrorCode::kBadMetadata);
  }
  index.keys = read_array<uint64_t>(in, index.header.key_count);
  index.ids = read_array<uint64_t>(in, index.header.key_count);
  index.null_ids = read_array<uint64_t>(in, index.header.null_count);
  RVF_TRY(expect_end(kName, in));
  for (size_t i = 1; i < index.keys.size(); ++i) {
    const bool ordered = index.keys[i - 1] < index.keys[i] ||
                         (index.keys[i - 1] == index.keys[i] && index.ids[i - 1] < index.ids[i]);
    if (!ordered) {
      return payload_error(kName, in, "entry " + std::to_string(i) + " is out of order",
                           ErrorCode::kBadMetadata);
    }
  }
  if (!strictly_ascending(index.null_ids)) {
    return payload_error(kName, in, "the ids without a value do not ascend",
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
  header.null_count = index.null_ids.size();
  write_meta_index_header(out, header);
  index.keys.write(out);
  for (const std::vector<uint64_t>& ids : index.ids) write_set(out, ids);
  write_set(out, index.null_ids);
  return bytes;
}

Result<BitmapIndex> decode_bitmap_index(ByteSpan payload, uint64_t max_ids) {
  ByteReader in(payload);
  BitmapIndex index;
  RVF_ASSIGN(index.header, read_meta_index_header(in));
  if (index.header.kind != MetaIndexKind::kBitmap) {
    return payload_error(kName, in, "not a bitmap index", ErrorCode::kBadMetadata);
  }
  RVF_ASSIGN(index.keys, StringTable::read(in, index.header.key_count));
  index.ids.reserve(index.keys.size());
  for (size_t i = 0; i < index.keys.size(); ++i) {
    ByteReader key(as_bytes(index.keys[i]));
    if (!read_meta_value(key) || key.remaining() != 0) {
      return payload_error(kName, in, "key " + std::to_string(i) + " is no value",
                           ErrorCode::kBadMetadata);
    }
    RVF_ASSIGN(std::vector<uint64_t> ids, read_set(in, max_ids));
    max_ids -= ids.size();
    index.ids.push_back(std::move(ids));
  }
  RVF_ASSIGN(index.null_ids, read_set(in, max_ids));
  if (index.null_ids.size() != index.header.null_count) {
    return payload_error(kName, in, "null_count does not fit", ErrorCode::kBadMetadata);
  }
  RVF_TRY(expect_end(kName, in));
  return index;
}

}  // namespace rvf::wire
