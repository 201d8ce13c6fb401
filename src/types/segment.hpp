// Segment types, flags and the 64-byte header that stands before every payload. No allocation.
#pragma once
#include <array>
#include <cstdint>

#include "types/limits.hpp"

namespace rvf {

enum class SegmentType : uint8_t {
  kInvalid = 0x00,
  kVec = 0x01,
  kIndex = 0x02,
  kOverlay = 0x03,
  kJournal = 0x04,
  kManifest = 0x05,
  kQuant = 0x06,
  kMeta = 0x07,
  kHot = 0x08,
  kSketch = 0x09,
  kWitness = 0x0A,
  kProfile = 0x0B,
  kCrypto = 0x0C,
  kMetaIdx = 0x0D,
  kKernel = 0x0E,
  kEbpf = 0x0F,
  kWasm = 0x10,
  kDashboard = 0x11,
  kCowMap = 0x20,
  kRefCount = 0x21,
  kMembership = 0x22,
  kDelta = 0x23,
  kFirstDomain = 0x30,          // 0x30-0x36: domain expansion and federation
  kLastDomain = 0x36,
  kFirstImplementation = 0xF0,  // 0xF0-0xFF: derived data, safe to drop
  kFused = 0xF4,                // with HOT: node blocks made for searching
};

enum class ChecksumAlgo : uint8_t { kCrc32c = 0, kXxh3 = 1, kShake256 = 2 };
enum class Compression : uint8_t { kNone = 0, kLz4 = 1, kZstd = 2, kCustom = 3 };

namespace segment_flag {
inline constexpr uint16_t kCompressed = 1 << 0;
inline constexpr uint16_t kEncrypted = 1 << 1;
inline constexpr uint16_t kSigned = 1 << 2;
inline constexpr uint16_t kSealed = 1 << 3;
inline constexpr uint16_t kPartial = 1 << 4;
inline constexpr uint16_t kTombstone = 1 << 5;
inline constexpr uint16_t kHot = 1 << 6;
inline constexpr uint16_t kOverlay = 1 << 7;
inline constexpr uint16_t kSnapshot = 1 << 8;
inline constexpr uint16_t kCheckpoint = 1 << 9;
inline constexpr uint16_t kAttested = 1 << 10;
inline constexpr uint16_t kHasLineage = 1 << 11;
inline constexpr uint16_t kKnownMask = 0x0FFF;
}  // namespace segment_flag

using ContentHash = std::array<uint8_t, kContentHashSize>;

// In memory; wire/segment.hpp turns it into the 64 bytes of the file and back.
struct SegmentHeader {
  SegmentType type = SegmentType::kInvalid;
  uint8_t version = kSegmentVersion;
  uint16_t flags = 0;
  uint64_t segment_id = 0;
  uint64_t payload_length = 0;  // bytes, without header and without padding
  uint64_t timestamp_ns = 0;    // since 1970, 0: not recorded
  ChecksumAlgo checksum = ChecksumAlgo::kXxh3;
  Compression compression = Compression::kNone;
  ContentHash content_hash{};   // of the payload as stored
  uint32_t uncompressed_length = 0;
  uint32_t alignment_pad = 0;   // zero bytes after the payload

  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

const char* segment_type_name(SegmentType type) noexcept;  // "VEC", ..., "?" for an unknown one

}  // namespace rvf
