// A file of any layout, converted to a native store and to a runtime container.
#include "runtime/convert.hpp"

#include "store_fuzz.hpp"

using namespace rvf;        // NOLINT: a program of one function
using namespace rvf::fuzz;  // NOLINT

RVF_FUZZ {
  const BelieveHashes believe;
  const auto fs = files_with("in.rvf", input);
  runtime::ConvertOptions options;
  options.file_system = fs;
  options.memory_budget = 64U << 20;
  options.index = false;
  const auto native = runtime::convert_to_native("in.rvf", "native.rvf", options);
  explained(native);
  if (native) {
    const auto store = Store::open_readonly("native.rvf", options_for(fs));
    require(store.ok());
    ask_everything(*store);
  }
  const auto container = runtime::convert_to_runtime("in.rvf", "runtime.rvf", options);
  explained(container);
  if (container) require(Store::open_readonly("runtime.rvf", options_for(fs)).ok());
}
