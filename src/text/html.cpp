#include "text/html.hpp"

#include <algorithm>
#include <array>

#include "text/html_entities.hpp"
#include "unicode/encoding.hpp"
#include "unicode/utf8.hpp"

namespace rvf::text {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\f";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_letter(char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_blank(char c) noexcept { return kBlanks.find(c) != std::string_view::npos; }

// `wanted` is in lower case.
bool starts_with(std::string_view text, std::string_view wanted) noexcept {
  return text.size() >= wanted.size() && std::equal(wanted.begin(), wanted.end(), text.begin(),
                                                    [](char a, char b) { return a == lower(b); });
}

size_t find_lower(std::string_view text, std::string_view wanted, size_t from) noexcept {
  for (size_t at = from; at + wanted.size() <= text.size(); ++at) {
    if (starts_with(text.substr(at), wanted)) return at;
  }
  return std::string_view::npos;
}

template <size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What stands in these is for the browser.
constexpr std::array<std::string_view, 7> kNoText = {"script", "style",   "template", "iframe",
                                                     "object", "noembed", "noframes"};
constexpr std::array<std::string_view, 29> kParagraphs = {
    "address", "article",    "aside",  "blockquote", "body",  "center",  "details", "div",
    "dl",      "fieldset",   "figure", "footer",     "form",  "header",  "hr",      "html",
    "main",    "nav",        "ol",     "p",          "pre",   "section", "summary", "table",
    "ul",      "figcaption", "head",   "caption",    "legend"};
constexpr std::array<std::string_view, 7> kLines = {"br", "li",     "tr",   "dt",
                                                    "dd", "option", "title"};

// The character that the entity at `at` names, and moves `at` behind it; 0 and no move for none.
char32_t entity_at(std::string_view html, size_t& at) {
  const std::string_view rest = html.substr(at + 1, 40);
  size_t end = 0;
  char32_t c = 0;
  if (rest.starts_with("#")) {
    const bool hex = rest.size() > 1 && lower(rest[1]) == 'x';
    const size_t first = hex ? 2 : 1;
    for (end = first; end < rest.size(); ++end) {
      const char d = lower(rest[end]);
      const bool letter = hex && d >= 'a' && d <= 'f';
      if (!is_digit(d) && !letter) break;
      c = std::min<char32_t>(0x110000, c * (hex ? 16 : 10) + (letter ? d - 'a' + 10 : d - '0'));
    }
    if (end == first) return 0;
    if (c >= 0x80 && c < 0xA0) {  // meant as Windows-1252, says HTML 5
      const char byte = static_cast<char>(c);
      size_t begin = 0;
      c = unicode::next_code_point(unicode::to_utf8({&byte, 1}, unicode::Encoding::kWindows1252),
                                   begin);
    }
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = unicode::kReplacement;
  } else {
    while (end < rest.size() && (is_letter(rest[end]) || is_digit(rest[end]))) ++end;
    const std::string_view name = rest.substr(0, end);
    const auto found =
        std::lower_bound(std::begin(kHtmlEntities), std::end(kHtmlEntities), name,
                         [](const HtmlEntity& e, std::string_view n) { return e.name < n; });
    if (found == std::end(kHtmlEntities) || found->name != name) return 0;
    c = found->c;
  }
  at += 1 + end;
  if (end < rest.size() && rest[end] == ';') ++at;
  return c;
}

// Where a tag ends, behind its '>'; npos where it does not. A '>' in quotes is part of a value.
size_t end_of_tag(std::string_view html, size_t at) noexcept {
  char quote = 0;
  for (char before = 0; at < html.size(); ++at) {
    const char c = html[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if ((c == '"' || c == '\'') && before == '=') {
      quote = c;
    } else if (c == '>') {
      return at + 1;
    }
    if (!is_blank(c)) before = c;
  }
  return std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view html) : html_(html) {}

  HtmlText run() {
    while (at_ < html_.size()) {
      const char c = html_[at_];
      if (c == '<' && take_markup()) continue;
      if (c == '&') {
        if (const char32_t named = entity_at(html_, at_); named != 0) {
          put_character(named);
          continue;
        }
      }
      step();
      put(c);
    }
    return std::move(out_);
  }

 private:
  // Moves on by one byte, or to a place, and counts lines.
  void step() { line_ += html_[at_++] == '\n'; }
  void skip_to(size_t to) {
    to = std::min(to, html_.size());
    while (at_ < to) step();
  }

  void put_character(char32_t c) {
    if (c == 0xA0) c = ' ';
    std::string utf8;
    unicode::append_utf8(utf8, c);
    for (const char byte : utf8) put(byte);
  }

  // Blanks run together, over the end of a line to one end of a line.
  void put(char c) {
    if (is_blank(c) && pre_ == 0) {
      if (gap_ == 0 || (c == '\n' && gap_ == ' ')) gap_ = heading_ != 0 ? ' ' : c == '\n' ? c : ' ';
      return;
    }
    if (breaks_ > 0) {
      while (!out_.text.empty() && breaks_-- > 0) end_line();
      breaks_ = 0;
    } else if (gap_ == '\n') {
      if (!out_.text.empty()) end_line();
    } else if (gap_ != 0 && !out_.text.empty() && out_.text.back() != '\n') {
      out_.text += ' ';
    }
    gap_ = 0;
    if (out_.lines.empty()) out_.lines.push_back(line_);
    if (heading_ != 0 && !marked_) {
      out_.text.append(heading_, '#') += ' ';
      marked_ = true;
    }
    if (c == '\n') {
      end_line();
    } else {
      out_.text += c;
    }
  }

  void end_line() {
    out_.text += '\n';
    out_.lines.push_back(line_);
  }

  void break_lines(int lines) {
    if (heading_ != 0) {
      if (gap_ == 0) gap_ = ' ';
    } else {
      breaks_ = std::max(breaks_, lines);
    }
  }

  bool take_markup() {
    const std::string_view rest = html_.substr(at_);
    if (rest.starts_with("<!--")) {
      const size_t end = html_.find("-->", at_ + 2);
      skip_to(end == std::string_view::npos ? html_.size() : end + 3);
      return true;
    }
    if (rest.starts_with("<![CDATA[")) {
      skip_to(at_ + 9);
      const size_t end = std::min(html_.find("]]>", at_), html_.size());
      while (at_ < end) {
        const char c = html_[at_];
        step();
        put(c);
      }
      skip_to(end + 3);
      return true;
    }
    if (rest.size() < 2) return false;
    if (rest[1] == '!' || rest[1] == '?') {
      const size_t end = html_.find('>', at_);
      skip_to(end == std::string_view::npos ? html_.size() : end + 1);
      return true;
    }
    const bool closing = rest[1] == '/';
    const size_t begin = at_ + (closing ? 2 : 1);
    if (begin >= html_.size() || !is_letter(html_[begin])) return false;
    const size_t end = unclosed_ ? std::string_view::npos : end_of_tag(html_, begin);
    if (end == std::string_view::npos) {
      unclosed_ = true;  // nor is any further: not looked for again and again
      return false;
    }
    std::string name;
    for (size_t i = begin; i < end && !is_blank(html_[i]) && html_[i] != '/' && html_[i] != '>';
         ++i) {
      name += lower(html_[i]);
    }
    const bool alone = html_[end - 2] == '/';
    skip_to(end);
    take_tag(name, closing, alone);
    return true;
  }

  void take_tag(const std::string& name, bool closing, bool alone) {
    if (name.size() == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6') {
      heading_ = 0;
      break_lines(2);
      if (!closing) {
        heading_ = static_cast<unsigned>(name[1] - '0');
        marked_ = false;
      }
      return;
    }
    if (!closing && !alone && is_one_of(name, kNoText)) {
      skip_element(name);
    } else if (!closing && !alone && name == "title") {
      take_title();
    } else if (name == "pre") {
      break_lines(2);
      pre_ = closing ? 0 : 1;
    } else if (is_one_of(name, kParagraphs)) {
      break_lines(2);
    } else if (is_one_of(name, kLines)) {
      break_lines(1);
    } else if ((name == "td" || name == "th") && gap_ == 0) {
      gap_ = ' ';
    }
  }

  // Behind the end tag; at the end of the document, where it is never closed.
  void skip_element(const std::string& name) {
    const size_t end = find_lower(html_, "</" + name, at_);
    if (end == std::string_view::npos) return skip_to(html_.size());
    skip_to(end);
    skip_to(end_of_tag(html_, at_));
  }

  void take_title() {
    const size_t end = std::min(find_lower(html_, "</title", at_), html_.size());
    std::string title;
    const bool first = out_.title.empty();
    while (at_ < end) {
      char32_t c = html_[at_] == '&' ? entity_at(html_, at_) : 0;
      if (c == 0xA0) c = ' ';
      if (c != 0) {
        unicode::append_utf8(title, c);
      } else if (is_blank(html_[at_])) {
        if (!title.empty() && title.back() != ' ') title += ' ';
        step();
      } else {
        title += html_[at_];
        step();
      }
    }
    while (!title.empty() && title.back() == ' ') title.pop_back();
    if (first) out_.title = std::move(title);
  }

  std::string_view html_;
  HtmlText out_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  int breaks_ = 0;        // ends of lines that wait for the next character
  char gap_ = 0;          // a blank that waits, or an end of a line
  unsigned heading_ = 0;  // level of the one we are in
  bool marked_ = false;   // its # are written
  int pre_ = 0;
  bool unclosed_ = false;
};

// The value behind `key` and an equals sign, with or without quotes.
std::string_view value_of(std::string_view text, std::string_view key) {
  for (size_t at = find_lower(text, key, 0); at != std::string_view::npos;
       at = find_lower(text, key, at + key.size())) {
    size_t from = text.find_first_not_of(kBlanks, at + key.size());
    if (from == std::string_view::npos || text[from] != '=') continue;
    from = text.find_first_not_of(" \t\n\r\f\"'", from + 1);
    if (from == std::string_view::npos) return {};
    const size_t end = text.find_first_of(" \t\n\r\f\"';/>?", from);
    return text.substr(from, end == std::string_view::npos ? end : end - from);
  }
  return {};
}

}  // namespace

