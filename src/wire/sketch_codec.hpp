// SKETCH_SEG: Count-Min counters of accesses, one table a block of the store. docs/format.md has
// the byte table; quant/sketch.hpp computes with them. Pure functions, thread-safe.
#pragma once
#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

struct SketchBlock {
  uint32_t block_id = 0;
  Bytes counters;  // [depth][width] of counter_bits, little-endian
  friend bool operator==(const SketchBlock&, const SketchBlock&) = default;
};

struct SketchSegment {
  uint32_t width = 0;
  uint32_t depth = 0;
  uint8_t counter_bits = 8;  // 8 or 16
  uint8_t decay_shift = 1;   // ageing shifts every counter right by this
  uint64_t total_accesses = 0;
  std::vector<SketchBlock> blocks;

  uint64_t counter_bytes() const noexcept { return uint64_t{width} * depth * (counter_bits / 8); }
  friend bool operator==(const SketchSegment&, const SketchSegment&) = default;
};

Bytes encode_sketch(const SketchSegment& sketch);
Result<SketchSegment> decode_sketch(ByteSpan payload);

}  // namespace rvf::wire
