#include "records.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "command.hpp"
#include "types/id_text.hpp"

namespace rvf::cli {
namespace {

constexpr size_t kCellWidth = 48;

std::string cut(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\t' || c == '\r') c = ' ';
  }
  size_t shown = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (++shown > kCellWidth) return text.substr(0, i) + "…";
  }
  return text;
}

}  // namespace

Records::Records(const Snapshot& snapshot, const std::vector<std::string>& columns)
    : snapshot_(snapshot) {
  std::string known;
  for (const Field& f : snapshot.fields()) {
    types_[f.name] = f.type;
    known += (known.empty() ? "" : ", ") + f.name;
  }
  // The one field of the library that users give: without it what expires would come back for ever.
  const bool expires = snapshot.values({}, kExpiryField).ok();
  if (expires) types_[kExpiryField] = FieldType::kTimestamp;
  for (const std::string& c : columns) {
    if (c == "*") {
      for (const Field& f : snapshot.fields()) names_.push_back(f.name);
      if (expires) names_.emplace_back(kExpiryField);
    } else if (types_.contains(c)) {
      names_.push_back(c);
    } else {
      fail_usage(fmt::format("--columns: there is no field '{}'; the fields are {}", c,
                             known.empty() ? "none" : known));
    }
  }
}

// A program may have made a field that has the name of another key; it is shown under one more.
std::string Records::key_of(const std::string& name) const {
  std::string key = name;
  while (key == "id" || key == "vector" || (key != name && types_.contains(key))) key += '_';
  return key;
}

std::vector<std::vector<Value>> Records::values(std::span<const uint64_t> ids) const {
  std::vector<std::vector<Value>> out;
  for (const std::string& name : names_) out.push_back(must(snapshot_.values(ids, name)));
  return out;
}

std::vector<std::vector<std::string>> Records::cells(std::span<const uint64_t> ids) const {
  const auto all = values(ids);
  std::vector<std::vector<std::string>> out(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    for (size_t c = 0; c < names_.size(); ++c) {
      out[i].push_back(cell_text(all[c][i], types_.at(names_[c])));
    }
  }
  return out;
}

std::vector<std::string> Records::objects(std::span<const uint64_t> ids) const {
  const auto all = values(ids);
  std::vector<std::string> out(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    JsonObject object;
    for (size_t c = 0; c < names_.size(); ++c) {
      if (std::holds_alternative<std::monostate>(all[c][i])) continue;
      object.add_raw(key_of(names_[c]), value_json(all[c][i], types_.at(names_[c])));
    }
    out[i] = object.str();
  }
  return out;
}

std::string cell_text(const Value& value, FieldType type) {
  if (std::holds_alternative<std::monostate>(value)) return "-";
  if (const auto* s = std::get_if<std::string>(&value)) return cut(*s);
  if (const auto* l = std::get_if<std::vector<std::string>>(&value)) {
    std::string all;
    for (const std::string& s : *l) all += (all.empty() ? "" : ", ") + s;
    return cut(std::move(all));
  }
  std::string json = value_json(value, type);
  if (json.size() >= 2 && json.front() == '"') json = json.substr(1, json.size() - 2);
  return cut(std::move(json));
}

std::string value_json(const Value& value, FieldType type) {
  std::string out;
  interop::append_json(out, value, type);
  return out;
}

std::string id_text(const Snapshot& snapshot, uint64_t id) {
  return snapshot.has_keys() ? must(snapshot.key(id)) : fmt::format("{}", id);
}

std::string id_json(const Snapshot& snapshot, uint64_t id) {
  return snapshot.has_keys() ? json_text(must(snapshot.key(id))) : fmt::format("{}", id);
}

uint64_t number_of_id(const std::string& text) {
  const auto id = number_id(text);
  if (!id) {
    fail_usage(fmt::format(
        "\"{}\" is not an id of this store; its ids are numbers from 0 to 2^64-2", text));
  }
  return *id;
}

uint64_t id_of_text(const Snapshot& snapshot, const std::string& text, bool* missing) {
  if (snapshot.has_keys()) {
    const auto id = snapshot.id_of(text);
    if (id) return *id;
    if (id.error().code != ErrorCode::kNotFound) fail(id.error());
  } else if (snapshot.id_kind() == IdKind::kNumbers) {
    const uint64_t id = number_of_id(text);
    if (must(snapshot.contains(id))) return id;
  }
  if (missing == nullptr) fail_usage(fmt::format("no vector has the id '{}'", text));
  *missing = true;
  return 0;
}

}  // namespace rvf::cli
