#include "exec/inline_executor.hpp"
#include "index/graph.hpp"
#include "index/mutable_graph.hpp"
#include "types/splitmix.hpp"

namespace rvf::index {
namespace {

constexpr uint64_t kMaxBatch = 16384;
constexpr uint32_t kHeldOut = 256;          // rows kept back to calibrate with
constexpr uint32_t kLeastToCalibrate = 2000;
constexpr uint32_t kLadder[] = {10,  16,  24,  32,  48,   64,   96,   128,  192,
                                256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096};

struct Edge {
  uint32_t target;
  uint32_t layer;
  Near source;
};

struct Worker {
  explicit Worker(const CodeSpace& space) : query(space), pruner(space) {}
  CodeSpace::Query query;
  Pruner pruner;
  BeamPool pool;
  VisitedMarks visited;
  BeamCounts counts;
  std::vector<Near> candidates;
  std::vector<Near> chosen;
};

// Prefetches codes for the query of one worker.
class CodeView {
 public:
  CodeView(const CodeSpace& space, const CodeSpace::Query& query) : space_(space), query_(query) {}
  void prefetch(uint32_t node) const noexcept { space_.prefetch(node); }
  void distances(const uint32_t* nodes, size_t n, float* out) const noexcept {
    query_.distances(nodes, n, out);
  }

 private:
  const CodeSpace& space_;
  const CodeSpace::Query& query_;
};

class GraphBuilder {
 public:
  GraphBuilder(const GraphInput& input, const GraphParams& params, CodeSpace space,
               const GraphView* old, Executor& executor, const Progress* progress)
      : input_(input),
        params_(params),
        space_(std::move(space)),
        executor_(executor),
        progress_(progress),
        graph_(static_cast<uint32_t>(input.count), params.m, params.seed, old) {
    for (size_t i = 0; i < executor.width(); ++i) workers_.emplace_back(space_);
  }

  Status load(const GraphView& old);
  Status insert_all();
  GraphPayloads finish();

 private:
  Status insert_batch(const std::vector<uint32_t>& order, size_t begin, size_t end);
  void link(uint32_t node, Worker& w);
  void add_reverse_edges(const std::vector<uint32_t>& order, size_t begin, size_t end);
  void prune_list(const MutableGraph::List& list, Worker& w) const;
  void trim();
  void calibrate(const std::vector<uint32_t>& order, size_t known);
  void connect();
  void beam(uint32_t layer, Worker& w, size_t ef, const Near* entries, size_t n);
  Near descend(uint32_t to_layer, Worker& w);

