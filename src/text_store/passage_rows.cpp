#include "text_store/passage_rows.hpp"

#include <algorithm>
#include <numeric>

namespace rvf::text_store {
namespace {

uint32_t line_of(const Value& v) noexcept {
  const auto* n = std::get_if<int64_t>(&v);
  return n == nullptr || *n < 0 || *n > UINT32_MAX ? 0 : static_cast<uint32_t>(*n);
}

template <class T>
void take(Value&& v, T& out) {
  if (auto* x = std::get_if<T>(&v)) out = std::move(*x);
}

void set_field(const std::string& name, Value&& v, StoredPassage& p) {
  if (name == "path") return take(std::move(v), p.path);
  if (name == "title") return take(std::move(v), p.title);
  if (name == kHeadingField) return take(std::move(v), p.heading);
  if (name == kTextField) return take(std::move(v), p.text);
  if (name == "mtime") return take(std::move(v), p.mtime_ns);
  if (name == "size") return take(std::move(v), p.size);
  if (name == "first_line") p.first_line = line_of(v);
  if (name == "last_line") p.last_line = line_of(v);
}

}  // namespace

std::vector<Field> passage_fields() {
  return {{"path", FieldType::kString, kIndexNone},
          {"title", FieldType::kString, kIndexNone},
          {kHeadingField, FieldType::kString, kIndexWords},
          {kTextField, FieldType::kString, kIndexWords},
          {"mtime", FieldType::kTimestamp, kIndexNone},
          {"size", FieldType::kU64, kIndexNone},
          {"first_line", FieldType::kI64, kIndexNone},
          {"last_line", FieldType::kI64, kIndexNone}};
}

std::vector<Column> columns_of(const std::vector<StoredPassage>& passages) {
  std::vector<Column> out;
  for (const Field& f : passage_fields()) out.push_back({f.name, f.type, {}});
  for (Column& c : out) c.values.reserve(passages.size());
  for (const StoredPassage& p : passages) {
    out[0].values.emplace_back(p.path);
    out[1].values.emplace_back(p.title);
    out[2].values.push_back(p.heading.empty() ? Value() : Value(p.heading));
    out[3].values.emplace_back(p.text);
    out[4].values.emplace_back(p.mtime_ns);
    out[5].values.emplace_back(p.size);
    out[6].values.emplace_back(int64_t{p.first_line});
    out[7].values.emplace_back(int64_t{p.last_line});
  }
  return out;
}

Result<std::vector<StoredPassage>> read_passages(const Snapshot& snapshot,
                                                 std::span<const uint64_t> ids) {
  // Neighbours share a compressed block.
  std::vector<size_t> order(ids.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ids[a] < ids[b]; });
  std::vector<uint64_t> sorted;
  sorted.reserve(ids.size());
  for (const size_t i : order) sorted.push_back(ids[i]);
  std::vector<StoredPassage> out(ids.size());
  for (const Field& f : passage_fields()) {
    RVF_ASSIGN(auto values, snapshot.values(sorted, f.name));
    for (size_t i = 0; i < order.size(); ++i) {
      set_field(f.name, std::move(values[i]), out[order[i]]);
    }
  }
  return out;
}

}  // namespace rvf::text_store
