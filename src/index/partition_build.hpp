// The payload of a partition index (docs/format.md, "FUSED", version 2), made from the rows in a few
// passes. Takes memory for the codes (about dim / 6 bytes a row), a sample of rows, and little else.
// The same bytes for a given seed, whatever the number of threads.
#pragma once
#include "index/graph.hpp"

namespace rvf::index {

Result<LargePayload> build_partitions(const GraphInput& input, const GraphParams& params,
                                      Executor& executor, const Progress* progress);

}  // namespace rvf::index