  const GraphInput& input_;
  const GraphParams& params_;
  CodeSpace space_;
  Executor& executor_;
  const Progress* progress_;
  MutableGraph graph_;
  std::vector<Worker> workers_;
  uint32_t entry_ = 0;
  uint32_t max_layer_ = 0;
  uint32_t inserted_ = 0;
  uint64_t calibrated_nodes_ = 0;
  std::vector<wire::CalibrationPoint> calibration_;
};

void GraphBuilder::beam(uint32_t layer, Worker& w, size_t ef, const Near* entries, size_t n) {
  w.pool.start(ef);
  w.visited.start(graph_.nodes());
  for (size_t i = 0; i < n; ++i) {
    w.visited.insert(entries[i].node);
    w.pool.offer(entries[i].distance, entries[i].node);
  }
  expand_beam(
      graph_, layer, CodeView(space_, w.query), w.pool, w.visited, w.counts, [](uint32_t, float) {},
      [] { return false; });
}

// From the entry point down to the best node of the layer above `to_layer`.
Near GraphBuilder::descend(uint32_t to_layer, Worker& w) {
  Near at{0, entry_};
  w.query.distances(&at.node, 1, &at.distance);
  for (uint32_t layer = max_layer_; layer > to_layer; --layer) {
    beam(layer, w, 1, &at, 1);
    at = w.pool[0];
  }
  return at;
}

// Writes only the node's own lists: the rest of the graph is read by the other workers.
void GraphBuilder::link(uint32_t node, Worker& w) {
  w.query.set(node);
  const uint32_t top = std::min(graph_.level(node), max_layer_);
  Near entries[4] = {descend(top, w)};
  size_t n = 1;
  for (uint32_t layer = top;; --layer) {
    beam(layer, w, params_.ef_construction, entries, n);
    w.candidates.clear();
    for (size_t i = 0; i < w.pool.size(); ++i) w.candidates.push_back(w.pool[i]);
    n = std::min<size_t>(w.pool.size(), std::size(entries));
    for (size_t i = 0; i < n; ++i) entries[i] = w.pool[i];
    const MutableGraph::List list = graph_.list(node, layer);
    w.pruner.choose(w.candidates, list.degree, w.chosen);
    list.assign(w.chosen);
    if (layer == 0) return;
  }
}

void GraphBuilder::prune_list(const MutableGraph::List& list, Worker& w) const {
  w.candidates.clear();
  for (uint16_t i = 0; i < *list.count; ++i) {
    w.candidates.push_back({list.distances[i], list.nodes[i]});
  }
  std::sort(w.candidates.begin(), w.candidates.end());
  w.pruner.choose(w.candidates, list.degree, w.chosen);
  list.assign(w.chosen);
}

void GraphBuilder::add_reverse_edges(const std::vector<uint32_t>& order, size_t begin, size_t end) {
  std::vector<Edge> edges;
  for (size_t i = begin; i < end; ++i) {
    const uint32_t node = order[i];
    for (uint32_t layer = 0; layer <= std::min(graph_.level(node), max_layer_); ++layer) {
      const MutableGraph::List list = graph_.list(node, layer);
      for (uint16_t e = 0; e < *list.count; ++e) {
        edges.push_back({list.nodes[e], layer, {list.distances[e], node}});
      }
    }
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    if (a.target != b.target) return a.target < b.target;
    if (a.layer != b.layer) return a.layer < b.layer;
    return a.source < b.source;
  });
  std::vector<size_t> starts;  // one worker owns all edges of a target's list
  for (size_t i = 0; i < edges.size(); ++i) {
    if (i == 0 || edges[i].target != edges[i - 1].target || edges[i].layer != edges[i - 1].layer) {
      starts.push_back(i);
    }
  }
  starts.push_back(edges.size());
  executor_.parallel_for(starts.size() - 1, 64, [&](size_t worker, uint64_t b, uint64_t e) {
    for (uint64_t s = b; s < e; ++s) {
      const Edge& first = edges[starts[s]];
      const MutableGraph::List list = graph_.list(first.target, first.layer);
      for (size_t i = starts[s]; i < starts[s + 1]; ++i) {
        if (*list.count == list.room) prune_list(list, workers_[worker]);
        list.push(edges[i].source);
      }
    }
  });
}

Status GraphBuilder::insert_batch(const std::vector<uint32_t>& order, size_t begin, size_t end) {
  executor_.parallel_for(end - begin, 16, [&](size_t worker, uint64_t b, uint64_t e) {
    for (uint64_t i = b; i < e; ++i) link(order[begin + i], workers_[worker]);
  });
  add_reverse_edges(order, begin, end);
  for (size_t i = begin; i < end; ++i) {
    if (graph_.level(order[i]) > max_layer_) {
      max_layer_ = graph_.level(order[i]);
      entry_ = order[i];
    }
  }
  inserted_ += static_cast<uint32_t>(end - begin);
  if (progress_ != nullptr && *progress_ && !(*progress_)(inserted_, input_.count)) {
    return Error(ErrorCode::kCancelled, "the build was asked to stop");
  }
  return {};
}

Status GraphBuilder::insert_all() {
  const uint32_t total = graph_.nodes();
  std::vector<uint32_t> order(total - inserted_);
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = inserted_ + i;
  // Files are often sorted by topic: a shuffled order gives the early graph the shape of the whole
  // set.
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[splitmix64(params_.seed + i) % i]);
  }
  size_t at = 0;
  if (inserted_ == 0) {
    entry_ = order[0];
    max_layer_ = graph_.level(entry_);
    inserted_ = 1;
    at = 1;
  }
  const bool grown = total >= kLeastToCalibrate &&
                     (calibrated_nodes_ == 0 || total > calibrated_nodes_ + calibrated_nodes_ / 5);
  const size_t held = params_.calibrate && grown ? std::min<size_t>(kHeldOut, order.size() / 8) : 0;
  while (at < order.size()) {
    if (held != 0 && at == order.size() - held) calibrate(order, at);
    const size_t stop = at < order.size() - held ? order.size() - held : order.size();
    const uint64_t batch = std::clamp<uint64_t>(std::min(inserted_ / 10, total / 50), 1, kMaxBatch);
    const size_t end = std::min<size_t>(stop, at + static_cast<size_t>(batch));
    RVF_TRY(insert_batch(order, at, end));
    at = end;
  }
  trim();
  connect();
  return {};
}

