#include <unistd.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "index/graph.hpp"
#include "runtime/store_impl.hpp"

namespace rvf {
namespace runtime {
namespace {

// A commit extends the index when this many rows lie outside it, or this share of those inside. The
// share keeps the bytes that rewriting the index leaves behind within a small multiple of the
// index.
constexpr uint64_t kTailRows = 16384;
constexpr uint64_t kTailShare = 2;  // one in two

// Most of what the machine has; none where it does not say.
uint64_t usable_memory() noexcept {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0) return std::numeric_limits<uint64_t>::max();
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes) / 10 * 8;
}

index::GraphInput input_of(const LiveState& state) noexcept {
  return {&state.rows, 0, state.rows.size(), state.dtype, state.dimension, state.metric};
}

}  // namespace

uint64_t build_memory(const OpenOptions& options) noexcept {
  const uint64_t usable = usable_memory();
  return options.memory_budget == 0 ? usable : std::min(usable, options.memory_budget);
}

SearchLayout layout_for(const LiveState& state, const wire::ProfileConfig& profile,
                        uint64_t memory) {
  const bool too_large = index::graph_build_bytes(input_of(state)) > memory;
  return too_large ? SearchLayout::kPartitions : profile.search_layout;
}

Result<index::GraphPayloads> make_graph(const LiveState& state, const wire::ProfileConfig& profile,
                                        const OldGraph& old, uint64_t memory, Executor* executor,
                                        const Progress* progress) {
  const index::GraphInput input = input_of(state);
  index::GraphParams params;
  params.m = profile.graph_degree;
  params.ef_construction = profile.ef_construction;
  params.seed = profile.seed;
  params.memory_limit = memory;
  params.layout = layout_for(state, profile, memory);
  const bool has_lists = old.index != nullptr && !old.index->layer_c.empty();
  if (has_lists && params.layout != SearchLayout::kPartitions) {
    index::GraphSpans spans{old.index->layer_c, {}};
    if (!old.fused_is_damaged) spans.fused = old.index->fused;
    auto grown = index::regrow_graph(spans, old.now, input, params, executor, progress);
    // A graph with damage is no reason to fail: it can be made again.
    const bool worth_another_try = !grown && grown.error().code != ErrorCode::kCancelled &&
                                   grown.error().code != ErrorCode::kOutOfMemory;
    if (!worth_another_try) return grown;
  }
  return index::build_graph(input, params, executor, progress);
}

Status append_graph(Writer& writer, const index::GraphPayloads& graph, uint64_t rows) {
  manifest::Head& head = writer.head();
  for (const wire::IndexLayerEntry& old : head.index_layers) {
    writer.batch().removed.push_back(old.segment_id);
  }
  head.index_layers.clear();
  for (const auto& [id, entry] : writer.log().directory()) {
    if (is_own_fused(entry)) writer.batch().removed.push_back(id);
  }
  std::optional<wire::DirEntry> first;
  const auto append = [&](const wire::Bytes& payload, uint16_t flags, uint8_t layer) -> Status {
    Writer::Segment segment;
    segment.type = SegmentType::kIndex;
    segment.flags = flags;
    RVF_ASSIGN(const wire::DirEntry entry, writer.append(segment, payload));
    if (!first) first = entry;
    head.index_layers.push_back({entry.segment_id, layer, 0, 0, rows});
    if (layer == 0) {
      // Where a cold reader begins: the root points straight at it.
      writer.root().entry_points = {entry.offset, 0, 1};
      writer.root().top_layer = {entry.offset, 0, 1};
      writer.root().prefetch = {entry.offset, 0, static_cast<uint32_t>(entry.payload_length)};
    }
    return {};
  };
  for (const wire::Bytes& part : graph.layer_c) RVF_TRY(append(part, 0, 2));
  wire::HotPointer fused_begins;
  for (const index::LargePayload& fused : graph.fused) {
    if (first) wire::set_fused_index(fused.bytes.get(), first->segment_id, first->hash);
    Writer::Segment segment;
    segment.type = SegmentType::kFused;
    segment.flags = segment_flag::kHot;
    RVF_ASSIGN(const wire::DirEntry entry, writer.append(segment, fused.span()));
    if (fused_begins.count != 0) continue;
    RVF_ASSIGN(const wire::FusedPayloadView view, wire::parse_fused(fused.span()));
    const auto before_blocks = view.blocks.data() - fused.span().data();
    fused_begins = {entry.offset, 0, static_cast<uint32_t>(before_blocks)};
  }
  writer.root().entry_points = writer.root().top_layer = writer.root().prefetch = {};
  if (!graph.layer_a.empty()) RVF_TRY(append(graph.layer_a, segment_flag::kHot, 0));
  if (fused_begins.count != 0) writer.root().prefetch = fused_begins;
  return {};
}

}  // namespace runtime

bool Store::Impl::index_is_behind() const {
  const uint64_t rows = state.rows.size();
  const uint64_t indexed =
      state.index != nullptr && state.index->graph != nullptr ? state.index->rows : 0;
  const uint64_t outside = rows - indexed;
  return outside >= std::max(runtime::kTailRows, indexed / runtime::kTailShare);
}

bool Store::Impl::fused_is_intact() const {
  return std::all_of(directory.begin(), directory.end(), [&](const auto& of_id) {
    return !runtime::is_own_fused(of_id.second) || state.verified_segment(of_id.second);
  });
}

bool Store::Impl::lists_are_intact() const {
  return std::all_of(directory.begin(), directory.end(), [&](const auto& of_id) {
    return of_id.second.type != SegmentType::kIndex || state.verified_segment(of_id.second);
  });
}

Status Store::Impl::build_index(const Progress* progress) {
  const uint64_t rows = state.rows.size();
  const wire::ProfileConfig& profile = writer->head().profile;
  if (rows < runtime::kMinGraphRows) return {};
  // A damaged graph is made anew: what grew out of it would have a valid checksum.
  const bool loaded = state.index != nullptr && state.index->graph != nullptr && lists_are_intact();
  const bool intact = fused_is_intact();
  const uint64_t memory = runtime::build_memory(options);
  if (loaded && state.index->rows == rows) {
    const SearchLayout present = state.index->graph->describe().layout;
    const bool is_wanted = present == runtime::layout_for(state, profile, memory);
    if (is_wanted && (present == SearchLayout::kStandard || intact)) return {};
  }
  RVF_ASSIGN(const auto graph,
             runtime::make_graph(state, profile, {loaded ? state.index : nullptr, {}, !intact},
                                 memory, options.executor.get(), progress));
  runtime::BatchScope scope(*writer);
  RVF_TRY(state.intact());
  RVF_TRY(runtime::append_graph(*writer, graph, rows));
  const manifest::Change change = writer->batch();
  RVF_TRY(writer->end_batch(options.durability));
  scope.keep();
  show(change, {});
  std::lock_guard guard(state_mutex);
  torn = true;
  state.load_index(writer->head(), directory);
  current = nullptr;
  torn = false;
  return {};
}

}  // namespace rvf
