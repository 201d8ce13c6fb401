// A store in use for a long time: rows come, change and go, queries are asked, the file is
// compacted by a policy and opened anew; and what must not grow, or fall, meanwhile.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace rvf::testing {

struct SoakOptions {
  std::string path;
  double seconds = 20;
  uint64_t seed = 1;
  uint64_t rows = 6000;  // enough for a graph
  uint64_t reopen_every = 50;  // turns of a batch, some deletions and ten queries
};

struct SoakReport {
  uint64_t operations = 0;  // rows written and deleted, queries
  uint64_t commits = 0, compactions = 0, reopens = 0;
  uint64_t resident_begin = 0, resident_end = 0;  // bytes: medians of the halves after warm-up
  uint64_t files_begin = 0, files_end = 0;  // open descriptors, after warm-up and at the end
  uint64_t maps_begin = 0, maps_end = 0;  // mappings of the store
  double worst_file = 0;  // bytes of the file by live bytes, after the policy had its say
  double recall_begin = 0, recall_end = 0;
  std::string problem;  // a call that failed, or content that is wrong
};

SoakReport soak(const SoakOptions& options);

// What breaks a bar, one line each.
std::vector<std::string> violations(const SoakReport& report);

}  // namespace rvf::testing
