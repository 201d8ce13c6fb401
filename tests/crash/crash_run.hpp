// How much the crash tests do, and the figure that they print.
#pragma once
#include <chrono>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "support/reliability_line.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {

inline bool long_form() {
  const char* form = std::getenv("RVF_RELIABILITY");
  return form != nullptr && std::string_view(form) == "long";
}

// One figure: what was tried, what broke, and where first.
struct Figure {
  uint64_t runs = 0;
  uint64_t failures = 0;
  uint64_t seed = number_from_env("RVF_SEED", 20261121);
  std::set<std::string> problems;
  std::string shown;  // how to see the first failures of different kinds again
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();

  // `where` is only asked for a failure.
  template <class Where>
  void count(const std::string& problem, Where where) {
    ++runs;
    if (problem.empty()) return;
    ++failures;
    constexpr size_t kShown = 8;
    if (problems.size() < kShown && problems.insert(problem).second) {
      shown += "\n" + where() + ": the store " + problem;
    }
  }
  void print(std::string_view name, std::string_view detail) const {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    print_reliability(name, runs, failures, seed, seconds.count(), detail);
  }
  std::string explain() const { return shown + "\nagain with RVF_SEED=" + std::to_string(seed); }
};

}  // namespace rvf::testing
