// HOT_SEG: the most read vectors, row by row, each with its neighbours beside it. docs/format.md
// has the byte table. Pure functions, thread-safe.
#pragma once
#include "rvf/result.hpp"
#include "rvf/types.hpp"
#include "types/limits.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

struct HotEntry {
  uint64_t id = 0;
  Bytes vector;                     // vector_bytes(dtype, dimension)
  std::vector<uint64_t> neighbors;  // ids, at most max_neighbors
  friend bool operator==(const HotEntry&, const HotEntry&) = default;
};

struct Hot {
  uint16_t dimension = 0;
  DType dtype = DType::kF16;  // kF32 to kBinary
  uint16_t max_neighbors = 0;
  std::vector<HotEntry> entries;
  friend bool operator==(const Hot&, const Hot&) = default;
};

Bytes encode_hot(const Hot& hot);
Result<Hot> decode_hot(ByteSpan payload);

}  // namespace rvf::wire
