// Makes META and METAIDX payloads. Pure functions, thread-safe.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "meta/part.hpp"
#include "meta/schema.hpp"

namespace rvf::meta {

// Rows of one part, by field. Values have the type of their field in the schema, or are null.
struct PartColumns {
  struct Field {
    uint16_t id = 0;
    std::vector<Value> values;
  };
  std::vector<Field> fields;
};

// For the rows first_row, first_row + 1, ... A field that is null everywhere is left out.
Result<wire::Bytes> encode_base_part(const Schema& schema, const PartColumns& columns,
                                     uint64_t first_row, uint32_t rows, uint64_t min_id,
                                     uint64_t max_id);
// For these rows, ascending. Null values are kept: they take the old value away.
Result<wire::Bytes> encode_update_part(const Schema& schema, const PartColumns& columns,
                                       std::span<const uint64_t> rows);

struct PartIndex {
  uint16_t field = 0;
  wire::Bytes payload;
};
// Below this many rows a scan is as good as an index on values.
inline constexpr uint32_t kMinIndexedRows = 4096;
// The indexes that the schema asks for over a part that opens from `part_payload` as segment
// `segment_id`. Words are indexed whatever the number of rows, values from kMinIndexedRows on.
Result<std::vector<PartIndex>> build_indexes(const Schema& schema, uint64_t segment_id,
                                             wire::ByteSpan part_payload);

// The words of a string column of `part`, as the payload of a METAIDX.
Result<wire::Bytes> build_word_index(const Part& part, const wire::MetaColumnView& column);

}  // namespace rvf::meta
