#include "runtime/id_walk.hpp"

#include <algorithm>

namespace rvf::runtime {
namespace {

uint64_t id_at(const VecSegment& segment, uint64_t at) {
  return segment.id_of(segment.rows().first_row + segment.by_id(at));
}

}  // namespace

IdWalk::IdWalk(const LiveState& state, uint64_t from) {
  for (const auto& segment : state.segments) {
    const wire::RowMapEntry& rows = segment->rows();
    if (rows.rows == 0 || rows.max_id < from) continue;
    uint64_t low = 0;
    uint64_t high = from <= rows.min_id ? 0 : rows.rows;
    while (low < high) {
      const uint64_t middle = low + (high - low) / 2;
      if (id_at(*segment, middle) < from) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low < rows.rows) heap_.push_back({id_at(*segment, low), segment.get(), low});
  }
  std::make_heap(heap_.begin(), heap_.end(), after);
}

std::optional<IdWalk::Step> IdWalk::next() {
  if (heap_.empty()) return std::nullopt;
  std::pop_heap(heap_.begin(), heap_.end(), after);
  Cursor& c = heap_.back();
  const Step step{c.id, c.segment->rows().first_row + c.segment->by_id(c.at)};
  if (++c.at == c.segment->rows().rows) {
    heap_.pop_back();
  } else {
    c.id = id_at(*c.segment, c.at);
    std::push_heap(heap_.begin(), heap_.end(), after);
  }
  return step;
}

}  // namespace rvf::runtime
