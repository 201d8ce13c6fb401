#include "wire/crypto_codec.hpp"

#include "wire/codec.hpp"

namespace rvf::wire {
namespace {
constexpr const char* kName = "CRYPTO";
constexpr uint16_t kVersion = 1;
constexpr size_t kEntryHead = 40;
}  // namespace

Bytes encode_crypto(const std::vector<KeyEntry>& keys) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u16(kVersion);
  out.u16(0);
  out.u32(static_cast<uint32_t>(keys.size()));
  out.align(64);
  for (const KeyEntry& k : keys) {
    out.number(k.type);
    out.u8(k.usage);
    out.u16(static_cast<uint16_t>(k.label.size()));
    out.u32(static_cast<uint32_t>(k.key.size()));
    out.number(k.key_id);
    out.u64(k.valid_from_ns);
    out.u64(k.valid_until_ns);
    out.text(k.label);
    out.bytes(k.key);
    out.align(8);
  }
  return bytes;
}

Result<std::vector<KeyEntry>> decode_crypto(ByteSpan payload) {
  ByteReader in(payload);
  const uint16_t version = in.u16();
  if (in.u16() != 0) in.fail();
  const uint32_t count = in.u32();
  skip_padding(in, 64);
  if (in.ok() && version != kVersion) {
    return payload_error(kName, in, "version " + std::to_string(version) + " is unknown",
                         ErrorCode::kUnsupported);
  }
  if (!can_hold(in, count, kEntryHead)) return payload_error(kName, in, {});
  std::vector<KeyEntry> keys;
  keys.reserve(count);
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    KeyEntry k;
    k.type = static_cast<KeyType>(in.u8());
    k.usage = in.u8();
    const uint16_t label_length = in.u16();
    const uint32_t key_length = in.u32();
    k.key_id = in.number<std::array<uint8_t, 16>>();
    k.valid_from_ns = in.u64();
    k.valid_until_ns = in.u64();
    k.label = std::string(in.text(label_length));
    k.key = read_bytes(in, key_length);
    skip_padding(in, 8);
    keys.push_back(std::move(k));
  }
  RVF_TRY(expect_end(kName, in));
  return keys;
}

Bytes encode_signature_footer(const SignatureFooter& footer) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.number(footer.algo);
  out.u16(static_cast<uint16_t>(footer.signature.size()));
  out.bytes(footer.signature);
  out.u32(static_cast<uint32_t>(footer.signature.size() + 8));
  return bytes;
}

Result<SignatureFooter> decode_signature_footer(ByteSpan trailer) {
  constexpr const char* kFooter = "signature footer after the";
  ByteReader in(trailer);
  SignatureFooter footer;
  footer.algo = static_cast<SignatureAlgo>(in.u16());
  const uint16_t length = in.u16();
  if (in.ok() && signature_size(footer.algo) == 0) {
    return payload_error(
        kFooter, in,
        "algorithm " + std::to_string(static_cast<unsigned>(footer.algo)) + " is unknown",
        ErrorCode::kUnsupported);
  }
  if (!in.ok() || length != signature_size(footer.algo)) {
    return payload_error(kFooter, in,
                         std::to_string(length) + " bytes is no length of this algorithm",
                         ErrorCode::kBadSignature);
  }
  footer.signature = read_bytes(in, length);
  if (const uint32_t total = in.u32(); !in.ok() || total != uint32_t{length} + 8) {
    return payload_error(kFooter, in, "the footer length does not fit", ErrorCode::kBadSignature);
  }
  return footer;
}

}  // namespace rvf::wire
