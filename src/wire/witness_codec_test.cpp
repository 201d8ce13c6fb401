#include "wire/witness_codec.hpp"

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

std::vector<WitnessEntry> chain(size_t n, WitnessHash head = {}) {
  std::vector<WitnessEntry> entries;
  for (size_t i = 0; i < n; ++i) {
    entries.push_back(next_witness(head, "ingest:count=" + std::to_string(i), 1000 + i, 1));
    head = chain_hash(entries.back());
  }
  return entries;
}

TEST(WitnessCodec, AChainRoundTripsAndVerifies) {
  const auto entries = chain(20);
  const Bytes bytes = encode_witness(entries);
  EXPECT_EQ(bytes.size(), 20 * kWitnessEntrySize);
  const auto back = decode_witness(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, entries);
  const auto head = verify_witness_chain(*back);
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_TRUE(verify_witness_chain(chain(5, *head), *head));
}

TEST(WitnessCodec, AnyFlippedBitBreaksTheChain) {
  const Bytes good = encode_witness(chain(4));
  const auto head = verify_witness_chain(*decode_witness(good));
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bytes = good;
    bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto verified = verify_witness_chain(*decode_witness(bytes));
    EXPECT_TRUE(!verified || *verified != *head) << bit;
  }
}

TEST(WitnessCodec, ATakenOutEntryIsNamed) {
  auto entries = chain(6);
  entries.erase(entries.begin() + 3);
  const auto verified = verify_witness_chain(entries);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::kBrokenAncestry);
  EXPECT_NE(verified.error().message.find("entry 3"), std::string::npos);
}

TEST(WitnessCodec, ATruncationInsideAnEntryIsAnError) {
  const Bytes bytes = encode_witness(chain(3));
  for (size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_EQ(decode_witness(ByteSpan(bytes).first(n)).ok(), n % kWitnessEntrySize == 0) << n;
  }
}

}  // namespace
}  // namespace rvf::wire
