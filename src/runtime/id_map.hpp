// From id to row number. Ids that were given out in one go, the common case, cost nothing each:
// they are kept as runs; others go into a flat hash table at 16 bytes a slot.
// Later additions win. Whether the row found is still alive is the caller's question.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace rvf::runtime {

class IdMap {
 public:
  // ids[i] is at row first_row + i.
  void add(std::span<const uint64_t> ids, uint64_t first_row);
  void add_run(uint64_t first_id, uint64_t count, uint64_t first_row);
  std::optional<uint64_t> find(uint64_t id) const noexcept;

 private:
  struct Run {
    uint64_t first_id, count, first_row;
  };
  struct Slot {
    uint64_t id, row;
  };
  void insert(uint64_t id, uint64_t row);
  void grow();

  std::vector<Run> runs_;  // ascending, apart from each other
  std::vector<Slot> slots_;  // open addressing; a slot with kNoId is free
  size_t used_ = 0;
  uint64_t table_end_ = 0;  // above every id of the table
};

}  // namespace rvf::runtime
