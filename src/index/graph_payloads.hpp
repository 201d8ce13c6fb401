// From a finished graph to the payloads of its segments. Internal to src/index.
#pragma once
#include "index/fused_graph.hpp"
#include "index/graph.hpp"
#include "wire/fused_codec.hpp"
#include "wire/index_codec.hpp"

namespace rvf::index {

// `meta` has everything but counts and entry points, `header` everything but block counts.
GraphPayloads make_payloads(FusedGraph& graph, const RowCodes& codes, const wire::IndexMeta& meta,
                            wire::FusedHeader header, const GraphParams& params,
                            Executor& executor);

}  // namespace rvf::index
