// A schema of every type, rows and random filters for the tests of filters.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "meta/filter_bind.hpp"

namespace rvf::meta {

inline Schema test_schema() {
  Schema schema;
  const std::pair<const char*, FieldType> kFields[] = {
      {"lang", FieldType::kEnum},      {"title", FieldType::kString},
      {"year", FieldType::kI64},       {"size", FieldType::kU64},
      {"score", FieldType::kF64},      {"draft", FieldType::kBool},
      {"at", FieldType::kTimestamp},   {"tags", FieldType::kStringList},
      {"blob", FieldType::kBytes},     {"author.name", FieldType::kString},
      {"odd `name`", FieldType::kI64}, {"match", FieldType::kBool},
  };
  for (const auto& [name, type] : kFields) {
    EXPECT_TRUE(schema.merge({name, type, kIndexNone}).ok());
  }
  return schema;
}

inline constexpr const char* kTestNames =
    "at, author.name, blob, draft, id, lang, match, odd `name`, score, size, tags, title, year";

// The filter read back as text, or the error's message.
inline std::string canonical(std::string_view text, const Schema& schema = test_schema()) {
  const auto f = parse_filter(text, schema);
  return f ? filter_text(*f, schema) : f.error().message;
}
inline std::string canonical_json(std::string_view json, const Schema& schema = test_schema()) {
  const auto f = parse_filter_json(json, schema);
  return f ? filter_text(*f, schema) : f.error().message;
}
// The first line of the message of an error.
inline std::string refusal(std::string_view text) {
  const auto f = parse_filter(text, test_schema());
  if (f) return "accepted";
  EXPECT_EQ(f.error().code, ErrorCode::kBadFilter);
  return f.error().message.substr(0, f.error().message.find('\n'));
}

class TestRow final : public RowValues {
 public:
  TestRow(const Schema& schema, const std::vector<std::pair<const char*, Value>>& values) {
    for (const auto& [name, v] : values) values_[schema.find(name)->id] = v;
  }
  Value value(uint16_t field) const override {
    const auto at = values_.find(field);
    return at == values_.end() ? Value{} : at->second;
  }

 private:
  std::map<uint16_t, Value> values_;
};

// Random canonical filters over test_schema(): what a parser could have made.
class RandomFilters {
 public:
  RandomFilters(uint32_t seed, const Schema& schema) : random_(seed), schema_(schema) {}

  Node tree(int levels) {
    const uint32_t kind = below(levels > 0 ? 10 : 6);
    if (kind < 6) return leaf();
    if (kind == 6) return make_not(tree(levels - 1));
    std::vector<Node> parts;
    for (uint32_t n = 2 + below(3); n > 0; --n) parts.push_back(tree(levels - 1));
    return make_group(kind < 9 ? FilterOp::kAnd : FilterOp::kOr, std::move(parts));
  }
  Literal literal(FieldType type) {
    if (below(12) == 0) return Literal::null();
    switch (type) {
      case FieldType::kBool: return Literal::boolean(below(2) == 0);
      case FieldType::kBytes: return Literal::of_bytes(text());
      case FieldType::kString:
      case FieldType::kEnum:
      case FieldType::kStringList: return Literal::of_text(text());
      default: return number();
    }
  }
  uint32_t below(uint32_t n) { return std::uniform_int_distribution<uint32_t>(0, n - 1)(random_); }

 private:
  Node leaf() {
    for (;;) {
      if (below(30) == 0) return make_constant(below(2) == 0);
      const auto& fields = schema_.fields();
      const uint32_t i = below(static_cast<uint32_t>(fields.size()) + 1);
      const SchemaField& field = i < fields.size() ? fields[i] : *schema_.find("id");
      const auto op = static_cast<FilterOp>(2 + below(11));
      std::vector<Literal> literals;
      const uint32_t n = op == FilterOp::kIn        ? below(5)
                         : op == FilterOp::kBetween ? 2
                         : op == FilterOp::kIsNull  ? 0
                                                    : 1;
      for (uint32_t k = 0; k < n; ++k) literals.push_back(literal(field.field.type));
      Node out;
      if (!bind_filter(field, op, literals, out)) return out;
    }
  }
  Literal number() {
    const auto some = static_cast<int64_t>(random_());
    switch (below(5)) {
      case 0: return of(to_number(some % 5));
      case 1: return of(to_number(static_cast<double>(some % 100) / 4));
      case 2: return of(to_number(static_cast<uint64_t>(some) * 0x9E3779B97F4A7C15u));
      case 3: return of(to_number(static_cast<int64_t>(static_cast<uint64_t>(some) << 32) - some));
      default:
        return of(to_number(
            std::ldexp(static_cast<double>(some % 1000) - 500, static_cast<int>(below(200)) - 60)));
    }
  }
  static Literal of(Number n) { return Literal::of(n, "n"); }
  std::string text() {
    static const std::string kPieces[] = {
        "a",        "fox", "the", " ", "'",   "''", "\"",   "`",
        "\xC3\xA9", "\n",  "\\",  ")", "and", "0",  "\xFF", std::string(1, '\0')};
    std::string out;
    for (uint32_t n = below(5); n > 0; --n) out += kPieces[below(std::size(kPieces))];
    return out;
  }

  std::mt19937 random_;
  const Schema& schema_;
};

}  // namespace rvf::meta
