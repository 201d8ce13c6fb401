#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>

#include "exec/inline_executor.hpp"
#include "index/fused_build.hpp"
#include "index/fused_index.hpp"
#include "index/graph.hpp"
#include "index/graph_calibrate.hpp"
#include "index/graph_payloads.hpp"
#include "index/graph_view.hpp"
#include "index/neighbour_chooser.hpp"
#include "index/partition_build.hpp"
#include "types/splitmix.hpp"

namespace rvf::index {
namespace {

constexpr uint32_t kHeldOut = 384;  // rows kept back to calibrate with
constexpr uint32_t kLeastToCalibrate = 2000;

Status check_input(const GraphInput& input, const GraphParams& params) {
  if (input.rows == nullptr || input.dim == 0 || input.dim > kMaxDimension || params.m < 4 ||
      params.m > 64 || params.ef_construction < 8 || params.ef_construction > 4096 ||
      params.max_payload_bytes < 4096 || params.max_payload_bytes > 0xF0000000) {
    return Error(ErrorCode::kBadArgument, "graph parameters out of range");
  }
  if (input.count == 0) return Error(ErrorCode::kEmptyIndex, "no rows to index");
  if (input.count > wire::kMaxGraphNodes) {
    return Error(ErrorCode::kTooLarge, "a graph holds at most 2^31 - 1 rows");
  }
  if (input.first_row > input.rows->size() || input.count > input.rows->size() - input.first_row) {
    return Error(ErrorCode::kBadArgument, "the row table ends before the rows to index");
  }
  if (vector_bytes(input.dtype, 1) == 0) {
    return Error(ErrorCode::kUnsupported, "codes are indexed through the vectors they stand for");
  }
  return {};
}

class GraphMaker {
 public:
  GraphMaker(const GraphInput& input, const GraphParams& params, Executor& executor,
             const Progress* progress)
      : input_(input), params_(params), executor_(executor), progress_(progress) {}

  // `calibration` is kept where too few rows are new to measure another.
  Result<GraphPayloads> run(const GraphView* old, const std::vector<uint32_t>& now,
                            std::vector<wire::FusedCalibrationPoint> calibration);

 private:
  Status report(double share) const;
  Status check_memory() const;
  // The lists of a graph that was, as far as its nodes are still there.
  Status keep(const GraphView& old, const std::vector<uint32_t>& now);
  void mend(const GraphView& old, const std::vector<uint32_t>& now, FusedBuilder& builder);
  Status grow(FusedBuilder& builder);
  void find_copies();
  void link_copies();
  Result<GraphPayloads> finish();

