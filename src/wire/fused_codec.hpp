// FUSED payloads (docs/format.md, "FUSED"): made for searching from the map. Version 1 holds the
// node blocks of a graph, derived from VEC and INDEX; version 3 a code of each node by itself as
// well; version 2 holds partitions: the rows' codes list by list, derived from VEC alone. Only what precedes blocks and groups is read here; those are
// read by searches, which trust nothing in them.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "rvf/result.hpp"
#include "rvf/types.hpp"
#include "types/segment.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

inline constexpr uint32_t kMaxRootGroups = 1024;
inline constexpr uint32_t kMaxPartitionRootGroups = 16384;
inline constexpr uint32_t kMaxCalibrationPoints = 1024;  // writers have less than a hundred

// How often a search of some width found the true neighbours.
struct FusedCalibrationPoint {
  uint16_t kind = 0;  // of query: 0 like the rows, then ever farther from them
  uint16_t k = 0;
  uint32_t width = 0;  // 0 in a file: no point
  float recall = 0;
  float distance = 0;  // of the tenth neighbour, squared, in the fused space: the median
};

struct FusedHeader {
  bool partitions = false;  // version 2
  bool sign_codes = false;  // version 3
  uint32_t block_bytes = 0;  // of a node block; of the head of a partition
  uint64_t first_row = 0;  // node i is row first_row + i
  uint64_t total_nodes = 0;
  uint64_t first_node = 0;  // of this payload
  uint64_t node_count = 0;
  uint64_t partition_count = 0;
  uint64_t group_count = 0;  // of all partitions
  uint64_t seed = 0;  // of the rotation
  // The first INDEX segment of the graph that the blocks say again.
  uint64_t index_segment = 0;
  ContentHash index_hash{};
  Metric metric = Metric::kL2;
  DType dtype = DType::kF32;
  uint32_t dim = 0;
  float scale = 1;
  float largest_norm2 = 0;
  std::vector<float> centre;
  std::vector<FusedCalibrationPoint> calibration;
  uint32_t root_groups = 0;
};

// Where the parts of a payload lie.
struct FusedPayloadView {
  FusedHeader header;
  ByteSpan root;
  ByteSpan blocks;  // node_count * block_bytes, from a multiple of 64 on; heads of partitions
  ByteSpan groups;  // of partitions
  ByteSpan sign_codes;  // node_count * sign_code_bytes(), from a multiple of 64 on
};

// In the head of a partition, beside its centroid: which groups are its own.
inline constexpr size_t kHeadFirstGroup = 8;  // u64
inline constexpr size_t kHeadGroups = 16;  // u32

// Of one node: a bit a coordinate in words of 64, two f32, up to a multiple of 32.
constexpr uint64_t sign_code_bytes(uint64_t coordinates) noexcept {
  const uint64_t words = (coordinates + 63) / 64;
  return (8 * words + 8 + 31) / 32 * 32;
}

// What comes before the blocks: header, centre, calibration, root. Its size depends on the counts
// only.
size_t fused_prefix_bytes(size_t coordinates, size_t calibration_points, size_t root_bytes);
// `out` has exactly that size.
void write_fused_prefix(const FusedHeader& header, ByteSpan root, std::byte* out);
// In place: which INDEX the payload belongs to.
void set_fused_index(std::byte* payload, uint64_t index_segment, const ContentHash& index_hash);

// Errors: kTruncated, kCorrupt, kUnsupported (another version or degree). Where heads point is not
// checked.
Result<FusedPayloadView> parse_fused(ByteSpan payload);

}  // namespace rvf::wire
