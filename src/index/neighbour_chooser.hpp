// Choosing a node's neighbours among candidates.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/beam.hpp"
#include "index/row_codes.hpp"

namespace rvf::index {

// Chooses at most `degree` of `candidates` (ascending): a candidate nearer to a chosen one than to
// the target is passed over (relative neighbourhood rule), then the rule is relaxed step by step
// (alpha of Subramanya et al., 2019), and what room is left goes to the nearest. One a thread.
class NeighbourChooser {
 public:
  explicit NeighbourChooser(const RowCodes& codes) : query_(codes) {}
  void choose(const std::vector<Near>& candidates, size_t degree, std::vector<Near>& out);

 private:
  struct Open {
    uint32_t candidate;
    float ratio;  // largest of: distance to the target by distance to a chosen one
  };
  RowCodes::Query query_;
  std::vector<Open> open_;
  std::vector<uint32_t> nodes_;  // of open_
  std::vector<float> distances_;
  std::vector<uint8_t> taken_;
};

}  // namespace rvf::index