  const GraphInput& input_;
  const GraphParams& params_;
  Executor& executor_;
  const Progress* progress_;
  std::optional<FusedSpace> space_;
  std::optional<RowCodes> codes_;
  std::optional<FusedGraph> graph_;
  std::vector<uint8_t> kept_;  // by node: it was in the old graph
  std::vector<uint32_t> old_of_;  // by node, where kept_
  // Nodes of equal vectors, each set ascending; all but the first are left out while linking.
  std::vector<std::vector<uint32_t>> copies_;
  std::vector<uint8_t> is_copy_;
  wire::FusedHeader header_;
};

// A system that promises more memory than it has ends the process where this can still fail.
Status GraphMaker::check_memory() const {
  const uint64_t needed = graph_build_bytes(input_);
  if (params_.memory_limit == 0 || needed <= params_.memory_limit) return {};
  return Error(ErrorCode::kOutOfMemory, "indexing " + std::to_string(input_.count) +
                                            " vectors takes about " + std::to_string(needed >> 20) +
                                            " MiB of memory, and " +
                                            std::to_string(params_.memory_limit >> 20) +
                                            " MiB may be used; without an index all are compared");
}

Status GraphMaker::report(double share) const {
  const auto done = static_cast<uint64_t>(share * static_cast<double>(input_.count));
  if (progress_ != nullptr && *progress_ && !(*progress_)(done, input_.count)) {
    return Error(ErrorCode::kCancelled, "the build was asked to stop");
  }
  return {};
}

Status GraphMaker::keep(const GraphView& old, const std::vector<uint32_t>& now) {
  old_of_.assign(static_cast<size_t>(input_.count), kNoNode);
  for (uint32_t node = 0; node < old.nodes(); ++node) {
    const uint32_t there = now.empty() ? node : now[node];
    if (there == kNoNode) continue;
    if (there >= input_.count) {
      return Error(ErrorCode::kBadArgument, "a node of the graph has moved behind the last row");
    }
    kept_[there] = 1;
    old_of_[there] = node;
  }
  std::vector<uint8_t> damaged(executor_.width(), 0);
  executor_.parallel_for(input_.count, 256, [&](size_t worker, uint64_t b, uint64_t e) {
    RowCodes::Query query(*codes_);
    NeighbourChooser chooser(*codes_);
    uint32_t list[wire::kMaxListLength];
    float distances[wire::kMaxListLength];
    std::vector<Near> edges;
    std::vector<Near> chosen;
    for (uint64_t i = b; i < e; ++i) {
      if (kept_[i] == 0) continue;
      const auto node = static_cast<uint32_t>(i);
      bool bad = false;
      const size_t all = old.neighbours(old_of_[i], 0, list, bad);
      if (bad) damaged[worker] = 1;
      size_t n = 0;
      for (size_t j = 0; j < all; ++j) {
        const uint32_t there = now.empty() ? list[j] : now[list[j]];
        if (there != kNoNode && there != node) list[n++] = there;
      }
      edges.clear();
      // A node that lost much of its surroundings is better searched for anew.
      if (n * 4 < all * 3) {
        kept_[i] = 0;
        n = 0;
      }
      query.set(node);
      query.distances(list, n, distances);
      for (size_t j = 0; j < n; ++j) edges.push_back({distances[j], list[j]});
      std::sort(edges.begin(), edges.end());
      if (edges.size() > params_.degree()) {  // of a graph with longer lists
        chooser.choose(edges, params_.degree(), chosen);
        edges.swap(chosen);
      }
      graph_->assign(node, edges);
    }
  });
  if (std::any_of(damaged.begin(), damaged.end(), [](uint8_t d) { return d != 0; })) {
    return Error(ErrorCode::kCorrupt, "the graph to go on from has damaged neighbour lists");
  }
  return {};
}

// Nodes whose neighbours are gone choose among those neighbours' neighbours too.
void GraphMaker::mend(const GraphView& old, const std::vector<uint32_t>& now,
                      FusedBuilder& builder) {
  if (now.empty()) return;
  uint32_t list[wire::kMaxListLength];
  bool bad = false;
  std::vector<uint32_t> hurt;
  for (uint32_t node = 0; node < input_.count; ++node) {
    if (kept_[node] == 0) continue;
    const size_t n = old.neighbours(old_of_[node], 0, list, bad);
    if (std::any_of(list, list + n, [&](uint32_t o) { return now[o] == kNoNode; })) {
      hurt.push_back(node);
    }
  }
  builder.relink(hurt, [&](uint32_t node, std::vector<uint32_t>& out) {
    uint32_t near[wire::kMaxListLength];
    uint32_t far[wire::kMaxListLength];
    bool damaged = false;
    const size_t n = old.neighbours(old_of_[node], 0, near, damaged);
    for (size_t i = 0; i < n; ++i) {
      if (now[near[i]] != kNoNode) {
        out.push_back(now[near[i]]);
        continue;
      }
      const size_t m = old.neighbours(near[i], 0, far, damaged);
      for (size_t j = 0; j < m; ++j) {
        if (now[far[j]] != kNoNode) out.push_back(now[far[j]]);
      }
    }
  });
}

void GraphMaker::find_copies() {
  const auto nodes = static_cast<uint32_t>(input_.count);
  const size_t bytes = space_->layout().padded;
  const auto text = [&](uint32_t node) {
    return std::string_view(reinterpret_cast<const char*>(codes_->code(node)), bytes);
  };
  const auto equal = [&](uint32_t a, uint32_t b) {
    return codes_->scale(a) == codes_->scale(b) && text(a) == text(b);
  };
  std::vector<std::pair<uint64_t, uint32_t>> hashed(nodes);
  executor_.parallel_for(nodes, 1024, [&](size_t, uint64_t b, uint64_t e) {
    for (uint64_t i = b; i < e; ++i) {
      const auto node = static_cast<uint32_t>(i);
      hashed[i] = {std::hash<std::string_view>()(text(node)), node};
    }
  });
  std::sort(hashed.begin(), hashed.end());
  is_copy_.assign(nodes, 0);
  for (size_t i = 0; i + 1 < hashed.size(); ++i) {
    if (hashed[i].first != hashed[i + 1].first || is_copy_[hashed[i].second] != 0) continue;
    std::vector<uint32_t> same = {hashed[i].second};
    for (size_t j = i + 1; j < hashed.size() && hashed[j].first == hashed[i].first; ++j) {
      if (!equal(hashed[i].second, hashed[j].second)) continue;
      same.push_back(hashed[j].second);
      is_copy_[hashed[j].second] = 1;
    }
    if (same.size() > 1) copies_.push_back(std::move(same));
  }
}

// The first of equal vectors has the neighbours of all; from it the others hang like a chain of
// which every member sees the next few, so that a walk finds as many as it is asked for.
void GraphMaker::link_copies() {
  constexpr size_t kNext = 8;
  std::vector<Near> edges;
  for (const auto& same : copies_) {
    const auto list = graph_->neighbours(same[0]);
    std::vector<Near> neighbours;
    for (size_t i = 0; i < list.size(); ++i) {
      const bool copy = std::binary_search(same.begin(), same.end(), list[i]);
      if (!copy) neighbours.push_back({graph_->distances(same[0])[i], list[i]});
    }
    for (size_t at = 0; at < same.size(); ++at) {
      edges.clear();
      if (at != 0) edges.push_back({0, same[0]});
      for (size_t i = at + 1; i < same.size() && i <= at + kNext; ++i) {
        edges.push_back({0, same[i]});
      }
      for (const Near& n : neighbours) {
        if (edges.size() < params_.degree()) edges.push_back(n);
      }
      graph_->assign(same[at], edges);
    }
  }
}

Status GraphMaker::grow(FusedBuilder& builder) {
  std::vector<uint32_t> fresh;
  for (uint32_t node = 0; node < input_.count; ++node) {
    if (kept_[node] == 0 && is_copy_[node] == 0) fresh.push_back(node);
  }
  std::vector<uint32_t> held;
  if (params_.calibrate && input_.count >= kLeastToCalibrate) {
    // Rows that the graph has not seen are true queries; among few new rows, few are held back.
    const size_t wanted = std::min<size_t>(kHeldOut, fresh.size() / 4);
    for (size_t i = 0; i < wanted; ++i) {
      const size_t span = fresh.size() / wanted;
      held.push_back(fresh[i * span + splitmix64(params_.seed + i) % span]);
    }
    std::vector<uint32_t> rest;
    std::set_difference(fresh.begin(), fresh.end(), held.begin(), held.end(),
                        std::back_inserter(rest));
    fresh = std::move(rest);
  }
  RVF_TRY(builder.add(fresh, [&](double share) { return report(0.05 + 0.85 * share); }));
  constexpr size_t kLeastHeld = 64;
  if (held.size() >= kLeastHeld) {
    const FusedIndex index(*space_, graph_->blocks(), input_.first_row);
    header_.calibration = calibrate(index, input_, held, false, executor_);
  }
  RVF_TRY(builder.add(held, [&](double share) { return report(0.95 + 0.05 * share); }));
  link_copies();
  builder.connect();
  for (const auto& same : copies_) {
    for (const uint32_t node : same) graph_->encode(node);
  }
  return {};
}

Result<GraphPayloads> GraphMaker::run(const GraphView* old, const std::vector<uint32_t>& now,
                                      std::vector<wire::FusedCalibrationPoint> calibration) {
  RVF_TRY(report(0));
  header_.calibration = std::move(calibration);
  RVF_ASSIGN(FusedSpace space, FusedSpace::fit(input_, params_.seed));
  space_.emplace(std::move(space));
  RVF_TRY(check_memory());
  RVF_ASSIGN(RowCodes codes, RowCodes::make(*space_, input_, executor_));
  codes_.emplace(std::move(codes));
  const auto nodes = static_cast<uint32_t>(input_.count);
  kept_.assign(nodes, 0);
  const size_t root_bytes =
      size_t{fused_groups(FusedGraph::leaders_for(nodes))} * space_->layout().group_bytes();
  const size_t prefix = wire::fused_prefix_bytes(space_->frame().centre.size(),
                                                 most_calibration_points(), root_bytes);
  const uint64_t piece = std::max<uint64_t>(params_.max_payload_bytes, uint64_t{1} << 20);
  RVF_ASSIGN(FusedGraph graph,
             FusedGraph::make(*space_, *codes_, nodes, params_.seed, piece, prefix));
  graph_.emplace(std::move(graph));
  find_copies();
  if (old != nullptr) {
    RVF_TRY(keep(*old, now));
    // Of little use: what it would save in time it costs in recall.
    if (std::count(kept_.begin(), kept_.end(), 1) < static_cast<ptrdiff_t>(nodes / 2)) {
      kept_.assign(nodes, 0);
      for (uint32_t node = 0; node < nodes; ++node) graph_->assign(node, {});
      old = nullptr;
    }
  }
  RVF_TRY(report(0.05));
  FusedBuilder builder(*codes_, *space_, *graph_, params_, executor_);
  if (old != nullptr) mend(*old, now, builder);
  RVF_TRY(grow(builder));
  return finish();
}

Result<GraphPayloads> GraphMaker::finish() {
  wire::IndexMeta meta;
  meta.m = params_.m;
  meta.base_degree = params_.degree();
  meta.ef_construction = params_.ef_construction;
  meta.first_row = input_.first_row;
  meta.seed = params_.seed;
  meta.metric = input_.metric;
  meta.dtype = input_.dtype;
  meta.dim = static_cast<uint32_t>(input_.dim);
  for (const wire::FusedCalibrationPoint& p : header_.calibration) {
    if (p.kind == 0) {
      meta.calibration.push_back({p.k, static_cast<uint16_t>(p.recall * 10000), p.width});
    }
  }
  if (!meta.calibration.empty()) meta.calibrated_nodes = input_.count;
  describe_space(*space_, input_, header_);
  header_.block_bytes = space_->layout().block_bytes;
  header_.root_groups =
      static_cast<uint32_t>(graph_->root().size() / space_->layout().group_bytes());
  // Room for the calibration was left before it was known.
  header_.calibration.resize(most_calibration_points(), {});
  return make_payloads(*graph_, *codes_, meta, std::move(header_), params_, executor_);
}

}  // namespace

uint64_t graph_build_bytes(const GraphInput& input) noexcept {
  constexpr uint64_t kOther = 768;  // lists, candidates and reverse edges of a node
  const bool ip = input.metric == Metric::kInnerProduct;
  const FusedLayout layout = FusedLayout::of(static_cast<uint32_t>(input.dim) + (ip ? 1 : 0));
  return input.count * (layout.block_bytes + layout.sign_bytes + layout.vector_bytes + kOther);
}

Result<GraphPayloads> build_graph(const GraphInput& input, const GraphParams& params,
                                  Executor* executor, const Progress* progress) {
  RVF_TRY(check_input(input, params));
  InlineExecutor inline_executor;
  Executor& e = executor == nullptr ? inline_executor : *executor;
  if (params.layout == SearchLayout::kPartitions) {
    GraphPayloads out;
    RVF_ASSIGN(LargePayload lists, build_partitions(input, params, e, progress));
    out.fused.push_back(std::move(lists));
    return out;
  }
  return GraphMaker(input, params, e, progress).run(nullptr, {}, {});
}

Result<GraphPayloads> regrow_graph(const GraphSpans& graph, const std::vector<uint32_t>& now,
                                   const GraphInput& input, const GraphParams& given,
                                   Executor* executor, const Progress* progress) {
  RVF_ASSIGN(GraphView old, GraphView::open(graph.layer_c));
  GraphParams params = given;
  params.m = old.meta().m;
  params.ef_construction = old.meta().ef_construction;
  params.seed = old.meta().seed;
  RVF_TRY(check_input(input, params));
  const bool same = now.empty();
  if (old.meta().metric != input.metric || old.meta().dim != input.dim ||
      (same && (old.meta().first_row != input.first_row || old.nodes() > input.count)) ||
      (!same && now.size() != old.nodes()) || old.meta().layer_level != wire::kIndexLayerC ||
      !old.meta().node_map.empty()) {
    return Error(ErrorCode::kBadArgument, "the graph to go on from was built for other rows");
  }
  // Short lists are no start for a graph of longer ones.
  if (old.meta().base_degree < given.degree()) return build_graph(input, given, executor, progress);
  InlineExecutor inline_executor;
  Executor& e = executor == nullptr ? inline_executor : *executor;
  std::vector<wire::FusedCalibrationPoint> calibration;
  if (!graph.fused.empty()) {
    if (auto first = wire::parse_fused(graph.fused.front())) {
      calibration = std::move(first->header.calibration);
    }
  }
  if (calibration.empty()) {
    for (const wire::CalibrationPoint& p : old.meta().calibration) {
      calibration.push_back({0, p.k, p.ef, static_cast<float>(p.recall_e4) / 10000,
                             std::numeric_limits<float>::max()});
    }
    if (calibration.size() > most_calibration_points()) calibration.clear();
  }
  return GraphMaker(input, params, e, progress).run(&old, now, std::move(calibration));
}

}  // namespace rvf::index
