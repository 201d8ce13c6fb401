#include "wire/witness_codec.hpp"

#include "wire/checksum.hpp"
#include "wire/codec.hpp"

namespace rvf::wire {
namespace {

constexpr const char* kName = "WITNESS";

std::array<std::byte, kWitnessEntrySize> to_bytes(const WitnessEntry& e) noexcept {
  std::array<std::byte, kWitnessEntrySize> out{};
  std::memcpy(out.data(), e.previous.data(), 32);
  std::memcpy(out.data() + 32, e.action_hash.data(), 32);
  std::memcpy(out.data() + 64, &e.timestamp_ns, 8);
  out[72] = std::byte{e.type};
  return out;
}

}  // namespace

WitnessHash chain_hash(const WitnessEntry& entry) noexcept {
  WitnessHash hash;
  shake256(to_bytes(entry), hash);
  return hash;
}

WitnessHash action_hash(std::string_view action) noexcept {
  WitnessHash hash;
  shake256(as_bytes(action), hash);
  return hash;
}

WitnessEntry next_witness(const WitnessHash& previous, std::string_view action,
                          uint64_t timestamp_ns, uint8_t type) noexcept {
  return {previous, action_hash(action), timestamp_ns, type};
}

Bytes encode_witness(const std::vector<WitnessEntry>& entries) {
  Bytes bytes;
  ByteWriter out(bytes);
  for (const WitnessEntry& e : entries) out.bytes(to_bytes(e));
  return bytes;
}

Result<std::vector<WitnessEntry>> decode_witness(ByteSpan payload) {
  ByteReader in(payload);
  if (payload.size() % kWitnessEntrySize != 0) {
    return payload_error(kName, in,
                         std::to_string(payload.size()) + " bytes are no multiple of 73");
  }
  std::vector<WitnessEntry> entries(payload.size() / kWitnessEntrySize);
  for (WitnessEntry& e : entries) {
    e.previous = in.number<WitnessHash>();
    e.action_hash = in.number<WitnessHash>();
    e.timestamp_ns = in.u64();
    e.type = in.u8();
  }
  RVF_TRY(expect_end(kName, in));
  return entries;
}

Result<WitnessHash> verify_witness_chain(const std::vector<WitnessEntry>& entries,
                                         const WitnessHash& previous) {
  WitnessHash expected = previous;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].previous != expected) {
      return Error(ErrorCode::kBrokenAncestry, "witness entry " + std::to_string(i) +
                                                   " does not follow from the entry before it");
    }
    expected = chain_hash(entries[i]);
  }
  return expected;
}

}  // namespace rvf::wire
