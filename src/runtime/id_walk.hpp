// The rows of a state in the order of their ids, from any id on. Starting costs a search in every
// segment that may hold such ids, a step the logarithm of their number: a page of a scan costs
// a page. Dead rows are among them. Borrows the state. Not thread-safe.
#pragma once
#include <optional>
#include <vector>

#include "runtime/live_state.hpp"

namespace rvf::runtime {

class IdWalk {
 public:
  struct Step {
    uint64_t id = 0;
    uint64_t row = 0;
  };

  IdWalk(const LiveState& state, uint64_t from);  // the first id is `from` or above
  std::optional<Step> next();

 private:
  struct Cursor {
    uint64_t id = 0;
    const VecSegment* segment = nullptr;
    uint64_t at = 0;  // among the segment's ids in their order
  };
  // A heap with the lowest id on top.
  static bool after(const Cursor& a, const Cursor& b) noexcept { return a.id > b.id; }

  std::vector<Cursor> heap_;
};

}  // namespace rvf::runtime
