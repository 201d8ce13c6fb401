// Segments: a 64-byte header, a payload, and bytes up to the next multiple of 64.
// Pure functions over bytes, thread-safe. A view points into the caller's bytes and lives as long.
// Errors name the field, the value found and the file offset.
#pragma once
#include "rvf/result.hpp"
#include "types/segment.hpp"
#include "wire/bytes.hpp"
#include "wire/checksum.hpp"

namespace rvf::wire {

struct SegmentView {
  SegmentHeader header;
  ByteSpan payload;
  ByteSpan trailer;  // after the payload: a signature footer where SIGNED is set, then zero padding
  uint64_t offset = 0;  // of the header, in bytes from the start of the file
  uint64_t end = 0;  // of the next segment
};

void encode_header(const SegmentHeader& header,
                   std::span<std::byte, kSegmentHeaderSize> out) noexcept;

// Checks magic, version, the reserved fields and the payload limit. Segment types, flag bits and
// checksum and compression numbers that this library does not know are kept as they are.
// `offset` only goes into the message of an error.
Result<SegmentHeader> decode_header(ByteSpan data, uint64_t offset = 0);

// Bytes of padding after a payload so that the next segment starts on kSegmentAlignment.
constexpr uint32_t padding_for(uint64_t payload_length) noexcept {
  return static_cast<uint32_t>(align64(payload_length) - payload_length);
}

// Header and payload with padding. Fills payload_length, content_hash and alignment_pad from the
// payload, whose size must be less than kMaxPayload; the other fields are the caller's.
Bytes make_segment(SegmentHeader header, ByteSpan payload);

// Reads the segment whose header is at `offset`. `verify_hash` also checks the payload's content
// hash; without it the payload is untrusted.
Result<SegmentView> read_segment(ByteSpan file, uint64_t offset, bool verify_hash);

// True if the payload has the hash that the header names. A hash of zeros gets no special
// treatment, and an unknown algorithm never matches.
bool hash_matches(const SegmentHeader& header, ByteSpan payload) noexcept;

}  // namespace rvf::wire
