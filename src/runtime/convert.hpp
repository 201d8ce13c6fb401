// From one layout called RVF to another, into a new file that takes its name only when it is whole.
// The source is only read. Thread-safe; `out` is held as a writer holds it meanwhile.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "io/file.hpp"
#include "rvf/executor.hpp"
#include "rvf/result.hpp"

namespace rvf::runtime {

struct ConvertOptions {
  bool replace = false;  // what `out` is now; else kAlreadyExists
  bool index = true;  // with a graph, where there are enough vectors
  uint64_t memory_budget = 0;
  std::shared_ptr<Executor> executor = nullptr;
  const Progress* progress = nullptr;
  std::shared_ptr<io::FileSystem> file_system = nullptr;
};

struct ConvertReport {
  std::string from;  // "native", "runtime", "wasm", "wire"
  std::string to;
  uint64_t vectors = 0;
  uint32_t dimension = 0;
  uint64_t bytes = 0;  // of the new file
  std::vector<std::string> carried;  // a line each, for people
  std::vector<std::string> lost;  // what the new file cannot hold, or the old one had lost
};

// A native store from a runtime container, a WASM export or a wire container. Errors: kBadArgument
// (the source is native, or is `out`), kAlreadyExists, kLockHeld, those of reading and writing.
Result<ConvertReport> convert_to_native(const std::string& in, const std::string& out,
                                        const ConvertOptions& options = {});

// A runtime container that every published package opens, from a store of any layout. String ids
// also go to "<out>.idmap.json", where the JavaScript package looks for them. Errors: as above, and
// kWrongMetric and kUnsupported for what that layout has no vectors for (hamming, binary).
Result<ConvertReport> convert_to_runtime(const std::string& in, const std::string& out,
                                         const ConvertOptions& options = {});

}  // namespace rvf::runtime
