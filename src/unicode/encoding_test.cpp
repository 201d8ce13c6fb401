#include "unicode/encoding.hpp"

#include <gtest/gtest.h>

namespace rvf::unicode {
namespace {

std::string utf16(std::u16string_view text, bool big) {
  std::string out;
  for (const char16_t c : text) {
    const char low = static_cast<char>(c & 0xFF), high = static_cast<char>(c >> 8);
    out += big ? high : low;
    out += big ? low : high;
  }
  return out;
}

TEST(Encoding, Utf16IsReadInBothOrders) {
  const std::u16string text = u"Grüße, мир 中 \U0001F600\n";
  for (const bool big : {false, true}) {
    const std::string bytes = utf16(text, big);
    const Encoding e = big ? Encoding::kUtf16Be : Encoding::kUtf16Le;
    EXPECT_EQ(plausible_utf16(bytes), e);
    EXPECT_EQ(to_utf8(bytes, e), "Grüße, мир 中 \U0001F600\n");
  }
  EXPECT_EQ(to_utf8(std::string("\x00\xD8"
                                "a\x00"
                                "b",
                                5),
                    Encoding::kUtf16Le),
            "\uFFFDa\uFFFD");
}

TEST(Encoding, OtherBytesAreNoUtf16) {
  EXPECT_FALSE(plausible_utf16("plain text."));
  EXPECT_FALSE(plausible_utf16(std::string("\x01\x00\x02\x00", 4)));
  EXPECT_FALSE(
      plausible_utf16(std::string("\x7F"
                                  "ELF\x02\x01\x01\x00\x00\x00\x00\x00",
                                  12)));
  EXPECT_FALSE(plausible_utf16(std::string("a\0b", 3)));
  EXPECT_FALSE(plausible_utf16(std::string("ELF\0\1\2", 6)));
  EXPECT_FALSE(plausible_utf16(""));
}

TEST(Encoding, BytesThatAreNoUtf8AreReadAsWindows1252) {
  EXPECT_EQ(to_utf8("caf\xE9 \x80 \x93quoted\x94", Encoding::kUtf8), "café € “quoted”");
  EXPECT_EQ(to_utf8("café caf\xE9", Encoding::kUtf8), "café café");
  EXPECT_EQ(to_utf8("caf\xC3\xA9", Encoding::kWindows1252), "cafÃ©");
  EXPECT_EQ(to_utf8("\x81", Encoding::kUtf8), "\uFFFD");
}

TEST(Encoding, NamesAreThoseThatDocumentsDeclare) {
  EXPECT_EQ(encoding_of_name("UTF-8"), Encoding::kUtf8);
  EXPECT_EQ(encoding_of_name("ISO-8859-1"), Encoding::kWindows1252);
  EXPECT_EQ(encoding_of_name("Utf-16BE"), Encoding::kUtf16Be);
  EXPECT_FALSE(encoding_of_name("shift_jis"));
  EXPECT_FALSE(encoding_of_name(""));
  EXPECT_EQ(byte_order_mark("\xEF\xBB\xBFx")->bytes, 3U);
  EXPECT_EQ(byte_order_mark("\xFF\xFEx\x00")->encoding, Encoding::kUtf16Le);
  EXPECT_FALSE(byte_order_mark("\xFF"));
}

}  // namespace
}  // namespace rvf::unicode
