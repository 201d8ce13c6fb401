// Property checks that hold for every payload codec.
#pragma once
#include <gtest/gtest.h>

#include <random>

#include "wire/bytes.hpp"

namespace rvf::wire {

inline constexpr uint64_t kTestSeed = 20261121;

inline Bytes random_bytes(std::mt19937_64& rng, size_t n) {
  Bytes out(n);
  for (std::byte& b : out) b = static_cast<std::byte>(rng());
  return out;
}

inline std::string random_text(std::mt19937_64& rng, size_t max_length) {
  std::string out(rng() % (max_length + 1), ' ');
  for (char& c : out) c = static_cast<char>('a' + rng() % 26);
  return out;
}

template <class Decode>
void expect_truncations_fail(const Bytes& encoded, Decode decode) {
  ASSERT_TRUE(decode(ByteSpan(encoded)));
  for (size_t n = 0; n < encoded.size(); ++n) {
    // A copy of the exact size, so that a read past the end is one past an allocation.
    const Bytes cut(encoded.begin(), encoded.begin() + static_cast<std::ptrdiff_t>(n));
    const auto result = decode(ByteSpan(cut));
    ASSERT_FALSE(result) << "cut to " << n << " of " << encoded.size();
    ASSERT_FALSE(result.error().message.empty());
  }
}

template <class Decode>
void flip_bits(const Bytes& encoded, Decode decode, int rounds = 3000) {
  std::mt19937_64 rng(kTestSeed);
  for (int i = 0; i < rounds; ++i) {
    Bytes damaged = encoded;
    for (uint64_t flips = 1 + rng() % 4; flips > 0; --flips) {
      // Half of the flips hit the first 96 bytes, where the counts stand.
      const size_t range = rng() % 2 == 0 ? std::min<size_t>(damaged.size(), 96) : damaged.size();
      const size_t bit = rng() % (range * 8);
      damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
    (void)decode(ByteSpan(damaged));
  }
}

}  // namespace rvf::wire
