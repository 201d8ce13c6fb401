// First candidates for every node's neighbours: the rows are carved into overlapping leaves around
// sampled leaders, and within a leaf all are compared with all (as "Pick in Partitions" does,
// arXiv 2602.21247).
#pragma once
#include <cstdint>
#include <vector>

#include "index/beam.hpp"
#include "index/row_codes.hpp"
#include "rvf/executor.hpp"

namespace rvf::index {

class LeafCandidates {
 public:
  static constexpr uint32_t kLeaves = 3;  // that a row lies in
  static constexpr uint32_t kOfEach = 16;  // nearest kept of each

  // Among `nodes`, which are borrowed. The same for a given seed, whatever the executor's width.
  LeafCandidates(const RowCodes& codes, const std::vector<uint32_t>& nodes, uint64_t seed,
                 Executor& executor);

  // Of nodes[position], ascending, each node once.
  void of(size_t position, std::vector<Near>& out) const;

 private:
  struct Member {
    uint32_t position;
    uint32_t leaf;  // which of the node's leaves this is
  };
  class Worker;
  void carve(std::vector<Member>& members, Worker& worker, uint64_t seed);
  void compare_all(const std::vector<Member>& members, Worker& worker);

  const std::vector<uint32_t>& nodes_;
  std::vector<Near> nearest_;  // [position][leaf][kOfEach]
};

}  // namespace rvf::index
