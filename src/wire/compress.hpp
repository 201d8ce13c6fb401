// Payload compression: LZ4 (block format) and Zstandard (one frame). Not part of the freestanding
// build. Thread-safe. The uncompressed length travels in the segment header, never in front of the
// data.
#pragma once
#include "rvf/result.hpp"
#include "types/segment.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

inline constexpr int kDefaultZstdLevel = 3;

// kUnsupported for kCustom and unknown algorithms, kTooLarge where the codec cannot take the size
// (LZ4: 2 GB). kNone copies.
Result<Bytes> compress(Compression algo, ByteSpan data, int zstd_level = kDefaultZstdLevel);

// `uncompressed_length` comes from the segment header and is not trusted: more than `memory_limit`
// bytes is kBudgetExceeded before any memory is taken; a payload that yields another length is
// kCorrupt.
Result<Bytes> decompress(Compression algo, ByteSpan data, uint64_t uncompressed_length,
                         uint64_t memory_limit);

}  // namespace rvf::wire
