#include <cmath>
#include <optional>

#include "index/covering_index.hpp"
#include "index/flat.hpp"
#include "index/graph.hpp"
#include "index/graph_view.hpp"
#include "index/search_scratch.hpp"

namespace rvf::index {

namespace {

// Where most rows are dead, scanning the others is cheaper than a wide beam: an expansion costs
// about sixteen distances, and the scan is exact.
constexpr double kDistancesPerExpansion = 16;
// A filter that few rows pass is answered by scanning them. A step of the filtered walk costs about
// as much as this many distances of a scan.
constexpr double kDistancesPerFilteredStep = 160;
// Where at least this share of the rows match, the plain walk passes enough of them by.
constexpr double kLeastPlainShare = 0.3;
// The matching nodes make a sparser graph than all, so the walk over them alone is wider.
constexpr double kFilteredWider = 1.25;
// Of an upper layer so many nodes are kept while it is walked, and so many are gone on from: clusters
// may have no edges between them.
constexpr uint32_t kEntryWidth = 32;
constexpr uint32_t kEntries = 8;
// The stored rows of a graph's nodes, seen from the query.
class RowSpace {
 public:
  RowSpace(const GraphView& graph, const SearchRequest& request)
      : graph_(graph),
        rows_(*request.rows),
        query_(*request.query),
        lines_(std::min<size_t>(vector_bytes(query_.dtype(), query_.dim()), 256)) {}
  void prefetch(uint32_t node) const noexcept {
    const std::byte* row = rows_[graph_.row_of(node)];
    for (size_t i = 0; i < lines_; i += 64) __builtin_prefetch(row + i);
  }
  void distances(const uint32_t* nodes, size_t n, float* out) const noexcept {
    const std::byte* rows[wire::kMaxListLength];
    for (size_t i = 0; i < n; ++i) rows[i] = rows_[graph_.row_of(nodes[i])];
    query_.distances(rows, n, out);
  }

 private:
  const GraphView& graph_;
  const RowTable& rows_;
  const kernels::PreparedQuery& query_;
  size_t lines_;
};

class GraphIndex final : public CoveringIndex {
 public:
  GraphIndex(GraphView graph, bool only_top) : graph_(std::move(graph)), only_top_(only_top) {}

  IndexInfo describe() const override {
    const wire::IndexMeta& m = graph_.meta();
    IndexInfo info;
    info.kind = only_top_ ? "graph-top" : "graph";
    info.rows = graph_.nodes();
    info.first_row = m.first_row;
    info.bytes = graph_.bytes();
    info.m = m.m;
    info.ef_construction = m.ef_construction;
    info.max_layer = m.max_layer;
    info.default_ef = default_ef(10);
    info.seed = m.seed;
    info.metric = m.metric;
    return info;
  }

 private:
  uint32_t default_ef(uint32_t k) const { return graph_.ef_for(k, kDefaultTargetRecall); }

  Covered covered() const override {
    const wire::IndexMeta& m = graph_.meta();
    // With layer A alone nothing but the top rows is searched: the rest has not arrived.
    return {m.first_row, graph_.row_end(), !only_top_, m.metric, m.dim};
  }

  Plan plan(const SearchRequest& r) const override { return walk_or_scan(r, beam_width(r)); }

  // 0: a scan costs less.
  uint32_t beam_width(const SearchRequest& r) const {
    const SearchParams& p = r.params;
    uint32_t ef = std::max(p.ef, p.k);
    if (p.ef == 0) ef = p.target_recall > 0 ? graph_.ef_for(p.k, p.target_recall) : default_ef(p.k);
    const uint64_t live = graph_.nodes();
    const double passing = passing_rows(r, live);
    if (only_top_) return std::max<uint32_t>(1, std::min(ef, graph_.nodes()));
    if (r.filter != nullptr) {
      if (!p.walk && passing <= ef * kDistancesPerFilteredStep) return 0;
      const double share = passing / std::max<double>(1, static_cast<double>(live));
      return static_cast<uint32_t>(share >= kLeastPlainShare ? ef / std::sqrt(share)
                                                             : ef * kFilteredWider);
    }
    const double wide = ef * static_cast<double>(live) / std::max(passing, 1.0);
    if (passing <= wide * kDistancesPerExpansion * 0.25) return 0;
    if (passing < 0.5 * static_cast<double>(live)) {
      ef = static_cast<uint32_t>(std::min<double>(wide, std::max(kMaxDeadWidth, ef)));
    }
    return ef;
  }

