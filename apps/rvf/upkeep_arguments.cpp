#include "upkeep_arguments.hpp"

#include <fmt/format.h>

namespace rvf::cli {

void UpkeepArguments::add_to(CLI::App& command) {
  command.add_flag("--no-index", no_index,
                   "leave the new vectors outside the index, also where it is due");
  command.add_flag("--no-compact", no_compact,
                   "do not rewrite the file, also where more than half of it is dead");
  command
      .add_option("--io-budget", io_budget, "MB/s that such a compaction may read and write (all)")
      ->check(CLI::NonNegativeNumber);
}

void UpkeepArguments::run(Store& store, bool quiet) const {
  UpkeepReport done;
  {
    ProgressBar bar("keeping the store in shape", "vectors", !quiet);
    const Progress progress = bar.callback();
    UpkeepOptions options;
    options.index = !no_index;
    options.compact = !no_compact;
    options.bytes_per_second = static_cast<uint64_t>(io_budget * 1e6);
    options.progress = &progress;
    done = must(store.upkeep(options));
  }
  if (done.compacted && !quiet) {
    say(stderr, "rvf: more than half of the file was dead, so it was compacted: {} to {}\n",
        human_bytes(done.bytes_before), human_bytes(done.bytes_after));
  }
}

}  // namespace rvf::cli
