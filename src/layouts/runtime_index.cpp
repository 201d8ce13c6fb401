// The INDEX segment of runtime containers: the adjacency by node ordinal, and a trailer with the
// ids of the nodes.
#include <algorithm>

#include "layouts/runtime_bytes.hpp"
#include "layouts/runtime_writer.hpp"
#include "wire/delta.hpp"

namespace rvf::layouts {
namespace {

constexpr uint32_t kRestartEvery = 64;
constexpr size_t kAlignment = 64;
constexpr uint16_t kTrailerVersion = 1;
constexpr uint32_t kTrailerMagic = 0x58495652;  // "RVIX"

// Nodes at restart points have absolute ordinals, the others differences after the first.
void write_list(wire::ByteWriter& w, const std::vector<uint32_t>& list, bool absolute) {
  w.varint(list.size());
  uint32_t previous = 0;
  for (const uint32_t node : list) {
    w.varint(absolute ? node : node - previous);
    previous = node;
  }
}

Error too_large() {
  return {ErrorCode::kTooLarge,
          "the graph is larger than the 256 MiB that readers take, and is left out; the published "
          "packages build their own on the first query"};
}

Error bad(const char* what) {
  return {ErrorCode::kCorrupt, std::string("INDEX of a runtime container: ") + what};
}

Result<std::vector<uint32_t>> read_list(wire::ByteReader& in, bool absolute, uint64_t nodes) {
  const uint64_t count = in.varint();
  if (!in.ok() || count > in.remaining()) return bad("a list is longer than the segment");
  std::vector<uint32_t> list;
  uint64_t node = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t v = in.varint();
    node = absolute ? v : node + v;
    if (!in.ok() || v >= nodes || node >= nodes)
      return bad("a list names a node that is not there");
    list.push_back(static_cast<uint32_t>(node));
  }
  return list;
}

Status read_trailer(ByteSpan payload, RuntimeIndex& out) {
  if (payload.size() < 8) return bad("too short");
  wire::ByteReader end(payload.last(8));
  const uint32_t length = end.u32();
  if (end.u32() != kTrailerMagic || length > payload.size() - 8) return bad("no trailer");
  wire::ByteReader in(payload.subspan(payload.size() - 8 - length, length));
  if (in.u16() != kTrailerVersion) return bad("a trailer of another version");
  out.m0 = in.u16();
  out.max_layer = in.u32();
  out.entry = in.u64();
  const uint64_t count = in.u64();
  if (!in.ok() || count > in.remaining()) return bad("more ids than the trailer has bytes");
  RVF_ASSIGN(out.ids, wire::read_deltas(in, count, 0));
  return {};
}

}  // namespace

Result<Bytes> encode_runtime_index(const RuntimeGraph& graph, std::span<const uint64_t> ids) {
  Bytes out;
  wire::ByteWriter w(out);
  w.u8(0);  // HNSW
  w.u8(2);  // all adjacency
  w.u16(graph.m);
  w.u32(graph.ef_construction);
  w.u64(ids.size());
  w.align(kAlignment);
  const size_t restarts = (ids.size() + kRestartEvery - 1) / kRestartEvery;
  w.u32(kRestartEvery);
  w.u32(static_cast<uint32_t>(restarts));
  const size_t offsets_at = out.size();
  w.zeros(restarts * 4);
  w.align(kAlignment);
  const size_t start = out.size();
  std::vector<std::vector<uint32_t>> layers;
  for (uint64_t node = 0; node < ids.size(); ++node) {
    if (node % kRestartEvery == 0) {
      w.patch(offsets_at + node / kRestartEvery * 4, static_cast<uint32_t>(out.size() - start));
    }
    layers.clear();
    RVF_TRY(graph.layers(node, layers));
    if (layers.empty()) layers.emplace_back();
    w.varint(layers.size());
    for (const auto& list : layers) write_list(w, list, node % kRestartEvery == 0);
    if (out.size() > kMaxRuntimePayload) return too_large();
  }
  w.align(kAlignment);
  const size_t trailer = out.size();
  w.u16(kTrailerVersion);
  w.u16(static_cast<uint16_t>(graph.m * 2));
  w.u32(graph.max_layer);
  w.u64(graph.entry);
  w.u64(ids.size());
  wire::write_deltas(w, ids, 0);
  w.u32(static_cast<uint32_t>(out.size() - trailer));
  w.u32(kTrailerMagic);
  if (out.size() > kMaxRuntimePayload) return too_large();
  return out;
}

Result<RuntimeIndex> decode_runtime_index(ByteSpan payload) {
  RuntimeIndex out;
  RVF_TRY(read_trailer(payload, out));
  wire::ByteReader in(payload);
  const uint8_t type = in.u8();
  in.skip(1);
  out.m = in.u16();
  out.ef_construction = in.u32();
  const uint64_t nodes = in.u64();
  in.align(kAlignment);
  const uint32_t interval = in.u32();
  in.skip(uint64_t{in.u32()} * 4);
  in.align(kAlignment);
  if (!in.ok() || type != 0 || interval == 0 || nodes != out.ids.size() || nodes > UINT32_MAX ||
      nodes > in.remaining()) {
    return bad("the head does not decode");
  }
  for (uint64_t node = 0; node < nodes; ++node) {
    const uint64_t layers = in.varint();
    if (!in.ok() || layers > in.remaining()) return bad("a node does not decode");
    auto& lists = out.nodes.emplace_back();
    for (uint64_t l = 0; l < layers; ++l) {
      RVF_ASSIGN(auto list, read_list(in, node % interval == 0, nodes));
      lists.push_back(std::move(list));
    }
  }
  return out;
}

}  // namespace rvf::layouts
