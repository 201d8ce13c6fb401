#include "wire/meta_column.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace rvf::wire {
namespace {

constexpr size_t kMaxEnum = 65536;

// Hands out codes for texts in order of first use.
class DictionaryBuilder {
 public:
  uint32_t code(const std::string& text) {
    const auto [at, is_new] = codes_.try_emplace(text, static_cast<uint32_t>(table_.size()));
    if (is_new) table_.add(text);
    return at->second;
  }
  size_t size() const noexcept { return table_.size(); }
  StringTable take() noexcept { return std::move(table_); }

 private:
  std::unordered_map<std::string, uint32_t> codes_;
  StringTable table_;
};

// Row by row: the value of type T, or T{} for null. False at the first value of another type.
template <class T, class Sink>
bool each(std::span<const MetaValue> values, size_t& row, Sink sink) {
  const T none{};
  for (row = 0; row < values.size(); ++row) {
    const T* v = std::get_if<T>(&values[row]);
    if (v == nullptr && !std::holds_alternative<std::monostate>(values[row])) return false;
    sink(v == nullptr ? none : *v);
  }
  return true;
}

template <class T, class Stored = T>
bool fill_numbers(std::span<const MetaValue> values, size_t& row, MetaData& data) {
  std::vector<Stored> out;
  out.reserve(values.size());
  const bool ok = each<T>(values, row, [&](const T& v) { out.push_back(static_cast<Stored>(v)); });
  data = std::move(out);
  return ok;
}

bool fill_text(std::span<const MetaValue> values, size_t& row, MetaType type, MetaData& data) {
  DictionaryBuilder dictionary;
  std::vector<uint32_t> codes;
  codes.reserve(values.size());
  if (!each<std::string>(values, row,
                         [&](const auto& v) { codes.push_back(dictionary.code(v)); })) {
    return false;
  }
  if (type == MetaType::kEnum || dictionary.size() < values.size() / 2) {
    data = CodedText{dictionary.take(), std::move(codes)};
    return true;
  }
  StringTable plain;
  each<std::string>(values, row, [&](const auto& v) { plain.add(v); });
  data = std::move(plain);
  return true;
}

bool fill_bytes(std::span<const MetaValue> values, size_t& row, MetaData& data) {
  StringTable table;
  const bool ok = each<Bytes>(values, row, [&](const Bytes& v) {
    table.add({reinterpret_cast<const char*>(v.data()), v.size()});
  });
  data = std::move(table);
  return ok;
}

bool fill_lists(std::span<const MetaValue> values, size_t& row, MetaData& data) {
  DictionaryBuilder dictionary;
  TextLists lists;
  const bool ok = each<std::vector<std::string>>(values, row, [&](const auto& v) {
    for (const std::string& s : v) lists.codes.push_back(dictionary.code(s));
    lists.offsets.push_back(static_cast<uint32_t>(lists.codes.size()));
  });
  lists.dictionary = dictionary.take();
  data = std::move(lists);
  return ok;
}

Bytes null_bitmap(std::span<const MetaValue> values) {
  Bytes nulls;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::holds_alternative<std::monostate>(values[i])) continue;
    nulls.resize((values.size() + 7) / 8);
    nulls[i / 8] |= static_cast<std::byte>(1U << (i % 8));
  }
  return nulls;
}

struct ValueAt {
  MetaType type;
  size_t row;

  MetaValue operator()(const std::vector<int64_t>& v) const { return v[row]; }
  MetaValue operator()(const std::vector<uint64_t>& v) const { return v[row]; }
  MetaValue operator()(const std::vector<double>& v) const { return v[row]; }
  MetaValue operator()(const std::vector<uint8_t>& v) const { return v[row] != 0; }
  MetaValue operator()(const StringTable& v) const {
    if (type == MetaType::kString) return std::string(v[row]);
    const ByteSpan raw = as_bytes(v[row]);
    return Bytes(raw.begin(), raw.end());
  }
  MetaValue operator()(const CodedText& v) const { return std::string(v.dictionary[v.codes[row]]); }
  MetaValue operator()(const TextLists& v) const {
    std::vector<std::string> out;
    for (size_t i = v.offsets[row]; i < v.offsets[row + 1]; ++i)
      out.emplace_back(v.dictionary[v.codes[i]]);
    return out;
  }
};

template <class T>
std::optional<MetaRange> range_of(const std::vector<T>& values, const MetaColumn& column) {
  std::optional<std::pair<T, T>> found;
  for (size_t i = 0; i < values.size(); ++i) {
    const T v = values[i];
    if (v != v || column.is_null(i)) continue;
    if (!found) found = {v, v};
    if (v < found->first) found->first = v;
    if (v > found->second) found->second = v;
  }
  if (!found) return std::nullopt;
  return MetaRange{found->first, found->second};
}

}  // namespace

MetaValue MetaColumn::value(size_t row) const {
  if (is_null(row)) return std::monostate{};
  return std::visit(ValueAt{type, row}, data);
}

size_t MetaColumn::rows() const noexcept {
  struct Count {
    size_t operator()(const CodedText& v) const { return v.codes.size(); }
    size_t operator()(const TextLists& v) const { return v.offsets.size() - 1; }
    size_t operator()(const StringTable& v) const { return v.size(); }
    size_t operator()(const std::vector<int64_t>& v) const { return v.size(); }
    size_t operator()(const std::vector<uint64_t>& v) const { return v.size(); }
    size_t operator()(const std::vector<double>& v) const { return v.size(); }
    size_t operator()(const std::vector<uint8_t>& v) const { return v.size(); }
  };
  return std::visit(Count{}, data);
}

Result<MetaColumn> make_column(uint16_t id, MetaType type, std::string name,
                               std::span<const MetaValue> values) {
  MetaColumn column{.id = id,
                    .type = type,
                    .name = std::move(name),
                    .nulls = null_bitmap(values),
                    .data = {},
                    .quick_texts = false};
  size_t row = 0;
  bool ok = false;
  switch (type) {
    case MetaType::kI64:
    case MetaType::kTimestamp: ok = fill_numbers<int64_t>(values, row, column.data); break;
    case MetaType::kU64: ok = fill_numbers<uint64_t>(values, row, column.data); break;
    case MetaType::kF64: ok = fill_numbers<double>(values, row, column.data); break;
    case MetaType::kBool: ok = fill_numbers<bool, uint8_t>(values, row, column.data); break;
    case MetaType::kString:
    case MetaType::kEnum: ok = fill_text(values, row, type, column.data); break;
    case MetaType::kBytes: ok = fill_bytes(values, row, column.data); break;
    case MetaType::kStringList: ok = fill_lists(values, row, column.data); break;
  }
  if (!ok) {
    return Error(ErrorCode::kBadMetadata, "field '" + column.name + "': the value of row " +
                                              std::to_string(row) + " has another type");
  }
  if (const auto* coded = std::get_if<CodedText>(&column.data);
      type == MetaType::kEnum && coded->dictionary.size() > kMaxEnum) {
    return Error(ErrorCode::kBadMetadata,
                 "field '" + column.name + "': an enum has more than 65536 texts");
  }
  return column;
}

std::optional<MetaRange> value_range(const MetaColumn& column) {
  if (const auto* v = std::get_if<std::vector<int64_t>>(&column.data)) return range_of(*v, column);
  if (const auto* v = std::get_if<std::vector<uint64_t>>(&column.data)) return range_of(*v, column);
  if (const auto* v = std::get_if<std::vector<double>>(&column.data)) return range_of(*v, column);
  return std::nullopt;
}

}  // namespace rvf::wire
