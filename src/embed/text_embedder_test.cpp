#include "embed/text_embedder.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rvf::embed {
namespace {

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

TextEmbedder taught() {
  auto e = *TextEmbedder::create();
  for (const char* text : {"the wing of an aeroplane", "boundary layers on a flat plate",
                           "heat transfer to a wing", "information retrieval by computer"}) {
    e.learn(text);
  }
  return e;
}

TEST(TextEmbedder, VectorsHaveUnitLength) {
  const auto e = taught();
  const auto v = e.embed("supersonic boundary layer");
  EXPECT_EQ(v.size(), 384u);
  EXPECT_NEAR(dot(v, v), 1, 1e-6);
  const auto zero = e.embed(" ... ");
  EXPECT_EQ(dot(zero, zero), 0);
}

TEST(TextEmbedder, RelatedTextsAreNearerThanOthers) {
  const auto e = taught();
  const auto query = e.embed("retrieving informations with computers");
  EXPECT_GT(dot(query, e.embed("information retrieval by computer")), 0.5);
  EXPECT_LT(dot(query, e.embed("heat transfer to a wing")), 0.3);
  // A misspelling still meets its word.
  EXPECT_GT(dot(e.embed("retreival"), e.embed("retrieval")),
            dot(e.embed("retreival"), e.embed("aeroplane")) + 0.1);
}

TEST(TextEmbedder, TheTableReadsBackTheSame) {
  const auto e = taught();
  const wire::Bytes bytes = e.encode();
  auto back = TextEmbedder::decode(bytes);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->embed("a flat wing"), e.embed("a flat wing"));
  EXPECT_EQ(back->encode(), bytes);
  EXPECT_EQ(back->documents(), 4u);
}

TEST(TextEmbedder, RefusesDamagedTables) {
  const wire::Bytes bytes = taught().encode();
  for (size_t n = 0; n < bytes.size(); n += n < 64 ? 1 : 4099) {
    EXPECT_FALSE(TextEmbedder::decode(wire::ByteSpan(bytes).first(n)).ok());
  }
  wire::Bytes more = bytes;
  more.push_back(std::byte{0});
  EXPECT_FALSE(TextEmbedder::decode(more).ok());
  EXPECT_FALSE(TextEmbedder::create({.dimension = 7}).ok());
  EXPECT_FALSE(TextEmbedder::create({.dimension = 70000}).ok());
}

TEST(TextEmbedder, TheSameTextGivesTheSameBitsForEver) {
  const auto v = taught().embed("heat transfer to a flat plate");
  uint64_t h = 0xCBF29CE484222325ULL;
  for (const float f : v) {
    uint32_t bits = 0;
    std::memcpy(&bits, &f, 4);
    h = (h ^ bits) * 0x100000001B3ULL;
  }
  EXPECT_EQ(h, 11774454477496988943u)
      << "a change of this value makes every stored text vector useless";
}

TEST(PortableLog, IsALogarithm) {
  for (const uint64_t n : {1ULL, 2ULL, 3ULL, 10ULL, 1000003ULL, 1ULL << 40}) {
    for (const uint64_t d : {1ULL, 7ULL, 999983ULL}) {
      const double want = std::log(static_cast<double>(n) / static_cast<double>(d));
      EXPECT_NEAR(portable_log_ratio(n, d), want, 1e-11) << n << "/" << d;
    }
  }
}

}  // namespace
}  // namespace rvf::embed
