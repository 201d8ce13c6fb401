#include "quant/sketch.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "types/splitmix.hpp"

namespace rvf::quant {
namespace {

__extension__ using Wide = unsigned __int128;

// docs/format.md fixes both: readers of the file must find the same counters.
uint64_t mix(uint64_t id) noexcept { return splitmix_finish(id); }
uint64_t step_of(uint64_t hash) noexcept { return splitmix64(hash) | 1; }

}  // namespace

CountMinSketch::CountMinSketch(uint32_t width, uint32_t depth)
    : width_(std::max(width, 1U)),
      depth_(std::clamp(depth, 1U, kMaxDepth)),
      counters_(size_t{width_} * depth_) {}

uint32_t CountMinSketch::width_for(uint64_t ids) noexcept {
  const uint64_t wanted = std::clamp<uint64_t>(ids / 4, 1024, 1 << 20);
  return static_cast<uint32_t>(std::bit_ceil(wanted));
}

// Lemire's multiply-shift instead of a remainder.
size_t CountMinSketch::slot(uint64_t hash, uint64_t step, uint32_t row) const noexcept {
  const uint64_t h = hash + row * step;
  return size_t{row} * width_ + static_cast<size_t>(static_cast<Wide>(h) * width_ >> 64);
}

void CountMinSketch::add(uint64_t id) noexcept {
  const uint64_t hash = mix(id);
  const uint64_t step = step_of(hash);
  ++total_;
  size_t slots[kMaxDepth];
  uint8_t smallest = 255;
  for (uint32_t row = 0; row < depth_; ++row) {
    slots[row] = slot(hash, step, row);
    smallest = std::min(smallest, counters_[slots[row]]);
  }
  if (smallest == 255) return;
  for (uint32_t row = 0; row < depth_; ++row) {
    uint8_t& counter = counters_[slots[row]];
    if (counter == smallest) ++counter;
  }
}

void CountMinSketch::expect(uint64_t id) const noexcept {
  const uint64_t hash = mix(id);
  const uint64_t step = step_of(hash);
  for (uint32_t row = 0; row < depth_; ++row) {
    __builtin_prefetch(&counters_[slot(hash, step, row)], 1);
  }
}

uint8_t CountMinSketch::estimate(uint64_t id) const noexcept {
  const uint64_t hash = mix(id);
  const uint64_t step = step_of(hash);
  uint8_t smallest = 255;
  for (uint32_t row = 0; row < depth_; ++row) {
    smallest = std::min(smallest, counters_[slot(hash, step, row)]);
  }
  return smallest;
}

void CountMinSketch::age() noexcept {
  for (uint8_t& counter : counters_) counter = static_cast<uint8_t>(counter >> 1);
  total_ /= 2;
}

Status CountMinSketch::merge(const CountMinSketch& other) noexcept {
  if (other.width_ != width_ || other.depth_ != depth_) {
    return Error(ErrorCode::kBadArgument,
                 "only sketches of the same width and depth can be merged");
  }
  for (size_t i = 0; i < counters_.size(); ++i) {
    counters_[i] = static_cast<uint8_t>(std::min(255, counters_[i] + other.counters_[i]));
  }
  total_ += other.total_;
  return {};
}

wire::SketchSegment CountMinSketch::to_wire() const {
  wire::SketchSegment segment{.width = width_,
                              .depth = depth_,
                              .counter_bits = 8,
                              .decay_shift = 1,
                              .total_accesses = total_,
                              .blocks = {}};
  const auto* first = reinterpret_cast<const std::byte*>(counters_.data());
  segment.blocks.push_back(
      {.block_id = 0, .counters = wire::Bytes(first, first + counters_.size())});
  return segment;
}

Result<CountMinSketch> CountMinSketch::from_wire(const wire::SketchSegment& segment) {
  if (segment.counter_bits != 8 || segment.blocks.size() != 1 || segment.width == 0 ||
      segment.depth == 0 || segment.depth > kMaxDepth ||
      segment.blocks[0].counters.size() != segment.counter_bytes()) {
    return Error(ErrorCode::kUnsupported, "a sketch needs one block of 8-bit counters");
  }
  CountMinSketch sketch(segment.width, segment.depth);
  sketch.total_ = segment.total_accesses;
  std::memcpy(sketch.counters_.data(), segment.blocks[0].counters.data(), sketch.counters_.size());
  return sketch;
}

}  // namespace rvf::quant
