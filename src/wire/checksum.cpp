#include "wire/checksum.hpp"

#include <cstring>
#include <new>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace rvf::wire {
namespace {

ContentHash from_xxh(XXH128_hash_t h) noexcept {
  ContentHash out;
  std::memcpy(out.data(), &h.low64, 8);
  std::memcpy(out.data() + 8, &h.high64, 8);
  return out;
}

ContentHash from_crc(uint32_t crc) noexcept {
  ContentHash out{};
  std::memcpy(out.data(), &crc, 4);
  return out;
}

}  // namespace

std::array<uint8_t, 16> xxh3_128(ByteSpan data, uint64_t seed) noexcept {
  return from_xxh(XXH3_128bits_withSeed(data.data(), data.size(), seed));
}

uint64_t xxh3_64(ByteSpan data, uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(data.data(), data.size(), seed);
}

ContentHash content_hash(ChecksumAlgo algo, ByteSpan data) noexcept {
  switch (algo) {
    case ChecksumAlgo::kCrc32c: return from_crc(crc32c(data));
    case ChecksumAlgo::kXxh3: return xxh3_128(data);
    case ChecksumAlgo::kShake256: {
      ContentHash out;
      shake256(data, out);
      return out;
    }
  }
  return {};
}

// xxh_ is raw storage that XXH3 resets.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
ContentHasher::ContentHasher(ChecksumAlgo algo) noexcept : algo_(algo) {
  static_assert(sizeof(XXH3_state_t) <= kXxhStateSize && alignof(XXH3_state_t) <= 64);
  if (algo_ == ChecksumAlgo::kXxh3) {
    XXH3_INITSTATE(new (xxh_.data()) XXH3_state_t);
    XXH3_128bits_reset(reinterpret_cast<XXH3_state_t*>(xxh_.data()));
  }
}

void ContentHasher::update(ByteSpan data) noexcept {
  if (data.empty()) return;
  switch (algo_) {
    case ChecksumAlgo::kCrc32c: crc_ = crc32c(data, crc_); break;
    case ChecksumAlgo::kXxh3:
      XXH3_128bits_update(reinterpret_cast<XXH3_state_t*>(xxh_.data()), data.data(), data.size());
      break;
    case ChecksumAlgo::kShake256: shake_.update(data); break;
  }
}

ContentHash ContentHasher::finish() noexcept {
  switch (algo_) {
    case ChecksumAlgo::kCrc32c: return from_crc(crc_);
    case ChecksumAlgo::kXxh3:
      return from_xxh(XXH3_128bits_digest(reinterpret_cast<const XXH3_state_t*>(xxh_.data())));
    case ChecksumAlgo::kShake256: {
      ContentHash out;
      shake_.squeeze(out);
      return out;
    }
  }
  return {};
}

}  // namespace rvf::wire
