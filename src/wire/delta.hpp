// Ascending lists of u64 (ids, ordinals, positions) as LEB128 deltas, with restart points for
// random access.
//
//   value i is absolute where i is a multiple of the restart interval, else the difference to value
//   i-1
//
// Pure functions, thread-safe. The decoders accept any bytes: they fail, they never read out of
// bounds and never take memory for more values than the bytes can hold.
#pragma once
#include <span>
#include <vector>

#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

constexpr uint64_t zigzag(int64_t v) noexcept {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
constexpr int64_t unzigzag(uint64_t v) noexcept {
  return static_cast<int64_t>((v >> 1) ^ (0 - (v & 1)));
}

// Appends the values, which must not descend. `restart_interval` 0 means one restart point, at the
// start. Where `restarts` is given, the offset of every restart point is appended to it, in bytes
// from the first value's first byte.
void write_deltas(ByteWriter& out, std::span<const uint64_t> ascending, uint32_t restart_interval,
                  std::vector<uint32_t>* restarts = nullptr);

// Reads `count` values. Fails with kTruncated, or with kCorrupt where a value would descend or
// overflow.
Result<std::vector<uint64_t>> read_deltas(ByteReader& in, uint64_t count,
                                          uint32_t restart_interval);

// Random access over a delta list with its restart offsets: a look-up decodes at most one interval.
// Keeps views of the caller's bytes.
class DeltaList {
 public:
  // `bytes` holds the values, `restarts` the u32 little-endian offsets of the restart points.
  // Checks the number of restart points and that their offsets lie inside `bytes`; the values
  // themselves are checked on access.
  static Result<DeltaList> open(ByteSpan bytes, ByteSpan restarts, uint64_t count,
                                uint32_t restart_interval);

  uint64_t size() const noexcept { return count_; }
  // kOutOfRange past the end, kCorrupt where the bytes are damaged.
  Result<uint64_t> at(uint64_t index) const;
  // Index of the first value that is not less than `value`; size() where there is none.
  Result<uint64_t> lower_bound(uint64_t value) const;

 private:
  Result<uint64_t> absolute(uint64_t restart) const;
  ByteReader reader_at(uint64_t restart) const noexcept;

  ByteSpan bytes_;
  ByteSpan restarts_;
  uint64_t count_ = 0;
  uint64_t interval_ = 1;
};

}  // namespace rvf::wire