void GraphBuilder::trim() {
  executor_.parallel_for(graph_.nodes(), 256, [&](size_t worker, uint64_t b, uint64_t e) {
    for (uint64_t node = b; node < e; ++node) {
      for (uint32_t layer = 0; layer <= graph_.level(static_cast<uint32_t>(node)); ++layer) {
        const MutableGraph::List list = graph_.list(static_cast<uint32_t>(node), layer);
        if (*list.count > list.degree) prune_list(list, workers_[worker]);
      }
    }
  });
}

// Rows not yet inserted are true queries for the graph so far. Their exact neighbours come from a
// scan of the codes; the ladder of beam widths is then walked until recall is nearly complete.
void GraphBuilder::calibrate(const std::vector<uint32_t>& order, size_t known) {
  trim();
  const size_t queries = order.size() - known;
  std::vector<uint8_t> pending(graph_.nodes(), 0);
  for (size_t i = known; i < order.size(); ++i) pending[order[i]] = 1;
  std::vector<uint32_t> nodes;
  nodes.reserve(inserted_);
  for (uint32_t i = 0; i < graph_.nodes(); ++i) {
    if (pending[i] == 0) nodes.push_back(i);
  }
  constexpr size_t kDepth = 100;
  // Distances, not rows: where vectors repeat, any of the copies is as good an answer.
  std::vector<std::vector<float>> truth(queries);
  executor_.parallel_for(queries, 4, [&](size_t worker, uint64_t b, uint64_t e) {
    Worker& w = workers_[worker];
    float distances[512];
    for (uint64_t q = b; q < e; ++q) {
      w.query.set_as_search(order[known + q]);
      w.pool.start(kDepth);
      for (size_t at = 0; at < nodes.size(); at += 512) {
        const size_t n = std::min<size_t>(512, nodes.size() - at);
        w.query.distances(&nodes[at], n, distances);
        for (size_t i = 0; i < n; ++i) {
          if (distances[i] <= w.pool.bound()) w.pool.offer(distances[i], nodes[at + i]);
        }
      }
      for (size_t i = 0; i < w.pool.size(); ++i) truth[q].push_back(w.pool[i].distance);
    }
  });
  calibration_.clear();
  for (const uint32_t ef : kLadder) {
    if (ef > inserted_) break;
    std::vector<uint64_t> found10(workers_.size(), 0);
    std::vector<uint64_t> found100(workers_.size(), 0);
    executor_.parallel_for(queries, 4, [&](size_t worker, uint64_t b, uint64_t e) {
      Worker& w = workers_[worker];
      for (uint64_t q = b; q < e; ++q) {
        w.query.set_as_search(order[known + q]);
        const Near at = descend(0, w);
        beam(0, w, ef, &at, 1);
        const auto common = [&](size_t k) {
          k = std::min(k, truth[q].size());
          uint64_t n = 0;
          for (size_t i = 0; i < std::min<size_t>(k, w.pool.size()); ++i) {
            n += w.pool[i].distance <= truth[q][k - 1];
          }
          return n;
        };
        found10[worker] += common(10);
        if (ef >= kDepth) found100[worker] += common(kDepth);
      }
    });
    const auto point = [&](uint16_t k, const std::vector<uint64_t>& found) {
      uint64_t sum = 0;
      for (const uint64_t f : found) sum += f;
      const uint64_t recall = sum * 10000 / (queries * k);
      calibration_.push_back({k, static_cast<uint16_t>(recall), ef});
      return recall;
    };
    const uint64_t at10 = point(10, found10);
    const uint64_t at100 = ef >= kDepth ? point(100, found100) : 0;
    if (at10 >= 9970 && at100 >= 9900) break;
  }
  calibrated_nodes_ = inserted_;
}

// Gives every node that no path reaches an edge from its nearest reachable neighbour.
void GraphBuilder::connect() {
  const uint32_t total = graph_.nodes();
  std::vector<uint8_t> reached(total, 0);
  std::vector<uint32_t> queue;
  uint32_t list[wire::kMaxListLength];
  bool bad = false;
  const auto flood = [&](uint32_t from) {
    reached[from] = 1;
    queue.assign(1, from);
    while (!queue.empty()) {
      const uint32_t node = queue.back();
      queue.pop_back();
      const size_t n = graph_.neighbours(node, 0, list, bad);
      for (size_t i = 0; i < n; ++i) {
        if (reached[list[i]] != 0) continue;
        reached[list[i]] = 1;
        queue.push_back(list[i]);
      }
    }
  };
  flood(entry_);
  Worker& w = workers_.front();
  for (uint32_t node = 0; node < total; ++node) {
    if (reached[node] != 0) continue;
    w.query.set(node);
    const Near start = descend(0, w);
    beam(0, w, params_.ef_construction, &start, 1);
    for (size_t i = 0; i < w.pool.size(); ++i) {
      const MutableGraph::List l = graph_.list(w.pool[i].node, 0);
      if (*l.count >= l.room || w.pool[i].node == node) continue;
      l.push({w.pool[i].distance, node});
      flood(node);
      break;
    }
  }
}

