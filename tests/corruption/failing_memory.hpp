// Replaces the allocation functions of the program: the n-th allocation fails, once or for ever.
// Without effect in a sanitizer's build, whose own functions must stay.
#pragma once
#include <cstdint>

namespace rvf::testing {

class FailingMemory {
 public:
  // Counts from now on; the `nth` allocation fails (0: none), with `sticky` all after it too.
  static void arm(uint64_t nth, bool sticky);
  static void disarm();
  static uint64_t seen();  // allocations since arm()
  static bool fired();
  static uint64_t largest();  // bytes of the largest allocation asked for since arm()
  static bool works();  // false under a sanitizer
};

}  // namespace rvf::testing
