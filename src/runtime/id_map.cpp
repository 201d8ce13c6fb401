#include "runtime/id_map.hpp"

#include <algorithm>

#include "types/limits.hpp"

namespace rvf::runtime {
namespace {

// Runs shorter than this go into the table: a binary search over many tiny runs would be slower.
constexpr uint64_t kMinRun = 32;

uint64_t mix(uint64_t x) noexcept {
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93ULL;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93ULL;
  return x ^ (x >> 32);
}

}  // namespace

void IdMap::add(std::span<const uint64_t> ids, uint64_t first_row) {
  for (size_t i = 0; i < ids.size();) {
    size_t end = i + 1;
    while (end < ids.size() && ids[end] == ids[end - 1] + 1) ++end;
    add_run(ids[i], end - i, first_row + i);
    i = end;
  }
}

void IdMap::add_run(uint64_t first_id, uint64_t count, uint64_t first_row) {
  // The table is asked first, so a run may only hold ids that the table has never seen.
  const uint64_t runs_end = runs_.empty() ? 0 : runs_.back().first_id + runs_.back().count;
  if (first_id >= runs_end && first_id >= table_end_) {
    if (!runs_.empty() && first_id == runs_end &&
        first_row == runs_.back().first_row + runs_.back().count) {
      runs_.back().count += count;
      return;
    }
    if (count >= kMinRun) {
      runs_.push_back({first_id, count, first_row});
      return;
    }
  }
  for (uint64_t i = 0; i < count; ++i) insert(first_id + i, first_row + i);
}

std::optional<uint64_t> IdMap::find(uint64_t id) const noexcept {
  if (used_ > 0) {
    const size_t mask = slots_.size() - 1;
    for (size_t i = mix(id) & mask; slots_[i].id != kNoId; i = (i + 1) & mask) {
      if (slots_[i].id == id) return slots_[i].row;
    }
  }
  auto it = std::upper_bound(runs_.begin(), runs_.end(), id,
                             [](uint64_t v, const Run& r) { return v < r.first_id; });
  if (it == runs_.begin()) return std::nullopt;
  --it;
  if (id - it->first_id >= it->count) return std::nullopt;
  return it->first_row + (id - it->first_id);
}

void IdMap::insert(uint64_t id, uint64_t row) {
  if ((used_ + 1) * 4 > slots_.size() * 3) grow();
  const size_t mask = slots_.size() - 1;
  size_t i = mix(id) & mask;
  while (slots_[i].id != kNoId && slots_[i].id != id) i = (i + 1) & mask;
  if (slots_[i].id == kNoId) ++used_;
  table_end_ = std::max(table_end_, id + 1);
  slots_[i] = {id, row};
}

void IdMap::grow() {
  std::vector<Slot> old(std::max<size_t>(64, slots_.size() * 2), Slot{kNoId, 0});
  old.swap(slots_);
  used_ = 0;
  for (const Slot& s : old) {
    if (s.id != kNoId) insert(s.id, s.row);
  }
}

}  // namespace rvf::runtime
