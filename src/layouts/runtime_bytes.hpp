// The bytes of a runtime container: its hashes, its segment headers, its manifest. Facts of the
// published writers, not rules of ours; docs/format.md, 17.
#pragma once
#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rvf/result.hpp"
#include "types/segment.hpp"
#include "wire/bytes.hpp"
#include "wire/root_codec.hpp"

namespace rvf::layouts {

inline constexpr uint64_t kMaxRuntimePayload = 256ULL << 20;  // deployed readers refuse more
inline constexpr size_t kManifestHead = 22;
inline constexpr size_t kRuntimeDirEntry = 25;
inline constexpr uint32_t kIdentityMagic = 0x46494449;  // "IDIF"

// CRC-32/IEEE c as the four words rotl(c, 0), rotl(c, 8), rotl(c, 16), rotl(c, 24).
ContentHash runtime_hash(wire::ByteSpan payload) noexcept;
// The 32-byte accumulator that the published writers store where they say SHAKE-256. Anybody can
// make bytes that have a given one: it tells files apart, it proves nothing.
std::array<uint8_t, 32> fold_hash(wire::ByteSpan data) noexcept;

enum class HashState : uint8_t {
  kOwn,         // the layout's own hash
  kOther,       // another algorithm's: XXH3-128, SHAKE-256 or SHA-256, first 16 bytes
  kUnverified,  // all zero
  kWrong,
};
HashState check_hash(const SegmentHeader& header, wire::ByteSpan payload) noexcept;

struct RuntimeSegment {
  SegmentHeader header;
  uint64_t offset = 0;  // of the header
  wire::ByteSpan payload;
};
// The segment at `offset`. Reserved fields, flags and timestamps may hold anything, as deployed
// readers have it. Empty where there is no segment that lies in the file.
std::optional<RuntimeSegment> runtime_segment(wire::ByteSpan file, uint64_t offset) noexcept;

struct RuntimeDirEntry {
  uint64_t segment_id = 0;
  uint64_t offset = 0;
  uint64_t payload_length = 0;
  uint8_t type = 0;
  friend bool operator==(const RuntimeDirEntry&, const RuntimeDirEntry&) = default;
};

struct RuntimeManifest {
  uint32_t epoch = 0;
  uint16_t dimension = 0;
  uint64_t total_vectors = 0;
  uint8_t profile = 0;
  uint8_t metric = 0;
  std::vector<RuntimeDirEntry> directory;
  std::vector<uint64_t> deleted;  // ascending
  std::optional<wire::FileIdentity> identity;
  friend bool operator==(const RuntimeManifest&, const RuntimeManifest&) = default;
};
// Whether the counts fit the payload, for little work.
bool is_plausible_manifest(wire::ByteSpan payload) noexcept;
Result<RuntimeManifest> decode_runtime_manifest(wire::ByteSpan payload);
wire::Bytes encode_runtime_manifest(const RuntimeManifest& manifest);

// u32 epoch, u16 dim, u64 total, u8 profile, directory, and nothing after it.
bool is_wasm_manifest(wire::ByteSpan payload) noexcept;  // its length is what its count says
Result<RuntimeManifest> decode_wasm_manifest(wire::ByteSpan payload);

// Calls visit(segment) for every MANIFEST header of the file from the last to the first, until it
// returns true. Headers are sought byte by byte, as deployed readers do.
template <class Visit>
bool for_each_manifest_backwards(wire::ByteSpan file, Visit&& visit) {
  if (file.size() < kSegmentHeaderSize) return false;
  for (size_t at = file.size() - kSegmentHeaderSize + 1; at-- > 0;) {
    if (file[at] != std::byte{0x53}) continue;
    const auto segment = runtime_segment(file, at);
    if (!segment || segment->header.type != SegmentType::kManifest) continue;
    if (visit(*segment)) return true;
  }
  return false;
}

}  // namespace rvf::layouts
