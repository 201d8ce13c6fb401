// Sizes and magic numbers of the format. docs/format.md explains each.
#pragma once
#include <cstddef>
#include <cstdint>

namespace rvf {

inline constexpr uint32_t kSegmentMagic = 0x52564653;  // bytes on disk: 53 46 56 52
inline constexpr uint32_t kRootMagic = 0x52564D30;     // bytes on disk: 30 4D 56 52
inline constexpr uint8_t kSegmentVersion = 1;
inline constexpr uint16_t kRootVersion = 1;
inline constexpr size_t kSegmentAlignment = 64;
inline constexpr size_t kSegmentHeaderSize = 64;
inline constexpr size_t kRootSize = 4096;
inline constexpr uint64_t kMaxPayload = 4ULL << 30;          // a payload is shorter than this
inline constexpr uint64_t kMaxLevel1 = 256ULL << 20;  // a Level 1 longer than this is refused
inline constexpr size_t kContentHashSize = 16;
inline constexpr uint64_t kNoId = ~0ULL;  // reserved: never a vector id
inline constexpr uint32_t kRestartInterval = 128;  // ids of a block
inline constexpr size_t kLockRecordSize = 104;

constexpr uint64_t align_up(uint64_t n, uint64_t to) noexcept { return (n + to - 1) / to * to; }
constexpr uint64_t align64(uint64_t n) noexcept { return (n + 63) & ~63ULL; }

}  // namespace rvf
