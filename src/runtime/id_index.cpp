#include "runtime/id_index.hpp"

#include <mutex>

namespace rvf::runtime {

std::optional<uint64_t> IdIndex::find(const LiveState& state, uint64_t id) {
  {
    std::shared_lock lock(mutex_);
    if (known_rows_ >= state.rows.size()) return look_up(state, id);
  }
  std::unique_lock lock(mutex_);
  learn(state);
  return look_up(state, id);
}

void IdIndex::find_all(const LiveState& state, std::span<const uint64_t> ids,
                       std::vector<std::optional<uint64_t>>& out) {
  std::unique_lock lock(mutex_);
  learn(state);
  out.clear();
  out.reserve(ids.size());
  for (const uint64_t id : ids) out.push_back(look_up(state, id));
}

void IdIndex::learn(const LiveState& state) {
  // Segments are ascending by row; the unknown ones are the last.
  size_t first = state.segments.size();
  while (first > 0 && state.segments[first - 1]->rows().first_row >= known_rows_) --first;
  std::vector<uint64_t> ids;
  for (size_t s = first; s < state.segments.size(); ++s) {
    for (const VecSegment::Block& b : state.segments[s]->blocks()) {
      if (b.wire.ids.encoding() == wire::IdEncoding::kRun) {
        map_.add_run(b.wire.ids.first(), b.wire.count, b.first_row);
        continue;
      }
      ids.clear();
      b.wire.ids.copy_to(ids);
      map_.add(ids, b.first_row);
    }
    known_rows_ = state.segments[s]->rows().first_row + state.segments[s]->rows().rows;
  }
}

std::optional<uint64_t> IdIndex::look_up(const LiveState& state, uint64_t id) const {
  const auto row = map_.find(id);
  if (!row) return std::nullopt;
  if (*row < state.rows.size()) {
    if (state.dead.test(*row)) return std::nullopt;
    return row;
  }
  // The id was written again after this state was taken: its older row has to be searched for.
  std::vector<uint64_t> ids;
  for (auto s = state.segments.rbegin(); s != state.segments.rend(); ++s) {
    const wire::RowMapEntry& r = (*s)->rows();
    if (id < r.min_id || id > r.max_id) continue;
    ids.clear();
    (*s)->copy_ids(ids);
    for (size_t i = ids.size(); i-- > 0;) {
      if (ids[i] != id) continue;
      if (state.dead.test(r.first_row + i)) return std::nullopt;
      return r.first_row + i;
    }
  }
  return std::nullopt;
}

}  // namespace rvf::runtime
