// The random numbers of graph building: the same on every machine. Steele, Lea and Flood, 2014.
#pragma once
#include <cstdint>

namespace rvf::index {

constexpr uint64_t splitmix64(uint64_t x) noexcept {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace rvf::index
