#include "wire/delta.hpp"

#include <algorithm>
#include <limits>

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

std::vector<uint64_t> ascending(std::mt19937_64& rng, size_t n, unsigned bits) {
  std::vector<uint64_t> v(n);
  for (uint64_t& x : v) x = rng() >> (64 - bits);
  std::ranges::sort(v);
  return v;
}

struct Encoded {
  Bytes bytes;
  std::vector<uint32_t> restarts;
  ByteSpan restart_bytes() const { return std::as_bytes(std::span(restarts)); }
};

Encoded encode(const std::vector<uint64_t>& values, uint32_t interval) {
  Encoded e;
  ByteWriter w(e.bytes);
  write_deltas(w, values, interval, &e.restarts);
  return e;
}

TEST(Zigzag, RoundTripsTheExtremes) {
  for (const int64_t v : {int64_t{0}, int64_t{-1}, int64_t{1}, std::numeric_limits<int64_t>::min(),
                          std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(unzigzag(zigzag(v)), v);
  }
  EXPECT_EQ(zigzag(-1), 1U);
  EXPECT_EQ(zigzag(1), 2U);
}

TEST(Delta, ListsComeBackAtEveryRestartInterval) {
  std::mt19937_64 rng(kTestSeed);
  for (const uint32_t interval : {0U, 1U, 2U, 7U, 64U, 128U}) {
    for (const size_t n : {0U, 1U, 63U, 64U, 65U, 500U}) {
      for (const unsigned bits : {4U, 20U, 64U}) {
        const auto values = ascending(rng, n, bits);
        const Encoded e = encode(values, interval);
        ByteReader in(e.bytes);
        const auto back = read_deltas(in, n, interval);
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(*back, values);
        EXPECT_EQ(in.remaining(), 0U);

        const auto list = DeltaList::open(e.bytes, e.restart_bytes(), n, interval);
        ASSERT_TRUE(list) << list.error().message;
        for (size_t i = 0; i < n; ++i) ASSERT_EQ(*list->at(i), values[i]);
        EXPECT_EQ(list->at(n).error().code, ErrorCode::kOutOfRange);
        for (int q = 0; q < 50; ++q) {
          const uint64_t probe = n > 0 && q % 2 == 0 ? values[rng() % n] : rng() >> (64 - bits);
          const auto want = std::ranges::lower_bound(values, probe) - values.begin();
          ASSERT_EQ(*list->lower_bound(probe), static_cast<uint64_t>(want));
        }
      }
    }
  }
}

TEST(Delta, EveryTruncationIsAnError) {
  std::mt19937_64 rng(kTestSeed);
  const Encoded e = encode(ascending(rng, 100, 40), 16);
  expect_truncations_fail(e.bytes, [](ByteSpan s) {
    ByteReader in(s);
    return read_deltas(in, 100, 16);
  });
}

TEST(Delta, HostileBytesNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  for (int round = 0; round < 5000; ++round) {
    Encoded e = encode(ascending(rng, 1 + rng() % 60, 64), 8);
    const size_t n = e.restarts.size() * 8 - rng() % 8;
    for (int i = 0; i < 3; ++i) e.bytes[rng() % e.bytes.size()] = static_cast<std::byte>(rng());
    if (round % 3 == 0) e.restarts[rng() % e.restarts.size()] = static_cast<uint32_t>(rng() % 500);
    ByteReader in(e.bytes);
    (void)read_deltas(in, n, 8);
    if (const auto list = DeltaList::open(e.bytes, e.restart_bytes(), n, 8)) {
      for (size_t i = 0; i < n; ++i) (void)list->at(i);
      (void)list->lower_bound(rng());
    }
  }
}

TEST(Delta, AnAnnouncedCountTakesNoMemoryBeyondTheBytes) {
  const Bytes three(3, std::byte{1});
  ByteReader in(three);
  EXPECT_EQ(read_deltas(in, ~0ULL, 8).error().code, ErrorCode::kTruncated);
  EXPECT_FALSE(DeltaList::open(three, {}, ~0ULL, 1));
}

TEST(Delta, OverflowAndDescentAreErrors) {
  Bytes bytes;
  ByteWriter w(bytes);
  w.varint(~0ULL);
  w.varint(1);
  ByteReader overflow(bytes);
  EXPECT_EQ(read_deltas(overflow, 2, 0).error().code, ErrorCode::kCorrupt);
  ByteReader descent(bytes);
  EXPECT_EQ(read_deltas(descent, 2, 1).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace rvf::wire
