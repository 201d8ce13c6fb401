#include "text/ranker.hpp"

#include <gtest/gtest.h>

#include <map>

#include "embed/text_embedder.hpp"
#include "text/passage_words.hpp"

namespace rvf::text {
namespace {

const std::map<uint64_t, std::string> kTexts = {
    {1, "The boundary layer on a flat plate in supersonic flow"},
    {2, "Heat transfer through the boundary layer of a wing"},
    {3, "Retrieval of documents by computers"},
    {4, "Indexing documents for retrieval with inverted files"},
    {5, "Growth of cells in culture"},
};

struct Sample {
  std::vector<wire::Bytes> bytes;
  std::vector<wire::InvertedView> views;
  std::map<uint64_t, std::vector<float>> vectors;
  Collection collection;
  embed::TextEmbedder embedder = *embed::TextEmbedder::create();

  Sample() {
    for (const auto& [id, text] : kTexts) {
      meta::InvertedIndexBuilder builder(1);
      builder.add(id, text);
      bytes.push_back(*builder.finish());
      embedder.learn(text);
    }
    for (const auto& [id, text] : kTexts) vectors[id] = embedder.embed(text);
    for (const auto& b : bytes) views.push_back(*wire::InvertedView::open(b));
    collection.body = views;
    collection.text_of = [](uint64_t id) -> Result<std::string> { return kTexts.at(id); };
    collection.vector_of = [this](uint64_t id) -> Result<std::vector<float>> {
      return vectors[id];
    };
    collection.nearest = [this](std::span<const float> q, size_t n) -> Result<std::vector<Hit>> {
      std::vector<Hit> hits;
      for (const auto& [id, v] : vectors) {
        double sum = 0;
        for (size_t d = 0; d < v.size(); ++d) sum += static_cast<double>(q[d] * v[d]);
        hits.push_back({id, sum});
      }
      meta::order_by_score(hits, n);
      return hits;
    };
  }
  Sample(const Sample&) = delete;
};

TEST(Ranker, PutsThePassagesThatAnswerFirst) {
  Sample s;
  const std::string query = "how are documents retrieved by a computer?";
  auto hits = rank(s.collection, query, s.embedder.embed(query), 2);
  ASSERT_TRUE(hits.ok()) << hits.error().message;
  ASSERT_EQ(hits->size(), 2u);
  EXPECT_EQ((*hits)[0].id, 3u);
  EXPECT_EQ((*hits)[1].id, 4u);
}

TEST(Ranker, WordsAloneAreEnough) {
  Sample s;
  s.collection.nearest = {};
  s.collection.vector_of = {};
  s.collection.text_of = {};
  auto hits = rank(s.collection, "boundary layers", {}, 10);
  ASSERT_TRUE(hits.ok());
  ASSERT_EQ(hits->size(), 2u);
  EXPECT_EQ((*rank(s.collection, "zebra", {}, 10)).size(), 0u);
  EXPECT_EQ((*rank(s.collection, "", {}, 10)).size(), 0u);
}

TEST(Ranker, VectorsFindWhatWordsMiss) {
  Sample s;
  const std::string query = "retreival";  // misspelt: no term of the index
  auto hits = rank(s.collection, query, s.embedder.embed(query), 1);
  ASSERT_TRUE(hits.ok());
  ASSERT_EQ(hits->size(), 1u);
  EXPECT_TRUE((*hits)[0].id == 3 || (*hits)[0].id == 4);
}

TEST(Ranker, TheSameQuestionGivesTheSameAnswer) {
  Sample s;
  const std::string query = "boundary documents cells";
  const auto v = s.embedder.embed(query);
  EXPECT_EQ(*rank(s.collection, query, v, 5), *rank(s.collection, query, v, 5));
}

TEST(Ranker, HandsOnTheErrorsOfItsCallbacks) {
  Sample s;
  s.collection.text_of = [](uint64_t) -> Result<std::string> {
    return Error(ErrorCode::kIo, "disk on fire");
  };
  EXPECT_EQ(rank(s.collection, "boundary", {}, 5).error().code, ErrorCode::kIo);
  EXPECT_EQ(rank(s.collection, "boundary", {}, 0).error().code, ErrorCode::kBadArgument);
}

// An index over "heading\ntext", and two indexes, one of which lacks what has no heading.
TEST(PassageWords, OfTwoIndexesRankLikeOneOverBothTexts) {
  const std::vector<std::pair<std::string, std::string>> passages = {
      {"Flow", "The boundary layer on a flat plate in supersonic flow"},
      {"", "Heat transfer through the boundary layer of a wing"},
      {"Retrieval > Heat", "Retrieval of documents by computers"},
      {"", "Indexing documents for retrieval"},
      {"Cells", "Growth in culture"},
      {"Flow", "Culture of cells in a flow of heat"},
      {"Cells", "Nothing else"},
  };
  std::vector<wire::Bytes> bytes;
  std::vector<wire::InvertedView> both, texts, headings;
  const auto finish = [&](meta::InvertedIndexBuilder& b, std::vector<wire::InvertedView>& out) {
    if (b.size() == 0) return;
    bytes.push_back(*b.finish());
    out.push_back(*wire::InvertedView::open(bytes.back()));
  };
  bytes.reserve(20);
  for (size_t first : {size_t{0}, size_t{3}}) {
    meta::InvertedIndexBuilder b(1), t(1), h(2);
    for (size_t i = first; i < (first == 0 ? 3 : passages.size()); ++i) {
      b.add(i + 100, passages[i].first + "\n" + passages[i].second);
      t.add(i + 100, passages[i].second);
      if (!passages[i].first.empty()) h.add(i + 100, passages[i].first);
    }
    finish(b, both);
    finish(t, texts);
    finish(h, headings);
  }
  const auto alive = [](size_t, uint64_t id) { return id != 104; };
  const meta::Bm25 one(both, {}, alive);
  const PassageWords two(texts, headings, {}, alive);
  EXPECT_DOUBLE_EQ(two.average_length(), one.average_length());
  const meta::Tokenizer tokenizer;
  for (const char* query : {"heat", "cells", "flow of heat", "retrieval of documents", "absent",
                            "cells in culture and the boundary layer"}) {
    const auto terms = meta::query_terms(tokenizer, query);
    for (const auto& term : terms) EXPECT_DOUBLE_EQ(*two.idf(term.term), *one.idf(term.term));
    const auto a = *one.search(terms, 10);
    const auto b = *two.search(terms, 10);
    ASSERT_EQ(a.size(), b.size()) << query;
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].id, b[i].id) << query;
      EXPECT_DOUBLE_EQ(a[i].score, b[i].score) << query;
    }
  }
}

}  // namespace
}  // namespace rvf::text
