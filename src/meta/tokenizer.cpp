#include "meta/tokenizer.hpp"

#include <algorithm>
#include <array>

#include "meta/stemmer.hpp"
#include "unicode/fold.hpp"
#include "unicode/utf8.hpp"

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

using unicode::CharKind;
using unicode::FoldedChar;

// The lower-case form of ASCII letters and digits, 0 for what separates.
constexpr std::array<char, 128> kAscii = [] {
  std::array<char, 128> out{};
  for (char c = '0'; c <= '9'; ++c) out[static_cast<size_t>(c)] = c;
  for (char c = 'a'; c <= 'z'; ++c) {
    out[static_cast<size_t>(c)] = c;
    out[static_cast<size_t>(c - 32)] = c;
  }
  return out;
}();

bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }

bool is_word(std::string_view term) noexcept {
  return std::all_of(term.begin(), term.end(), is_lower);
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

// The term in the making. `start` and `end` are the bytes in the text that a character came from.
class Run {
 public:
  explicit Run(Collector& out) : out_(out) {}

  // ASCII letters and digits, the many.
  void add_ascii(char c, size_t start) {
    begin_with(CharKind::kLetter, start);
    if (was_lower_ && is_upper(c)) parts_.push_back({term_.size(), start});
    was_lower_ = is_lower(c);
    term_ += kAscii[static_cast<size_t>(c)];
    base_ = 0;
    marks_.clear();
  }

  void add(char32_t c, size_t start, size_t end) {
    const unicode::Folded all = unicode::fold(c);
    for (const FoldedChar& f : all.chars()) {
      put(f, start);
      start = end;  // where a further term of the same character would end the one before
    }
  }

  void flush(size_t end) {
    if (term_.empty()) return;
    out_.add(term_, begin_, end);
    if (!parts_.empty()) add_parts(end);
    term_.clear();
    marks_.clear();
    second_ = 0;
    base_ = 0;
    was_lower_ = false;
  }

 private:
  // A part of a camelCase word, or a mark: where it begins in the term and in the text.
  struct Part {
    size_t in_term;
    size_t in_text;
  };
  struct Mark {
    size_t in_term;
    uint8_t combining;
  };

  void put(const FoldedChar& f, size_t start) {
    switch (f.kind) {
      case CharKind::kSeparator: flush(start); return;
      case CharKind::kIgnored:
        if (unicode::stays_behind(f.c, base_)) append_mark(f);
        return;
      case CharKind::kMark:
        if (term_.empty()) begin_with(CharKind::kLetter, start);
        append_mark(f);
        return;
      case CharKind::kAlone:
        flush(start);
        begin_with(CharKind::kAlone, start);
        break;
      case CharKind::kPaired:
        begin_with(CharKind::kPaired, start);
        take_pair(start);
        break;
      case CharKind::kLetter: begin_with(CharKind::kLetter, start); break;
    }
    unicode::append_utf8(term_, f.c);
    base_ = f.c;
    marks_.clear();
    was_lower_ = false;
  }

  void begin_with(CharKind kind, size_t start) {
    if (kind != kind_) flush(start);
    kind_ = kind;
    if (term_.empty()) begin_ = start;
  }

  // Each two neighbours are a term: with a third the first two are done.
  void take_pair(size_t start) {
    if (second_ != 0) {
      out_.add(term_, begin_, start);
      term_.erase(0, second_);
      begin_ = second_in_text_;
    }
    second_ = term_.size();
    second_in_text_ = start;
  }

  // In canonical order, so that the order in which marks were typed does not matter.
  void append_mark(const FoldedChar& f) {
    std::string utf8;
    unicode::append_utf8(utf8, f.c);
    size_t at = marks_.size();
    while (f.combining != 0 && at > 0 && marks_[at - 1].combining > f.combining) --at;
    const size_t in_term = at < marks_.size() ? marks_[at].in_term : term_.size();
    term_.insert(in_term, utf8);
    for (size_t i = at; i < marks_.size(); ++i) marks_[i].in_term += utf8.size();
    marks_.insert(marks_.begin() + static_cast<std::ptrdiff_t>(at), Mark{in_term, f.combining});
    was_lower_ = false;
  }

  void add_parts(size_t end) {
    size_t from = 0, from_text = begin_;
    parts_.push_back({term_.size(), end});
    for (const Part& p : parts_) {
      out_.add(std::string_view(term_).substr(from, p.in_term - from), from_text, p.in_text);
      from = p.in_term;
      from_text = p.in_text;
    }
    parts_.clear();
  }

  Collector& out_;
  std::string term_;
  size_t begin_ = 0;
  CharKind kind_ = CharKind::kSeparator;
  char32_t base_ = 0;        // the last letter that is no mark; 0 for ASCII
  std::vector<Mark> marks_;  // behind it
  std::vector<Part> parts_;
  size_t second_ = 0, second_in_text_ = 0;  // of a pair
  bool was_lower_ = false;
};

}  // namespace

uint32_t term_flags(const TokenizerOptions& options) noexcept {
  return (options.stem ? kStemmedTerms : 0) | unicode::kFoldVersion << kFoldVersionShift;
}

bool is_stop_word(std::string_view word) noexcept {
  return std::binary_search(kStopWords.begin(), kStopWords.end(), word);
}

void Tokenizer::tokenize(std::string_view text, std::vector<Token>& out) const {
  text = text.substr(0, kMaxText);
  Collector collector(options_, out);
  Run run(collector);
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const char c = text[at];
    if (static_cast<unsigned char>(c) >= 0x80) {
      const char32_t code_point = unicode::next_code_point(text, at);
      run.add(code_point, start, at);
      continue;
    }
    ++at;
    if (kAscii[static_cast<size_t>(c)] == 0) {
      run.flush(start);
    } else {
      run.add_ascii(c, start);
    }
  }
  run.flush(text.size());
  collector.finish();
}

std::vector<Token> Tokenizer::tokenize(std::string_view text) const {
  std::vector<Token> out;
  tokenize(text, out);
  return out;
}

}  // namespace rvf::meta
