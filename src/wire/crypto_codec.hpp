// CRYPTO_SEG: the public keys that a store trusts, and the footer that carries a signature behind a
// payload. Layout only, no mathematics. docs/format.md has the byte table. Pure functions,
// thread-safe.
#pragma once
#include <array>
#include <string>

#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

enum class KeyType : uint8_t {  // unknown numbers are kept
  kEd25519 = 0,
  kMlDsa65 = 1,
  kSlhDsa128s = 2,
  kX25519 = 16,
  kWrappedAead = 32,  // a content key, encrypted for another key of the directory
};

namespace key_usage {
inline constexpr uint8_t kSign = 1 << 0;
inline constexpr uint8_t kEncrypt = 1 << 1;
inline constexpr uint8_t kAttest = 1 << 2;
inline constexpr uint8_t kRevoked = 1 << 7;
}  // namespace key_usage

struct KeyEntry {
  KeyType type = KeyType::kEd25519;
  uint8_t usage = 0;
  std::array<uint8_t, 16> key_id{};  // first 16 bytes of SHAKE-256 of the key
  uint64_t valid_from_ns = 0;  // 0: no bound
  uint64_t valid_until_ns = 0;  // 0: no bound
  std::string label;
  Bytes key;
  friend bool operator==(const KeyEntry&, const KeyEntry&) = default;
};

Bytes encode_crypto(const std::vector<KeyEntry>& keys);
Result<std::vector<KeyEntry>> decode_crypto(ByteSpan payload);

enum class SignatureAlgo : uint16_t { kEd25519 = 0, kMlDsa65 = 1, kSlhDsa128s = 2 };

// Bytes of a signature; 0 for an algorithm that this library does not know.
constexpr uint16_t signature_size(SignatureAlgo algo) noexcept {
  switch (algo) {
    case SignatureAlgo::kEd25519: return 64;
    case SignatureAlgo::kMlDsa65: return 3309;
    case SignatureAlgo::kSlhDsa128s: return 7856;
  }
  return 0;
}

struct SignatureFooter {
  SignatureAlgo algo = SignatureAlgo::kEd25519;
  Bytes signature;
  friend bool operator==(const SignatureFooter&, const SignatureFooter&) = default;
};

Bytes encode_signature_footer(const SignatureFooter& footer);
// `trailer` starts right behind the payload; zero padding may follow the footer. A signature whose
// length does not belong to its algorithm is kBadSignature, an unknown algorithm kUnsupported.
Result<SignatureFooter> decode_signature_footer(ByteSpan trailer);

}  // namespace rvf::wire
