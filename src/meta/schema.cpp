#include "meta/schema.hpp"

#include <algorithm>

#include "types/exact.hpp"

namespace rvf::meta {
namespace {

constexpr size_t kMaxFields = 65000;
constexpr size_t kMaxNameBytes = 255;

bool is_number(FieldType t) noexcept {
  return t == FieldType::kI64 || t == FieldType::kU64 || t == FieldType::kF64;
}

Status check_name(const std::string& name) {
  const bool control = std::any_of(name.begin(), name.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 32; });
  if (name.empty() || name.size() > kMaxNameBytes || control) {
    return Error(ErrorCode::kBadArgument,
                 "a field name has 1 to 255 bytes without control characters");
  }
  if (name == "id" || (name.front() == '_' && name != kKeyField && name != kExpiryField)) {
    return Error(ErrorCode::kBadArgument,
                 "the field name '" + name +
                     "' is taken: names that begin with '_' and 'id' belong to the store");
  }
  return {};
}

Status check_library_type(const Field& field) {
  if ((field.name == kKeyField && field.type != FieldType::kString) ||
      (field.name == kExpiryField && field.type != FieldType::kTimestamp)) {
    return Error(ErrorCode::kBadMetadata,
                 "the field " + field.name + " cannot be " + field_type_name(field.type));
  }
  return {};
}

}  // namespace

const SchemaField* Schema::find(std::string_view name) const noexcept {
  static const SchemaField ids{kIdField, {"id", FieldType::kU64, kIndexNone}};
  const auto named = [&](std::string_view wanted) -> const SchemaField* {
    const auto at = std::find_if(fields_.begin(), fields_.end(),
                                 [&](const SchemaField& f) { return f.field.name == wanted; });
    return at == fields_.end() ? nullptr : &*at;
  };
  if (name != "id") return named(name);
  const SchemaField* keys = named(kKeyField);
  return keys != nullptr ? keys : &ids;
}

const SchemaField* Schema::find(uint16_t id) const noexcept {
  const auto at =
      std::lower_bound(fields_.begin(), fields_.end(), id,
                       [](const SchemaField& f, uint16_t wanted) { return f.id < wanted; });
  return at == fields_.end() || at->id != id ? nullptr : &*at;
}

std::string Schema::names() const {
  std::vector<std::string> all{"id"};
  for (const SchemaField& f : fields_) {
    if (f.field.name.front() != '_') all.push_back(f.field.name);
  }
  std::sort(all.begin(), all.end());
  std::string out;
  for (const std::string& name : all) out += (out.empty() ? "" : ", ") + name;
  return out;
}

Result<uint16_t> Schema::merge(const Field& field) {
  RVF_TRY(check_name(field.name));
  RVF_TRY(check_library_type(field));
  const auto at = std::find_if(fields_.begin(), fields_.end(),
                               [&](const SchemaField& f) { return f.field.name == field.name; });
  if (at != fields_.end()) {
    const auto type = common_type(at->field.type, field.type);
    if (!type) {
      return Error(ErrorCode::kBadMetadata, "the field '" + field.name + "' is " +
                                                field_type_name(at->field.type) +
                                                ", and cannot be " + field_type_name(field.type));
    }
    at->field.type = *type;
    at->field.indexed |= field.indexed;
    return at->id;
  }
  if (fields_.size() >= kMaxFields) {
    return Error(ErrorCode::kTooLarge, "a store has at most 65000 fields");
  }
  const uint16_t id = fields_.empty() ? 1 : static_cast<uint16_t>(fields_.back().id + 1);
  fields_.push_back({id, field});
  return id;
}

Status Schema::restore(SchemaField field) {
  if (!fields_.empty() && field.id <= fields_.back().id) {
    return Error(ErrorCode::kManifestInvalid, "the schema's field numbers do not ascend");
  }
  if (field.field.name.empty() || field.id == kIdField || field.id == 0) {
    return Error(ErrorCode::kManifestInvalid, "the schema has a field without a name or number");
  }
  fields_.push_back(std::move(field));
  return {};
}

std::optional<FieldType> common_type(FieldType a, FieldType b) noexcept {
  if (a == b) return a;
  if (is_number(a) && is_number(b)) return FieldType::kF64;
  const auto text = [](FieldType t) { return t == FieldType::kString || t == FieldType::kEnum; };
  if (text(a) && text(b)) return FieldType::kString;
  return std::nullopt;
}

bool widens_exactly(const Value& value) noexcept {
  if (const auto* i = std::get_if<int64_t>(&value)) return exact_f64(*i).has_value();
  if (const auto* u = std::get_if<uint64_t>(&value)) return exact_f64(*u).has_value();
  return true;
}

Value widen(Value value, FieldType to) {
  if (to != FieldType::kF64) return value;
  if (const auto* i = std::get_if<int64_t>(&value)) return static_cast<double>(*i);
  if (const auto* u = std::get_if<uint64_t>(&value)) return static_cast<double>(*u);
  return value;
}

}  // namespace rvf::meta
