#include "text/ranker.hpp"

#include <gtest/gtest.h>

#include <map>

#include "embed/text_embedder.hpp"

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

}  // namespace
}  // namespace rvf::text
