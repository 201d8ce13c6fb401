#include "wire/journal_codec.hpp"

#include <algorithm>

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

JournalEntry random_entry(std::mt19937_64& rng) {
  switch (rng() % 7) {
    case 0: return JournalDelete{rng()};
    case 1: return JournalDeleteRange{rng(), rng()};
    case 2:
      return JournalUpdateMetadata{rng(), static_cast<uint16_t>(rng()),
                                   random_bytes(rng, rng() % 20)};
    case 3: return JournalMove{rng(), rng(), rng()};
    case 4: return JournalRemapId{rng(), rng()};
    case 5: {
      JournalDeleteList list;
      for (uint64_t n = rng() % 30; n > 0; --n) list.ids.push_back(rng());
      std::ranges::sort(list.ids);
      return list;
    }
    default:
      return JournalUnknown{static_cast<uint8_t>(100 + rng() % 100), random_bytes(rng, rng() % 20)};
  }
}

Journal random_journal(std::mt19937_64& rng, size_t entries) {
  Journal j{.epoch = static_cast<uint32_t>(rng()),
            .previous_segment_id = rng(),
            .flags = 5,
            .entries = {}};
  for (size_t i = 0; i < entries; ++i) j.entries.push_back(random_entry(rng));
  return j;
}

TEST(JournalCodec, RoundTripsEveryKindOfEntry) {
  std::mt19937_64 rng(kTestSeed);
  for (size_t round = 0; round < 300; ++round) {
    const Journal journal = random_journal(rng, round % 20);
    const auto back = decode_journal(encode_journal(journal));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, journal);
  }
}

TEST(JournalCodec, EveryTruncationIsAnError) {
  std::mt19937_64 rng(kTestSeed);
  expect_truncations_fail(encode_journal(random_journal(rng, 20)), decode_journal);
}

TEST(JournalCodec, BitFlipsNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  flip_bits(encode_journal(random_journal(rng, 20)), decode_journal);
}

TEST(JournalCodec, BytesAreTheDocumentedOnes) {
  const Bytes bytes = encode_journal(
      {.epoch = 3, .previous_segment_id = 9, .flags = 0, .entries = {JournalDelete{7}}});
  ASSERT_EQ(bytes.size(), 80U);
  EXPECT_EQ(bytes[0], std::byte{1});
  EXPECT_EQ(bytes[4], std::byte{3});
  EXPECT_EQ(bytes[8], std::byte{9});
  EXPECT_EQ(bytes[64], std::byte{1});
  EXPECT_EQ(bytes[68], std::byte{8});
  EXPECT_EQ(bytes[72], std::byte{7});
}

}  // namespace
}  // namespace rvf::wire
