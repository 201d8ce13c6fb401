// Rows of another layout on their way into a ForeignStore: collected in the order in which they
// were written, the last row of an id wins.
#pragma once
#include <vector>

#include "layouts/budget.hpp"
#include "layouts/foreign.hpp"

namespace rvf::layouts {

// Collects where rows lie; borrows the bytes.
class RowSet {
 public:
  explicit RowSet(uint32_t dimension) noexcept : dimension_(dimension) {}

  // `count` rows of {u64 id, f32[dimension]}; `rows` holds them.
  Status add(ByteSpan rows, uint64_t count, Budget& budget);
  // Fills ids and vectors. `deleted` ascends. Ids that a native store cannot hold are left out with
  // a note.
  Status move_into(ForeignStore& store, const std::vector<uint64_t>& deleted, Budget& budget);

 private:
  struct Row {
    uint64_t id;
    uint64_t order;  // in which it was written
    const std::byte* values;
  };
  uint32_t dimension_;
  std::vector<Row> rows_;
};

}  // namespace rvf::layouts
