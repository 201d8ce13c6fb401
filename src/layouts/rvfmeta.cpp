#include "layouts/rvfmeta.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "wire/sha256.hpp"

namespace rvf::layouts {
namespace {

using wire::ByteReader;
using wire::ByteSpan;
using wire::ByteWriter;

constexpr std::string_view kMagic("RVFMETA\0", 8);
constexpr std::string_view kDone("RVFDONE\0", 8);
constexpr size_t kFooter = 8 + 32;
constexpr uint16_t kVersion = 1;
constexpr uint8_t kDeleteTag = 7;
constexpr uint64_t kEntryBytes = 96;  // in memory, without the text
constexpr uint32_t kMaxText = 16U << 20;
constexpr uint16_t kMaxName = 4096;

Error bad(const ByteReader& in, const std::string& what) {
  return {ErrorCode::kBadMetadata, "metadata, byte " + std::to_string(in.position()) + ": " +
                                       (in.ok() ? what : "ends too early")};
}

bool is_type(uint8_t type) noexcept { return type >= 1 && type <= 6; }

Result<RvfValue> read_value(ByteReader& in, Budget& budget, bool may_delete) {
  const uint8_t tag = in.u8();
  switch (tag) {
    case 0: return RvfValue(Value{});
    case 1:
    case 2: {
      const uint32_t n = in.u32();
      const std::string_view text = in.text(n);
      if (!in.ok() || n > kMaxText) return bad(in, "a text of more than 16 MiB");
      RVF_TRY(budget.take(n, 1, "metadata"));
      if (tag == 1) return RvfValue(Value(std::string(text)));
      const ByteSpan raw = wire::as_bytes(text);
      return RvfValue(Value(std::vector<std::byte>(raw.begin(), raw.end())));
    }
    case 3: return RvfValue(Value(in.i64()));
    case 4: return RvfValue(Value(in.u64()));
    case 5: {
      const double v = in.f64();
      if (!std::isfinite(v)) return bad(in, "a number that is not finite");
      return RvfValue(Value(v));
    }
    case 6: {
      const uint8_t v = in.u8();
      if (v > 1) return bad(in, "a bool that is neither 0 nor 1");
      return RvfValue(Value(v == 1));
    }
    case kDeleteTag:
      if (may_delete) return RvfValue(DeleteField{});
      break;
    default: break;
  }
  return bad(in, "unknown value type " + std::to_string(tag));
}

void write_value(ByteWriter& w, const RvfValue& value) {
  const Value* v = std::get_if<Value>(&value);
  if (v == nullptr) return w.u8(kDeleteTag);
  if (const auto* text = std::get_if<std::string>(v)) {
    w.u8(1);
    w.u32(static_cast<uint32_t>(text->size()));
    w.text(*text);
  } else if (const auto* raw = std::get_if<std::vector<std::byte>>(v)) {
    w.u8(2);
    w.u32(static_cast<uint32_t>(raw->size()));
    w.bytes(*raw);
  } else if (const auto* i = std::get_if<int64_t>(v)) {
    w.u8(3);
    w.i64(*i);
  } else if (const auto* u = std::get_if<uint64_t>(v)) {
    w.u8(4);
    w.u64(*u);
  } else if (const auto* d = std::get_if<double>(v)) {
    w.u8(5);
    w.f64(*d);
  } else if (const auto* b = std::get_if<bool>(v)) {
    w.u8(6);
    w.u8(*b ? 1 : 0);
  } else {
    w.u8(0);
  }
}

// Every count is held against the bytes that are left before anything is made.
Status check_count(const ByteReader& in, uint64_t count, uint64_t least_bytes, Budget& budget) {
  if (!in.ok() || count > in.remaining() / least_bytes) return bad(in, "a count beyond the data");
  return budget.take(count, kEntryBytes, "metadata");
}

Status read_schema(ByteReader& in, uint32_t count, Budget& budget, RvfMeta& out) {
  RVF_TRY(check_count(in, count, 6, budget));
  for (uint32_t i = 0; i < count; ++i) {
    RvfField f;
    f.id = in.u16();
    const uint8_t type = in.u8();
    f.nullable = in.u8() != 0;
    const uint16_t n = in.u16();
    f.name = in.text(n);
    if (!in.ok() || n > kMaxName || !is_type(type)) return bad(in, "a field that does not decode");
    if (!out.schema.empty() && out.schema.back().id >= f.id) return bad(in, "fields do not ascend");
    f.type = static_cast<FieldType>(type);
    RVF_TRY(budget.take(n, 1, "metadata"));
    out.schema.push_back(std::move(f));
  }
  return {};
}

Status read_file_values(ByteReader& in, uint32_t count, Budget& budget, RvfMeta& out) {
  RVF_TRY(check_count(in, count, 3, budget));
  for (uint32_t i = 0; i < count; ++i) {
    const uint16_t n = in.u16();
    std::string key(in.text(n));
    if (!in.ok() || n > kMaxName) return bad(in, "a key that does not decode");
    if (!out.file.empty() && out.file.back().first >= key) return bad(in, "keys do not ascend");
    RVF_ASSIGN(RvfValue value, read_value(in, budget, !out.snapshot));
    out.file.emplace_back(std::move(key), std::move(value));
  }
  return {};
}

Status read_records(ByteReader& in, uint32_t count, Budget& budget, RvfMeta& out) {
  RVF_TRY(check_count(in, count, 13, budget));
  for (uint32_t i = 0; i < count; ++i) {
    RvfRecord r;
    r.id = in.u64();
    const uint8_t op = in.u8();
    const uint32_t fields = in.u32();
    if (!in.ok() || op > 1) return bad(in, "a record that does not decode");
    if (!out.records.empty() && out.records.back().id >= r.id)
      return bad(in, "records do not ascend");
    r.removes = op == 1;
    RVF_TRY(check_count(in, fields, 3, budget));
    for (uint32_t k = 0; k < fields; ++k) {
      const uint16_t id = in.u16();
      if (!r.fields.empty() && r.fields.back().first >= id) return bad(in, "fields do not ascend");
      RVF_ASSIGN(RvfValue value, read_value(in, budget, !out.snapshot));
      r.fields.emplace_back(id, std::move(value));
    }
    out.records.push_back(std::move(r));
  }
  return {};
}

void apply(const RvfMeta& meta, MetaState& state) {
  if (meta.snapshot) state = {};
  for (const RvfField& f : meta.schema) state.schema[f.id] = f;
  for (const auto& [key, value] : meta.file) {
    if (const Value* v = std::get_if<Value>(&value)) {
      state.file[key] = *v;
    } else {
      state.file.erase(key);
    }
  }
  for (const RvfRecord& r : meta.records) {
    if (r.removes) {
      state.records.erase(r.id);
      continue;
    }
    std::map<uint16_t, Value> merged;
    auto& record = state.records[r.id];
    for (auto& [id, value] : record) merged[id] = std::move(value);
    for (const auto& [id, value] : r.fields) {
      const Value* v = std::get_if<Value>(&value);
      if (v == nullptr || std::holds_alternative<std::monostate>(*v)) {
        merged.erase(id);
      } else {
        merged[id] = *v;
      }
    }
    record.assign(std::make_move_iterator(merged.begin()), std::make_move_iterator(merged.end()));
  }
}

FieldType type_of(const Value& v) noexcept {
  static constexpr std::array kTypes = {
      FieldType::kString, FieldType::kString, FieldType::kBytes, FieldType::kI64,
      FieldType::kU64,    FieldType::kF64,    FieldType::kBool,  FieldType::kStringList};
  return kTypes[v.index()];
}

std::string text_of(const Value& v) {
  if (const auto* text = std::get_if<std::string>(&v)) return *text;
  if (const auto* i = std::get_if<int64_t>(&v)) return std::to_string(*i);
  if (const auto* u = std::get_if<uint64_t>(&v)) return std::to_string(*u);
  if (const auto* b = std::get_if<bool>(&v)) return *b ? "true" : "false";
  if (const auto* d = std::get_if<double>(&v)) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), *d).ptr;
    return {text.data(), end};
  }
  std::string hex;
  if (const auto* raw = std::get_if<std::vector<std::byte>>(&v)) {
    for (const std::byte b : *raw) {
      hex += "0123456789abcdef"[std::to_integer<size_t>(b >> 4)];
      hex += "0123456789abcdef"[std::to_integer<size_t>(b & std::byte{15})];
    }
  }
  return hex;
}

}  // namespace

