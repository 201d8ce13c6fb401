// Text to index terms, with the bytes each came from so that matches can be marked in the text.
//
// A term is a run of letters and digits, folded (unicode/fold.hpp): lower case and without accents,
// English endings off when asked. Everything else separates, so foo_bar gives foo and bar; fooBar
// gives foobar, foo and bar. Han, kana and Hangul characters are terms of their own; of scripts
// without blanks between words (Thai, Lao, Khmer, Myanmar, ...) each two neighbours are one.
// Bytes that are not UTF-8 separate. A term is cut at 64 bytes.
//
// Thread-safety: a Tokenizer is immutable; one may serve many threads.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rvf::meta {

// How terms are made, as an inverted index names it (InvertedView::flags()). An index whose terms
// were made otherwise is of no use: the same word may be another term there.
inline constexpr uint32_t kStemmedTerms = 1;
inline constexpr unsigned kFoldVersionShift = 8;

struct TokenizerOptions {
  bool stem = true;
  bool drop_stop_words = false;
  friend bool operator==(const TokenizerOptions&, const TokenizerOptions&) = default;
};

struct Token {
  std::string term;
  uint32_t begin = 0;  // bytes in the text, end not included; texts end before 4 GiB
  uint32_t end = 0;
  bool stop_word = false;
};

class Tokenizer {
 public:
  explicit Tokenizer(TokenizerOptions options = {}) : options_(options) {}
  const TokenizerOptions& options() const noexcept { return options_; }
  // Replaces `out`; strings in it are reused.
  void tokenize(std::string_view text, std::vector<Token>& out) const;
  std::vector<Token> tokenize(std::string_view text) const;

 private:
  TokenizerOptions options_;
};

uint32_t term_flags(const TokenizerOptions& options) noexcept;

// Of a lower-case word before stemming: one of about 170 English function words.
bool is_stop_word(std::string_view word) noexcept;

}  // namespace rvf::meta
