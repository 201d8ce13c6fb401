#include <algorithm>
#include <functional>

#include "meta/filter_bind.hpp"
#include "meta/tokenizer.hpp"

namespace rvf::meta {
namespace {

using Terms = std::vector<std::string>;

// Sorted, without duplicates. `query`: without stop words, unless there is nothing else.
Terms terms_of(std::string_view text, bool query) {
  const std::vector<Token> tokens = Tokenizer().tokenize(text);
  const bool words =
      std::any_of(tokens.begin(), tokens.end(), [](const Token& t) { return !t.stop_word; });
  Terms out;
  for (const Token& t : tokens) {
    if (!query || !words || !t.stop_word) out.push_back(t.term);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool holds_words(std::string_view text, std::string_view query) {
  const Terms wanted = terms_of(query, true);
  const Terms there = terms_of(text, false);
  return std::includes(there.begin(), there.end(), wanted.begin(), wanted.end());
}

bool is_one_of(const std::vector<Value>& values, const Value& v) {
  return std::find(values.begin(), values.end(), v) != values.end();
}

template <class Op>
bool ordered(const Value& a, const Value& b, Op op) {
  return std::visit(
      [&](const auto& x) {
        using T = std::decay_t<decltype(x)>;
        const T* y = std::get_if<T>(&b);
        if constexpr (std::is_same_v<T, std::monostate>) {
          return false;
        } else {
          return y != nullptr && op(x, *y);  // NaN: false
        }
      },
      a);
}

// `v` is no list and not null.
bool holds(const Filter& f, const Value& v) {
  const Value& a = f.values.front();
  const auto* text = std::get_if<std::string>(&v);
  const auto* part = std::get_if<std::string>(&a);
  const bool texts = text != nullptr && part != nullptr;
  switch (f.op) {
    case FilterOp::kEq: return v == a;
    case FilterOp::kLt: return ordered(v, a, std::less<>());
    case FilterOp::kLe: return ordered(v, a, std::less_equal<>());
    case FilterOp::kGt: return ordered(v, a, std::greater<>());
    case FilterOp::kGe: return ordered(v, a, std::greater_equal<>());
    case FilterOp::kBetween:
      return ordered(v, a, std::greater_equal<>()) && ordered(v, f.values[1], std::less_equal<>());
    case FilterOp::kIn: return is_one_of(f.values, v);
    case FilterOp::kStartsWith: return texts && text->starts_with(*part);
    case FilterOp::kContains: return texts && text->find(*part) != std::string::npos;
    case FilterOp::kMatch: return texts && holds_words(*text, *part);
    default: return false;
  }
}

// In a list `contains` asks for an element, not for a part of one.
bool holds_in_list(const Filter& f, const std::vector<std::string>& list) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& element) {
    const Value v = element;
    return f.op == FilterOp::kContains ? v == f.values.front() : holds(f, v);
  });
}

bool leaf_matches(const Filter& f, const Schema& schema, const RowValues& row) {
  Value v = row.value(f.field);
  const bool null = std::holds_alternative<std::monostate>(v);
  if (f.op == FilterOp::kIsNull) return null;
  if (null) return f.op == FilterOp::kNe;
  if (const SchemaField* field = field_by_number(schema, f.field)) {
    v = widen(std::move(v), field->field.type);
  }
  Filter equal;
  const Filter* test = &f;
  if (f.op == FilterOp::kNe) {
    equal = {FilterOp::kEq, f.field, f.values, {}};
    test = &equal;
  }
  const auto* list = std::get_if<std::vector<std::string>>(&v);
  const bool holding = list != nullptr ? holds_in_list(*test, *list) : holds(*test, v);
  return holding != (f.op == FilterOp::kNe);
}

}  // namespace

bool matches(const Filter& filter, const Schema& schema, const RowValues& row) {
  const auto holding = [&](const Filter& f) { return matches(f, schema, row); };
  const auto& c = filter.children;
  switch (filter.op) {
    case FilterOp::kAll: return true;
    case FilterOp::kNone: return false;
    case FilterOp::kAnd: return std::all_of(c.begin(), c.end(), holding);
    case FilterOp::kOr: return std::any_of(c.begin(), c.end(), holding);
    case FilterOp::kNot: return !holding(c.front());
    default: return leaf_matches(filter, schema, row);
  }
}

}  // namespace rvf::meta
