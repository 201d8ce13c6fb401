// Level 0: the 4096 bytes that end the file. Reading them is all it takes to boot. docs/format.md,
// "Root".
#pragma once
#include <array>
#include <optional>
#include <span>

#include "rvf/result.hpp"
#include "rvf/types.hpp"
#include "types/limits.hpp"
#include "types/segment.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

// Where something lies that the first query wants, without reading Level 1.
struct HotPointer {
  uint64_t segment_offset = 0;  // of the segment header in the file; 0: there is none
  uint32_t block_offset = 0;  // from the start of the payload
  uint32_t count = 0;
  friend bool operator==(const HotPointer&, const HotPointer&) = default;
};

struct FileIdentity {
  std::array<uint8_t, 16> file_id{};
  std::array<uint8_t, 16> parent_id{};
  std::array<uint8_t, 32> parent_hash{};
  uint32_t lineage_depth = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

namespace root_flag {
// The data was on stable storage before this manifest was written: nothing it names can be torn.
inline constexpr uint16_t kDataSynced = 1 << 0;
}  // namespace root_flag

// The extension block at 0xF84, absent in files of other writers.
struct RootExtension {
  Metric metric = Metric::kL2;
  uint32_t live_segments = 0;
  uint64_t rows = 0;  // row numbers given out since the last compaction, dead ones included
  uint64_t dead_rows = 0;
  uint64_t next_id = 0;  // the id that a vector without one gets
  uint64_t next_segment_id = 0;
  uint64_t manifest_segment_id = 0;
  uint64_t live_bytes = 0;  // of all live segments with headers and padding
  std::array<uint8_t, 16> level1_hash{};  // XXH3-128
  friend bool operator==(const RootExtension&, const RootExtension&) = default;
};

struct Root {
  uint16_t version = kRootVersion;
  uint16_t flags = 0;
  uint64_t level1_offset = 0;  // from the start of the file
  uint64_t level1_length = 0;
  uint64_t total_vectors = 0;  // live ones
  uint16_t dimension = 0;
  DType dtype = DType::kF32;
  uint8_t profile = 0;
  uint32_t epoch = 0;
  uint64_t created_ns = 0;
  uint64_t modified_ns = 0;
  HotPointer entry_points, top_layer, centroids, quant_dictionary, hot_cache, prefetch;
  uint16_t signature_algo = 0;
  Bytes signature;
  FileIdentity identity;
  uint64_t cow_map_offset = 0;
  uint32_t cow_map_generation = 0;
  uint64_t membership_offset = 0;
  uint32_t membership_generation = 0;
  uint32_t snapshot_epoch = 0;
  uint32_t double_root_generation = 0;
  std::array<uint8_t, 32> double_root_hash{};

  // Of its own name, as clang cannot make an optional of a nested class whose members have initial
  // values.
  using Extension = RootExtension;
  std::optional<Extension> extension;

  friend bool operator==(const Root&, const Root&) = default;
};

std::array<std::byte, kRootSize> encode_root(const Root& root);

// kBadMagic, kBadVersion, kBadChecksum or kCorrupt; `bytes` is exactly 4096 long.
Result<Root> decode_root(ByteSpan bytes);

}  // namespace rvf::wire
