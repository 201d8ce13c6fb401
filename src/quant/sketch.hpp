// Count-Min sketch of accesses (Cormode and Muthukrishnan, 2005) with 8-bit saturating counters,
// conservative update (Estan and Varghese, 2002) and ageing by halving. An estimate is never below
// the true count, up to saturation at 255 and ageing. Deterministic: the same accesses give the
// same bytes on every machine. Not thread-safe while add(), age() or merge() runs.
#pragma once
#include <cstdint>
#include <vector>

#include "rvf/result.hpp"
#include "wire/sketch_codec.hpp"

namespace rvf::quant {

class CountMinSketch {
 public:
  static constexpr uint32_t kDefaultDepth = 4;
  static constexpr uint32_t kMaxDepth = 64;

  // `width` counters a row and `depth` rows, both at least 1; depth is cut to kMaxDepth.
  explicit CountMinSketch(uint32_t width, uint32_t depth = kDefaultDepth);

  // A width that keeps collisions rare for `ids` distinct ids of which few are hot: a power of two,
  // 1024 to 2^20.
  static uint32_t width_for(uint64_t ids) noexcept;

  void add(uint64_t id) noexcept;
  // Asks the memory for the counters of an id that will be added soon.
  void expect(uint64_t id) const noexcept;
  uint8_t estimate(uint64_t id) const noexcept;
  // Halves every counter, so that old accesses fade.
  void age() noexcept;
  // Adds another sketch of the same width and depth, else kBadArgument. The estimates of the sum
  // are upper bounds.
  Status merge(const CountMinSketch& other) noexcept;

  uint64_t total() const noexcept { return total_; }
  uint32_t width() const noexcept { return width_; }
  uint32_t depth() const noexcept { return depth_; }

  wire::SketchSegment to_wire() const;
  // kUnsupported where the counters are not 8 bits wide or there is not exactly one block.
  static Result<CountMinSketch> from_wire(const wire::SketchSegment& segment);

  friend bool operator==(const CountMinSketch&, const CountMinSketch&) = default;

 private:
  size_t slot(uint64_t hash, uint64_t step, uint32_t row) const noexcept;

  uint32_t width_;
  uint32_t depth_;
  uint64_t total_ = 0;
  std::vector<uint8_t> counters_;  // [depth][width]
};

}  // namespace rvf::quant