bool looks_like_html(std::string_view path, std::string_view content) {
  std::string name(path.substr(path.find_last_of('/') + 1));
  std::transform(name.begin(), name.end(), name.begin(), lower);
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  for (const char* ending : {".html", ".htm", ".xhtml", ".xht", ".shtml"}) {
    if (name.ends_with(ending)) return true;
  }
  const std::string_view head =
      content.substr(std::min(content.find_first_not_of(kBlanks), content.size()), 512);
  if (starts_with(head, "<?xml")) return find_lower(head, "<html", 0) != std::string_view::npos;
  return starts_with(head, "<!doctype html") || starts_with(head, "<html");
}

std::string_view declared_encoding(std::string_view path, std::string_view content) {
  const std::string_view head = content.substr(0, 1024);
  if (starts_with(head, "<?xml")) {
    const std::string_view declared = value_of(head.substr(0, head.find("?>")), "encoding");
    if (!declared.empty()) return declared;
  }
  if (!looks_like_html(path, content)) return {};
  for (size_t at = find_lower(head, "<meta", 0); at != std::string_view::npos;
       at = find_lower(head, "<meta", at + 1)) {
    const std::string_view tag = head.substr(at, head.find('>', at) - at);
    const std::string_view declared = value_of(tag, "charset");
    if (!declared.empty()) return declared;
  }
  return {};
}

HtmlText text_of_html(std::string_view html) { return Reader(html).run(); }

}  // namespace rvf::text
