#include "unicode/encoding.hpp"

#include <algorithm>
#include <array>

#include "unicode/utf8.hpp"
#include "unicode/visible.hpp"

namespace rvf::unicode {
namespace {

struct Name {
  std::string_view name;
  Encoding encoding;
};
constexpr Name kNames[] = {
    {"utf-8", Encoding::kUtf8},
    {"utf8", Encoding::kUtf8},
    {"utf-16", Encoding::kUtf16Le},  // without a mark it is that (WHATWG)
    {"utf-16le", Encoding::kUtf16Le},
    {"utf-16be", Encoding::kUtf16Be},
    {"windows-1252", Encoding::kWindows1252},
    {"cp1252", Encoding::kWindows1252},
    {"iso-8859-1", Encoding::kWindows1252},
    {"iso8859-1", Encoding::kWindows1252},
    {"iso_8859-1", Encoding::kWindows1252},
    {"latin-1", Encoding::kWindows1252},
    {"latin1", Encoding::kWindows1252},
    {"l1", Encoding::kWindows1252},
    {"us-ascii", Encoding::kWindows1252},
    {"ascii", Encoding::kWindows1252},
};

// 0x80 to 0x9F; five of them are not assigned.
constexpr std::array<char16_t, 32> kWindows1252 = {
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};

char32_t of_windows1252(char c) noexcept {
  const auto u = static_cast<unsigned char>(c);
  return u >= 0x80 && u < 0xA0 ? kWindows1252[u - 0x80] : u;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// One code point of UTF-16; moves `at` on by 2 or 4, to the end where the last byte has no other.
char32_t next_utf16(std::string_view bytes, size_t& at, bool big) noexcept {
  const auto unit = [&](size_t i) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<char32_t>(big ? first << 8 | second : second << 8 | first);
  };
  if (bytes.size() - at < 2) {
    at = bytes.size();
    return kReplacement;
  }
  const char32_t high = unit(at);
  at += 2;
  if (high < 0xD800 || high > 0xDFFF) return high;
  if (high > 0xDBFF || bytes.size() - at < 2) return kReplacement;
  const char32_t low = unit(at);
  if (low < 0xDC00 || low > 0xDFFF) return kReplacement;
  at += 2;
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

// How many characters are ASCII, or 0 if the bytes are no text in this order.
size_t ascii_of_utf16(std::string_view bytes, bool big) noexcept {
  size_t all = 0;
  size_t ascii = 0;
  for (size_t at = 0; at < bytes.size(); ++all) {
    const char32_t c = next_utf16(bytes, at, big);
    const bool blank = c == '\n' || c == '\r' || c == '\t' || c == '\f';
    if (c == kReplacement || (c < 0x80 && is_control(c) && !blank)) return 0;
    ascii += c < 0x80;
  }
  const size_t share = all < 64 ? 2 : 20;  // a few bytes are text by chance
  return ascii * share >= all ? ascii : 0;
}

}  // namespace

std::optional<Encoding> encoding_of_name(std::string_view name) noexcept {
  const auto same = [&](const Name& n) {
    return std::equal(n.name.begin(), n.name.end(), name.begin(), name.end(),
                      [](char a, char b) { return a == lower(b); });
  };
  const auto found = std::find_if(std::begin(kNames), std::end(kNames), same);
  if (found == std::end(kNames)) return std::nullopt;
  return found->encoding;
}

std::optional<ByteOrderMark> byte_order_mark(std::string_view bytes) noexcept {
  if (bytes.starts_with("\xEF\xBB\xBF")) return ByteOrderMark{Encoding::kUtf8, 3};
  if (bytes.starts_with("\xFF\xFE")) return ByteOrderMark{Encoding::kUtf16Le, 2};
  if (bytes.starts_with("\xFE\xFF")) return ByteOrderMark{Encoding::kUtf16Be, 2};
  return std::nullopt;
}

std::optional<Encoding> plausible_utf16(std::string_view bytes) noexcept {
  constexpr size_t kHead = 64 << 10;
  if (bytes.size() % 2 != 0) return std::nullopt;
  bytes = bytes.substr(0, kHead);
  if (bytes.find('\0') == std::string_view::npos) return std::nullopt;
  const size_t little = ascii_of_utf16(bytes, false);
  const size_t big = ascii_of_utf16(bytes, true);
  if (little == 0 && big == 0) return std::nullopt;
  return big > little ? Encoding::kUtf16Be : Encoding::kUtf16Le;
}

std::string to_utf8(std::string_view bytes, Encoding encoding) {
  std::string out;
  out.reserve(bytes.size());
  for (size_t at = 0; at < bytes.size();) {
    const size_t from = at;
    if (encoding == Encoding::kWindows1252) {
      append_utf8(out, of_windows1252(bytes[at++]));
    } else if (encoding == Encoding::kUtf8) {
      const char32_t c = next_code_point(bytes, at);
      append_utf8(out, is_invalid(c, at - from) ? of_windows1252(bytes[from]) : c);
    } else {
      append_utf8(out, next_utf16(bytes, at, encoding == Encoding::kUtf16Be));
    }
  }
  return out;
}

}  // namespace rvf::unicode
