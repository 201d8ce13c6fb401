// METAIDX_SEG: one index over one field of one META segment. The 64-byte header is common to all
// kinds; the range kind (ascending keys) and the bitmap kind (few distinct values, one set of rows
// each) are here, the inverted kind has its own codec. Rows are positions in the META segment.
// docs/format.md has the byte table. Pure functions, thread-safe.
#pragma once
#include <optional>

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
  uint64_t null_count = 0;   // rows without a value
  uint64_t meta_segment = 0;  // the META segment whose rows these are
  friend bool operator==(const MetaIndexHeader&, const MetaIndexHeader&) = default;
};

void write_meta_index_header(ByteWriter& out, const MetaIndexHeader& header);
// Leaves `in` behind the header. kUnsupported for an unknown kind or type.
Result<MetaIndexHeader> read_meta_index_header(ByteReader& in);

// key_count and null_count of the header are filled from the vectors when encoding.
struct RangeIndex {
  MetaIndexHeader header;  // any type but bool, enum and list
  // Sort keys, ascending: sort_key() of numbers; of texts the XXH3-64, which finds equal texts only,
  // and others with the same hash too. rows[i] has the value of keys[i]; equal keys are ordered by
  // row.
  std::vector<uint64_t> keys;
  std::vector<uint32_t> rows;
  std::vector<uint32_t> null_rows;  // ascending; NaN counts as null
  friend bool operator==(const RangeIndex&, const RangeIndex&) = default;
};

// Maps numbers to u64 so that the order is kept: i64 with the sign bit flipped, f64 with all bits
// flipped where negative and the sign bit else (-0 first becomes 0). NaN has no key.
uint64_t sort_key(int64_t value) noexcept;
uint64_t sort_key(uint64_t value) noexcept;
uint64_t sort_key(double value) noexcept;
uint64_t sort_key(std::string_view text) noexcept;

struct BitmapIndex {
  MetaIndexHeader header;
  StringTable keys;  // encoded MetaValues, each as write_meta_value() makes it, ascending by bytes
  std::vector<std::vector<uint64_t>> rows;  // one ascending set a key
  std::vector<uint64_t> null_rows;  // ascending
  friend bool operator==(const BitmapIndex&, const BitmapIndex&) = default;
};

Bytes encode_range_index(const RangeIndex& index);
Result<RangeIndex> decode_range_index(ByteSpan payload);

Bytes encode_bitmap_index(const BitmapIndex& index);
// `max_rows` bounds the rows of all sets together, and so the memory.
Result<BitmapIndex> decode_bitmap_index(ByteSpan payload, uint64_t max_rows);

}  // namespace rvf::wire
