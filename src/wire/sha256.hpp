// SHA-256, FIPS 180-4: the footer of metadata in runtime containers, and digests to compare stores
// by. No allocation, thread-safe as a plain value.
#pragma once
#include <array>
#include <cstdint>

#include "wire/bytes.hpp"

namespace rvf::wire {

using Sha256Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  void update(ByteSpan data) noexcept;
  // Ends the input; the object is then spent.
  Sha256Digest finish() noexcept;

 private:
  void compress(const std::byte* block) noexcept;

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> block_{};
  uint64_t length_ = 0;
};

Sha256Digest sha256(ByteSpan data) noexcept;

}  // namespace rvf::wire
