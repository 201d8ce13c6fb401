// What the crash tests let a store do: each kind of write, in each durability, with reopening,
// rollback and compaction in between.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "crash/crash_history.hpp"

namespace rvf::testing {

struct CrashWorkload {
  std::string name;
  void (*run)(Life&) = nullptr;
  bool large = false;  // thousands of rows: an image takes milliseconds
};
std::vector<CrashWorkload> row_workloads();
std::vector<CrashWorkload> rewrite_workloads();
// All of them, or the one that RVF_WORKLOAD names.
std::vector<CrashWorkload> crash_workloads();

// Fails the running test where the workload itself fails.
std::unique_ptr<Life> live(const CrashWorkload& workload, uint64_t seed,
                           DiskLie lie = DiskLie::kNone);

}  // namespace rvf::testing
