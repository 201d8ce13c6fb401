// What the three targets of filters share: fields of every type, and what holds for each filter.
#pragma once
#include <string>
#include <string_view>

#include "fuzz.hpp"
#include "meta/filter.hpp"

namespace rvf::fuzz {

inline meta::Schema filter_schema() {
  meta::Schema schema;
  const std::pair<const char*, FieldType> kFields[] = {
      {"s", FieldType::kString}, {"b", FieldType::kBytes},     {"i", FieldType::kI64},
      {"u", FieldType::kU64},    {"f", FieldType::kF64},       {"d", FieldType::kBool},
      {"e", FieldType::kEnum},   {"t", FieldType::kTimestamp}, {"l", FieldType::kStringList},
      {"a `b`", FieldType::kI64}};
  for (const auto& [name, type] : kFields) require(schema.merge({name, type, kIndexNone}).ok());
  return schema;
}

class FuzzRow final : public meta::RowValues {
 public:
  Value value(uint16_t field) const override {
    switch (field) {
      case 1: return std::string("red foxes");
      case 3: return int64_t{-3};
      case 4: return uint64_t{3};
      case 5: return 0.5;
      case 6: return true;
      case 9: return std::vector<std::string>{"red", "fox"};
      default: return {};
    }
  }
};

inline void check_filter(const Result<meta::Filter>& filter, const meta::Schema& schema) {
  if (!filter) {
    require(filter.error().code == ErrorCode::kBadFilter && !filter.error().message.empty());
    return;
  }
  const auto from_text = meta::parse_filter(meta::filter_text(*filter, schema), schema);
  require(from_text.ok() && *from_text == *filter);
  const auto from_tokens = meta::decode_filter(meta::encode_filter(*filter), schema);
  require(from_tokens.ok() && *from_tokens == *filter);
  const FuzzRow row;
  require(meta::matches(*from_tokens, schema, row) == meta::matches(*filter, schema, row));
}

// Each byte of the input picks a word, so that most inputs say something; bytes beyond the words
// stand for themselves. An input that begins with 'r' is taken as it is.
template <size_t n>
std::string words_of(wire::ByteSpan input, const std::string_view (&words)[n]) {
  std::string out;
  const std::string_view raw(reinterpret_cast<const char*>(input.data()), input.size());
  if (raw.starts_with('r')) return std::string(raw.substr(1));
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < n) {
      out += words[byte];
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace rvf::fuzz
