// The reader of WASM exports, and the choice between layouts.
#include "fuzz.hpp"
#include "layouts/readers.hpp"

RVF_FUZZ {
  using namespace rvf::layouts;
  const auto found = find_foreign_manifest(input);
  rvf::fuzz::require(detect(input) == (found ? found->layout : Layout::kUnknown));
  if (!found || found->layout != Layout::kWasm) return;
  Budget budget(16U << 20, input.size());
  const auto store = decode_wasm_export(input, *found, budget);
  if (!store) return;
  rvf::fuzz::require(store->vectors.size() == store->ids.size() * store->dimension);
  for (size_t i = 1; i < store->ids.size(); ++i) {
    rvf::fuzz::require(store->ids[i - 1] < store->ids[i]);
  }
}
