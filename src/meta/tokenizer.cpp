#include "meta/tokenizer.hpp"

#include <algorithm>
#include <array>

#include "meta/stemmer.hpp"

namespace rvf::meta {
namespace {

constexpr size_t kMaxTerm = 64;
constexpr size_t kMaxText = 0xFFFFFFFF;

// Sorted.
constexpr std::array<std::string_view, 173> kStopWords = {
    "a",        "about",   "above",   "after",    "again",     "against", "all",     "also",
    "although", "am",      "an",      "and",      "any",       "are",     "as",      "at",
    "be",       "because", "been",    "before",   "being",     "below",   "between", "both",
    "but",      "by",      "can",     "cannot",   "could",     "d",       "did",     "do",
    "does",     "doing",   "done",    "down",     "during",    "each",    "either",  "especially",
    "etc",      "ever",    "every",   "few",      "for",       "from",    "further", "get",
    "given",    "had",     "has",     "have",     "having",    "he",      "hence",   "her",
    "here",     "hers",    "herself", "him",      "himself",   "his",     "how",     "however",
    "i",        "if",      "in",      "into",     "is",        "it",      "its",     "itself",
    "just",     "know",    "let",     "like",     "ll",        "made",    "make",    "many",
    "may",      "me",      "might",   "more",     "most",      "much",    "must",    "my",
    "myself",   "neither", "no",      "nor",      "not",       "now",     "of",      "off",
    "often",    "on",      "once",    "only",     "or",        "other",   "others",  "our",
    "ours",     "out",     "over",    "own",      "per",       "rather",  "re",      "s",
    "same",     "shall",   "she",     "should",   "since",     "so",      "some",    "such",
    "t",        "than",    "that",    "the",      "their",     "theirs",  "them",    "then",
    "there",    "these",   "they",    "this",     "those",     "though",  "through", "thus",
    "to",       "too",     "under",   "until",    "up",        "upon",    "us",      "used",
    "using",    "ve",      "very",    "via",      "was",       "we",      "well",    "were",
    "what",     "when",    "where",   "whether",  "which",     "while",   "who",     "whom",
    "whose",    "why",     "will",    "with",     "within",    "without", "would",   "yet",
    "you",      "your",    "yours",   "yourself", "yourselves"};

// ASCII for U+00C0..U+017F; ' ' separates, '1' and on are two letters in kPairs.
constexpr std::string_view kFold =
    "aaaaaa1ceeeeiiiidnooooo ouuuuy23aaaaaa1ceeeeiiiidnooooo ouuuuy2y"   // 00C0-00FF
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii44jjkkklllllll"   // 0100-013F
    "lllnnnnnnnnnoooooo55rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";  // 0140-017F
static_assert(kFold.size() == 192);
constexpr std::string_view kPairs[] = {"ae", "th", "ss", "ij", "oe"};

bool in(char32_t c, char32_t first, char32_t last) noexcept { return c >= first && c <= last; }

// Scripts written without blanks: each character stands alone.
bool stands_alone(char32_t c) noexcept {
  return in(c, 0x3040, 0x30FF) || in(c, 0x3400, 0x4DBF) || in(c, 0x4E00, 0x9FFF) ||
         in(c, 0xAC00, 0xD7AF) || in(c, 0xF900, 0xFAFF) || in(c, 0x20000, 0x2FFFF);
}

bool is_separator(char32_t c) noexcept {
  if (c < 0x80) return !(in(c, 'a', 'z') || in(c, 'A', 'Z') || in(c, '0', '9'));
  if (c < 0xC0) return c != 0xAA && c != 0xB5 && c != 0xBA;
  return c == 0xD7 || c == 0xF7 || in(c, 0x2000, 0x206F) || in(c, 0x20A0, 0x20CF) ||
         in(c, 0x2190, 0x2BFF) || in(c, 0x3000, 0x303F) || in(c, 0xD800, 0xF8FF) ||
         in(c, 0xFE00, 0xFE6F) || in(c, 0xFF00, 0xFF0F) || in(c, 0xFFF0, 0xFFFF) ||
         in(c, 0x1F000, 0x1FAFF) || in(c, 0xE0000, 0x10FFFF);
}

// Appends the folded form of a letter or digit.
void fold(char32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(in(c, 'A', 'Z') ? c + 32 : c);
  } else if (in(c, 0xC0, 0x17F)) {
    const char f = kFold[c - 0xC0];
    if (f >= '1' && f <= '5') {
      out += kPairs[f - '1'];
    } else {
      out += f;
    }
  } else if (in(c, 0x300, 0x36F)) {
    // a combining accent: the letter before it stays
  } else {
    if (in(c, 0x391, 0x3A9) || in(c, 0x410, 0x42F)) c += 32;
    if (in(c, 0x400, 0x40F)) c += 80;
    append_utf8(out, c);
  }
}

bool is_word(std::string_view term) noexcept {
  return std::all_of(term.begin(), term.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

void cut(std::string& term) {
  if (term.size() <= kMaxTerm) return;
  size_t n = kMaxTerm;
  while (n > 0 && (static_cast<unsigned char>(term[n]) & 0xC0) == 0x80) --n;
  term.resize(n);
}

class Collector {
 public:
  Collector(const TokenizerOptions& options, std::vector<Token>& out)
      : options_(options), out_(out) {}

  void add(std::string_view term, size_t begin, size_t end) {
    if (term.empty()) return;
    if (used_ == out_.size()) out_.emplace_back();
    Token& t = out_[used_];
    t.term.assign(term);
    cut(t.term);
    t.begin = static_cast<uint32_t>(begin);
    t.end = static_cast<uint32_t>(end);
    t.stop_word = is_stop_word(t.term);
    if (t.stop_word && options_.drop_stop_words) return;
    if (options_.stem && is_word(t.term)) stem_english(t.term);
    ++used_;
  }
  void finish() { out_.resize(used_); }

 private:
  const TokenizerOptions& options_;
  std::vector<Token>& out_;
  size_t used_ = 0;
};

}  // namespace

bool is_stop_word(std::string_view word) noexcept {
  return std::binary_search(kStopWords.begin(), kStopWords.end(), word);
}

char32_t next_code_point(std::string_view text, size_t& at) noexcept {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at++);
  if (first < 0x80) return first;
  size_t more = 0;
  char32_t c = 0;
  char32_t least = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    more = 1, c = first & 0x1Fu, least = 0x80;
  } else if (first >= 0xE0 && first <= 0xEF) {
    more = 2, c = first & 0x0Fu, least = 0x800;
  } else if (first >= 0xF0 && first <= 0xF4) {
    more = 3, c = first & 0x07u, least = 0x10000;
  } else {
    return 0xFFFD;
  }
  if (text.size() - at < more) return 0xFFFD;
  for (size_t i = 0; i < more; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0xFFFD;
    c = (c << 6) | (byte(at + i) & 0x3Fu);
  }
  if (c < least || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return 0xFFFD;
  at += more;
  return c;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t v) { out += static_cast<char>(v); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

void Tokenizer::tokenize(std::string_view text, std::vector<Token>& out) const {
  text = text.substr(0, kMaxText);
  Collector collector(options_, out);
  std::string term;
  size_t begin = 0;
  // Where a part of a camelCase word begins: in `term` and in the text.
  struct Part {
    size_t in_term;
    size_t in_text;
  };
  std::vector<Part> parts;
  bool was_lower = false;
  auto flush = [&](size_t end) {
    if (term.empty()) return;
    collector.add(term, begin, end);
    if (!parts.empty()) {
      size_t from = 0, from_text = begin;
      parts.push_back({term.size(), end});
      for (const Part& p : parts) {
        collector.add(std::string_view(term).substr(from, p.in_term - from), from_text, p.in_text);
        from = p.in_term;
        from_text = p.in_text;
      }
      parts.clear();
    }
    term.clear();
    was_lower = false;
  };
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const char32_t c = next_code_point(text, at);
    if (is_separator(c)) {
      flush(start);
      continue;
    }
    if (stands_alone(c)) {
      flush(start);
      append_utf8(term, c);
      begin = start;
      flush(at);
      continue;
    }
    if (term.empty()) begin = start;
    if (was_lower && in(c, 'A', 'Z')) parts.push_back({term.size(), start});
    was_lower = in(c, 'a', 'z');
    fold(c, term);
  }
  flush(text.size());
  collector.finish();
}

std::vector<Token> Tokenizer::tokenize(std::string_view text) const {
  std::vector<Token> out;
  tokenize(text, out);
  return out;
}

}  // namespace rvf::meta
