#include "unicode/fold.hpp"

#include <gtest/gtest.h>

#include <string>

#include "unicode/utf8.hpp"

namespace rvf::unicode {
namespace {

std::string folded(char32_t c) {
  std::string out;
  const Folded all = fold(c);
  for (const FoldedChar& f : all.chars()) append_utf8(out, f.c);
  return out;
}
CharKind kind(char32_t c) {
  const Folded all = fold(c);
  return all.chars().front().kind;
}

TEST(Fold, CaseAccentsAndFormsAreOne) {
  const struct {
    char32_t from;
    const char* to;
  } kTable[] = {
      {U'A', "a"},  {U'É', "e"},       {U'ß', "ss"},     {U'ẞ', "ss"}, {U'İ', "i"},
      {U'ı', "i"},  {U'Ł', "l"},       {U'đ', "d"},      {U'Ø', "o"},  {U'Æ', "ae"},
      {U'œ', "oe"}, {U'Þ', "th"},      {U'Ð', "d"},      {U'ệ', "e"},  {U'Ș', "s"},
      {U'ς', "σ"},  {U'Ά', "α"},       {U'ᾳ', "α"},      {U'Ё', "е"},  {U'Ґ', "ґ"},
      {U'Қ', "қ"},  {U'և', "եւ"},      {U'ﬁ', "fi"},     {U'Ａ', "a"}, {U'²', "2"},
      {U'٣', "3"},  {U'३', "3"},       {U'Ⅷ', "viii"},   {U'أ', "ا"},  {U'ｶ', "カ"},
      {U'½', "½"},  {U'\u2F00', "一"}, {U'\u0149', "n"}, {U'Ⓐ', "a"},  {U'\U00010400', "𐐨"},
  };
  for (const auto& [from, to] : kTable) {
    EXPECT_EQ(folded(from), to) << static_cast<uint32_t>(from);
  }
}

TEST(Fold, LettersThatMarksMakeStayLetters) {
  EXPECT_EQ(folded(U'й'), "и\u0306");
  EXPECT_EQ(folded(U'Ї'), "і\u0308");
  EXPECT_EQ(folded(U'が'), "か\u3099");
  EXPECT_EQ(folded(U'\u0958'), "\u0915\u093C");
  EXPECT_EQ(folded(U'한'), "\u1112\u1161\u11AB");
  EXPECT_TRUE(stays_behind(U'\u0306', U'и'));
  EXPECT_FALSE(stays_behind(U'\u0308', U'е'));
  EXPECT_FALSE(stays_behind(U'\u0306', U'a'));
}

TEST(Fold, KindsSayWhatMakesATerm) {
  EXPECT_EQ(kind(U'a'), CharKind::kLetter);
  EXPECT_EQ(kind(U'中'), CharKind::kAlone);
  EXPECT_EQ(kind(U'ก'), CharKind::kPaired);
  EXPECT_EQ(kind(U'\u0301'), CharKind::kIgnored);
  EXPECT_EQ(kind(U'\u00AD'), CharKind::kIgnored);  // soft hyphen
  EXPECT_EQ(kind(U'\u200D'), CharKind::kIgnored);
  EXPECT_EQ(kind(U'\u093E'), CharKind::kMark);  // a vowel sign
  EXPECT_EQ(kind(U'\u3099'), CharKind::kMark);
  for (const char32_t c : {U' ', U'_', U'™', U'’', U'\u200B', U'\uFFFD', U'\uE000', U'\u02BC'}) {
    EXPECT_EQ(kind(c), CharKind::kSeparator) << static_cast<uint32_t>(c);
  }
}

// So a term is not changed by being folded once more.
TEST(Fold, WhatIsFoldedIsFoldedToItself) {
  for (char32_t c = 0; c <= 0x110000; ++c) {
    const Folded all = fold(c);
    for (const FoldedChar& f : all.chars()) {
      const Folded again = fold(f.c);
      ASSERT_EQ(again.chars().size(), 1U) << static_cast<uint32_t>(c);
      ASSERT_EQ(again.chars()[0].c, f.c) << static_cast<uint32_t>(c);
      ASSERT_EQ(again.chars()[0].kind, f.kind) << static_cast<uint32_t>(c);
    }
  }
}

}  // namespace
}  // namespace rvf::unicode
