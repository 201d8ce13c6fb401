#include "meta/bm25.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "meta/stemmer.hpp"

namespace rvf::meta {
namespace {

using Terms = std::vector<std::string>;

Terms terms_of(std::string_view text, TokenizerOptions options = {.stem = false}) {
  Terms out;
  for (const Token& t : Tokenizer(options).tokenize(text)) out.push_back(t.term);
  return out;
}

std::string stem(std::string word) {
  stem_english(word);
  return word;
}

TEST(Stemmer, GivesPortersStems) {
  const std::pair<const char*, const char*> kPairs[] = {{"caresses", "caress"},
                                                        {"ponies", "poni"},
                                                        {"cats", "cat"},
                                                        {"feed", "feed"},
                                                        {"agreed", "agre"},
                                                        {"plastered", "plaster"},
                                                        {"bled", "bled"},
                                                        {"motoring", "motor"},
                                                        {"sing", "sing"},
                                                        {"conflated", "conflat"},
                                                        {"troubled", "troubl"},
                                                        {"sized", "size"},
                                                        {"hopping", "hop"},
                                                        {"tanned", "tan"},
                                                        {"falling", "fall"},
                                                        {"hissing", "hiss"},
                                                        {"fizzed", "fizz"},
                                                        {"failing", "fail"},
                                                        {"filing", "file"},
                                                        {"happy", "happi"},
                                                        {"sky", "sky"},
                                                        {"relational", "relat"},
                                                        {"conditional", "condit"},
                                                        {"rational", "ration"},
                                                        {"valenci", "valenc"},
                                                        {"digitizer", "digit"},
                                                        {"radicalli", "radic"},
                                                        {"analogousli", "analog"},
                                                        {"vietnamization", "vietnam"},
                                                        {"predication", "predic"},
                                                        {"operator", "oper"},
                                                        {"feudalism", "feudal"},
                                                        {"decisiveness", "decis"},
                                                        {"hopefulness", "hope"},
                                                        {"callousness", "callous"},
                                                        {"sensitiviti", "sensit"},
                                                        {"sensibiliti", "sensibl"},
                                                        {"triplicate", "triplic"},
                                                        {"formative", "form"},
                                                        {"formalize", "formal"},
                                                        {"electrical", "electr"},
                                                        {"hopeful", "hope"},
                                                        {"goodness", "good"},
                                                        {"revival", "reviv"},
                                                        {"allowance", "allow"},
                                                        {"inference", "infer"},
                                                        {"airliner", "airlin"},
                                                        {"adjustable", "adjust"},
                                                        {"irritant", "irrit"},
                                                        {"replacement", "replac"},
                                                        {"adjustment", "adjust"},
                                                        {"dependent", "depend"},
                                                        {"adoption", "adopt"},
                                                        {"communism", "commun"},
                                                        {"activate", "activ"},
                                                        {"homologous", "homolog"},
                                                        {"effective", "effect"},
                                                        {"probate", "probat"},
                                                        {"rate", "rate"},
                                                        {"cease", "ceas"},
                                                        {"controll", "control"},
                                                        {"roll", "roll"},
                                                        {"is", "is"},
                                                        {"be", "be"},
                                                        {"generalizations", "gener"},
                                                        {"oscillators", "oscil"}};
  for (const auto& [word, want] : kPairs) EXPECT_EQ(stem(word), want) << word;
}

TEST(Tokenizer, SplitsAndFoldsWords) {
  EXPECT_EQ(terms_of("Foo_bar, don't x86-64!"), (Terms{"foo", "bar", "don", "t", "x86", "64"}));
  EXPECT_EQ(terms_of("Caf\u00e9 STRA\u00dfE \u0152uvre \u0141\u00f3d\u017a"),
            (Terms{"cafe", "strasse", "oeuvre", "lodz"}));
  EXPECT_EQ(terms_of("cafe\u0301"), (Terms{"cafe"}));
  EXPECT_EQ(terms_of("\u041c\u041e\u0421\u041a\u0412\u0410"),
            (Terms{"\u043c\u043e\u0441\u043a\u0432\u0430"}));
  EXPECT_EQ(terms_of("\u5411\u91cf db"), (Terms{"\u5411", "\u91cf", "db"}));
  EXPECT_EQ(terms_of("version 12.2.0"), (Terms{"version", "12", "2", "0"}));
  EXPECT_EQ(terms_of("getFileName"), (Terms{"getfilename", "get", "file", "name"}));
  EXPECT_EQ(terms_of("\u201cquoted\u201d\u2026"), (Terms{"quoted"}));
  EXPECT_EQ(terms_of(""), Terms{});
}

TEST(Tokenizer, GivesTheBytesOfEachToken) {
  const std::string text =
      "The caf\u00e9s, fooBar\xff"
      "end";
  std::vector<std::string> words;
  for (const Token& t : Tokenizer({.stem = true}).tokenize(text)) {
    words.push_back(text.substr(t.begin, t.end - t.begin));
  }
  EXPECT_EQ(words, (Terms{"The", "caf\u00e9s", "fooBar", "foo", "Bar", "end"}));
}

TEST(Tokenizer, StopWordsAreMarkedOrDropped) {
  EXPECT_EQ(terms_of("the cat is here", {.stem = true, .drop_stop_words = true}), (Terms{"cat"}));
  EXPECT_TRUE(Tokenizer().tokenize("Having")[0].stop_word);
  EXPECT_FALSE(Tokenizer().tokenize("cat")[0].stop_word);
}

TEST(Tokenizer, AnyBytesGiveTokensInsideTheText) {
  std::string text;
  for (unsigned i = 0; i < 4096; ++i) text += static_cast<char>((i * 2654435761u) >> 13);
  for (const Token& t : Tokenizer().tokenize(text)) {
    ASSERT_LT(t.begin, t.end);
    ASSERT_LE(t.end, text.size());
    ASSERT_FALSE(t.term.empty());
    ASSERT_LE(t.term.size(), 64u);
  }
}

TEST(QueryTerms, LeaveOutStopWordsUnlessThereIsNothingElse) {
  auto names = [](std::string_view q) {
    Terms out;
    for (const WeightedTerm& t : query_terms(Tokenizer(), q)) {
      out.push_back(t.term + ":" + std::to_string(static_cast<int>(t.weight)));
    }
    return out;
  };
  EXPECT_EQ(names("what is the law of laws"), (Terms{"law:2"}));
  EXPECT_EQ(names("to be or not to be"), (Terms{"to:2", "be:2", "or:1", "not:1"}));
}

wire::Bytes build(const std::vector<std::pair<uint64_t, std::string>>& docs,
                  bool stem_terms = true) {
  InvertedIndexBuilder builder(1, {.stem = stem_terms});
  for (const auto& [id, text] : docs) builder.add(id, text);
  auto bytes = builder.finish();
  EXPECT_TRUE(bytes.ok());
  return *bytes;
}

std::vector<wire::InvertedView> views(const std::vector<wire::Bytes>& all) {
  std::vector<wire::InvertedView> out;
  for (const wire::Bytes& b : all) out.push_back(*wire::InvertedView::open(b));
  return out;
}

TEST(Bm25, GivesTheScoresOfTheFormula) {
  const std::vector<wire::Bytes> bytes = {
      build({{0, "red fox"}, {1, "red red hen"}, {2, "blue jay sings"}}, false)};
  const auto segments = views(bytes);
  const Bm25 bm25(segments);
  const std::vector<WeightedTerm> red = {{"red", 1}}, red_hen = {{"red", 1}, {"hen", 1}};
  auto a = bm25.search(red, 10);
  ASSERT_TRUE(a.ok());
  ASSERT_EQ(a->size(), 2u);
  EXPECT_EQ((*a)[0].id, 1u);
  EXPECT_NEAR((*a)[0].score, .624306707526, 1e-11);
  EXPECT_NEAR((*a)[1].score, .523548346502, 1e-11);
  auto b = bm25.search(red_hen, 1);
  ASSERT_EQ(b->size(), 1u);
  EXPECT_NEAR((*b)[0].score, 1.557419942824, 1e-11);
}

TEST(Bm25, SeveralSegmentsScoreAsOne) {
  const std::vector<wire::Bytes> one = {
      build({{9, "red fox runs"}, {1, "red red hen"}, {5, "blue jays sing"}, {3, "foxes"}})};
  const std::vector<wire::Bytes> two = {build({{9, "red fox runs"}, {5, "blue jays sing"}}),
                                        build({{3, "foxes"}, {1, "red red hen"}})};
  const auto a = views(one), b = views(two);
  const auto query = query_terms(Tokenizer(), "the red fox sings");
  EXPECT_EQ(*Bm25(a).search(query, 10), *Bm25(b).search(query, 10));
}

TEST(Bm25, TheDeadAreNotFound) {
  const std::vector<wire::Bytes> bytes = {build({{1, "old red text"}, {2, "red"}}),
                                          build({{1, "new blue text"}})};
  const auto segments = views(bytes);
  const Alive alive = [](size_t segment, uint64_t id) { return id != 1 || segment == 1; };
  const auto red = Bm25(segments, {}, alive).search(query_terms(Tokenizer(), "red"), 10);
  ASSERT_EQ(red->size(), 1u);
  EXPECT_EQ((*red)[0].id, 2u);
  const auto text = Bm25(segments, {}, alive).search(query_terms(Tokenizer(), "text"), 10);
  ASSERT_EQ(text->size(), 1u);
  EXPECT_EQ((*text)[0].id, 1u);
}

TEST(Bm25, AMergeEqualsBuildingAfresh) {
  const std::vector<wire::Bytes> parts = {
      build({{1, "old red text"}, {2, "red hens"}, {7, "gone"}}),
      build({{1, "new blue text"}, {0, "zebra"}})};
  const auto segments = views(parts);
  const Alive alive = [](size_t s, uint64_t id) { return id != 7 && (id != 1 || s == 1); };
  auto merged = merge_inverted(segments, alive);
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  EXPECT_EQ(*merged, build({{0, "zebra"}, {1, "new blue text"}, {2, "red hens"}}));
  EXPECT_EQ(merge_inverted(segments).error().code, ErrorCode::kDuplicateId);
}

TEST(Bm25, RefusesTheSameIdTwice) {
  InvertedIndexBuilder builder(0);
  builder.add(4, "a");
  builder.add(4, "b");
  EXPECT_EQ(builder.finish().error().code, ErrorCode::kDuplicateId);
}

}  // namespace
}  // namespace rvf::meta
