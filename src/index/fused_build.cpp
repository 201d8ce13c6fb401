#include "index/fused_build.hpp"

#include <algorithm>

#include "index/fused_searcher.hpp"
#include "index/leaf_candidates.hpp"
#include "index/neighbour_chooser.hpp"

namespace rvf::index {
namespace {

constexpr uint64_t kGrain = 64;
constexpr uint64_t kSlice = 16384;  // nodes between reports
constexpr size_t kMostCandidates = 160;  // that a node chooses among

}  // namespace

struct FusedBuilder::Worker {
  explicit Worker(const RowCodes& codes) : query(codes), chooser(codes) {}
  RowCodes::Query query;
  NeighbourChooser chooser;
  FusedSearcher searcher;
  std::vector<float> placed;
  std::vector<uint64_t> compared;
  std::vector<uint32_t> nodes;
  std::vector<float> distances;
  std::vector<Near> candidates;
  std::vector<Near> chosen;
};

FusedBuilder::FusedBuilder(const RowCodes& codes, const FusedSpace& space, FusedGraph& graph,
                           const GraphParams& params, Executor& executor)
    : codes_(codes), space_(space), graph_(graph), params_(params), executor_(executor) {
  for (size_t i = 0; i < executor.width(); ++i) workers_.push_back(std::make_unique<Worker>(codes));
  for (uint32_t node = 0; node < graph.nodes() && !linked_; ++node) {
    linked_ = !graph.neighbours(node).empty();
  }
  graph_.encode_all(executor_);
}

FusedBuilder::~FusedBuilder() = default;

// From w.nodes, in any order and with repetitions, to the node's list.
void FusedBuilder::choose_among(Worker& w, uint32_t node) {
  std::sort(w.nodes.begin(), w.nodes.end());
  w.nodes.erase(std::unique(w.nodes.begin(), w.nodes.end()), w.nodes.end());
  std::erase(w.nodes, node);
  w.distances.resize(w.nodes.size());
  w.query.set(node);
  w.query.distances(w.nodes.data(), w.nodes.size(), w.distances.data());
  w.candidates.clear();
  for (size_t i = 0; i < w.nodes.size(); ++i) w.candidates.push_back({w.distances[i], w.nodes[i]});
  std::sort(w.candidates.begin(), w.candidates.end());
  if (w.candidates.size() > kMostCandidates) w.candidates.resize(kMostCandidates);
  w.chooser.choose(w.candidates, params_.degree(), w.chosen);
  graph_.assign(node, w.chosen);
}

// Adds what a search for the node compares on its way.
void FusedBuilder::search_for(Worker& w, uint32_t node) {
  w.placed.resize(space_.layout().padded);
  for (size_t d = 0; d < w.placed.size(); ++d) {
    w.placed[d] = codes_.scale(node) * static_cast<float>(codes_.code(node)[d]);
  }
  w.searcher.start(graph_.blocks(), w.placed.data(), params_.ef_construction, kMostTraced);
  w.searcher.run(~uint64_t{0});
  const auto trace = w.searcher.trace();
  std::span<const uint64_t> near = w.searcher.near();
  near = near.first(std::find(near.begin(), near.end(), kNoKey) - near.begin());
  w.compared.assign(trace.begin(), trace.end());
  if (trace.size() == kMostTraced) w.compared.insert(w.compared.end(), near.begin(), near.end());
  // The nearest of them as far as the walk's distances tell; the others would not be chosen.
  if (w.compared.size() > kMostCandidates) {
    const auto last = w.compared.begin() + kMostCandidates;
    std::nth_element(w.compared.begin(), last, w.compared.end());
    w.compared.erase(last, w.compared.end());
  }
  for (const uint64_t key : w.compared) w.nodes.push_back(FusedSearcher::node_of(key));
}

Status FusedBuilder::add(const std::vector<uint32_t>& nodes, const Report& report) {
  if (nodes.empty()) return {};
  {
    const LeafCandidates leaves(codes_, nodes, params_.seed, executor_);
    RVF_TRY(report(0.1));
    executor_.parallel_for(nodes.size(), kGrain, [&](size_t worker, uint64_t b, uint64_t e) {
      Worker& w = *workers_[worker];
      for (uint64_t i = b; i < e; ++i) {
        leaves.of(i, w.candidates);
        if (linked_) {
          w.nodes.clear();
          for (const Near& n : w.candidates) w.nodes.push_back(n.node);
          search_for(w, nodes[i]);
          choose_among(w, nodes[i]);
        } else {
          w.chooser.choose(w.candidates, params_.degree(), w.chosen);
          graph_.assign(nodes[i], w.chosen);
        }
      }
    });
  }
  RVF_TRY(report(0.2));
  add_reverse_edges(nodes);
  linked_ = true;
  RVF_TRY(report(0.3));
  // Once more, now that the new nodes have neighbours.
  for (uint64_t first = 0; first < nodes.size(); first += kSlice) {
    const uint64_t count = std::min<uint64_t>(kSlice, nodes.size() - first);
    executor_.parallel_for(count, kGrain, [&](size_t worker, uint64_t b, uint64_t e) {
      Worker& w = *workers_[worker];
      for (uint64_t i = first + b; i < first + e; ++i) {
        const auto list = graph_.neighbours(nodes[i]);
        w.nodes.assign(list.begin(), list.end());
        search_for(w, nodes[i]);
        choose_among(w, nodes[i]);
      }
    });
    RVF_TRY(
        report(0.3 + 0.6 * static_cast<double>(first + count) / static_cast<double>(nodes.size())));
  }
  add_reverse_edges(nodes);
  return report(1.0);
}

void FusedBuilder::relink(const std::vector<uint32_t>& nodes,
                          const std::function<void(uint32_t, std::vector<uint32_t>&)>& candidates) {
  executor_.parallel_for(nodes.size(), kGrain, [&](size_t worker, uint64_t b, uint64_t e) {
    Worker& w = *workers_[worker];
    for (uint64_t i = b; i < e; ++i) {
      w.nodes.clear();
      candidates(nodes[i], w.nodes);
      choose_among(w, nodes[i]);
      graph_.encode(nodes[i]);
    }
  });
}

// Every edge of `nodes` is offered to its other end, which chooses again; then the blocks of all
// that changed are made anew.
void FusedBuilder::add_reverse_edges(const std::vector<uint32_t>& nodes) {
  std::vector<uint64_t> starts(size_t{graph_.nodes()} + 1, 0);
  std::vector<uint8_t> changed(graph_.nodes(), 0);
  for (const uint32_t node : nodes) {
    changed[node] = 1;
    for (const uint32_t other : graph_.neighbours(node)) {
      changed[other] = 1;
      ++starts[size_t{other} + 1];
    }
  }
  for (size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  std::vector<Near> incoming(starts.back());
  std::vector<uint64_t> next(starts.begin(), starts.end() - 1);
  for (const uint32_t node : nodes) {
    const auto list = graph_.neighbours(node);
    for (size_t j = 0; j < list.size(); ++j) {
      incoming[next[list[j]]++] = {graph_.distances(node)[j], node};
    }
  }
  executor_.parallel_for(graph_.nodes(), kGrain, [&](size_t worker, uint64_t b, uint64_t e) {
    Worker& w = *workers_[worker];
    for (uint64_t i = b; i < e; ++i) {
      if (starts[i] == starts[i + 1]) continue;
      const auto node = static_cast<uint32_t>(i);
      const auto list = graph_.neighbours(node);
      w.candidates.clear();
      for (size_t j = 0; j < list.size(); ++j) {
        w.candidates.push_back({graph_.distances(node)[j], list[j]});
      }
      w.candidates.insert(w.candidates.end(), incoming.begin() + static_cast<ptrdiff_t>(starts[i]),
                          incoming.begin() + static_cast<ptrdiff_t>(starts[i + 1]));
      std::sort(w.candidates.begin(), w.candidates.end());
      w.candidates.erase(std::unique(w.candidates.begin(), w.candidates.end(),
                                     [](const Near& x, const Near& y) { return x.node == y.node; }),
                         w.candidates.end());
      if (w.candidates.size() > kMostCandidates) w.candidates.resize(kMostCandidates);
      w.chooser.choose(w.candidates, params_.degree(), w.chosen);
      graph_.assign(node, w.chosen);
    }
  });
  executor_.parallel_for(graph_.nodes(), kGrain, [&](size_t, uint64_t b, uint64_t e) {
    for (uint64_t i = b; i < e; ++i) {
      if (changed[i] != 0) graph_.encode(static_cast<uint32_t>(i));
    }
  });
}

void FusedBuilder::connect() {
  constexpr int kRounds = 4;  // an edge that gave way may have been another node's only one
  pinned_.assign(graph_.nodes(), 0);
  for (int round = 0; round < kRounds && connect_once(); ++round) {
  }
}

bool FusedBuilder::connect_once() {
  std::vector<uint8_t> reached(graph_.nodes(), 0);
  std::vector<uint32_t> queue;
  const auto flood = [&](uint32_t from) {
    if (reached[from] != 0) return;
    reached[from] = 1;
    queue.assign(1, from);
    while (!queue.empty()) {
      const uint32_t node = queue.back();
      queue.pop_back();
      for (const uint32_t other : graph_.neighbours(node)) {
        if (reached[other] != 0) continue;
        reached[other] = 1;
        queue.push_back(other);
      }
    }
  };
  for (const uint32_t leader : graph_.leaders()) flood(leader);
  Worker& w = *workers_.front();
  bool changed = false;
  for (uint32_t node = 0; node < graph_.nodes(); ++node) {
    if (reached[node] != 0) continue;
    changed = true;
    const auto list = graph_.neighbours(node);
    w.nodes.assign(list.begin(), list.end());
    search_for(w, node);
    w.nodes.insert(w.nodes.end(), graph_.leaders().begin(), graph_.leaders().end());
    std::erase_if(w.nodes, [&](uint32_t other) {
      return reached[other] == 0 || other == node || pinned_[other] == params_.degree();
    });
    w.distances.resize(w.nodes.size());
    w.query.set(node);
    w.query.distances(w.nodes.data(), w.nodes.size(), w.distances.data());
    const auto best = std::min_element(w.distances.begin(), w.distances.end());
    if (!w.nodes.empty()) add_edge(w, w.nodes[best - w.distances.begin()], node);
    flood(node);
  }
  return changed;
}

// Of a full list the last edge gives way that was not put there like this: the last ones were only
// chosen to fill it.
void FusedBuilder::add_edge(Worker& w, uint32_t from, uint32_t to) {
  const auto list = graph_.neighbours(from);
  w.chosen.clear();
  for (size_t i = 0; i < list.size(); ++i) w.chosen.push_back({graph_.distances(from)[i], list[i]});
  if (w.chosen.size() == params_.degree()) w.chosen.erase(w.chosen.end() - 1 - pinned_[from]);
  float distance = 0;
  w.query.set(from);
  w.query.distances(&to, 1, &distance);
  w.chosen.push_back({distance, to});
  ++pinned_[from];
  graph_.assign(from, w.chosen);
  graph_.encode(from);
}

}  // namespace rvf::index
