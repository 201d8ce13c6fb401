#include "layouts/native_columns.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace rvf::layouts {
namespace {

constexpr size_t kMaxNameBytes = 255;

bool parse_list(simdjson::dom::parser& parser, const std::string& text,
                std::vector<std::string>& out) {
  simdjson::dom::array array;
  if (parser.parse(text).get(array) != simdjson::SUCCESS) return false;
  for (const simdjson::dom::element e : array) {
    std::string_view item;
    if (e.get(item) != simdjson::SUCCESS) return false;
    out.emplace_back(item);
  }
  return true;
}

bool restore_lists(Column& c) {
  simdjson::dom::parser parser;
  std::vector<Value> lists(c.values.size());
  for (size_t i = 0; i < c.values.size(); ++i) {
    const auto* text = std::get_if<std::string>(&c.values[i]);
    if (text == nullptr) continue;
    std::vector<std::string> list;
    if (!parse_list(parser, *text, list)) return false;
    lists[i] = std::move(list);
  }
  c.values = std::move(lists);
  return true;
}

// False where the values cannot be what the hint says: another program wrote them since.
bool restore_type(Column& c, FieldType wanted) {
  if (c.type == wanted) return true;
  const bool fits =
      (wanted == FieldType::kEnum && c.type == FieldType::kString) ||
      (wanted == FieldType::kTimestamp && c.type == FieldType::kI64) ||
      (wanted == FieldType::kStringList && c.type == FieldType::kString && restore_lists(c));
  if (fits) c.type = wanted;
  return fits;
}

bool take_keys(Column& c, ForeignStore& store) {
  std::set<std::string_view> seen;
  for (const Value& v : c.values) {
    const auto* key = std::get_if<std::string>(&v);
    if (key == nullptr || key->empty() || !seen.insert(*key).second) return false;
  }
  for (Value& v : c.values) store.keys.push_back(std::move(std::get<std::string>(v)));
  return true;
}

std::string free_name(std::string name, const std::vector<Column>& columns) {
  while (std::any_of(columns.begin(), columns.end(),
                     [&](const Column& c) { return c.name == name; })) {
    name += "'";
  }
  return name;
}

Value for_rvfmeta(const Value& v) {
  const auto* list = std::get_if<std::vector<std::string>>(&v);
  return list == nullptr ? v : Value(json_list(*list));
}

FieldType rvfmeta_type(FieldType type) noexcept {
  switch (type) {
    case FieldType::kEnum:
    case FieldType::kStringList: return FieldType::kString;
    case FieldType::kTimestamp: return FieldType::kI64;
    default: return type;
  }
}

}  // namespace

bool is_native_name(const std::string& name) noexcept {
  return !name.empty() && name.size() <= kMaxNameBytes && name.front() != '_' && name != "id" &&
         simdjson::validate_utf8(name) && std::none_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) < 32;
         });
}

std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < 0x20) {
      out += "\\u00";
      out += "0123456789abcdef"[u >> 4];
      out += "0123456789abcdef"[u & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string json_list(const std::vector<std::string>& list) {
  std::string out = "[";
  for (const std::string& item : list) out += (out.size() > 1 ? "," : "") + json_text(item);
  return out + "]";
}

void restore_native_columns(ForeignStore& store) {
  for (size_t i = 0; i < store.columns.size();) {
    Column& c = store.columns[i];
    const auto hint = std::find_if(store.fields.begin(), store.fields.end(),
                                   [&](const Field& f) { return f.name == c.name; });
    if (c.name == kKeyField && c.type == FieldType::kString && store.keys.empty() &&
        take_keys(c, store)) {
      store.columns.erase(store.columns.begin() + static_cast<ptrdiff_t>(i));
      continue;
    }
    if (hint != store.fields.end() && !restore_type(c, hint->type)) hint->type = c.type;
    const bool expiry = c.name == kExpiryField && c.type == FieldType::kTimestamp;
    if (!expiry && !is_native_name(c.name)) {
      const std::string given = c.name;
      c.name = free_name("field " + std::to_string(i), store.columns);
      store.notes.push_back("the field name '" + given.substr(0, kMaxNameBytes) +
                            "' cannot stand in a native store; the field is called '" + c.name +
                            "'");
    }
    ++i;
  }
  std::erase_if(store.fields, [](const Field& f) {
    return !is_native_name(f.name) && !(f.name == kExpiryField && f.type == FieldType::kTimestamp);
  });
}

RvfMeta make_rvfmeta(const std::vector<uint64_t>& ids, const std::vector<Column>& columns,
                     const Record& file_metadata, std::vector<std::string>& notes) {
  RvfMeta meta;
  for (size_t f = 0; f < columns.size(); ++f) {
    meta.schema.push_back(
        {static_cast<uint16_t>(f), rvfmeta_type(columns[f].type), true, columns[f].name});
  }
  for (const auto& [key, value] : file_metadata) meta.file.emplace_back(key, for_rvfmeta(value));
  std::sort(meta.file.begin(), meta.file.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  uint64_t not_finite = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    RvfRecord record;
    record.id = ids[i];
    for (size_t f = 0; f < columns.size(); ++f) {
      const Value& v = columns[f].values[i];
      const auto* number = std::get_if<double>(&v);
      if (number != nullptr && !std::isfinite(*number)) ++not_finite;
      if (std::holds_alternative<std::monostate>(v) ||
          (number != nullptr && !std::isfinite(*number))) {
        continue;
      }
      record.fields.emplace_back(static_cast<uint16_t>(f), for_rvfmeta(v));
    }
    if (!record.fields.empty()) meta.records.push_back(std::move(record));
  }
  if (not_finite > 0) {
    notes.push_back(std::to_string(not_finite) +
                    " metadata value(s) that are NaN or infinite are left out");
  }
  return meta;
}

}  // namespace rvf::layouts
