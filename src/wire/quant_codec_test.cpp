#include "wire/quant_codec.hpp"

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

std::vector<float> random_floats(std::mt19937_64& rng, size_t n) {
  std::vector<float> out(n);
  for (float& f : out) f = static_cast<float>(static_cast<int32_t>(rng())) / 1e6F;
  return out;
}

ProductQuant random_product(std::mt19937_64& rng, uint16_t dimension) {
  ProductQuant q{.subspaces = 0,
                 .centroids = static_cast<uint16_t>(1 + rng() % 16),
                 .sub_dimension = static_cast<uint16_t>(1 + rng() % dimension),
                 .codebook = {}};
  q.subspaces = static_cast<uint16_t>((dimension + q.sub_dimension - 1) / q.sub_dimension);
  q.codebook = random_floats(rng, size_t{q.subspaces} * q.centroids * q.sub_dimension);
  return q;
}

Quant random_quant(std::mt19937_64& rng, size_t kind, uint16_t dimension) {
  Quant quant{.tier = static_cast<uint8_t>(rng() % 3), .dimension = dimension, .model = {}};
  switch (kind) {
    case 0:
      quant.model = ScalarQuant{.bits = static_cast<uint8_t>(rng() % 2 == 0 ? 4 : 8),
                                .min = random_floats(rng, dimension),
                                .max = random_floats(rng, dimension)};
      break;
    case 1: quant.model = random_product(rng, dimension); break;
    case 2: quant.model = BinaryQuant{random_floats(rng, dimension)}; break;
    case 3:
      quant.model = ResidualQuant{random_floats(rng, dimension * (1 + rng() % 5)),
                                  random_product(rng, dimension)};
      break;
    default:
      quant.model = RaBitQ{.rounds = 3,
                           .bits = static_cast<uint8_t>(1 + rng() % 8),
                           .rotation = RotationKind::kNone,
                           .seed = rng(),
                           .padded_dimension = 1024,
                           .centroids = random_floats(rng, dimension * (1 + rng() % 3))};
  }
  return quant;
}

TEST(QuantCodec, RoundTripsEveryQuantiser) {
  std::mt19937_64 rng(kTestSeed);
  for (int round = 0; round < 200; ++round) {
    for (size_t kind = 0; kind < 5; ++kind) {
      const Quant quant = random_quant(rng, kind, static_cast<uint16_t>(1 + rng() % 100));
      const Bytes bytes = encode_quant(quant);
      EXPECT_EQ(static_cast<size_t>(bytes[0]), kind);
      EXPECT_EQ(bytes.size() % 64, 0U);
      const auto back = decode_quant(bytes);
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_EQ(*back, quant);
    }
  }
}

TEST(QuantCodec, EveryTruncationIsAnError) {
  std::mt19937_64 rng(kTestSeed);
  for (size_t kind = 0; kind < 5; ++kind) {
    expect_truncations_fail(encode_quant(random_quant(rng, kind, 13)), decode_quant);
  }
}

TEST(QuantCodec, BitFlipsNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  for (size_t kind = 0; kind < 5; ++kind)
    flip_bits(encode_quant(random_quant(rng, kind, 13)), decode_quant);
}

TEST(QuantCodec, AnUnknownQuantiserIsUnsupported) {
  std::mt19937_64 rng(kTestSeed);
  Bytes bytes = encode_quant(random_quant(rng, 0, 8));
  bytes[0] = std::byte{200};
  EXPECT_EQ(decode_quant(bytes).error().code, ErrorCode::kUnsupported);
}

TEST(QuantCodec, SubspacesMustCoverTheDimension) {
  std::mt19937_64 rng(kTestSeed);
  Quant quant = random_quant(rng, 1, 12);
  quant.model = ProductQuant{
      .subspaces = 2, .centroids = 2, .sub_dimension = 5, .codebook = std::vector<float>(20)};
  EXPECT_EQ(decode_quant(encode_quant(quant)).error().code, ErrorCode::kCorrupt);
}

TEST(QuantCodec, RaBitQIsPaddedAsItsRotationWants) {
  const auto decoded = [](RotationKind kind, uint32_t padded) {
    return decode_quant(encode_quant({.tier = 0,
                                      .dimension = 20,
                                      .model = RaBitQ{.rounds = 4,
                                                      .bits = 4,
                                                      .rotation = kind,
                                                      .seed = 1,
                                                      .padded_dimension = padded,
                                                      .centroids = std::vector<float>(20)}}));
  };
  EXPECT_TRUE(decoded(RotationKind::kAlternatingHadamard, 32));
  EXPECT_EQ(decoded(RotationKind::kAlternatingHadamard, 64).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(decoded(RotationKind::kAlternatingHadamard, 20).error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(decoded(RotationKind::kHadamardRounds, 64));
  EXPECT_EQ(decoded(RotationKind::kHadamardRounds, 48).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(decoded(RotationKind::kHadamardRounds, 16).error().code, ErrorCode::kCorrupt);
}

TEST(QuantCodec, RaBitQHeaderIsTheDocumentedOne) {
  const Quant quant{.tier = 2,
                    .dimension = 3,
                    .model = RaBitQ{.rounds = 3,
                                    .bits = 1,
                                    .rotation = RotationKind::kHadamardRounds,
                                    .seed = 0x0807060504030201,
                                    .padded_dimension = 4,
                                    .centroids = {1, 2, 3}}};
  const Bytes bytes = encode_quant(quant);
  const uint8_t expected[] = {4, 2, 3, 0, 1, 3, 0, 0, 1, 2, 3, 4, 5, 6,
                              7, 8, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
  ASSERT_EQ(bytes.size(), 128U);
  EXPECT_EQ(std::memcmp(bytes.data(), expected, sizeof(expected)), 0);
}

}  // namespace
}  // namespace rvf::wire
