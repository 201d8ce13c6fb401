#include "wire/index_codec.hpp"

#include <algorithm>

#include "wire/codec.hpp"

namespace rvf::wire {
namespace {

constexpr size_t kHeaderBytes = 64;
constexpr uint16_t kTrailerVersion = 1;
constexpr uint16_t kFlagNodeMap = 1;
constexpr std::string_view kTrailerMagic = "RVGX";
constexpr uint32_t kMaxLayers = 64;

// Reads a LEB128 number below 2^32 from [p, end); null at the end or for a longer one.
inline const std::byte* read_varint(const std::byte* p, const std::byte* end,
                                    uint32_t& out) noexcept {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    if (p == end) return nullptr;
    const auto byte = static_cast<uint8_t>(*p++);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) {
      out = static_cast<uint32_t>(value);
      return value >> 32 == 0 ? p : nullptr;
    }
  }
  return nullptr;
}

void write_trailer(ByteWriter& out, const IndexMeta& meta, uint64_t adjacency_at,
                   uint64_t adjacency_bytes) {
  const size_t start = out.size();
  out.u16(kTrailerVersion);
  out.u16(meta.node_map.empty() ? 0 : kFlagNodeMap);
  out.u32(meta.max_layer);
  out.u64(meta.total_nodes);
  out.u64(meta.first_node);
  out.u64(meta.first_row);
  out.u64(meta.seed);
  out.u64(meta.calibrated_nodes);
  out.u64(adjacency_at);
  out.u64(adjacency_bytes);
  out.u8(static_cast<uint8_t>(meta.metric));
  out.u8(static_cast<uint8_t>(meta.dtype));
  out.u16(static_cast<uint16_t>(meta.entry_points.size()));
  out.u16(static_cast<uint16_t>(meta.calibration.size()));
  out.u16(0);
  out.u32(meta.dim);
  out.u32(meta.base_degree);
  for (const uint64_t entry : meta.entry_points) out.u64(entry);
  for (const CalibrationPoint& p : meta.calibration) {
    out.u16(p.k);
    out.u16(p.recall_e4);
    out.u32(p.ef);
  }
  uint32_t last = 0;
  for (const uint32_t node : meta.node_map) {
    out.varint(node - last);
    last = node;
  }
  out.u32(static_cast<uint32_t>(out.size() - start));
  out.text(kTrailerMagic);
}

// Fills `meta` and the place of the adjacency; `in` starts at the trailer body.
Status read_trailer(ByteReader& in, IndexMeta& meta, uint64_t& adjacency_at,
                    uint64_t& adjacency_bytes) {
  const uint16_t version = in.u16();
  const uint16_t flags = in.u16();
  if (in.ok() && (version != kTrailerVersion || (flags & ~kFlagNodeMap) != 0)) {
    return payload_error("INDEX", in,
                         "trailer version " + std::to_string(version) + " is not known",
                         ErrorCode::kUnsupported);
  }
  meta.max_layer = in.u32();
  meta.total_nodes = in.u64();
  meta.first_node = in.u64();
  meta.first_row = in.u64();
  meta.seed = in.u64();
  meta.calibrated_nodes = in.u64();
  adjacency_at = in.u64();
  adjacency_bytes = in.u64();
  const uint8_t metric = in.u8();
  const uint8_t dtype = in.u8();
  const uint16_t entries = in.u16();
  const uint16_t points = in.u16();
  in.u16();
  meta.dim = in.u32();
  meta.base_degree = in.u32();
  if (!in.ok()) return payload_error("INDEX", in, {});
  if (metric > static_cast<uint8_t>(Metric::kHamming) ||
      dtype > static_cast<uint8_t>(DType::kCustom)) {
    return payload_error("INDEX", in, "metric or dtype is not known", ErrorCode::kUnsupported);
  }
  meta.metric = static_cast<Metric>(metric);
  meta.dtype = static_cast<DType>(dtype);
  meta.entry_points = read_array<uint64_t>(in, entries);
  if (can_hold(in, points, 8)) {
    for (uint16_t i = 0; i < points; ++i) {
      CalibrationPoint p;
      p.k = in.u16();
      p.recall_e4 = in.u16();
      p.ef = in.u32();
      meta.calibration.push_back(p);
    }
  }
  if ((flags & kFlagNodeMap) != 0 && can_hold(in, meta.node_count, 1)) {
    meta.node_map.reserve(static_cast<size_t>(meta.node_count));
    uint64_t last = 0;
    for (uint64_t i = 0; i < meta.node_count && in.ok(); ++i) {
      const uint64_t gap = in.varint();
      last += gap;
      if (gap > kMaxGraphNodes || last > kMaxGraphNodes || (i != 0 && gap == 0)) in.fail();
      meta.node_map.push_back(static_cast<uint32_t>(last));
    }
  }
  return expect_end("INDEX", in);
}

Status check_meta(const IndexMeta& meta, const ByteReader& in) {
  // Without a map, neighbour ordinals count the nodes of the whole graph; with one, those of this
  // payload.
  const bool whole = meta.node_map.empty();
  if (meta.total_nodes > kMaxGraphNodes || meta.node_count > meta.total_nodes ||
      meta.first_node > meta.total_nodes - meta.node_count || meta.max_layer >= kMaxLayers ||
      (!whole && (meta.first_node != 0 || meta.node_count != meta.total_nodes)) ||
      meta.first_row > UINT64_MAX - kMaxGraphNodes - uint64_t{1}) {
    return payload_error("INDEX", in, "node counts contradict each other");
  }
  for (const uint64_t entry : meta.entry_points) {
    if (entry >= meta.total_nodes) return payload_error("INDEX", in, "an entry point is no node");
  }
  return {};
}

}  // namespace