Status GraphBuilder::load(const GraphView& old) {
  bool bad = false;
  executor_.parallel_for(old.nodes(), 256, [&](size_t worker, uint64_t b, uint64_t e) {
    Worker& w = workers_[worker];
    uint32_t nodes[wire::kMaxListLength];
    float distances[wire::kMaxListLength];
    for (uint64_t i = b; i < e; ++i) {
      const auto node = static_cast<uint32_t>(i);
      w.query.set(node);
      for (uint32_t layer = 0; layer <= graph_.level(node); ++layer) {
        bool damaged = false;
        const size_t n = old.neighbours(node, layer, nodes, damaged);
        w.counts.bad_lists += damaged ? 1 : 0;
        w.query.distances(nodes, n, distances);
        w.candidates.clear();
        for (size_t j = 0; j < n; ++j) {
          // A hostile file may name a node in a layer that it does not reach.
          if (graph_.level(nodes[j]) >= layer) w.candidates.push_back({distances[j], nodes[j]});
        }
        std::sort(w.candidates.begin(), w.candidates.end());
        const MutableGraph::List list = graph_.list(node, layer);
        if (w.candidates.size() > list.room) w.candidates.resize(list.room);
        list.assign(w.candidates);
      }
    }
  });
  for (const Worker& w : workers_) bad = bad || w.counts.bad_lists != 0;
  if (bad) return Error(ErrorCode::kCorrupt, "the graph to extend has damaged neighbour lists");
  inserted_ = old.nodes();
  entry_ = old.entry();
  max_layer_ = graph_.level(entry_);
  calibration_ = old.meta().calibration;
  calibrated_nodes_ = old.meta().calibrated_nodes;
  return {};
}

GraphPayloads GraphBuilder::finish() {
  wire::IndexMeta meta;
  meta.m = params_.m;
  meta.ef_construction = params_.ef_construction;
  meta.max_layer = max_layer_;
  meta.first_row = input_.first_row;
  meta.seed = params_.seed;
  meta.calibrated_nodes = calibrated_nodes_;
  meta.metric = input_.metric;
  meta.dtype = input_.dtype;
  meta.dim = static_cast<uint32_t>(input_.dim);
  meta.base_degree = params_.m * 2U;
  meta.entry_points = {entry_};
  meta.calibration = calibration_;
  return graph_.encode(meta, params_.max_payload_bytes);
}

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

Result<GraphPayloads> run(const GraphInput& input, const GraphParams& params, const GraphView* old,
                          Executor* executor, const Progress* progress) {
  InlineExecutor inline_executor;
  Executor& e = executor == nullptr ? inline_executor : *executor;
  RVF_ASSIGN(CodeSpace space, CodeSpace::make(input, params.seed, e));
  GraphBuilder builder(input, params, std::move(space), old, e, progress);
  if (old != nullptr) RVF_TRY(builder.load(*old));
  RVF_TRY(builder.insert_all());
  return builder.finish();
}

}  // namespace

Result<GraphPayloads> build_graph(const GraphInput& input, const GraphParams& params,
                                  Executor* executor, const Progress* progress) {
  RVF_TRY(check_input(input, params));
  return run(input, params, nullptr, executor, progress);
}

Result<GraphPayloads> extend_graph(const std::vector<wire::ByteSpan>& layer_c,
                                   const GraphInput& input, const GraphParams& given,
                                   Executor* executor, const Progress* progress) {
  RVF_ASSIGN(GraphView old, GraphView::open(layer_c));
  GraphParams params = given;
  params.m = old.meta().m;
  params.ef_construction = old.meta().ef_construction;
  params.seed = old.meta().seed;
  RVF_TRY(check_input(input, params));
  if (old.meta().first_row != input.first_row || old.meta().metric != input.metric ||
      old.meta().dim != input.dim || old.nodes() > input.count ||
      old.meta().layer_level != wire::kIndexLayerC || !old.meta().node_map.empty()) {
    return Error(ErrorCode::kBadArgument, "the graph to extend was built for other rows");
  }
  return run(input, params, &old, executor, progress);
}

}  // namespace rvf::index
