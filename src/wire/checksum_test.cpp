#include "wire/checksum.hpp"

#include <gtest/gtest.h>

#include <random>

namespace rvf::wire {
namespace {

Bytes random_bytes(size_t n, uint64_t seed) {
  std::mt19937_64 rng(seed);
  Bytes out(n);
  for (std::byte& b : out) b = static_cast<std::byte>(rng());
  return out;
}

TEST(Crc32c, HardwareAndTableAgreeOnEveryLengthAndAlignment) {
  const Bytes data = random_bytes(20000, 1);
  for (size_t offset = 0; offset < 9; ++offset) {
    for (size_t n = 0; n < 900; ++n) {
      const ByteSpan s = ByteSpan(data).subspan(offset, n);
      ASSERT_EQ(crc32c(s), crc32c_portable(s)) << offset << " " << n;
    }
  }
  for (size_t n = 12200; n < 12400; n += 7) {
    const ByteSpan s = ByteSpan(data).subspan(3, n);
    ASSERT_EQ(crc32c(s), crc32c_portable(s)) << n;
  }
}

TEST(Crc32c, ContinuesFromASeed) {
  const Bytes data = random_bytes(9000, 2);
  for (const size_t cut : {size_t{0}, size_t{1}, size_t{777}, size_t{8999}, size_t{9000}}) {
    const ByteSpan all(data);
    EXPECT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c(all));
    EXPECT_EQ(crc32_ieee(all.subspan(cut), crc32_ieee(all.first(cut))), crc32_ieee(all));
  }
}

TEST(ContentHasher, InPiecesEqualsAtOnce) {
  const Bytes data = random_bytes(5000, 3);
  std::mt19937_64 rng(4);
  for (const auto algo : {ChecksumAlgo::kCrc32c, ChecksumAlgo::kXxh3, ChecksumAlgo::kShake256}) {
    for (int round = 0; round < 50; ++round) {
      ContentHasher hasher(algo);
      const size_t total = rng() % (data.size() + 1);
      for (size_t at = 0; at < total;) {
        const size_t n = std::min<size_t>(rng() % 700, total - at);
        hasher.update(ByteSpan(data).subspan(at, n));
        at += n;
      }
      EXPECT_EQ(hasher.finish(), content_hash(algo, ByteSpan(data).first(total)));
    }
  }
}

TEST(Shake256, OutputIsAStream) {
  std::array<uint8_t, 500> whole{};
  shake256(as_bytes("rvf"), whole);
  Shake256 shake;
  shake.update(as_bytes("r"));
  shake.update(as_bytes("vf"));
  std::array<uint8_t, 500> parts{};
  shake.squeeze(std::span(parts).first(135));
  shake.squeeze(std::span(parts).subspan(135, 2));
  shake.squeeze(std::span(parts).subspan(137));
  EXPECT_EQ(whole, parts);
}

TEST(ContentHash, OfAnUnknownAlgorithmIsNotKnown) {
  EXPECT_FALSE(is_known(static_cast<ChecksumAlgo>(3)));
  EXPECT_EQ(content_hash(static_cast<ChecksumAlgo>(3), as_bytes("x")), ContentHash{});
}

}  // namespace
}  // namespace rvf::wire
