#include "wire/overlay_codec.hpp"

#include "wire/codec.hpp"
#include "wire/delta.hpp"

namespace rvf::wire {
namespace {

constexpr const char* kName = "OVERLAY";
constexpr uint32_t kHasRollback = 1 << 0;
constexpr uint32_t kHasMinCut = 1 << 1;
constexpr size_t kEdgeSize = 24;
constexpr size_t kPartitionSize = 40;

MinCutWitness read_min_cut(ByteReader& in, Status& status) {
  MinCutWitness cut;
  cut.value = in.f64();
  const uint32_t edges = in.u32();
  const uint32_t nodes = in.u32();
  cut.cut_edges = read_array<std::array<uint64_t, 2>>(in, edges);
  auto side = read_deltas(in, nodes, 0);
  if (side) {
    cut.side = *std::move(side);
  } else {
    status = std::move(side).error();
  }
  return cut;
}

}  // namespace

Bytes encode_overlay(const Overlay& overlay) {
  Bytes bytes;
  ByteWriter out(bytes);
  const Rollback back = overlay.rollback.value_or(Rollback{});
  out.u32(overlay.epoch);
  out.u32((overlay.rollback ? kHasRollback : 0) | (overlay.min_cut ? kHasMinCut : 0));
  out.u32(static_cast<uint32_t>(overlay.edges.size()));
  out.u32(static_cast<uint32_t>(overlay.partitions.size()));
  out.u32(back.epoch);
  out.u32(0);
  out.u64(back.segment_id);
  out.u64(back.file_offset);
  out.number(back.content_hash);
  out.align(64);
  for (const EdgeDelta& e : overlay.edges) {
    out.number(e.op);
    out.u8(e.layer);
    out.u16(e.relation);
    out.f32(e.weight);
    out.u64(e.from);
    out.u64(e.to);
  }
  for (const PartitionSummary& p : overlay.partitions) {
    out.u64(p.partition_id);
    out.u64(p.node_count);
    out.u64(p.internal_edges);
    out.u64(p.boundary_edges);
    out.f64(p.boundary_weight);
  }
  if (overlay.min_cut) {
    out.f64(overlay.min_cut->value);
    out.u32(static_cast<uint32_t>(overlay.min_cut->cut_edges.size()));
    out.u32(static_cast<uint32_t>(overlay.min_cut->side.size()));
    write_array(out, overlay.min_cut->cut_edges);
    write_deltas(out, overlay.min_cut->side, 0);
  }
  return bytes;
}

Result<Overlay> decode_overlay(ByteSpan payload) {
  ByteReader in(payload);
  Overlay overlay;
  overlay.epoch = in.u32();
  const uint32_t flags = in.u32();
  const uint32_t edge_count = in.u32();
  const uint32_t partition_count = in.u32();
  Rollback back;
  back.epoch = in.u32();
  if (in.u32() != 0) in.fail();
  back.segment_id = in.u64();
  back.file_offset = in.u64();
  back.content_hash = in.number<ContentHash>();
  skip_padding(in, 64);
  if (in.ok() && (flags & ~(kHasRollback | kHasMinCut)) != 0) {
    return payload_error(kName, in, "an unknown flag is set", ErrorCode::kUnsupported);
  }
  if ((flags & kHasRollback) != 0) overlay.rollback = back;

  if (!can_hold(in, edge_count, kEdgeSize)) return payload_error(kName, in, {});
  overlay.edges.resize(edge_count);
  for (EdgeDelta& e : overlay.edges) {
    e.op = static_cast<EdgeOp>(in.u8());
    e.layer = in.u8();
    e.relation = in.u16();
    e.weight = in.f32();
    e.from = in.u64();
    e.to = in.u64();
    if (e.op < EdgeOp::kInsert || e.op > EdgeOp::kReweight) {
      return payload_error(kName, in, "unknown edge operation", ErrorCode::kUnsupported);
    }
  }
  if (!can_hold(in, partition_count, kPartitionSize)) return payload_error(kName, in, {});
  overlay.partitions.resize(partition_count);
  for (PartitionSummary& p : overlay.partitions) {
    p.partition_id = in.u64();
    p.node_count = in.u64();
    p.internal_edges = in.u64();
    p.boundary_edges = in.u64();
    p.boundary_weight = in.f64();
  }
  if ((flags & kHasMinCut) != 0) {
    Status status;
    overlay.min_cut = read_min_cut(in, status);
    RVF_TRY(std::move(status));
  }
  RVF_TRY(expect_end(kName, in));
  return overlay;
}

}  // namespace rvf::wire
