#include "wire/hot_codec.hpp"

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

Hot random_hot(std::mt19937_64& rng, DType dtype, uint16_t dimension, size_t entries) {
  Hot hot{.dimension = dimension, .dtype = dtype, .max_neighbors = 16, .entries = {}};
  for (size_t i = 0; i < entries; ++i) {
    HotEntry e{
        .id = rng(), .vector = random_bytes(rng, vector_bytes(dtype, dimension)), .neighbors = {}};
    for (uint64_t n = rng() % 17; n > 0; --n) e.neighbors.push_back(rng());
    hot.entries.push_back(std::move(e));
  }
  return hot;
}

TEST(HotCodec, RoundTripsEveryDType) {
  std::mt19937_64 rng(kTestSeed);
  for (uint8_t dtype = 0; dtype <= static_cast<uint8_t>(DType::kBinary); ++dtype) {
    for (const uint16_t dimension : std::initializer_list<uint16_t>{1, 7, 128, 385}) {
      const Hot hot = random_hot(rng, static_cast<DType>(dtype), dimension, rng() % 10);
      const Bytes bytes = encode_hot(hot);
      EXPECT_EQ(bytes.size() % 64, 0U);
      const auto back = decode_hot(bytes);
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_EQ(*back, hot);
    }
  }
}

TEST(HotCodec, EntrySizeIsTheDocumentedOne) {
  Hot hot{.dimension = 384, .dtype = DType::kF16, .max_neighbors = 16, .entries = {}};
  hot.entries.push_back({.id = 1, .vector = Bytes(768), .neighbors = std::vector<uint64_t>(16, 2)});
  EXPECT_EQ(encode_hot(hot).size(), 64U + 960U);
}

TEST(HotCodec, EveryTruncationIsAnError) {
  std::mt19937_64 rng(kTestSeed);
  expect_truncations_fail(encode_hot(random_hot(rng, DType::kI8, 20, 4)), decode_hot);
}

TEST(HotCodec, BitFlipsNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  flip_bits(encode_hot(random_hot(rng, DType::kF32, 12, 6)), decode_hot);
}

TEST(HotCodec, TooManyNeighboursAreCorrupt) {
  Hot hot{.dimension = 1, .dtype = DType::kI8, .max_neighbors = 1, .entries = {}};
  hot.entries.push_back({.id = 1, .vector = Bytes(1), .neighbors = {2, 3}});
  EXPECT_EQ(decode_hot(encode_hot(hot)).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace rvf::wire
