// What a compaction makes anew in its output: the graph and the hot vectors.
#include <algorithm>

#include "kernels/convert.hpp"
#include "runtime/compaction.hpp"
#include "wire/hot_codec.hpp"

namespace rvf::runtime {

OldGraph Compaction::old_graph() const {
  OldGraph old{source_->state.index, {}};
  if (old.index == nullptr || old.index->graph == nullptr) return {};
  // A damaged graph must not get a fresh, valid checksum.
  for (const wire::DirEntry& e : source_->directory) {
    const bool fused = is_own_fused(e);
    if ((!fused && e.type != SegmentType::kIndex) || source_->state.verified_segment(e)) continue;
    if (!fused) return {};
    old.fused_is_damaged = true;
  }
  old.now.assign(static_cast<size_t>(old.index->rows), index::kNoNode);
  for (uint64_t position = 0; position < plan_.order.size(); ++position) {
    const uint64_t row = plan_.order[position];
    if (row < old.now.size()) old.now[row] = static_cast<uint32_t>(position);
  }
  return old;
}

Status Compaction::index_output() {
  const auto& directory = writer_->log().directory();
  const bool there = std::any_of(directory.begin(), directory.end(), [](const auto& of_id) {
    return of_id.second.type == SegmentType::kIndex || is_own_fused(of_id.second);
  });
  if (there || writer_->root().extension->rows < kMinGraphRows) return {};
  RVF_ASSIGN(auto state, LiveState::load(writer_->log(), output_, store_.shard_opener(), 0, 0));
  RVF_ASSIGN(const auto graph,
             make_graph(state, writer_->head().profile, old_graph(), build_memory(store_.options),
                        store_.options.executor.get(), options_.progress));
  writer_->begin_batch();
  Status done = append_graph(*writer_, graph, state.rows.size());
  if (done) done = checkpoint(plan_.order.size(), true);
  if (!done) writer_->abandon_batch();
  return done;
}

// The vectors that queries find most, each with its nearest neighbours: enough for a first answer
// from one read.
Status Compaction::write_hot() {
  constexpr uint64_t kMaxHot = 256;
  constexpr uint16_t kNeighbors = 8;
  const uint64_t count = std::min(plan_.tier_end[0], kMaxHot);
  const auto& directory = writer_->log().directory();
  const bool there = std::any_of(directory.begin(), directory.end(), [](const auto& e) {
    return e.second.type == SegmentType::kHot && (e.second.flags & segment_flag::kHot) != 0;
  });
  if (count == 0 || there) return {};
  const LiveState& from = source_->state;
  std::vector<std::pair<uint8_t, uint64_t>> ranked;  // by falling estimate
  for (uint64_t i = 0; i < plan_.tier_end[0]; ++i) {
    ranked.emplace_back(
        static_cast<uint8_t>(255 - store_.access->estimate(from.id_of(plan_.order[i]))),
        plan_.order[i]);
  }
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<ptrdiff_t>(count), ranked.end());
  wire::Hot hot;
  hot.dimension = static_cast<uint16_t>(from.dimension);
  hot.dtype = from.dtype;
  hot.max_neighbors = kNeighbors;
  index::SearchScratch scratch;
  std::vector<float> v(from.dimension);
  QueryOptions nearest;
  nearest.k = kNeighbors + 1;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t row = ranked[i].second;
    wire::HotEntry entry;
    entry.id = from.id_of(row);
    entry.vector.assign(from.rows[row], from.rows[row] + vector_bytes(from.dtype, from.dimension));
    RVF_TRY(kernels::decode_row(from.rows[row], from.dtype, v));
    RVF_ASSIGN(const QueryResult found, source_->query(v, nearest, scratch));
    for (const Neighbor& n : found.neighbors) {
      if (n.id != entry.id && entry.neighbors.size() < kNeighbors) entry.neighbors.push_back(n.id);
    }
    hot.entries.push_back(std::move(entry));
  }
  writer_->begin_batch();
  Writer::Segment segment;
  segment.type = SegmentType::kHot;
  segment.flags = segment_flag::kHot;
  auto entry = writer_->append(segment, wire::encode_hot(hot));
  if (!entry) {
    writer_->abandon_batch();
    return std::move(entry).error();
  }
  writer_->root().hot_cache = {entry->offset, 0, static_cast<uint32_t>(count)};
  return checkpoint(plan_.order.size(), true);
}

}  // namespace rvf::runtime
