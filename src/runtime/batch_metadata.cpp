#include "runtime/batch_metadata.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <unordered_set>

namespace rvf::runtime {
namespace {

constexpr size_t kMaxValueBytes = 16 << 20;

const char* value_name(const Value& v) noexcept {
  constexpr const char* kNames[] = {"null", "string", "bytes", "i64", "u64", "f64", "bool", "list"};
  return v.index() < std::size(kNames) ? kNames[v.index()] : "?";
}

size_t value_bytes(const Value& v) noexcept {
  if (const auto* s = std::get_if<std::string>(&v)) return s->size();
  if (const auto* b = std::get_if<std::vector<std::byte>>(&v)) return b->size();
  size_t sum = 0;
  if (const auto* l = std::get_if<std::vector<std::string>>(&v)) {
    for (const std::string& s : *l) sum += s.size() + 4;
  }
  return sum;
}

meta::PartColumns slice(const meta::PartColumns& all, uint64_t first, uint64_t count) {
  meta::PartColumns out;
  for (const meta::PartColumns::Field& f : all.fields) {
    const auto begin = f.values.begin() + static_cast<std::ptrdiff_t>(first);
    out.fields.push_back({f.id, {begin, begin + static_cast<std::ptrdiff_t>(count)}});
  }
  return out;
}

// A value as one of `type`, if nothing of it is lost.
Result<Value> widened(const Value& value, FieldType type, const std::string& field) {
  if (type != FieldType::kF64 || meta::widens_exactly(value)) return meta::widen(value, type);
  const auto* i = std::get_if<int64_t>(&value);
  const auto* u = std::get_if<uint64_t>(&value);
  return Error(ErrorCode::kOutOfRange,
               "the field '" + field + "' is f64 or becomes it, and no f64 is exactly " +
                   (i != nullptr ? std::to_string(*i) : std::to_string(*u)) +
                   "; keep its values whole numbers of one type, or use a string field");
}

}  // namespace

bool value_fits(const Value& v, FieldType type) noexcept {
  switch (type) {
    case FieldType::kString:
    case FieldType::kEnum: return std::holds_alternative<std::string>(v);
    case FieldType::kBytes: return std::holds_alternative<std::vector<std::byte>>(v);
    case FieldType::kI64:
    case FieldType::kTimestamp: return std::holds_alternative<int64_t>(v);
    case FieldType::kU64: return std::holds_alternative<uint64_t>(v);
    case FieldType::kF64: return std::holds_alternative<double>(v);
    case FieldType::kBool: return std::holds_alternative<bool>(v);
    case FieldType::kStringList: return std::holds_alternative<std::vector<std::string>>(v);
  }
  return false;
}

Status BatchMetadata::add_columns(std::span<const Column> columns, size_t vectors) {
  return add(columns, vectors, columns_);
}

Status BatchMetadata::add_keys(std::span<const std::string> keys) {
  Column column{kKeyField, FieldType::kString, {}};
  column.values.assign(keys.begin(), keys.end());
  RVF_ASSIGN(const uint16_t id, schema_.merge({kKeyField, FieldType::kString, kIndexValues}));
  columns_.fields.push_back({id, std::move(column.values)});
  return {};
}

Status BatchMetadata::add_updates(std::span<const Column> columns, std::span<const uint64_t> rows) {
  RVF_TRY(add(columns, rows.size(), updates_));
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rows[a] < rows[b]; });
  for (const size_t i : order) update_rows_.push_back(rows[i]);
  for (meta::PartColumns::Field& f : updates_.fields) {
    std::vector<Value> sorted;
    sorted.reserve(order.size());
    for (const size_t i : order) sorted.push_back(std::move(f.values[i]));
    f.values = std::move(sorted);
  }
  return {};
}

