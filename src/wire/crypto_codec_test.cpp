#include "wire/crypto_codec.hpp"

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

std::vector<KeyEntry> random_keys(std::mt19937_64& rng, size_t n) {
  std::vector<KeyEntry> keys;
  for (size_t i = 0; i < n; ++i) {
    keys.push_back({.type = static_cast<KeyType>(rng() % 40),
                    .usage = static_cast<uint8_t>(rng()),
                    .key_id = {static_cast<uint8_t>(i)},
                    .valid_from_ns = rng(),
                    .valid_until_ns = rng(),
                    .label = random_text(rng, 12),
                    .key = random_bytes(rng, rng() % 70)});
  }
  return keys;
}

TEST(CryptoCodec, KeysRoundTrip) {
  std::mt19937_64 rng(kTestSeed);
  for (size_t n = 0; n < 20; ++n) {
    const auto keys = random_keys(rng, n);
    const auto back = decode_crypto(encode_crypto(keys));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, keys);
  }
}

TEST(CryptoCodec, EveryTruncationIsAnError) {
  std::mt19937_64 rng(kTestSeed);
  expect_truncations_fail(encode_crypto(random_keys(rng, 5)), decode_crypto);
}

TEST(CryptoCodec, BitFlipsNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  flip_bits(encode_crypto(random_keys(rng, 5)), decode_crypto);
}

TEST(SignatureFooter, RoundTripsBeforePadding) {
  std::mt19937_64 rng(kTestSeed);
  for (const auto algo :
       {SignatureAlgo::kEd25519, SignatureAlgo::kMlDsa65, SignatureAlgo::kSlhDsa128s}) {
    const SignatureFooter footer{algo, random_bytes(rng, signature_size(algo))};
    Bytes bytes = encode_signature_footer(footer);
    EXPECT_EQ(bytes.size(), size_t{signature_size(algo)} + 8);
    for (size_t n = 0; n < bytes.size(); ++n)
      EXPECT_FALSE(decode_signature_footer(ByteSpan(bytes).first(n)));
    bytes.resize(bytes.size() + 40);
    const auto back = decode_signature_footer(bytes);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, footer);
  }
}

TEST(SignatureFooter, AWrongLengthIsABadSignature) {
  const SignatureFooter footer{SignatureAlgo::kEd25519, Bytes(63)};
  EXPECT_EQ(decode_signature_footer(encode_signature_footer(footer)).error().code,
            ErrorCode::kBadSignature);
  Bytes unknown = encode_signature_footer({SignatureAlgo::kEd25519, Bytes(64)});
  unknown[0] = std::byte{77};
  EXPECT_EQ(decode_signature_footer(unknown).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace rvf::wire
