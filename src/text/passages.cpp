#include "text/passages.hpp"

#include <algorithm>
#include <new>

#include "unicode/utf8.hpp"

namespace rvf::text {
namespace {

struct Line {
  size_t begin = 0;  // bytes of the content
  size_t end = 0;    // without the line end
  size_t words = 0;
};

std::string_view trimmed(std::string_view s) {
  const size_t from = s.find_first_not_of(" \t\r\f");
  if (from == std::string_view::npos) return {};
  return s.substr(from, s.find_last_not_of(" \t\r\f") - from + 1);
}

size_t count_words(std::string_view s) {
  size_t words = 0;
  bool inside = false;
  size_t wide = 0;
  for (const char c : s) {
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\f';
    if (!blank && !inside) ++words;
    inside = !blank;
    if (static_cast<unsigned char>(c) >= 0xE0) ++wide;  // scripts without blanks: count characters
  }
  return std::max({words, wide / 2, s.size() / 24});  // data without blanks weighs by its size
}

// The character of an underline such as ==== or ----, at least 3 long; 0 when it is none.
char underline_of(std::string_view line) {
  const std::string_view t = trimmed(line);
  if (t.size() < 3 || std::string_view("=-~^\"'`#*+").find(t[0]) == std::string_view::npos)
    return 0;
  return t.find_first_not_of(t[0]) == std::string_view::npos ? t[0] : '\0';
}

bool is_upper_line(std::string_view t) {
  size_t letters = 0;
  for (const char c : t) {
    if (c >= 'a' && c <= 'z') return false;
    letters += c >= 'A' && c <= 'Z';
  }
  return letters >= 3 && letters * 2 >= t.size();
}

struct Heading {
  std::string text;
  unsigned level = 0;
  size_t lines = 1;  // that it takes
};

class Splitter {
 public:
  Splitter(std::string_view content, const SplitOptions& options)
      : content_(content), options_(options) {
    size_t at = 0;
    while (at < content.size()) {
      const size_t end = std::min(content.find('\n', at), content.size());
      lines_.push_back({at, end, count_words(content.substr(at, end - at))});
      at = end + 1;
    }
  }

  void run(Document& out) {
    bool fenced = false;  // inside a code block, where # begins no heading
    for (size_t i = 0; i < lines_.size();) {
      Heading h;
      if (!fenced && heading_at(i, h)) {
        flush(out);
        enter(h);
        if (out.title.empty()) out.title = h.text;
        // The heading's own lines are part of the passage that it begins.
        first_ = i;
        i += h.lines;
        last_ = i;
        continue;
      }
      const size_t end = paragraph_end(i, fenced);
      add_paragraph(i, end, out);
      for (; i < end; ++i) fenced ^= is_fence(i);
    }
    flush(out);
  }

 private:
  std::string_view line(size_t i) const {
    return content_.substr(lines_[i].begin, lines_[i].end - lines_[i].begin);
  }
  bool blank(size_t i) const { return trimmed(line(i)).empty(); }

  bool is_fence(size_t i) const {
    const std::string_view t = trimmed(line(i));
    return t.starts_with("```") || t.starts_with("~~~");
  }

  bool heading_at(size_t i, Heading& h) const {
    const std::string_view raw = line(i);
    const std::string_view t = trimmed(raw);
    if (t.empty() || t.size() > 200) return false;
    if (raw[0] == '#') {  // Markdown
      const size_t level = t.find_first_not_of('#');
      if (level == std::string_view::npos || level > 6 || t[level] != ' ') return false;
      std::string_view name = trimmed(t.substr(level));
      while (!name.empty() && name.back() == '#') name.remove_suffix(1);
      h = {unicode::valid_utf8(trimmed(name)), static_cast<unsigned>(level), 1};
      return !h.text.empty();
    }
    const bool before_blank = i == 0 || blank(i - 1) || underline_of(line(i - 1)) != 0;
    if (before_blank && i + 1 < lines_.size()) {  // underlined
      const char under = underline_of(line(i + 1));
      const std::string_view rule = trimmed(line(i + 1));
      if (under != 0 && underline_of(raw) == 0 && rule.size() + 3 >= t.size() && raw[0] != ' ') {
        const size_t order = std::string_view("=-~^\"'`#*+").find(under);
        h = {unicode::valid_utf8(t), static_cast<unsigned>(order + 1), 2};
        return true;
      }
    }
    // Manual pages: capitals at the margin, alone or above indented text.
    if (before_blank && raw[0] == t[0] && t.size() <= 60 && is_upper_line(t) &&
        (i + 1 == lines_.size() || blank(i + 1) || line(i + 1)[0] == ' ' ||
         line(i + 1)[0] == '\t')) {
      h = {unicode::valid_utf8(t), 1, 1};
      return true;
    }
    return false;
  }

  size_t paragraph_end(size_t i, bool fenced) const {
    Heading h;
    size_t end = i + 1;
    const bool was_blank = blank(i);
    fenced ^= is_fence(i);
    while (end < lines_.size() && blank(end) == was_blank) {
      if (!fenced && !was_blank && line(end)[0] == '#' && heading_at(end, h)) break;
      fenced ^= is_fence(end);
      ++end;
    }
    return end;
  }

