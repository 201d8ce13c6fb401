// Writes to a store for as long as it is let, and says on stdout what was acknowledged: the child
// of kill_test. crash_writer <store> <mode> <seed> [number of a planted bug]
// Modes: see crash_operations.hpp. Lines: "B n" an operation begins, "A n" it was acknowledged.
// What operation n does follows from mode and seed alone.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "crash/crash_operations.hpp"
#include "types/planted_bug.hpp"

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string mode = argv[2];
  const uint64_t seed = std::strtoull(argv[3], nullptr, 10);
  if (argc > 4) {
    rvf::planted_bug_now = static_cast<uint32_t>(std::strtoul(argv[4], nullptr, 10));
  }
  rvf::OpenOptions options;
  options.durability = rvf::testing::durability_of(mode);
  auto store = rvf::Store::open(argv[1], options);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().message.c_str());
    return 3;
  }
  for (uint64_t n = 0;; ++n) {
    std::printf("B %llu\n", static_cast<unsigned long long>(n));
    std::fflush(stdout);
    const auto op = rvf::testing::operation(mode, seed, n);
    const rvf::Status done = rvf::testing::run(op, *store);
    if (!done) {
      std::fprintf(stderr, "%s\n", done.error().message.c_str());
      return 4;
    }
    std::printf("A %llu\n", static_cast<unsigned long long>(n));
    std::fflush(stdout);
  }
}
