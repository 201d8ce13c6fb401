// Writing a runtime container that every deployed reader accepts: hashes of the layout's own kind,
// payloads of at most 256 MiB, f32, a short directory, and a graph ready to search.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "io/file.hpp"
#include "layouts/carried.hpp"
#include "layouts/foreign.hpp"
#include "layouts/rvfmeta.hpp"

namespace rvf::layouts {

// A proximity graph over all rows; node i is the row of the i-th id.
struct RuntimeGraph {
  uint16_t m = 16;  // neighbours of a node on the upper layers, twice that below
  uint32_t ef_construction = 200;
  uint32_t max_layer = 0;
  uint64_t entry = 0;
  // The neighbours of a node, layer by layer from 0, each list ascending.
  std::function<Status(uint64_t node, std::vector<std::vector<uint32_t>>& layers)> layers;
};

// Payload of the INDEX segment. kTooLarge where it would exceed what readers take.
Result<Bytes> encode_runtime_index(const RuntimeGraph& graph, std::span<const uint64_t> ids);
struct RuntimeIndex {  // the same, read
  uint16_t m = 0;
  uint16_t m0 = 0;
  uint32_t ef_construction = 0;
  uint32_t max_layer = 0;
  uint64_t entry = 0;
  std::vector<uint64_t> ids;
  std::vector<std::vector<std::vector<uint32_t>>> nodes;
};
Result<RuntimeIndex> decode_runtime_index(ByteSpan payload);

struct RuntimeContent {
  uint32_t dimension = 0;
  Metric metric = Metric::kL2;  // not hamming
  uint32_t epoch = 1;
  std::vector<uint64_t> ids;  // ascending
  // Writes the vector of the i-th id.
  std::function<Status(size_t i, std::span<float> out)> row;
  RvfMeta metadata;  // written if it says anything
  std::vector<OpaqueSegment> others;
  wire::FileIdentity identity;
  const RuntimeGraph* graph = nullptr;  // null: none
};

struct WrittenRuntime {
  uint64_t bytes = 0;
  uint64_t manifest_bytes = 0;
  bool has_graph = false;
  std::vector<std::string> notes;
};
// Writes the whole file, from offset 0, and syncs it. Errors: kWrongMetric, kTooLarge (metadata or
// one other segment beyond 256 MiB), those of `row`, `graph` and the file.
Result<WrittenRuntime> write_runtime(io::File& file, const RuntimeContent& content);

}  // namespace rvf::layouts
