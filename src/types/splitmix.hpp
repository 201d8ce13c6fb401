// Random numbers that are the same on every machine and in every file: Steele, Lea and Flood, "Fast
// splittable pseudorandom number generators", 2014.
#pragma once
#include <cstdint>

namespace rvf {

inline constexpr uint64_t kSplitmixStep = 0x9E3779B97F4A7C15;

constexpr uint64_t splitmix_finish(uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// One number; number i of the stream of `seed` is splitmix64(seed + i * kSplitmixStep).
constexpr uint64_t splitmix64(uint64_t x) noexcept { return splitmix_finish(x + kSplitmixStep); }

}  // namespace rvf