  Result<bool> walk(const SearchRequest& r, uint32_t ef, uint64_t deadline,
                    SearchScratch::Impl& scratch, TopK& best, SearchStats& stats) const override {
    const RowSpace space(graph_, r);
    BeamCounts counts;
    bool in_time = true;
    const auto stop = [&] {
      if (deadline == 0 || counts.expansions % 8 != 0 || steady_now_ns() <= deadline) return false;
      in_time = false;
      return true;
    };
    uint32_t entry = graph_.entry();
    float distance = 0;
    space.distances(&entry, 1, &distance);
    ++counts.distances;
    BeamPool& pool = scratch.pool;
    std::vector<std::pair<float, uint32_t>> entries = {{distance, entry}};
    for (uint32_t layer = graph_.meta().max_layer; layer > 0 && in_time; --layer) {
      pool.start(kEntryWidth);
      scratch.visited.start(graph_.nodes());
      for (const auto& [d, node] : entries) {
        scratch.visited.insert(node);
        pool.offer(d, node);
      }
      expand_beam(
          graph_, layer, space, pool, scratch.visited, counts, [](uint32_t, float) {}, stop);
      entries.clear();
      for (size_t i = 0; i < std::min<size_t>(pool.size(), kEntries); ++i) {
        entries.emplace_back(pool[i].distance, pool[i].node);
      }
    }
    const auto seen = [&](uint32_t node, float d) {
      if (!(d <= best.bound()) && best.full()) return;
      const uint64_t row = graph_.row_of(node);
      if (r.may_return(row)) best.offer(row, d);
    };
    pool.start(ef);
    scratch.visited.start(graph_.nodes());
    for (const auto& [d, node] : entries) {
      scratch.visited.insert(node);
      pool.offer(d, node);
      seen(node, d);
    }
    const bool stepping =
        r.filter != nullptr && static_cast<double>(r.filter->count()) <
                                   kLeastPlainShare * static_cast<double>(graph_.nodes());
    if (in_time && stepping) {
      const auto match = [&](uint32_t node) { return r.filter->test(graph_.row_of(node)); };
      expand_filtered(graph_, space, pool, scratch.visited, counts, match, seen, stop);
    } else if (in_time) {
      expand_beam(graph_, 0, space, pool, scratch.visited, counts, seen, stop);
    }
    stats.distances += counts.distances;
    stats.expansions += counts.expansions;
    stats.bad_lists += counts.bad_lists;
    stats.layers |= only_top_ ? kLayerA : kLayerA | kLayerC;
    return in_time;
  }

  GraphView graph_;
  bool only_top_;
};

}  // namespace

Result<std::unique_ptr<Index>> open_graph(const std::vector<wire::ByteSpan>& layer_c,
                                          wire::ByteSpan layer_a) {
  const bool only_top = layer_c.empty();
  RVF_ASSIGN(GraphView view,
             GraphView::open(only_top ? std::vector<wire::ByteSpan>{layer_a} : layer_c));
  const uint8_t wanted = only_top ? wire::kIndexLayerA : wire::kIndexLayerC;
  if (view.meta().layer_level != wanted || view.meta().node_map.empty() == only_top) {
    return Error(ErrorCode::kCorrupt, "INDEX payloads of layer level " +
                                          std::to_string(view.meta().layer_level) + " where " +
                                          std::to_string(wanted) + " is needed");
  }
  return std::unique_ptr<Index>(std::make_unique<GraphIndex>(std::move(view), only_top));
}

}  // namespace rvf::index
