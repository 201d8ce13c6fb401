// Characters that steer a terminal or turn the order of a line, and how they are shown instead.
// Pure functions; thread-safe.
#pragma once
#include <string>
#include <string_view>

namespace rvf::unicode {

// C0, DEL, C1, ends of lines and paragraphs, and what embeds, overrides or isolates a direction
// (Unicode Technical Report 36, "Bidirectional Text Spoofing").
bool is_control(char32_t c) noexcept;

// Appends valid UTF-8 without controls: those become \n, \t, \x1b or \u202e, a byte that is no
// UTF-8 \xff. A backslash stays one; what is shown is for people and not meant to be read back.
// Characters in `keep` stay as they are.
void append_visible(std::string& out, std::string_view text, std::string_view keep = {});

}  // namespace rvf::unicode
