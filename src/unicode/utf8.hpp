// UTF-8 from bytes that may be anything. Pure functions; thread-safe.
#pragma once
#include <string>
#include <string_view>

namespace rvf::unicode {

inline constexpr char32_t kReplacement = 0xFFFD;

// One code point; moves `at` on. An invalid or cut sequence gives U+FFFD and moves by one byte.
char32_t next_code_point(std::string_view text, size_t& at) noexcept;
// Whether next_code_point() gave U+FFFD for bytes that are none, which moved it by one.
inline bool is_invalid(char32_t c, size_t bytes) noexcept {
  return c == kReplacement && bytes == 1;
}
void append_utf8(std::string& out, char32_t c);
// Invalid sequences become U+FFFD, one a byte.
std::string valid_utf8(std::string_view bytes);

}  // namespace rvf::unicode
