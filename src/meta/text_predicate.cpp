#include "meta/text_predicate.hpp"

#include <algorithm>

#include "meta/bm25.hpp"

namespace rvf::meta {

TextPredicate::TextPredicate(const Filter& filter) : filter_(filter) {
  for (const Value& v : filter.values) {
    if (const auto* s = std::get_if<std::string>(&v)) values_.emplace_back(*s);
    if (const auto* b = std::get_if<std::vector<std::byte>>(&v)) {
      values_.emplace_back(reinterpret_cast<const char*>(b->data()), b->size());
    }
  }
  if (filter.op == FilterOp::kIn) std::sort(values_.begin(), values_.end());
  if (filter.op == FilterOp::kMatch && !values_.empty()) {
    for (WeightedTerm& t : query_terms(tokenizer_, values_[0])) {
      words_.push_back(std::move(t.term));
    }
  }
}

bool TextPredicate::operator()(std::string_view text) const {
  if (values_.empty()) return false;
  switch (filter_.op) {
    case FilterOp::kEq: return text == values_[0];
    case FilterOp::kLt: return text < values_[0];
    case FilterOp::kLe: return text <= values_[0];
    case FilterOp::kGt: return text > values_[0];
    case FilterOp::kGe: return text >= values_[0];
    case FilterOp::kIn: return std::binary_search(values_.begin(), values_.end(), text);
    case FilterOp::kBetween: return values_.size() == 2 && text >= values_[0] && text <= values_[1];
    case FilterOp::kStartsWith: return text.substr(0, values_[0].size()) == values_[0];
    case FilterOp::kContains: return text.find(values_[0]) != std::string_view::npos;
    case FilterOp::kMatch: {
      if (words_.empty()) return false;
      const std::vector<Token> tokens = tokenizer_.tokenize(text);
      return std::all_of(words_.begin(), words_.end(), [&](const std::string& word) {
        return std::any_of(tokens.begin(), tokens.end(),
                           [&](const Token& t) { return t.term == word; });
      });
    }
    default: return false;
  }
}

}  // namespace rvf::meta
