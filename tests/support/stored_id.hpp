// The number that the file has for a vector: a snapshot of a store of text ids gives handles in its
// place. For tests that look at bytes.
#pragma once
#include "rvf/store.hpp"

namespace rvf::testing {

inline uint64_t stored_id(const Snapshot& snapshot, uint64_t id) noexcept {
  return snapshot.has_keys() ? id ^ (1ULL << 63) : id;
}

}  // namespace rvf::testing
