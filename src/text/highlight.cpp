#include "text/highlight.hpp"

#include <algorithm>

namespace rvf::text {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }
bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f'; }

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
    if (t.begin < end) continue;  // a part of a word that is marked whole
    const auto at = std::find_if(query.begin(), query.end(),
                                 [&](const meta::WeightedTerm& w) { return w.term == t.term; });
    if (at == query.end()) continue;
    out.marks.push_back({t.begin, t.end});
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
  size_t mark = 0;
  bool blank = true;
  for (size_t i = begin; i < end; ++i) {
    while (mark < found.marks.size() && found.marks[mark].end <= i) ++mark;
    const bool in_mark = mark < found.marks.size() && found.marks[mark].begin >= begin &&
                         found.marks[mark].end <= end;
    if (in_mark && found.marks[mark].begin == i) out += options.before;
    const char c = text[i];
    if (is_blank(c)) {
      if (!blank) out += ' ';
      blank = true;
    } else if (i + 1 < end && c == '\xC2' && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      ++i;  // U+0080 to U+009F: terminals obey some of these too
    } else if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) {
      out += c;
      blank = false;
    }
    if (in_mark && found.marks[mark].end == i + 1) out += options.after;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  if (end < text.size()) out += " ...";
  return out;
}

}  // namespace rvf::text