bool is_rvfmeta(ByteSpan payload) noexcept {
  return payload.size() >= kMagic.size() &&
         std::memcmp(payload.data(), kMagic.data(), kMagic.size()) == 0;
}

Result<RvfMeta> decode_rvfmeta(ByteSpan payload, Budget& budget) {
  if (!is_rvfmeta(payload) || payload.size() < 40 + kFooter) {
    return Error(ErrorCode::kBadMetadata, "this is not RVFMETA");
  }
  const ByteSpan body = payload.first(payload.size() - kFooter);
  const ByteSpan footer = payload.last(kFooter);
  if (std::memcmp(footer.data(), kDone.data(), kDone.size()) != 0) {
    return Error(ErrorCode::kBadMetadata, "metadata does not end with its footer");
  }
  const wire::Sha256Digest digest = wire::sha256(body);
  if (std::memcmp(footer.data() + 8, digest.data(), digest.size()) != 0) {
    return Error(ErrorCode::kBadChecksum, "metadata fails the SHA-256 of its footer");
  }
  ByteReader in(body);
  in.skip(8);
  const uint16_t version = in.u16();
  if (version != kVersion) {
    return Error(ErrorCode::kUnsupported, "metadata of version " + std::to_string(version));
  }
  RvfMeta m;
  m.snapshot = (in.u16() & 1) != 0;
  m.generation = in.u64();
  m.base = in.u64();
  const uint32_t schema = in.u32();
  const uint32_t file = in.u32();
  const uint32_t records = in.u32();
  RVF_TRY(read_schema(in, schema, budget, m));
  RVF_TRY(read_file_values(in, file, budget, m));
  RVF_TRY(read_records(in, records, budget, m));
  if (!in.ok() || in.remaining() != 0) return bad(in, "bytes too many");
  return m;
}

