#include "golden/golden_stores.hpp"

#include <cinttypes>
#include <cstdio>
#include <set>

#include "support/store_model.hpp"
#include "support/stored_id.hpp"

namespace rvf::testing {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string number(double v) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.6g", v);
  return text;
}

std::string text_of(const Value& value) {
  if (const auto* s = std::get_if<std::string>(&value)) return quoted(*s);
  if (const auto* i = std::get_if<int64_t>(&value)) return std::to_string(*i);
  if (const auto* u = std::get_if<uint64_t>(&value)) return std::to_string(*u);
  if (const auto* d = std::get_if<double>(&value)) return number(*d);
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  std::string out = "[";
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& s : *list) out += (out.size() == 1 ? "" : ", ") + quoted(s);
  }
  return out + "]";
}

std::string neighbors(const Snapshot& s, const std::string& filter) {
  std::vector<float> vector = values_of(31, 1, s.dimension());
  for (float& v : vector) v = static_cast<float>(static_cast<int>(v * 8));
  QueryOptions o;
  o.k = 5;
  o.exact = true;
  o.filter = filter;
  const auto found = s.query(vector, o);
  if (!found) return quoted(found.error().message);
  std::string out = "[";
  for (const Neighbor& n : found->neighbors) {
    out += (out.size() == 1 ? "[" : ", [") + std::to_string(stored_id(s, n.id)) + ", " +
           number(static_cast<double>(n.distance)) + "]";
  }
  return out + "]";
}

}  // namespace

std::string golden_text(const Store& store) {
  const StoreStatus status = store.status();
  const auto snapshot = store.snapshot();
  if (!snapshot) return snapshot.error().message;
  std::set<int> types;
  for (const SegmentInfo& i : std::vector(*snapshot->segments())) types.insert(i.type);
  std::string out = "{\n  \"layout\": " + quoted(status.layout) +
                    ",\n  \"dimension\": " + std::to_string(status.dimension) +
                    ",\n  \"dtype\": " + std::to_string(static_cast<int>(status.dtype)) +
                    ",\n  \"metric\": " + std::to_string(static_cast<int>(status.metric)) +
                    ",\n  \"application\": " + quoted(status.application) +
                    ",\n  \"index\": " + quoted(status.index_kind) +
                    ",\n  \"indexed_rows\": " + std::to_string(status.indexed_rows) +
                    ",\n  \"segment_types\": [";
  bool first = true;
  for (const int type : types) {
    out += (first ? "" : ", ") + std::to_string(type);
    first = false;
  }
  out += "],\n  \"nearest\": " + neighbors(*snapshot, "");
  if (snapshot->fields().size() > 3) {
    out += ",\n  \"nearest after 2010\": " + neighbors(*snapshot, "year > 2010");
    out += ",\n  \"nearest in a storm\": " + neighbors(*snapshot, "text match 'storm'");
  }
  out += ",\n  \"vectors\": {";
  const auto ids = *snapshot->ids();
  // Of many the first and some of the others.
  const size_t step = ids.size() > 300 ? ids.size() / 100 : 1;
  first = true;
  for (size_t i = 0; i < ids.size(); i += step) {
    out += (first ? "\n    \"" : ",\n    \"") + std::to_string(stored_id(*snapshot, ids[i])) +
           "\": {\"values\": [";
    first = false;
    const auto values = snapshot->get(ids[i]);
    for (size_t d = 0; values && d < values->size(); ++d) {
      out += (d == 0 ? "" : ", ") + number(static_cast<double>((*values)[d]));
    }
    out += "]";
    const auto record = snapshot->record(ids[i]);
    for (size_t f = 0; record && f < record->size(); ++f) {
      out += ", " + quoted((*record)[f].first) + ": " + text_of((*record)[f].second);
    }
    out += "}";
  }
  return out + "\n  },\n  \"count\": " + std::to_string(ids.size()) + "\n}\n";
}

}  // namespace rvf::testing
