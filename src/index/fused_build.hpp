// Building a proximity graph and its fused blocks (docs/design/search.md): candidates from
// overlapping leaves and from a search of the graph so far, neighbours chosen among them, then a
// pass that searches for every new row again. Every step reads a frozen graph: the same seed gives
// the same bytes on every machine, instruction set and number of threads.
#pragma once
#include <memory>

#include "index/fused_graph.hpp"

namespace rvf::index {

class FusedBuilder {
 public:
  FusedBuilder(const RowCodes& codes, const FusedSpace& space, FusedGraph& graph,
               const GraphParams& params, Executor& executor);
  ~FusedBuilder();

  // Links nodes that no list names yet. `progress(share of this call)` may stop it.
  using Report = std::function<Status(double)>;
  Status add(const std::vector<uint32_t>& nodes, const Report& report);
  // Chooses again for nodes that lost neighbours: `candidates(node)` are what they may have now.
  void relink(const std::vector<uint32_t>& nodes,
              const std::function<void(uint32_t, std::vector<uint32_t>&)>& candidates);
  // Gives every node that no path reaches an edge from its nearest neighbour that is reached.
  void connect();

 private:
  struct Worker;
  void choose_among(Worker& w, uint32_t node);
  void search_for(Worker& w, uint32_t node);
  bool connect_once();  // false when there was nothing to do
  void add_edge(Worker& w, uint32_t from, uint32_t to);
  void add_reverse_edges(const std::vector<uint32_t>& nodes);

  const RowCodes& codes_;
  const FusedSpace& space_;
  FusedGraph& graph_;
  const GraphParams& params_;
  Executor& executor_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<uint8_t> pinned_;  // by node: edges at the end of its list that connect() put there
  bool linked_ = false;  // there is a graph to search
};

}  // namespace rvf::index