Result<IndexView> IndexView::parse(ByteSpan payload) {
  IndexView view;
  view.payload_ = payload;
  IndexMeta& meta = view.meta_;
  ByteReader in(payload);
  const uint8_t type = in.u8();
  meta.layer_level = in.u8();
  meta.m = in.u16();
  meta.ef_construction = in.u32();
  meta.node_count = in.u64();
  in.align(kHeaderBytes);
  const uint32_t interval = in.u32();
  const uint32_t count = in.u32();
  if (!in.ok() || payload.size() < kHeaderBytes + 16)
    return payload_error("INDEX", in, "too short", ErrorCode::kTruncated);
  if (type != kIndexTypeHnsw || interval != 1) {
    return payload_error("INDEX", in,
                         "index type " + std::to_string(type) + " with restart interval " +
                             std::to_string(interval) + " cannot be searched in place",
                         ErrorCode::kUnsupported);
  }
  if (count != meta.node_count)
    return payload_error("INDEX", in, "restart count is not the node count");
  const uint64_t offsets_at = in.position();
  in.skip(uint64_t{count} * 4);
  if (!in.ok()) return payload_error("INDEX", in, {});
  view.offsets_ = payload.data() + offsets_at;

  ByteReader tail(payload.subspan(payload.size() - 8));
  const uint32_t body = tail.u32();
  if (tail.text(4) != kTrailerMagic) {
    return payload_error("INDEX", in, "no RVGX trailer at the end", ErrorCode::kUnsupported);
  }
  const uint64_t body_end = payload.size() - 8;
  if (in.position() > body_end || body > body_end - in.position()) {
    return payload_error("INDEX", in, "the trailer is longer than its room");
  }
  const uint64_t trailer_at = body_end - body;
  ByteReader trailer(payload.subspan(static_cast<size_t>(trailer_at), body));
  uint64_t at = 0;
  uint64_t bytes = 0;
  RVF_TRY(read_trailer(trailer, meta, at, bytes));
  RVF_TRY(check_meta(meta, trailer));
  if (at < in.position() || at > trailer_at || bytes > trailer_at - at) {
    return payload_error("INDEX", in, "the adjacency area lies outside the payload");
  }
  view.adjacency_ = payload.data() + at;
  view.adjacency_end_ = view.adjacency_ + bytes;
  return view;
}

const std::byte* IndexView::list_start(uint64_t local) const noexcept {
  if (local >= meta_.node_count) return nullptr;
  uint32_t offset;
  std::memcpy(&offset, offsets_ + local * 4, 4);
  return offset < static_cast<uint64_t>(adjacency_end_ - adjacency_) ? adjacency_ + offset
                                                                     : nullptr;
}

void IndexView::prefetch_list(uint64_t local) const noexcept {
  const std::byte* p = list_start(local);
  if (p == nullptr) return;
  __builtin_prefetch(p);
  __builtin_prefetch(p + 64);
}

uint32_t IndexView::layer_count(uint64_t local) const noexcept {
  const std::byte* p = list_start(local);
  uint32_t layers = 0;
  if (p == nullptr || read_varint(p, adjacency_end_, layers) == nullptr) return 0;
  return layers <= kMaxLayers ? layers : 0;
}

size_t IndexView::neighbours(uint64_t local, uint32_t layer, uint32_t* out,
                             bool& bad) const noexcept {
  const std::byte* p = list_start(local);
  const std::byte* const end = adjacency_end_;
  uint32_t layers = 0;
  if (p == nullptr || (p = read_varint(p, end, layers)) == nullptr || layers > kMaxLayers) {
    bad = true;
    return 0;
  }
  if (layer >= layers) return 0;
  for (uint32_t l = 0;; ++l) {
    uint32_t n = 0;
    p = read_varint(p, end, n);
    if (p == nullptr || n > kMaxListLength) break;
    uint64_t node = 0;
    uint32_t i = 0;
    for (; i < n; ++i) {
      uint32_t gap = 0;
      p = read_varint(p, end, gap);
      if (p == nullptr) break;
      node += gap;
      if (l != layer) continue;
      if (node >= meta_.total_nodes) break;
      out[i] = static_cast<uint32_t>(node);
    }
    if (p == nullptr || i != n) break;
    if (l == layer) return n;
  }
  bad = true;
  return 0;
}

void IndexEncoder::add_node(std::span<const std::span<const uint32_t>> layers) {
  offsets_.push_back(static_cast<uint32_t>(adjacency_.size()));
  ByteWriter out(adjacency_);
  out.varint(layers.size());
  for (const std::span<const uint32_t> list : layers) {
    out.varint(list.size());
    uint32_t last = 0;
    for (const uint32_t node : list) {
      out.varint(node - last);
      last = node;
    }
  }
}

Bytes IndexEncoder::finish(const IndexMeta& meta) {
  Bytes payload;
  payload.reserve(static_cast<size_t>(bytes()) + 4096 + meta.node_map.size() * 2);
  ByteWriter out(payload);
  out.u8(kIndexTypeHnsw);
  out.u8(meta.layer_level);
  out.u16(meta.m);
  out.u32(meta.ef_construction);
  out.u64(offsets_.size());
  out.align(kHeaderBytes);
  out.u32(1);
  out.u32(static_cast<uint32_t>(offsets_.size()));
  write_array(out, offsets_);
  out.align(64);
  const uint64_t adjacency_at = out.size();
  const uint64_t adjacency_bytes = adjacency_.size();
  out.bytes(adjacency_);
  out.align(64);
  write_trailer(out, meta, adjacency_at, adjacency_bytes);
  offsets_.clear();
  adjacency_.clear();
  return payload;
}

}  // namespace rvf::wire