  void enter(const Heading& h) {
    while (!path_.empty() && path_.back().level >= h.level) path_.pop_back();
    path_.push_back(h);
  }

  std::string heading_path() const {
    std::string out;
    for (const Heading& h : path_) {
      if (!out.empty()) out += " > ";
      out += h.text;
    }
    return out;
  }

  void add_paragraph(size_t from, size_t to, Document& out) {
    size_t words = 0;
    for (size_t i = from; i < to; ++i) words += lines_[i].words;
    if (words == 0) {
      if (last_ > first_) last_ = to;  // blanks between paragraphs belong to the passage
      return;
    }
    if (words_ > 0 && (words_ >= options_.target_words || words_ + words > options_.max_words)) {
      flush(out);
    }
    if (words <= options_.max_words) {
      take(from, to, words);
      return;
    }
    for (size_t i = from; i < to; ++i) {  // a long paragraph: by lines
      if (lines_[i].words > options_.max_words) {
        flush(out);
        split_line(i, out);
        continue;
      }
      if (words_ + lines_[i].words > options_.max_words || words_ >= options_.target_words) {
        flush(out);
      }
      take(i, i + 1, lines_[i].words);
    }
  }

  void take(size_t from, size_t to, size_t words) {
    if (last_ <= first_) first_ = from;
    last_ = to;
    words_ += words;
  }

  // One line that is longer than a passage: at the ends of sentences, else between words.
  void split_line(size_t i, Document& out) {
    const Line& whole = lines_[i];
    size_t begin = whole.begin;
    size_t words = 0;
    size_t sentence = 0;  // the last good place to cut, 0: none
    for (size_t at = whole.begin; at < whole.end; ++at) {
      if (content_[at] != ' ' && at - begin < 4000) continue;
      if (content_[at] != ' ' && (static_cast<unsigned char>(content_[at]) & 0xC0) == 0x80)
        continue;
      ++words;
      const char before = at > begin ? content_[at - 1] : ' ';
      if (before == '.' || before == '!' || before == '?') sentence = at;
      const bool full = words >= options_.target_words || at - begin >= 4000;
      if (full && (sentence == at || words >= options_.max_words || at - begin >= 4000)) {
        const size_t cut = sentence > begin ? sentence : at;
        emit(begin, cut, i, i, out);
        begin = cut;
        words = count_words(content_.substr(cut, at - cut));
        sentence = 0;
      }
    }
    emit(begin, whole.end, i, i, out);
    first_ = last_ = i + 1;
    words_ = 0;
  }

  void flush(Document& out) {
    if (last_ > first_) {
      size_t end = last_;
      while (end > first_ && blank(end - 1)) --end;
      if (end > first_) {
        const bool joins = words_ < options_.min_words && !out.passages.empty() &&
                           out.passages.back().heading == heading_path() &&
                           count_words(out.passages.back().text) + words_ <= options_.max_words;
        if (joins) {
          Passage& p = out.passages.back();
          p.length = lines_[end - 1].end - p.offset;
          p.last_line = static_cast<uint32_t>(end);
          p.text = unicode::valid_utf8(content_.substr(p.offset, p.length));
        } else if (words_ > 0) {
          emit(lines_[first_].begin, lines_[end - 1].end, first_, end - 1, out);
        }
      }
    }
    first_ = last_;
    words_ = 0;
  }

  void emit(size_t begin, size_t end, size_t first, size_t last, Document& out) {
    const std::string_view text = content_.substr(begin, end - begin);
    if (trimmed(text).empty()) return;
    Passage p;
    p.heading = heading_path();
    p.text = unicode::valid_utf8(text);
    p.first_line = static_cast<uint32_t>(first + 1);
    p.last_line = static_cast<uint32_t>(last + 1);
    p.offset = begin;
    p.length = end - begin;
    out.passages.push_back(std::move(p));
  }

  std::string_view content_;
  const SplitOptions& options_;
  std::vector<Line> lines_;
  std::vector<Heading> path_;
  size_t first_ = 0;  // lines of the passage in the making, [first_, last_)
  size_t last_ = 0;
  size_t words_ = 0;  // of its text, headings not counted
};

std::string file_name(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

}  // namespace

Result<Document> split_text(const std::string& path, std::string_view content,
                            const SplitOptions& options) {
  if (options.target_words == 0 || options.max_words < options.target_words) {
    return Error(ErrorCode::kBadArgument, "passages: the sizes make no sense");
  }
  try {
    Document out;
    out.path = path;
    Splitter(content, options).run(out);
    if (out.title.empty() && !out.passages.empty()) {
      const std::string& text = out.passages[0].text;
      const size_t from = std::min(text.find_first_not_of(" \t\r\n"), text.size());
      const std::string first(trimmed(text.substr(from, text.find('\n', from) - from)));
      if (!first.empty() && first.size() <= 120) out.title = first;
    }
    if (out.title.empty()) out.title = file_name(path);
    return out;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, path + ": no memory to split it");
  }
}

}  // namespace rvf::text
