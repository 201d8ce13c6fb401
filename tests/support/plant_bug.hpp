// Switches a planted bug on for as long as the object lives. One at a time in a process.
#pragma once
#include "types/planted_bug.hpp"

namespace rvf::testing {

class PlantBug {
 public:
  explicit PlantBug(PlantedBug bug) { planted_bug_now = static_cast<uint32_t>(bug); }
  ~PlantBug() { planted_bug_now = 0; }
  PlantBug(const PlantBug&) = delete;
  PlantBug& operator=(const PlantBug&) = delete;
};

}  // namespace rvf::testing
