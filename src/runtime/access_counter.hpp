// Counts which vectors queries find, for the temperature tiers: a Count-Min sketch that is kept in
// the file. Lossy on purpose: a query that finds the counter busy is not counted rather than made
// to wait.
// Thread-safe.
#pragma once
#include <mutex>
#include <optional>
#include <span>

#include "quant/sketch.hpp"
#include "rvf/store.hpp"

namespace rvf::runtime {

class AccessCounter {
 public:
  explicit AccessCounter(uint64_t rows) : sketch_(quant::CountMinSketch::width_for(rows)) {}
  explicit AccessCounter(quant::CountMinSketch sketch) : sketch_(std::move(sketch)) {}

  void count(std::span<const Neighbor> found);
  uint64_t total() const;
  uint8_t estimate(uint64_t id) const;
  // The sketch as it is now, if at least `min_new` accesses came since the last call that yielded
  // one.
  std::optional<wire::SketchSegment> take_changes(uint64_t min_new);
  void age();

 private:
  mutable std::mutex mutex_;
  quant::CountMinSketch sketch_;
  uint64_t unsaved_ = 0;
};

}  // namespace rvf::runtime
