#include "interop/schema_text.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <new>

#include "interop/byte_source.hpp"
#include "interop/csv_text.hpp"
#include "interop/meta_columns.hpp"

namespace rvf::interop {
namespace {

constexpr size_t kMaxSchema = 16 << 20;
constexpr const char* kTypes = "string bytes i64 u64 f64 bool enum timestamp list";

Error bad(const std::string& what) { return {ErrorCode::kBadArgument, "schema: " + what}; }

Status set_type(Field& field, std::string_view type) {
  if (parse_field_type(std::string(type).c_str(), field.type)) return {};
  return bad(fmt::format("field \"{}\": no type is named \"{}\"; types are {}", field.name,
                         type.substr(0, 40), kTypes));
}

Status add_index(Field& field, std::string_view index) {
  if (index == "words") {
    if (field.type != FieldType::kString) {
      return bad(fmt::format("field \"{}\": words are indexed of string fields, it is {}",
                             field.name, field_type_name(field.type)));
    }
    field.indexed |= kIndexWords;
  } else if (index == "index" || index == "values") {
    field.indexed |= kIndexValues;
  } else {
    return bad(fmt::format("field \"{}\": no index is named \"{}\"; \"index\" and \"words\" are",
                           field.name, index.substr(0, 40)));
  }
  return {};
}

Status add_field(std::vector<Field>& fields, Field field) {
  if (field.name.empty() || field.name.size() > 255) {
    return bad("a field name has 1 to 255 bytes");
  }
  if (is_reserved_name(field.name)) {
    return bad(fmt::format("the field name \"{}\" is taken: {}", field.name, kReservedNames));
  }
  const auto same = [&](const Field& f) { return f.name == field.name; };
  if (std::any_of(fields.begin(), fields.end(), same)) {
    return bad(fmt::format("the field \"{}\" is there twice", field.name));
  }
  fields.push_back(std::move(field));
  return {};
}

// The part up to the separator, which goes with it. False at the end.
bool next_part(std::string_view& rest, char separator, std::string_view& part) {
  if (rest.data() == nullptr) return false;
  const size_t at = rest.find(separator);
  part = trim_blanks(rest.substr(0, at));
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return true;
}

Result<std::vector<Field>> parse_list(std::string_view text) {
  std::vector<Field> fields;
  std::string_view entry;
  while (next_part(text, ',', entry)) {
    Field field;
    std::string_view part;
    next_part(entry, ':', part);
    field.name = part;
    if (!next_part(entry, ':', part)) {
      return bad(fmt::format("\"{}\" has no type; name:type is wanted, types are {}",
                             field.name.substr(0, 40), kTypes));
    }
    RVF_TRY(set_type(field, part));
    while (next_part(entry, ':', part)) RVF_TRY(add_index(field, part));
    RVF_TRY(add_field(fields, std::move(field)));
  }
  return fields;
}

Status take_indexes(Field& field, simdjson::dom::element value) {
  std::string_view text;
  simdjson::dom::array array;
  if (value.get(text) == simdjson::SUCCESS) return add_index(field, text);
  if (value.get(array) != simdjson::SUCCESS) {
    return bad(fmt::format("field \"{}\": \"index\" is neither a text nor an array", field.name));
  }
  for (const simdjson::dom::element e : array) {
    if (e.get(text) != simdjson::SUCCESS) {
      return bad(fmt::format("field \"{}\": an index is a text", field.name));
    }
    RVF_TRY(add_index(field, text));
  }
  return {};
}

Status take_properties(Field& field, simdjson::dom::object object) {
  std::string_view type;
  if (object.at_key("type").get(type) != simdjson::SUCCESS) {
    return bad(fmt::format("field \"{}\": has no \"type\"", field.name));
  }
  RVF_TRY(set_type(field, type));
  for (const simdjson::dom::key_value_pair p : object) {
    if (p.key == "index") {
      RVF_TRY(take_indexes(field, p.value));
    } else if (p.key != "type") {
      return bad(fmt::format("field \"{}\": \"{}\" is not known; \"type\" and \"index\" are",
                             field.name, p.key.substr(0, 40)));
    }
  }
  return {};
}

Result<std::vector<Field>> parse_json(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (auto e = parser.parse(text.data(), text.size(), true).get(object)) {
    return bad(fmt::format("not a JSON object: {}", simdjson::error_message(e)));
  }
  std::vector<Field> fields;
  for (const simdjson::dom::key_value_pair p : object) {
    Field field;
    field.name = p.key;
    std::string_view type;
    simdjson::dom::object properties;
    if (p.value.get(type) == simdjson::SUCCESS) {
      RVF_TRY(set_type(field, type));
    } else if (p.value.get(properties) == simdjson::SUCCESS) {
      RVF_TRY(take_properties(field, properties));
    } else {
      return bad(fmt::format("field \"{}\": neither a type nor {{\"type\":...}}", field.name));
    }
    RVF_TRY(add_field(fields, std::move(field)));
  }
  return fields;
}

}  // namespace

Result<std::vector<Field>> parse_schema(std::string_view text) {
  text = trim_blanks(text);
  if (text.empty()) return bad("is empty; name:type,... is wanted");
  return text.front() == '{' ? parse_json(text) : parse_list(text);
}

Result<std::vector<Field>> read_schema(const std::string& path) {
  RVF_ASSIGN(const std::unique_ptr<ByteSource> source, ByteSource::open(path));
  RVF_ASSIGN(const wire::ByteSpan bytes, source->peek(kMaxSchema));
  if (bytes.size() == kMaxSchema) return source->error(ErrorCode::kTooLarge, "is no schema");
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const size_t first = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  text.remove_prefix(first);
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  auto fields = parse_schema(text);
  if (!fields) return source->error(fields.error().code, fields.error().message);
  return fields;
}

Result<std::vector<Field>> schema_argument(const std::string& argument) {
  if (argument.starts_with('@')) return read_schema(argument.substr(1));
  const bool text = argument.starts_with('{') || !argument.ends_with(".json");
  return text ? parse_schema(argument) : read_schema(argument);
}

}  // namespace rvf::interop
