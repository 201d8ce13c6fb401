// The comparisons of one text, prepared once for many. Immutable; thread-safe.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "meta/filter.hpp"
#include "meta/tokenizer.hpp"

namespace rvf::meta {

class TextPredicate {
 public:
  // `filter` compares a string, enum, bytes or list field; it is borrowed.
  explicit TextPredicate(const Filter& filter);
  bool operator()(std::string_view text) const;
  const std::vector<std::string>& words() const noexcept { return words_; }  // of kMatch

 private:
  const Filter& filter_;
  std::vector<std::string_view> values_;  // bytes literals as text
  std::vector<std::string> words_;
  Tokenizer tokenizer_;
};

}  // namespace rvf::meta
