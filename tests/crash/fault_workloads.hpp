// What the tests of failing calls let a store do.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "rvf/store.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {

inline constexpr uint32_t kFaultDim = 8;
inline const std::string kFaultPath = "s.rvf";

using Operation = std::function<Status(Store&)>;

template <class T>
Status status_of(Result<T> r) {
  if (!r) return std::move(r).error();
  return {};
}

// `count` vectors from a seed.
Status ingest(Store& s, uint64_t seed, size_t count, std::span<const uint64_t> ids = {});

struct FaultWorkload {
  std::string name;
  size_t rows = 20;  // in the store before, in four commits
  Durability durability = Durability::kSync;
  Operation run;
  bool changes = true;  // the content
  Operation prepare = nullptr;  // after opening, with no fault
  bool pending = false;  // an accepted batch waits for a later commit, so it may come through
  bool copies = false;  // into another file, whose barriers are none of the store's
};

// The bytes of a store with `rows` rows.
std::vector<std::byte> prepared_store(size_t rows);
std::vector<FaultWorkload> fault_workloads();
std::vector<FaultWorkload> metadata_fault_workloads();
FaultWorkload index_fault_workload();  // thousands of rows
// Compactions that sort rows into tiers, the second with a file of its own for the cold ones.
std::vector<FaultWorkload> tier_fault_workloads();

}  // namespace rvf::testing
