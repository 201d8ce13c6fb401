// One line a figure on stdout, which `make reliability` gathers into its table.
#pragma once
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace rvf::testing {

// The texts are plain words: nothing in them needs escaping.
inline void print_reliability(std::string_view figure, uint64_t runs, uint64_t failures,
                              uint64_t seed, double seconds, std::string_view detail) {
  std::printf("RELIABILITY {\"figure\": \"%.*s\", \"runs\": %" PRIu64 ", \"failures\": %" PRIu64
              ", \"seed\": %" PRIu64 ", \"seconds\": %.1f, \"detail\": \"%.*s\"}\n",
              static_cast<int>(figure.size()), figure.data(), runs, failures, seed, seconds,
              static_cast<int>(detail.size()), detail.data());
  std::fflush(stdout);
}

}  // namespace rvf::testing
