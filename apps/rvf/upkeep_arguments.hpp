// What a command that writes does for the store before it ends: Store::upkeep() and its options.
#pragma once
#include "command.hpp"

namespace rvf::cli {

struct UpkeepArguments {
  bool no_index = false;
  bool no_compact = false;
  double io_budget = 0;  // MB/s

  void add_to(CLI::App& command);
  // With a progress bar; says on standard error that the store was compacted.
  void run(Store& store, bool quiet) const;
};

}  // namespace rvf::cli
