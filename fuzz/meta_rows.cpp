// Metadata rows as jsonl, csv or the extra objects of a vector file; what was read is written as
// JSON and must read back to the same columns.
#include "interop/meta_rows.hpp"

#include <string>

#include "fuzz.hpp"
#include "interop/json_values.hpp"
#include "memory_file.hpp"

using namespace rvf;           // NOLINT: a program of one function
using namespace rvf::interop;  // NOLINT

namespace {

// One field of every type, for conversions to be reached.
const std::vector<Field>& declared() {
  static const std::vector<Field> fields = {
      {"s", FieldType::kString, 0}, {"b", FieldType::kBytes, 0}, {"i", FieldType::kI64, 0},
      {"u", FieldType::kU64, 0},    {"f", FieldType::kF64, 0},   {"t", FieldType::kTimestamp, 0},
      {"o", FieldType::kBool, 0},   {"e", FieldType::kEnum, 0},  {"l", FieldType::kStringList, 0}};
  return fields;
}

bool read_all(const std::string& path, const MetaOptions& options, std::vector<MetaRows>& out) {
  auto reader = MetaRowReader::open(path, options);
  if (!reader) {
    fuzz::require(!reader.error().message.empty());
    return false;
  }
  for (;;) {
    MetaRows rows;
    const auto n = (*reader)->read(3, rows);
    if (!n) {
      fuzz::require(!n.error().message.empty());
      return false;
    }
    if (*n == 0) return true;
    fuzz::require(rows.ids.empty() || rows.ids.size() == *n);
    fuzz::require(rows.keys.empty() || rows.keys.size() == *n);
    for (const Column& c : rows.columns) fuzz::require(c.values.size() == *n);
    out.push_back(std::move(rows));
  }
}

void must_read_back(const MetaRows& rows) {
  std::vector<Field> fields;
  for (const Column& c : rows.columns) fields.push_back({c.name, c.type, 0});
  const RecordWriter writer(fields);
  VectorChunk chunk;
  chunk.count = rows.count;
  for (size_t i = 0; i < rows.count; ++i) {
    Record record;
    for (const Column& c : rows.columns) {
      if (c.values[i].index() != 0) record.emplace_back(c.name, c.values[i]);
    }
    chunk.extra.push_back(writer.object(record));
  }
  MetaOptions options;
  options.declared = fields;
  options.id_field = {};
  ExtraColumns extra("extra", Format::kJsonl, options);
  MetaRows back;
  fuzz::require(extra.read(chunk, back).ok());
  fuzz::require(back.columns.size() == rows.columns.size());
  for (const Column& c : rows.columns) {
    for (const Column& b : back.columns) {
      if (b.name == c.name) fuzz::require(b.type == c.type && b.values == c.values);
    }
  }
}

}  // namespace

RVF_FUZZ {
  if (input.empty()) return;
  MetaOptions options;
  if ((std::to_integer<unsigned>(input[0]) & 1) != 0) options.declared = declared();
  const fuzz::MemoryFile file(input.subspan(1));
  std::vector<MetaRows> all;
  if (read_all(file.path(), options, all)) {
    for (const MetaRows& rows : all) must_read_back(rows);
  }
  ReadOptions with_extra;
  with_extra.want_extra = true;
  auto reader = open_vectors(file.path(), with_extra);
  if (!reader) return;
  ExtraColumns extra(file.path(), (*reader)->info().format, options);
  VectorChunk chunk;
  MetaRows rows;
  while (true) {
    const auto n = (*reader)->read(3, chunk);
    if (!n || *n == 0) return;
    if (!extra.read(chunk, rows)) return;
    fuzz::require(rows.count == *n);
  }
}
