#include "wire/sketch_codec.hpp"

#include "wire/codec.hpp"

namespace rvf::wire {
namespace {
constexpr const char* kName = "SKETCH";
constexpr uint32_t kMaxDepth = 64;
}  // namespace

Bytes encode_sketch(const SketchSegment& sketch) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u32(static_cast<uint32_t>(sketch.blocks.size()));
  out.u32(sketch.width);
  out.u32(sketch.depth);
  out.u8(sketch.counter_bits);
  out.u8(sketch.decay_shift);
  out.u64(sketch.total_accesses);
  out.align(64);
  for (const SketchBlock& block : sketch.blocks) {
    out.u32(block.block_id);
    out.bytes(block.counters);
    out.align(64);
  }
  return bytes;
}

Result<SketchSegment> decode_sketch(ByteSpan payload) {
  ByteReader in(payload);
  SketchSegment sketch;
  const uint32_t count = in.u32();
  sketch.width = in.u32();
  sketch.depth = in.u32();
  sketch.counter_bits = in.u8();
  sketch.decay_shift = in.u8();
  sketch.total_accesses = in.u64();
  skip_padding(in, 64);
  const bool bits_known = sketch.counter_bits == 8 || sketch.counter_bits == 16;
  if (!in.ok() || !bits_known || sketch.width == 0 || sketch.depth == 0 ||
      sketch.depth > kMaxDepth || sketch.decay_shift >= 16) {
    return payload_error(kName, in, "width, depth, counter bits or decay shift out of range");
  }
  if (!can_hold(in, count, 4 + sketch.counter_bytes())) return payload_error(kName, in, {});
  sketch.blocks.reserve(count);
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    SketchBlock block;
    block.block_id = in.u32();
    block.counters = read_bytes(in, sketch.counter_bytes());
    skip_padding(in, 64);
    sketch.blocks.push_back(std::move(block));
  }
  RVF_TRY(expect_end(kName, in));
  return sketch;
}

}  // namespace rvf::wire
