#include "wire/fused_codec.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "wire/codec.hpp"

namespace rvf::wire {
namespace {

constexpr uint16_t kBlocksVersion = 1;
constexpr uint16_t kPartitionsVersion = 2;
constexpr uint16_t kSignCodesVersion = 3;
constexpr uint16_t kDegree = 32;
constexpr size_t kFixedBytes = 128;
constexpr size_t kIndexAt = 48;

// Rows are counted from the first of the store on; more than these are in no file.
constexpr uint64_t kMaxFirstRow = uint64_t{1} << 48;

constexpr size_t to64(size_t n) { return (n + 63) / 64 * 64; }

uint16_t version_of(const FusedHeader& h) {
  if (h.partitions) return kPartitionsVersion;
  return h.sign_codes ? kSignCodesVersion : kBlocksVersion;
}

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

bool is_plausible(const FusedCalibrationPoint& p) {
  return p.recall >= 0 && p.recall <= 1 && std::isfinite(p.distance);
}

}  // namespace

size_t fused_prefix_bytes(size_t coordinates, size_t calibration_points, size_t root_bytes) {
  return to64(kFixedBytes + 4 * coordinates + sizeof(FusedCalibrationPoint) * calibration_points) +
         to64(root_bytes);
}

void write_fused_prefix(const FusedHeader& h, ByteSpan root, std::byte* out) {
  Bytes bytes;
  bytes.reserve(fused_prefix_bytes(h.centre.size(), h.calibration.size(), root.size()));
  ByteWriter w(bytes);
  w.u16(version_of(h));
  w.u16(kDegree);
  w.u32(h.block_bytes);
  w.u64(h.first_row);
  w.u64(h.total_nodes);
  w.u64(h.first_node);
  w.u64(h.node_count);
  w.u64(h.seed);
  w.u64(h.index_segment);
  w.raw(h.index_hash.data(), h.index_hash.size());
  w.u8(static_cast<uint8_t>(h.metric));
  w.u8(static_cast<uint8_t>(h.dtype));
  w.u16(static_cast<uint16_t>(h.calibration.size()));
  w.u32(h.dim);
  w.f32(h.scale);
  w.f32(h.largest_norm2);
  w.u32(h.root_groups);
  w.u32(static_cast<uint32_t>(h.centre.size()));
  w.u64(h.partition_count);
  w.u64(h.group_count);
  w.align(kFixedBytes);
  write_array(w, h.centre);
  write_array(w, h.calibration);
  w.align(64);
  w.raw(root.data(), root.size());
  w.align(64);
  std::memcpy(out, bytes.data(), bytes.size());
}

void set_fused_index(std::byte* payload, uint64_t index_segment, const ContentHash& index_hash) {
  std::memcpy(payload + kIndexAt, &index_segment, sizeof(index_segment));
  std::memcpy(payload + kIndexAt + 8, index_hash.data(), index_hash.size());
}

Result<FusedPayloadView> parse_fused(ByteSpan payload) {
  ByteReader in(payload);
  FusedPayloadView view;
  FusedHeader& h = view.header;
  const auto wrong = [&](const char* what, ErrorCode code = ErrorCode::kCorrupt) {
    return payload_error("FUSED", in, what, code);
  };
  const uint16_t version = in.u16();
  const uint16_t degree = in.u16();
  if (in.ok() && (version < kBlocksVersion || version > kSignCodesVersion || degree != kDegree)) {
    return wrong("another version or degree", ErrorCode::kUnsupported);
  }
  h.partitions = version == kPartitionsVersion;
  h.sign_codes = version == kSignCodesVersion;
  h.block_bytes = in.u32();
  h.first_row = in.u64();
  h.total_nodes = in.u64();
  h.first_node = in.u64();
  h.node_count = in.u64();
  h.seed = in.u64();
  h.index_segment = in.u64();
  const ByteSpan hash = in.bytes(h.index_hash.size());
  if (in.ok()) std::memcpy(h.index_hash.data(), hash.data(), hash.size());
  const uint8_t metric = in.u8();
  const uint8_t dtype = in.u8();
  const uint16_t points = in.u16();
  h.dim = in.u32();
  h.scale = in.f32();
  h.largest_norm2 = in.f32();
  h.root_groups = in.u32();
  const uint32_t coordinates = in.u32();
  h.partition_count = in.u64();
  h.group_count = in.u64();
  if (in.ok() && !h.partitions && (h.partition_count != 0 || h.group_count != 0)) {
    return wrong("partitions beside node blocks");
  }
  skip_padding(in, kFixedBytes);
  if (!in.ok()) return wrong("");
  h.metric = static_cast<Metric>(metric);
  h.dtype = static_cast<DType>(dtype);
  if (metric > static_cast<uint8_t>(Metric::kHamming)) return wrong("an unknown metric");
  const uint32_t expected = h.dim + (h.metric == Metric::kInnerProduct ? 1 : 0);
  if (h.dim == 0 || h.dim > kMaxDimension || coordinates != expected) {
    return wrong("dimensions that cannot be");
  }
  if (points > kMaxCalibrationPoints) return wrong("too many calibration points");
  h.centre = read_array<float>(in, coordinates);
  h.calibration = read_array<FusedCalibrationPoint>(in, points);
  if (!in.ok()) return wrong("");
  if (!std::isfinite(h.scale) || h.scale <= 0 || !std::isfinite(h.largest_norm2) ||
      h.largest_norm2 < 0 || !all_finite(h.centre)) {
    return wrong("a space that cannot be");
  }
  std::erase_if(h.calibration, [](const FusedCalibrationPoint& p) { return p.width == 0; });
  if (!std::all_of(h.calibration.begin(), h.calibration.end(), is_plausible)) {
    return wrong("a calibration that cannot be");
  }
  skip_padding(in, 64);
  const uint64_t padded = (uint64_t{coordinates} + 15) / 16 * 16;
  const uint64_t group_bytes = 256 + 4 * padded;
  const uint64_t head_bytes = 64 + (padded + 63) / 64 * 64;
  const uint64_t block_bytes = h.partitions ? head_bytes : head_bytes + group_bytes;
  if (h.block_bytes != block_bytes) return wrong("a block size that does not fit the dimensions");
  const uint32_t most_groups = h.partitions ? kMaxPartitionRootGroups : kMaxRootGroups;
  if (h.root_groups == 0 || h.root_groups > most_groups) return wrong("a root of no size");
  view.root = in.bytes(h.root_groups * group_bytes);
  skip_padding(in, 64);
  if (!in.ok()) return wrong("");
  if (h.total_nodes == 0 || h.total_nodes > 0x7FFFFFFF || h.node_count == 0 ||
      h.first_node > h.total_nodes || h.node_count > h.total_nodes - h.first_node ||
      h.first_row > kMaxFirstRow) {
    return wrong("node counts that cannot be");
  }
  if (h.partitions) {
    // Every partition is in the root, every row in a group.
    constexpr uint64_t kMostGroups = uint64_t{1} << 32;
    if (h.first_node != 0 || h.node_count != h.total_nodes || h.partition_count == 0 ||
        h.partition_count > uint64_t{h.root_groups} * kDegree || h.group_count > kMostGroups ||
        h.group_count * kDegree < h.total_nodes) {
      return wrong("partitions that cannot be");
    }
    view.blocks = in.bytes(h.partition_count * block_bytes);
    view.groups = in.bytes(h.group_count * group_bytes);
  } else {
    view.blocks = in.bytes(h.node_count * block_bytes);
    if (h.sign_codes) view.sign_codes = in.bytes(h.node_count * sign_code_bytes(coordinates));
  }
  RVF_TRY(expect_end("FUSED", in));
  return view;
}

}  // namespace rvf::wire
