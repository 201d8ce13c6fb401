#include <gtest/gtest.h>

#include <algorithm>

#include "text/highlight.hpp"
#include "text/passages.hpp"
#include "unicode/utf8.hpp"

namespace rvf::text {
namespace {

std::string words(size_t n, const std::string& word = "word") {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += word + (i % 10 == 9 ? "\n" : " ");
  return out + "\n";
}

Document split(const std::string& content) {
  auto d = split_text("dir/file.md", content);
  EXPECT_TRUE(d.ok());
  return *d;
}

// Every passage must be found in the content where it says it is.
void check(const Document& d, const std::string& content) {
  uint64_t end = 0;
  for (const Passage& p : d.passages) {
    ASSERT_LE(p.offset + p.length, content.size());
    EXPECT_GE(p.offset, end) << "passages overlap";
    end = p.offset + p.length;
    EXPECT_EQ(p.text, unicode::valid_utf8(std::string_view(content).substr(p.offset, p.length)));
    const auto lines_before =
        std::count(content.begin(), content.begin() + static_cast<long>(p.offset), '\n');
    EXPECT_EQ(p.first_line, lines_before + 1);
    EXPECT_EQ(p.last_line, p.first_line + std::count(p.text.begin(), p.text.end(), '\n'));
  }
}

TEST(Passages, FollowMarkdownHeadings) {
  const std::string content = "# Title\n\nintro text here\n\n## Use\n\n" + words(100) + "\n" +
                              words(100) + "\n### Deep\nshort tail\n## Other ##\nend\n";
  const Document d = split(content);
  check(d, content);
  EXPECT_EQ(d.title, "Title");
  ASSERT_EQ(d.passages.size(), 4u);
  EXPECT_EQ(d.passages[0].heading, "Title");
  EXPECT_EQ(d.passages[1].heading, "Title > Use");
  EXPECT_EQ(d.passages[2].heading, "Title > Use > Deep");
  EXPECT_EQ(d.passages[3].heading, "Title > Other");
  EXPECT_EQ(d.passages[3].text, "## Other ##\nend");
}

TEST(Passages, CodeBlocksHoldNoHeadings) {
  const std::string content = "# A\n```\n# not one\n\n# nor this\n```\ntext\n\n# B\nmore\n";
  const Document d = split(content);
  check(d, content);
  ASSERT_EQ(d.passages.size(), 2u);
  EXPECT_EQ(d.passages[0].heading, "A");
  EXPECT_EQ(d.passages[1].heading, "B");
}

TEST(Passages, KnowUnderlinedAndManualHeadings) {
  const Document rst = split("Guide\n=====\n\nhello there\n\nPart\n----\n\nmore text\n");
  ASSERT_EQ(rst.passages.size(), 2u);
  EXPECT_EQ(rst.passages[1].heading, "Guide > Part");
  const Document man = split("NAME\n       ls - list\n\nSEE ALSO\n       dir(1)\n");
  ASSERT_EQ(man.passages.size(), 2u);
  EXPECT_EQ(man.passages[1].heading, "SEE ALSO");
}

TEST(Passages, HaveAboutTheSizeAskedFor) {
  std::string content;
  for (int i = 0; i < 40; ++i) content += words(37) + "\n";
  content += words(1000);
  const Document d = split(content);
  check(d, content);
  for (const Passage& p : d.passages) {
    const auto n = std::count_if(p.text.begin(), p.text.end(), [](char c) { return c == 'w'; });
    EXPECT_LE(n, 220);
    EXPECT_GE(n, 40);
  }
}

TEST(Passages, CutOneVeryLongLine) {
  std::string content;
  for (int i = 0; i < 3000; ++i) content += i % 12 == 11 ? "end. " : "word ";
  const Document d = split(content);
  check(d, content);
  EXPECT_GT(d.passages.size(), 10u);
  const std::string blob(200000, 'x');
  const Document b = split(blob);
  check(b, blob);
  EXPECT_GT(b.passages.size(), 10u);
}

TEST(Passages, AnyBytesGiveValidPassages) {
  std::string content;
  uint32_t x = 1;
  for (int i = 0; i < 20000; ++i) {
    x = x * 1664525u + 1013904223u;
    constexpr std::string_view kAlphabet = "ab #=-\n\n`\xC3\xA9\xFF .\tZ";
    content += kAlphabet[(x >> 24) % kAlphabet.size()];
  }
  const Document d = split(content);
  check(d, content);
  EXPECT_FALSE(d.passages.empty());
  EXPECT_TRUE(split("").passages.empty());
  EXPECT_TRUE(split("\n\n \n").passages.empty());
  EXPECT_EQ(split("").title, "file.md");
}

TEST(Highlight, MarksEveryFormOfTheQuerysWords) {
  const meta::Tokenizer tokenizer;
  const auto query = meta::query_terms(tokenizer, "running a search");
  EXPECT_EQ(highlight(tokenizer, "Run it:\n  searches\trun.", query),
            "**Run** it: **searches** **run**.");
  HighlightOptions ansi;
  ansi.before = "\x1b[1m";
  ansi.after = "\x1b[0m";
  EXPECT_EQ(highlight(tokenizer, "a search", query, ansi), "a \x1b[1msearch\x1b[0m");
  EXPECT_EQ(find_marks(tokenizer, "re-run", query), (std::vector<Mark>{{3, 6}}));
}

TEST(Highlight, ShowsTheWindowWithTheMostMatches) {
  const meta::Tokenizer tokenizer;
  const auto query = meta::query_terms(tokenizer, "alpha beta");
  const std::string text =
      "alpha " + words(100, "filler") + " alpha near beta " + words(100, "filler");
  const std::string shown = highlight(tokenizer, text, query, {.width = 100});
  EXPECT_NE(shown.find("**alpha** near **beta**"), std::string::npos) << shown;
  EXPECT_LT(shown.size(), 200u);
  EXPECT_TRUE(shown.starts_with("... "));
  EXPECT_TRUE(shown.ends_with(" ..."));
}

TEST(Highlight, AStrangersTextCannotSteerTheTerminal) {
  const meta::Tokenizer tokenizer;
  EXPECT_EQ(highlight(tokenizer,
                      "a\x1b[31mred\x07 \xC2\x9B"
                      "2J caf\xC3\xA9",
                      {}),
            "a\\x1b[31mred\\x07 \\u009b2J caf\xC3\xA9");
}

TEST(Highlight, NeighboursAreMarkedAsOne) {
  const meta::Tokenizer tokenizer;
  EXPECT_EQ(highlight(tokenizer, "ฉันมีแมวดำ", meta::query_terms(tokenizer, "แมว")), "ฉันมี**แมว**ดำ");
  EXPECT_EQ(highlight(tokenizer, "私は黒猫が", meta::query_terms(tokenizer, "黒猫")),
            "私は**黒猫**が");
  EXPECT_EQ(highlight(tokenizer, "Cafe\u0301!", meta::query_terms(tokenizer, "cafe")),
            "**Cafe\u0301**!");
}

}  // namespace
}  // namespace rvf::text
