#include "text/highlight.hpp"

#include <algorithm>

#include "unicode/visible.hpp"

namespace rvf::text {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }
constexpr std::string_view kBlanks = " \n\t\r\f";
bool is_blank(char c) { return kBlanks.find(c) != std::string_view::npos; }

// To the nearest end of a word, so that no word and no character is cut.
size_t back_to_word(std::string_view text, size_t at) {
  const size_t least = at > 40 ? at - 40 : 0;
  for (size_t i = at; i > least; --i) {
    if (is_blank(text[i - 1])) return i;
  }
  if (least == 0) return 0;
  while (at > 0 && at < text.size() && is_continuation(text[at])) --at;
  return at;
}

size_t forward_to_word(std::string_view text, size_t at) {
  const size_t most = std::min(text.size(), at + 40);
  for (size_t i = at; i < most; ++i) {
    if (is_blank(text[i])) return i;
  }
  if (most == text.size()) return most;
  while (at < text.size() && is_continuation(text[at])) ++at;
  return at;
}

// Start of the window of `width` bytes whose marks weigh most; each term counts once.
size_t best_window(std::span<const Mark> marks, std::span<const size_t> terms,
                   std::span<const meta::WeightedTerm> query, size_t width) {
  size_t best = 0;
  double most = -1;
  for (size_t i = 0; i < marks.size(); ++i) {
    std::vector<bool> seen(query.size());
    double sum = 0;
    for (size_t j = i; j < marks.size() && marks[j].end <= marks[i].begin + width; ++j) {
      sum += seen[terms[j]] ? 0.1 : query[terms[j]].weight;
      seen[terms[j]] = true;
    }
    if (sum > most) {
      most = sum;
      best = marks[i].begin;
    }
  }
  return best;
}

struct Found {
  std::vector<Mark> marks;
  std::vector<size_t> terms;  // positions in the query
};

Found find_all(const meta::Tokenizer& tokenizer, std::string_view text,
               std::span<const meta::WeightedTerm> query) {
  Found out;
  uint32_t end = 0;
  for (const meta::Token& t : tokenizer.tokenize(text)) {
    if (t.end <= end) continue;  // a part of a word that is marked whole
    const auto at = std::find_if(query.begin(), query.end(),
                                 [&](const meta::WeightedTerm& w) { return w.term == t.term; });
    if (at == query.end()) continue;
    // Of two that overlap, as in scripts without blanks, the second adds its rest to the mark.
    out.marks.push_back({std::max(t.begin, end), t.end});
    out.terms.push_back(static_cast<size_t>(at - query.begin()));
    end = t.end;
  }
  return out;
}

}  // namespace

std::vector<Mark> find_marks(const meta::Tokenizer& tokenizer, std::string_view text,
                             std::span<const meta::WeightedTerm> query) {
  return find_all(tokenizer, text, query).marks;
}

std::string highlight(const meta::Tokenizer& tokenizer, std::string_view text,
                      std::span<const meta::WeightedTerm> query, const HighlightOptions& options) {
  const Found found = find_all(tokenizer, text, query);
  size_t begin = 0;
  size_t end = text.size();
  if (options.width > 0 && text.size() > options.width) {
    const size_t first = best_window(found.marks, found.terms, query, options.width);
    begin = back_to_word(text, first > options.width / 5 ? first - options.width / 5 : 0);
    end = forward_to_word(text, std::min(text.size(), begin + options.width));
  }
  std::string out = begin > 0 ? "... " : "";
  bool blank = true;
  const auto append = [&](size_t from, size_t to) {
    while (from < to) {
      const size_t word = std::min(to, text.find_first_of(kBlanks, from));
      unicode::append_visible(out, text.substr(from, word - from));
      blank = word == from && blank;
      from = std::min(to, text.find_first_not_of(kBlanks, word));
      if (from > word && !blank) out += ' ';
      blank = blank || from > word;
    }
  };
  size_t at = begin;
  bool marked = false;
  for (const Mark& m : found.marks) {
    if (m.begin < begin || m.end > end) continue;
    if (!marked || m.begin != at) {  // neighbours are marked as one
      if (marked) out += options.after;
      append(at, m.begin);
      out += options.before;
    }
    append(m.begin, m.end);
    marked = true;
    at = m.end;
  }
  if (marked) out += options.after;
  append(at, end);
  while (!out.empty() && out.back() == ' ') out.pop_back();
  if (end < text.size()) out += " ...";
  return out;
}

}  // namespace rvf::text
