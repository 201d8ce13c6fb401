#include "meta/tokenizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "meta/bm25.hpp"
#include "meta/part.hpp"
#include "meta/text_predicate.hpp"

namespace rvf::meta {
namespace {

std::vector<std::string> terms_of(std::string_view text) {
  std::vector<std::string> out;
  for (const Token& t : Tokenizer({.stem = false}).tokenize(text)) out.push_back(t.term);
  return out;
}

bool finds(std::string_view text, const std::string& words) {
  Filter f;
  f.op = FilterOp::kMatch;
  f.values = {words};
  return TextPredicate(f)(text);
}

TEST(Tokenizer, SpellingsOfOneWordAreOneTerm) {
  const std::pair<const char*, const char*> kTable[] = {
      {"Straße", "STRASSE"},
      {"đại học", "ĐẠI HỌC"},
      {"Hà Nội", "ha noi"},
      {"λόγος", "ΛΟΓΟΣ"},
      {"ԵՐԵՒԱՆ", "Երևան"},
      {"İstanbul", "istanbul"},
      {"ISPARTA", "ısparta"},
      {"ёлка", "ЕЛКА"},
      {"Київ", "КИЇВ"},
      {"Київ", "Киі\u0308в"},      // composed and not
      {"cafe\u0301", "CAFÉ"},
      {"ệ", "e\u0302\u0323"},      // marks in another order
      {"\u0915\u093C\u093E", "\u0958\u093E"},
      {"e\u0323\u0302", "ẹ\u0302"},
      {"ﾊﾟﾝ", "パン"},
      {"ハ\u309Aン", "パン"},
      {"한국어", "\u1112\u1161\u11AB\u1100\u116E\u11A8\u110B\u1165"},
      {"ｆｕｌｌ　ｗｉｄｔｈ", "full width"},
      {"مُحَمَّد", "محمد"},
      {"שָׁלוֹם", "שלום"},
      {"٢٠٢٤", "2024"},
      {"Donau\u00ADdampf", "donaudampf"},
      {"می\u200Cخواهم", "میخواهم"},
      {"ﬁnal", "FINAL"},
      {"น้ำ", "น\u0E49\u0E4D\u0E32"},
  };
  for (const auto& [a, b] : kTable) EXPECT_EQ(terms_of(a), terms_of(b)) << a << " / " << b;
}

TEST(Tokenizer, LettersThatDifferStayApart) {
  const std::pair<const char*, const char*> kTable[] = {{"мой", "мои"},  {"か", "が"}, {"は", "ぱ"},
                                                        {"कमल", "कमाल"}, {"ক", "খ"},   {"қ", "к"}};
  for (const auto& [a, b] : kTable) EXPECT_NE(terms_of(a), terms_of(b)) << a << " / " << b;
}

TEST(Tokenizer, AWordInsideASentenceWithoutBlanksIsFound) {
  EXPECT_TRUE(finds("ฉันมีแมวดำสองตัว", "แมว"));
  EXPECT_TRUE(finds("ฉันมีแมวดำสองตัว", "แมวดำ"));
  EXPECT_FALSE(finds("ฉันมีแมวดำสองตัว", "มด"));
  EXPECT_TRUE(finds("ຂ້ອຍມີແມວດຳ", "ແມວ"));
  EXPECT_TRUE(finds("ខ្ញុំមានឆ្មាខ្មៅ", "ឆ្មា"));
  EXPECT_TRUE(finds("ကျွန်တော့်မှာကြောင်နက်ရှိတယ်", "ကြောင်"));
  EXPECT_TRUE(finds("私は黒猫が好きです", "黒猫"));
  EXPECT_TRUE(finds("ปี ๒๕๖๗", "2567"));
}

TEST(Tokenizer, TokensNameTheBytesTheyCameFrom) {
  const std::string text = "x Cafe\u0301, 한국 ฉันมี fooBar";
  std::vector<std::string> bytes;
  for (const Token& t : Tokenizer({.stem = false}).tokenize(text)) {
    bytes.push_back(text.substr(t.begin, t.end - t.begin));
  }
  EXPECT_EQ(bytes, (std::vector<std::string>{"x", "Cafe\u0301", "한", "국", "ฉัน", "นมี", "fooBar",
                                             "foo", "Bar"}));
}

// Whatever the bytes, tokens lie in the text and their terms are folded.
TEST(Tokenizer, AnyTextGivesTermsThatAreTheirOwn) {
  const std::string pieces[] = {"a",      "É",  "e\u0301", "\u0308", "\u3099", "ก",      "ำ",
                                "\u0E49", "中", "한",      "\u11AB", "\xFF",   "\u093C", "\u093E",
                                " ",      "İ",  "½",       "й",      "B"};
  uint32_t seed = 7;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 9; ++i)
      text += pieces[((seed = seed * 1664525 + 1013904223) >> 8) % std::size(pieces)];
    for (const Token& t : Tokenizer({.stem = false}).tokenize(text)) {
      ASSERT_LE(t.begin, t.end) << text;
      ASSERT_LE(t.end, text.size()) << text;
      const auto again = terms_of(t.term);
      ASSERT_NE(std::find(again.begin(), again.end(), t.term), again.end()) << text;
    }
  }
}

TEST(Part, AnIndexOfAnotherFoldingIsLeftAside) {
  for (const uint32_t version : {0U, 1U, 2U}) {
    wire::InvertedEncoder encoder(3, kStemmedTerms | version << kFoldVersionShift, 9);
    ASSERT_TRUE(encoder.set_docs(std::vector<wire::InvertedDoc>{{0, 1}}).ok());
    ASSERT_TRUE(encoder.add_term("fox", std::vector<wire::InvertedPosting>{{0, 1}}).ok());
    const auto bytes = encoder.finish();
    ASSERT_TRUE(bytes.ok());
    Part part;
    ASSERT_TRUE(part.add_index(*bytes).ok());
    EXPECT_EQ(part.words(3) != nullptr, version == term_flags({}) >> kFoldVersionShift);
  }
}

}  // namespace
}  // namespace rvf::meta
