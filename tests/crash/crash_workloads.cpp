#include "crash/crash_workloads.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace rvf::testing {

std::vector<CrashWorkload> crash_workloads() {
  std::vector<CrashWorkload> all = row_workloads();
  for (const CrashWorkload& w : rewrite_workloads()) all.push_back(w);
  const char* wanted = std::getenv("RVF_WORKLOAD");
  if (wanted != nullptr) {
    std::erase_if(all, [&](const CrashWorkload& w) { return w.name != wanted; });
  }
  return all;
}

std::unique_ptr<Life> live(const CrashWorkload& workload, uint64_t seed, DiskLie lie) {
  auto fs = std::make_shared<TraceFileSystem>(Image{}, lie);
  auto life = std::make_unique<Life>(fs, seed);
  workload.run(*life);
  EXPECT_EQ(life->problem(), "") << workload.name << " itself fails";
  return life;
}

}  // namespace rvf::testing
