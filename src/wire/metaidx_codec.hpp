// METAIDX_SEG: one index over one metadata field. The 64-byte header is common to all kinds; the
// range kind (numbers and timestamps in ascending order) and the bitmap kind (few distinct values,
// one id set each) are here, the inverted kind has its own codec. docs/format.md has the byte
// table. Pure functions, thread-safe.
#pragma once
#include "wire/meta_value.hpp"

namespace rvf::wire {

enum class MetaIndexKind : uint8_t { kInverted = 0, kRange = 1, kBitmap = 2 };

inline constexpr size_t kMetaIndexHeaderSize = 64;

struct MetaIndexHeader {
  MetaIndexKind kind = MetaIndexKind::kRange;
  MetaType type = MetaType::kI64;  // of the field
  uint16_t field = 0;
  uint32_t schema = 0;
  uint64_t key_count = 0;    // range: values, bitmap: distinct values
  uint64_t null_count = 0;   // ids without a value
  // The newest META segment that went in; rows of later ones are not indexed.
  uint64_t max_segment = 0;
  friend bool operator==(const MetaIndexHeader&, const MetaIndexHeader&) = default;
};

void write_meta_index_header(ByteWriter& out, const MetaIndexHeader& header);
// Leaves `in` behind the header. kUnsupported for an unknown kind or type.
Result<MetaIndexHeader> read_meta_index_header(ByteReader& in);

// key_count and null_count of the header are filled from the vectors when encoding.
struct RangeIndex {
  MetaIndexHeader header;  // type kI64, kU64, kF64 or kTimestamp
  // Sort keys, ascending: see sort_key(). ids[i] has the value of keys[i]; equal keys are ordered
  // by id.
  std::vector<uint64_t> keys;
  std::vector<uint64_t> ids;
  std::vector<uint64_t> null_ids;  // ascending; NaN counts as null
  friend bool operator==(const RangeIndex&, const RangeIndex&) = default;
};

// Maps numbers to u64 so that the order is kept: i64 with the sign bit flipped, f64 with all bits
// flipped where negative and the sign bit else (-0 first becomes 0). NaN has no key.
uint64_t sort_key(int64_t value) noexcept;
uint64_t sort_key(uint64_t value) noexcept;
uint64_t sort_key(double value) noexcept;

struct BitmapIndex {
  MetaIndexHeader header;
  StringTable keys;  // encoded MetaValues, each as write_meta_value() makes it
  std::vector<std::vector<uint64_t>> ids;  // one ascending set a key
  std::vector<uint64_t> null_ids;  // ascending
  friend bool operator==(const BitmapIndex&, const BitmapIndex&) = default;
};

Bytes encode_range_index(const RangeIndex& index);
Result<RangeIndex> decode_range_index(ByteSpan payload);

Bytes encode_bitmap_index(const BitmapIndex& index);
// `max_ids` bounds the ids of all sets together, and so the memory.
Result<BitmapIndex> decode_bitmap_index(ByteSpan payload, uint64_t max_ids);

}  // namespace rvf::wire
