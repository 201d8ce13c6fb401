// Where rows come from that are not in memory until somebody asks for them.
// Thread-safe.
#pragma once
#include <cstddef>

namespace rvf::index {

class RowSource {
 public:
  virtual ~RowSource() = default;
  // Afterwards the bytes of this row, an address of its run, are there. Cannot fail.
  virtual void make(const std::byte* row) const noexcept = 0;

 protected:
  RowSource() = default;
  RowSource(const RowSource&) = default;
  RowSource& operator=(const RowSource&) = default;
};

}  // namespace rvf::index
