#include "meta/build.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "meta/bm25.hpp"
#include "meta/intervals.hpp"

namespace rvf::meta {
namespace {

constexpr size_t kMaxBitmapKeys = 65536;

Result<wire::MetaSegment> make_segment(const Schema& schema, const PartColumns& columns,
                                       bool keep_null_columns) {
  wire::MetaSegment meta;
  for (const PartColumns::Field& f : columns.fields) {
    const SchemaField* known = schema.find(f.id);
    if (known == nullptr) return Error(ErrorCode::kBadMetadata, "a column without a field");
    const bool all_null = std::all_of(f.values.begin(), f.values.end(), [](const Value& v) {
      return std::holds_alternative<std::monostate>(v);
    });
    if (all_null && !keep_null_columns) continue;
    RVF_ASSIGN(auto column,
               wire::make_column(f.id, known->field.type, known->field.name, f.values));
    // String ids are looked up one by one.
    column.quick_texts = known->field.name == kKeyField;
    meta.columns.push_back(std::move(column));
  }
  return meta;
}

wire::MetaIndexHeader header_of(const wire::MetaColumnView& column, uint64_t segment_id) {
  wire::MetaIndexHeader header;
  header.type = column.type();
  header.field = column.id();
  header.meta_segment = segment_id;
  return header;
}

wire::Bytes range_index(const wire::MetaColumnView& column, uint64_t segment_id) {
  wire::RangeIndex index;
  index.header = header_of(column, segment_id);
  const bool text = column.type() == FieldType::kString || column.type() == FieldType::kBytes;
  ColumnReader reader(column);
  std::vector<std::pair<uint64_t, uint32_t>> entries;
  entries.reserve(column.rows());
  for (uint32_t row = 0; row < column.rows(); ++row) {
    if (column.is_null(row)) {
      index.null_rows.push_back(row);
    } else if (text) {
      entries.emplace_back(wire::sort_key(reader.text(row)), row);
    } else {
      const uint64_t bits = column.bits(row);
      const bool nan = column.type() == FieldType::kF64 &&
                       std::bit_cast<double>(bits) != std::bit_cast<double>(bits);
      if (nan) {
        index.null_rows.push_back(row);
      } else {
        entries.emplace_back(key_of(bits, column.type()), row);
      }
    }
  }
  std::sort(entries.begin(), entries.end());
  for (const auto& [key, row] : entries) {
    index.keys.push_back(key);
    index.rows.push_back(row);
  }
  return wire::encode_range_index(index);
}

// Empty where there are too many distinct values for a bitmap each to make sense.
wire::Bytes bitmap_index(const wire::MetaColumnView& column, uint64_t segment_id) {
  std::map<std::string, std::vector<uint64_t>> rows_of;
  wire::BitmapIndex index;
  index.header = header_of(column, segment_id);
  ColumnReader reader(column);
  for (uint32_t row = 0; row < column.rows(); ++row) {
    const Value value = reader.value(row);
    if (std::holds_alternative<std::monostate>(value)) {
      index.null_rows.push_back(row);
      continue;
    }
    const auto add = [&](const Value& v) {
      std::vector<uint64_t>& rows = rows_of[wire::meta_value_key(v)];
      if (rows.empty() || rows.back() != row) rows.push_back(row);
    };
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
      for (const std::string& s : *list) add(s);
    } else {
      add(value);
    }
    if (rows_of.size() > kMaxBitmapKeys) return {};
  }
  for (auto& [k, rows] : rows_of) {
    index.keys.add(k);
    index.rows.push_back(std::move(rows));
  }
  return wire::encode_bitmap_index(index);
}

}  // namespace

Result<wire::Bytes> build_word_index(const Part& part, const wire::MetaColumnView& column) {
  InvertedIndexBuilder builder(column.id(), {}, part.segment_id());
  ColumnReader reader(column);
  for (uint32_t i = 0; i < part.rows(); ++i) {
    if (column.is_null(i)) continue;
    const uint64_t row = part.is_update() ? part.explicit_rows()[i] : part.first_row() + i;
    builder.add(row, reader.text(i));
  }
  return builder.finish();
}

Result<wire::Bytes> encode_base_part(const Schema& schema, const PartColumns& columns,
                                     uint64_t first_row, uint32_t rows, uint64_t min_id,
                                     uint64_t max_id) {
  RVF_ASSIGN(wire::MetaSegment meta, make_segment(schema, columns, false));
  meta.first_row = first_row;
  meta.row_count = rows;
  meta.first_id = min_id;
  meta.last_id = max_id;
  return wire::encode_meta(meta);
}

Result<wire::Bytes> encode_update_part(const Schema& schema, const PartColumns& columns,
                                       std::span<const uint64_t> rows) {
  RVF_ASSIGN(wire::MetaSegment meta, make_segment(schema, columns, true));
  meta.rows.assign(rows.begin(), rows.end());
  meta.row_count = static_cast<uint32_t>(rows.size());
  return wire::encode_meta(meta);
}

Result<std::vector<PartIndex>> build_indexes(const Schema& schema, uint64_t segment_id,
                                             wire::ByteSpan part_payload) {
  RVF_ASSIGN(const Part part, Part::open(segment_id, part_payload));
  std::vector<PartIndex> out;
  const bool values_too = part.rows() >= kMinIndexedRows && !part.is_update();
  for (const wire::MetaColumnView& column : part.columns()) {
    const SchemaField* known = schema.find(column.id());
    if (known == nullptr) continue;
    const bool key = known->field.name == kKeyField;
    if (values_too && (key || (known->field.indexed & kIndexValues) != 0)) {
      const bool by_bitmap = column.type() == FieldType::kBool ||
                             column.type() == FieldType::kEnum ||
                             column.type() == FieldType::kStringList;
      wire::Bytes payload =
          by_bitmap ? bitmap_index(column, segment_id) : range_index(column, segment_id);
      if (!payload.empty()) out.push_back({column.id(), std::move(payload)});
    }
    if ((known->field.indexed & kIndexWords) != 0 && column.type() == FieldType::kString) {
      RVF_ASSIGN(wire::Bytes payload, build_word_index(part, column));
      out.push_back({column.id(), std::move(payload)});
    }
  }
  return out;
}

}  // namespace rvf::meta
