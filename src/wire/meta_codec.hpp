// META_SEG: typed metadata by column for a set of vectors. Names and types travel with the data, so
// that a reader needs nothing else. docs/format.md has the byte table. Pure functions, thread-safe.
#pragma once
#include "wire/meta_column.hpp"

namespace rvf::wire {

struct MetaSegment {
  uint32_t schema = 0;  // number of the schema that the columns belong to
  uint64_t first_id = 0;  // with `ids` empty, row i belongs to id first_id + i
  uint32_t row_count = 0;
  std::vector<uint64_t> ids;  // empty, or one a row in any order
  // Rows of the store (docs/format.md, section 8) in place of ids; first_id and last_id then only
  // inform.
  std::optional<uint64_t> first_row = {};  // row i is row number first_row + i
  std::vector<uint64_t> rows = {};  // or these, ascending: values for rows that had others
  uint64_t last_id = 0;  // only with row numbers
  std::vector<MetaColumn> columns;
  friend bool operator==(const MetaSegment&, const MetaSegment&) = default;
};

struct MetaColumnInfo {
  uint16_t id = 0;
  MetaType type = MetaType::kString;
  uint8_t flags = 0;
  uint32_t offset = 0;  // bytes from the start of the payload
  uint32_t end = 0;
};

// Bits of MetaColumnInfo::flags.
enum MetaColumnFlag : uint8_t {
  kMetaNulls = 1 << 0,
  kMetaDictionary = 1 << 1,
  kMetaRange = 1 << 2,
  kMetaPacked = 1 << 3,  // numbers of fewer than 8 bytes, wire/meta_pack.hpp
  kMetaBlocks = 1 << 4,  // compressed texts, wire/meta_blocks.hpp
  kMetaAllFlags = 31
};

// Everything but the columns: enough to decide which of them to read.
struct MetaLayout {
  uint32_t schema = 0;
  uint64_t first_id = 0;
  uint64_t last_id = 0;
  uint32_t row_count = 0;
  std::vector<uint64_t> ids;
  std::optional<uint64_t> first_row;
  std::vector<uint64_t> rows;
  std::vector<MetaColumnInfo> columns;
};

// Every column must have row_count rows.
Bytes encode_meta(const MetaSegment& meta);
Result<MetaSegment> decode_meta(ByteSpan payload);

Result<MetaLayout> read_meta_layout(ByteSpan payload);
// `index` is below layout.columns.size(), and `layout` comes from the same payload.
Result<MetaColumn> decode_meta_column(ByteSpan payload, const MetaLayout& layout, size_t index);

}  // namespace rvf::wire
