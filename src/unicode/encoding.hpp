// Text of other encodings as UTF-8: UTF-16 of both orders and Windows-1252, which is also what
// Latin-1 and ASCII mean in practice (WHATWG Encoding Standard). Pure functions; thread-safe.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rvf::unicode {

enum class Encoding : uint8_t { kUtf8, kUtf16Le, kUtf16Be, kWindows1252 };

// By the names that documents declare, in any case: "UTF-8", "utf-16", "iso-8859-1", "cp1252", ...
std::optional<Encoding> encoding_of_name(std::string_view name) noexcept;

struct ByteOrderMark {
  Encoding encoding;
  size_t bytes;
};
std::optional<ByteOrderMark> byte_order_mark(std::string_view bytes) noexcept;

// The order in which bytes with zeros among them are text in UTF-16 without a mark: no zero
// character, no odd surrogate, no control code but blanks, and some ASCII (half of a short text).
std::optional<Encoding> plausible_utf16(std::string_view bytes) noexcept;

// What cannot be decoded becomes U+FFFD; but in UTF-8 a byte that is none is read as Windows-1252,
// whose texts have hardly ever a sequence that is UTF-8.
std::string to_utf8(std::string_view bytes, Encoding encoding);

}  // namespace rvf::unicode