Status BatchMetadata::add(std::span<const Column> columns, size_t rows, meta::PartColumns& out) {
  std::unordered_set<std::string> seen;
  for (const Column& c : columns) {
    if (c.name == kKeyField) {
      return Error(ErrorCode::kBadArgument, "string ids are given as keys, not as a column");
    }
    if (!seen.insert(c.name).second) {
      return Error(ErrorCode::kBadArgument, "the column '" + c.name + "' is there twice");
    }
    if (c.values.size() != rows) {
      return Error(ErrorCode::kBadArgument, "the column '" + c.name + "' has " +
                                                std::to_string(c.values.size()) + " values for " +
                                                std::to_string(rows) + " vectors");
    }
    RVF_ASSIGN(const uint16_t id, schema_.merge({c.name, c.type, kIndexNone}));
    const FieldType type = schema_.find(id)->field.type;
    meta::PartColumns::Field field{id, {}};
    field.values.reserve(rows);
    for (size_t i = 0; i < rows; ++i) {
      const bool null = std::holds_alternative<std::monostate>(c.values[i]);
      if (!null && !value_fits(c.values[i], c.type)) {
        return Error(ErrorCode::kBadMetadata,
                     "the column '" + c.name + "' is " + field_type_name(c.type) + ", its value " +
                         std::to_string(i) + " is " + value_name(c.values[i]));
      }
      if (value_bytes(c.values[i]) > kMaxValueBytes) {
        return Error(ErrorCode::kTooLarge, "the column '" + c.name + "', value " +
                                               std::to_string(i) + ": a value has at most 16 MiB");
      }
      RVF_ASSIGN(Value value, widened(c.values[i], type, c.name));
      field.values.push_back(std::move(value));
    }
    out.fields.push_back(std::move(field));
  }
  return {};
}

Status check_widening(const meta::Table& stored, const index::DeadRows& dead,
                      const meta::Schema& wanted) {
  for (const meta::SchemaField& field : stored.schema().fields()) {
    const meta::SchemaField* after = wanted.find(field.id);
    if (after == nullptr || after->field.type == field.field.type ||
        after->field.type != FieldType::kF64) {
      continue;
    }
    meta::FieldReader reader(stored, field);
    for (uint64_t row = 0; row < stored.rows(); ++row) {
      if (dead.test(row)) continue;
      RVF_TRY(widened(reader.value(row), FieldType::kF64, field.field.name));
    }
  }
  return {};
}

Status append_part(Writer& writer, const meta::Schema& schema, wire::ByteSpan payload) {
  Writer::Segment segment;
  segment.type = SegmentType::kMeta;
  segment.flags = segment_flag::kHot;
  RVF_ASSIGN(const wire::DirEntry entry, writer.append(segment, payload));
  RVF_ASSIGN(const auto indexes, meta::build_indexes(schema, entry.segment_id, payload));
  segment.type = SegmentType::kMetaIdx;
  for (const meta::PartIndex& index : indexes) RVF_TRY(writer.append(segment, index.payload));
  return {};
}

Status merge_fields(std::span<const Field> fields, meta::Schema& schema) {
  for (const Field& f : fields) {
    if (f.name != kKeyField) RVF_TRY(schema.merge(f));
  }
  return {};
}

Status BatchMetadata::append(Writer& writer, uint64_t first_row,
                             std::span<const uint64_t> ids) const {
  writer.head().schema = schema_entries(schema_);
  for (uint64_t at = 0; !columns_.fields.empty() && at < ids.size(); at += kMaxPartRows) {
    const uint64_t n = std::min<uint64_t>(kMaxPartRows, ids.size() - at);
    const auto part_ids = ids.subspan(at, n);
    const auto [low, high] = std::minmax_element(part_ids.begin(), part_ids.end());
    const bool whole = n == ids.size();
    RVF_ASSIGN(const wire::Bytes payload,
               meta::encode_base_part(schema_, whole ? columns_ : slice(columns_, at, n),
                                      first_row + at, static_cast<uint32_t>(n), *low, *high));
    RVF_TRY(append_part(writer, schema_, payload));
  }
  if (update_rows_.empty() || updates_.fields.empty()) return {};
  RVF_ASSIGN(const wire::Bytes payload, meta::encode_update_part(schema_, updates_, update_rows_));
  return append_part(writer, schema_, payload);
}

}  // namespace rvf::runtime
