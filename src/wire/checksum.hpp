// The three content hashes of the format, and the CRC-32 of lock files and of the runtime
// container. Pure functions, no allocation, thread-safe. CRC32C: RFC 3720 appendix B.4. SHAKE-256:
// FIPS 202.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "types/segment.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

// `seed` is the checksum of what came before: crc32c(b, crc32c(a)) == crc32c(a followed by b).
uint32_t crc32c(ByteSpan data, uint32_t seed = 0) noexcept;
// The table version that the hardware versions are tested against.
uint32_t crc32c_portable(ByteSpan data, uint32_t seed = 0) noexcept;

// CRC-32/IEEE as zlib computes it, with the same meaning of `seed`.
uint32_t crc32_ieee(ByteSpan data, uint32_t seed = 0) noexcept;

// Low 64 bits first, each half little-endian. Content hashes use seed 0.
std::array<uint8_t, 16> xxh3_128(ByteSpan data, uint64_t seed = 0) noexcept;
uint64_t xxh3_64(ByteSpan data, uint64_t seed = 0) noexcept;

// Fills `out`, whatever its length, with the SHAKE-256 output for `in`.
void shake256(ByteSpan in, std::span<uint8_t> out) noexcept;

class Shake256 {
 public:
  void update(ByteSpan data) noexcept;
  // Ends the input. Further calls continue the output; no update() may follow.
  void squeeze(std::span<uint8_t> out) noexcept;

 private:
  static constexpr size_t kRate = 136;
  std::array<uint64_t, 25> state_{};
  size_t pos_ = 0;
  bool squeezing_ = false;
};

// False for algorithms that this library does not know: such a hash can be neither made nor
// verified.
constexpr bool is_known(ChecksumAlgo algo) noexcept {
  return static_cast<uint8_t>(algo) <= static_cast<uint8_t>(ChecksumAlgo::kShake256);
}

// CRC32C fills the first 4 bytes little-endian and leaves the rest zero; SHAKE-256 gives its first
// 16 bytes. An unknown algorithm yields zeros: ask is_known() first.
ContentHash content_hash(ChecksumAlgo algo, ByteSpan data) noexcept;

// content_hash() over data that arrives in pieces. finish() ends it; the object is then spent.
class ContentHasher {
 public:
  explicit ContentHasher(ChecksumAlgo algo) noexcept;
  void update(ByteSpan data) noexcept;
  ContentHash finish() noexcept;

 private:
  static constexpr size_t kXxhStateSize = 576;
  ChecksumAlgo algo_;
  uint32_t crc_ = 0;
  Shake256 shake_;
  alignas(64) std::array<std::byte, kXxhStateSize> xxh_;
};

}  // namespace rvf::wire
