// The measurement behind `rvf bench` and `rvf demo`.
#pragma once
#include <cstdint>
#include <string>

#include "rvf/store.hpp"

namespace rvf::cli {

struct BenchSettings {
  std::string store, queries, truth;  // truth may be empty
  OpenOptions open;
  QueryOptions query;
  uint64_t max_queries = 1'000'000;
  size_t threads = 1;
};

struct BenchResult {
  double recall = -1;  // -1: no truth given
  double qps = 0, p50_us = 0, p99_us = 0;
  // With the store's pages dropped from the page cache before: open alone, and open plus one query.
  double open_us = 0, first_result_us = 0;
  uint64_t bytes_read_first_result = 0;
  uint64_t queries = 0, distances = 0;
  uint64_t peak_rss_bytes = 0;
  double load_before = 0, load_after = 0;
  std::string isa;
};

BenchResult run_bench(const BenchSettings& settings);
void print_bench(const BenchResult& result, bool json);

}  // namespace rvf::cli
