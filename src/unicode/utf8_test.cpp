#include "unicode/utf8.hpp"

#include <gtest/gtest.h>

#include "unicode/visible.hpp"

namespace rvf::unicode {
namespace {

std::string visible(std::string_view text, std::string_view keep = {}) {
  std::string out;
  append_visible(out, text, keep);
  return out;
}

TEST(Utf8, WhatIsNoneBecomesOneReplacementAByte) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(valid_utf8("a\xFF"
                       "b"),
            "a" + r + "b");
  EXPECT_EQ(valid_utf8("\xC3"), r);                                 // cut
  EXPECT_EQ(valid_utf8("\xE2\x82"), r + r);                         // cut
  EXPECT_EQ(valid_utf8("\xC0\x80"), r + r);                         // too long
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), r + r + r);                 // a surrogate
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), r + r + r + r);         // above 10FFFF
  EXPECT_EQ(valid_utf8("\xF0\x9F\x98\x80 é"), "\xF0\x9F\x98\x80 é");  // stays
}

TEST(Visible, ControlsAreShownAsWhatTheyAre) {
  EXPECT_EQ(visible("plain é 中"), "plain é 中");
  EXPECT_EQ(visible("\x1b[31m\x07\x7f"), "\\x1b[31m\\x07\\x7f");
  EXPECT_EQ(visible("\u009b31m"), "\\u009b31m");      // CSI in one character
  EXPECT_EQ(visible("\x9b"), "\\x9b");                // and as a byte that is no UTF-8
  EXPECT_EQ(visible("a\u202eb\u2066c\u2029"), "a\\u202eb\\u2066c\\u2029");
  EXPECT_EQ(visible("a\nb\tc\r"), "a\\nb\\tc\\r");
  EXPECT_EQ(visible("a\nb\r", "\n"), "a\nb\\r");
  EXPECT_EQ(visible(std::string("a\0b", 3)), "a\\x00b");
}

}  // namespace
}  // namespace rvf::unicode
