// Text to index terms, with the bytes each came from so that matches can be marked in the text.
//
// A term is a run of letters and digits: lower case, Latin letters without their accents (é e, ß
// ss), English endings off when asked. Everything else separates, so foo_bar gives foo and bar;
// fooBar gives foobar, foo and bar. Chinese, Japanese and Korean characters are terms of their own.
// Bytes that are not UTF-8 separate. A term is cut at 64 bytes.
//
// Thread-safety: a Tokenizer is immutable; one may serve many threads.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rvf::meta {

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

// Of a lower-case word before stemming: one of about 170 English function words.
bool is_stop_word(std::string_view word) noexcept;

// One code point; moves `at` on. An invalid or cut sequence gives U+FFFD and moves by one byte.
char32_t next_code_point(std::string_view text, size_t& at) noexcept;
void append_utf8(std::string& out, char32_t c);

}  // namespace rvf::meta