wire::Bytes encode_rvfmeta(const RvfMeta& meta) {
  wire::Bytes out;
  ByteWriter w(out);
  w.text(kMagic);
  w.u16(kVersion);
  w.u16(meta.snapshot ? 1 : 0);
  w.u64(meta.generation);
  w.u64(meta.base);
  w.u32(static_cast<uint32_t>(meta.schema.size()));
  w.u32(static_cast<uint32_t>(meta.file.size()));
  w.u32(static_cast<uint32_t>(meta.records.size()));
  for (const RvfField& f : meta.schema) {
    w.u16(f.id);
    w.u8(static_cast<uint8_t>(f.type));
    w.u8(f.nullable ? 1 : 0);
    w.u16(static_cast<uint16_t>(f.name.size()));
    w.text(f.name);
  }
  for (const auto& [key, value] : meta.file) {
    w.u16(static_cast<uint16_t>(key.size()));
    w.text(key);
    write_value(w, value);
  }
  for (const RvfRecord& r : meta.records) {
    w.u64(r.id);
    w.u8(r.removes ? 1 : 0);
    w.u32(static_cast<uint32_t>(r.fields.size()));
    for (const auto& [id, value] : r.fields) {
      w.u16(id);
      write_value(w, value);
    }
  }
  const wire::Sha256Digest digest = wire::sha256(out);
  w.text(kDone);
  w.number(digest);
  return out;
}

MetaState replay(const std::vector<RvfMeta>& segments, std::vector<std::string>& notes) {
  MetaState state;
  size_t first = 0;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].snapshot) first = i;
  }
  if (segments.empty()) return state;
  if (!segments[first].snapshot) {
    notes.emplace_back("the metadata has deltas but no snapshot they build on; it is left out");
    return state;
  }
  apply(segments[first], state);
  uint64_t generation = segments[first].generation;
  for (size_t i = first + 1; i < segments.size(); ++i) {
    if (segments[i].base != generation || segments[i].generation != generation + 1) {
      notes.push_back("metadata after generation " + std::to_string(generation) +
                      " does not follow on and is left out");
      break;
    }
    generation = segments[i].generation;
    apply(segments[i], state);
  }
  return state;
}

Result<std::vector<Column>> columns_of(const MetaState& state, const std::vector<uint64_t>& ids,
                                       Budget& budget, std::vector<std::string>& notes) {
  // Fields by what the records hold: a schema may name more, and a value may be of another type
  // than its field, where one writer changed its mind.
  std::map<uint16_t, FieldType> used;
  std::set<uint16_t> mixed;
  for (const auto& [id, fields] : state.records) {
    if (!std::binary_search(ids.begin(), ids.end(), id)) continue;
    for (const auto& [field, value] : fields) {
      const auto [it, is_new] = used.emplace(field, type_of(value));
      if (!is_new && it->second != type_of(value)) mixed.insert(field);
    }
  }
  RVF_TRY(budget.take(used.size(), ids.size() * sizeof(Value) + kEntryBytes, "metadata's columns"));
  std::vector<Column> columns;
  std::map<uint16_t, size_t> place;
  std::set<std::string> names;
  for (const auto& [field, type] : used) {
    Column c;
    const auto known = state.schema.find(field);
    c.name = known == state.schema.end() ? "" : known->second.name;
    if (c.name.empty() || !names.insert(c.name).second) {
      c.name = "field." + std::to_string(field);
      while (!names.insert(c.name).second) c.name += "'";
    }
    if (mixed.contains(field)) {
      notes.push_back("field " + c.name +
                      " has values of more than one type; they are read as text");
    }
    c.type = mixed.contains(field) ? FieldType::kString : type;
    c.values.resize(ids.size());
    place[field] = columns.size();
    columns.push_back(std::move(c));
  }
  for (const auto& [id, fields] : state.records) {
    const auto at = std::lower_bound(ids.begin(), ids.end(), id);
    if (at == ids.end() || *at != id) continue;
    for (const auto& [field, value] : fields) {
      columns[place[field]].values[static_cast<size_t>(at - ids.begin())] =
          mixed.contains(field) ? Value(text_of(value)) : value;
    }
  }
  return columns;
}

}  // namespace rvf::layouts
