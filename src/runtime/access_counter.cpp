#include "runtime/access_counter.hpp"

namespace rvf::runtime {

void AccessCounter::count(std::span<const Neighbor> found) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  for (const Neighbor& n : found) sketch_.expect(n.id);
  for (const Neighbor& n : found) sketch_.add(n.id);
  unsaved_ += found.size();
}

uint64_t AccessCounter::total() const {
  std::lock_guard lock(mutex_);
  return sketch_.total();
}

uint8_t AccessCounter::estimate(uint64_t id) const {
  std::lock_guard lock(mutex_);
  return sketch_.estimate(id);
}

std::optional<wire::SketchSegment> AccessCounter::take_changes(uint64_t min_new) {
  std::lock_guard lock(mutex_);
  if (unsaved_ < min_new) return std::nullopt;
  auto changes = sketch_.to_wire();
  unsaved_ = 0;
  return changes;
}

void AccessCounter::age() {
  std::lock_guard lock(mutex_);
  sketch_.age();
  ++unsaved_;
}

}  // namespace rvf::runtime
