#include "wire/compress.hpp"

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

constexpr Compression kAll[] = {Compression::kNone, Compression::kLz4, Compression::kZstd};

TEST(Compress, RoundTripsEveryAlgorithm) {
  std::mt19937_64 rng(kTestSeed);
  for (const Compression algo : kAll) {
    for (const size_t n : {0U, 1U, 100U, 100000U}) {
      for (const Bytes& data : {random_bytes(rng, n), Bytes(n, std::byte{7})}) {
        const auto packed = compress(algo, data);
        ASSERT_TRUE(packed) << packed.error().message;
        const auto back = decompress(algo, *packed, n, n);
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(*back, data);
      }
    }
  }
}

TEST(Compress, TheLimitIsCheckedBeforeMemoryIsTaken) {
  for (const Compression algo : kAll) {
    const auto r = decompress(algo, Bytes(50), 1ULL << 50, 1 << 20);
    EXPECT_EQ(r.error().code, ErrorCode::kBudgetExceeded);
  }
}

TEST(Compress, AnImpossibleRatioIsRefusedBeforeMemoryIsTaken) {
  EXPECT_EQ(decompress(Compression::kLz4, Bytes(50), 1ULL << 50, ~0ULL).error().code,
            ErrorCode::kCorrupt);
  EXPECT_EQ(decompress(Compression::kZstd, Bytes(50), 1ULL << 50, ~0ULL).error().code,
            ErrorCode::kCorrupt);
}

TEST(Compress, AHighRatioIsNotRefused) {
  const Bytes zeros(size_t{64} << 20);
  for (const Compression algo : kAll) {
    const auto packed = compress(algo, zeros);
    ASSERT_TRUE(packed);
    EXPECT_TRUE(decompress(algo, *packed, zeros.size(), zeros.size()));
  }
}

TEST(Compress, AWrongLengthIsCorrupt) {
  for (const Compression algo : kAll) {
    const auto packed = compress(algo, Bytes(1000, std::byte{3}));
    for (const uint64_t length : {0ULL, 999ULL, 1001ULL}) {
      EXPECT_EQ(decompress(algo, *packed, length, 1 << 20).error().code, ErrorCode::kCorrupt)
          << length;
    }
  }
}

TEST(Compress, UnknownAlgorithmsAreUnsupported) {
  EXPECT_EQ(compress(Compression::kCustom, {}).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(decompress(static_cast<Compression>(9), {}, 0, 9).error().code,
            ErrorCode::kUnsupported);
}

TEST(Compress, DamagedBytesNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  const std::string text(5000, 'x');
  for (const Compression algo : kAll) {
    const auto packed = compress(algo, as_bytes(text + random_text(rng, 100) + text));
    flip_bits(*packed, [&](ByteSpan s) { return decompress(algo, s, 10100, 1 << 20); });
  }
}

}  // namespace
}  // namespace rvf::wire
