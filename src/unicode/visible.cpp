#include "unicode/visible.hpp"

#include <algorithm>

#include "unicode/utf8.hpp"

namespace rvf::unicode {
namespace {

void append_hex(std::string& out, char32_t value, unsigned digits) {
  for (unsigned i = digits; i-- > 0;) out += "0123456789abcdef"[(value >> (4 * i)) & 15];
}

bool is_plain(char c) noexcept { return c >= 0x20 && c < 0x7F; }

}  // namespace

bool is_control(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

void append_visible(std::string& out, std::string_view text, std::string_view keep) {
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    out += text;
    return;
  }
  for (size_t at = 0; at < text.size();) {
    const size_t from = at;
    const char32_t c = next_code_point(text, at);
    if (is_invalid(c, at - from)) {
      out += "\\x";
      append_hex(out, static_cast<unsigned char>(text[from]), 2);
    } else if (!is_control(c) ||
               (c < 0x80 && keep.find(static_cast<char>(c)) != std::string_view::npos)) {
      out += text.substr(from, at - from);
    } else if (c == '\n' || c == '\t' || c == '\r') {
      out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
    } else {
      out += c < 0x80 ? "\\x" : "\\u";
      append_hex(out, c, c < 0x80 ? 2 : 4);
    }
  }
}

}  // namespace rvf::unicode
