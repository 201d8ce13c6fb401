// The speed of the core while a benchmark runs, so that times can be told in core cycles, and the
// load of the machine beside it.
#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <thread>

namespace rvf::bench {

inline double now_ns() {
  return std::chrono::duration<double, std::nano>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Cycles a nanosecond, from a chain of additions that wait for each other, one a cycle. The fastest
// of `rounds` passes of about 20 microseconds. 0 on processors that this is not written for.
inline double core_ghz(int rounds = 20) {
#if defined(__x86_64__) || defined(__aarch64__)
  constexpr int kLoops = 5000;
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    uint64_t sum = 1;
    const uint64_t step = 3;
    const double start = now_ns();
    for (int i = 0; i < kLoops; ++i) {
#if defined(__x86_64__)
      // Not an immediate operand: some cores add those while renaming, in no time.
      __asm__ volatile(
          "add %1, %0\n add %1, %0\n add %1, %0\n add %1, %0\n add %1, %0\n add %1, %0\n"
          "add %1, %0\n add %1, %0\n add %1, %0\n add %1, %0\n add %1, %0\n add %1, %0\n"
          "add %1, %0\n add %1, %0\n add %1, %0\n add %1, %0\n"
          : "+r"(sum)
          : "r"(step));
#else
      __asm__ volatile(
          "add %0, %0, %1\n add %0, %0, %1\n add %0, %0, %1\n add %0, %0, %1\n"
          "add %0, %0, %1\n add %0, %0, %1\n add %0, %0, %1\n add %0, %0, %1\n"
          "add %0, %0, %1\n add %0, %0, %1\n add %0, %0, %1\n add %0, %0, %1\n"
          "add %0, %0, %1\n add %0, %0, %1\n add %0, %0, %1\n add %0, %0, %1\n"
          : "+r"(sum)
          : "r"(step));
#endif
    }
    const double ghz = kLoops * 16 / (now_ns() - start);
    if (ghz > best) best = ghz;
  }
  return best;
#else
  (void)rounds;
  return 0;
#endif
}

// Runnable processes over the last minute, or -1.
inline double load_average() {
  double load = -1;
  if (std::FILE* f = std::fopen("/proc/loadavg", "r")) {
    if (std::fscanf(f, "%lf", &load) != 1) load = -1;
    std::fclose(f);
  }
  return load;
}

// Whether others have so much to do, beyond the one core of this program, that times are not to be
// compared.
inline bool is_busy(double load) {
  const double cores = std::thread::hardware_concurrency();
  return load - 1 > 0.3 * (cores > 0 ? cores : 1);
}

}  // namespace rvf::bench
