#include "layouts/string_ids.hpp"

#include <simdjson.h>

#include <algorithm>
#include <set>

#include "layouts/native_columns.hpp"

namespace rvf::layouts {
namespace {

// False where the sidecar is not what the package writes.
bool read(ByteSpan sidecar, const std::vector<uint64_t>& ids, std::vector<std::string>& keys) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::object labels;
  if (parser.parse(reinterpret_cast<const char*>(sidecar.data()), sidecar.size()).get(root) !=
          simdjson::SUCCESS ||
      root["idToLabel"].get(labels) != simdjson::SUCCESS) {
    return false;
  }
  for (const auto& [key, label] : labels) {
    uint64_t id = 0;
    if (label.get(id) != simdjson::SUCCESS) return false;
    const auto at = std::lower_bound(ids.begin(), ids.end(), id);
    if (at != ids.end() && *at == id) keys[static_cast<size_t>(at - ids.begin())] = key;
  }
  return true;
}

}  // namespace

void apply_string_ids(ByteSpan sidecar, ForeignStore& store) {
  if (sidecar.empty() || store.ids.empty()) return;
  std::vector<std::string> keys(store.ids.size());
  if (!read(sidecar, store.ids, keys)) {
    store.notes.emplace_back("the file of string ids (.idmap.json) does not read; ids are numbers");
    return;
  }
  if (std::all_of(keys.begin(), keys.end(), [](const auto& k) { return k.empty(); })) return;
  std::set<std::string> taken;
  size_t unnamed = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!keys[i].empty() && taken.insert(keys[i]).second) continue;
    ++unnamed;
    keys[i].clear();
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!keys[i].empty()) continue;
    keys[i] = std::to_string(store.ids[i]);
    while (!taken.insert(keys[i]).second) keys[i] += "'";
  }
  if (unnamed > 0) {
    store.notes.push_back(std::to_string(unnamed) +
                          " vector(s) have no string id in .idmap.json; their number stands in");
  }
  store.keys = std::move(keys);
}

std::string make_string_ids(const std::vector<uint64_t>& ids,
                            const std::vector<std::string>& keys) {
  std::string to_label;
  std::string to_id;
  uint64_t next = 1;
  for (size_t i = 0; i < ids.size() && i < keys.size(); ++i) {
    const std::string number = std::to_string(ids[i]);
    const std::string key = json_text(keys[i]);
    const char* comma = i == 0 ? "" : ",";
    to_label += comma + key + ":" + number;
    to_id += comma + ("\"" + number + "\":" + key);
    next = std::max(next, ids[i] + 1);
  }
  return "{\"idToLabel\":{" + to_label + "},\"labelToId\":{" + to_id +
         "},\"nextLabel\":" + std::to_string(next) + "}";
}

}  // namespace rvf::layouts
