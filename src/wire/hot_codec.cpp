#include "wire/hot_codec.hpp"

#include "wire/codec.hpp"

namespace rvf::wire {
namespace {
constexpr const char* kName = "HOT";
}

Bytes encode_hot(const Hot& hot) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u32(static_cast<uint32_t>(hot.entries.size()));
  out.u16(hot.dimension);
  out.number(hot.dtype);
  out.u16(hot.max_neighbors);
  out.align(64);
  for (const HotEntry& e : hot.entries) {
    out.u64(e.id);
    out.bytes(e.vector);
    out.u16(static_cast<uint16_t>(e.neighbors.size()));
    write_array(out, e.neighbors);
    out.align(64);
  }
  return bytes;
}

Result<Hot> decode_hot(ByteSpan payload) {
  ByteReader in(payload);
  Hot hot;
  const uint32_t count = in.u32();
  hot.dimension = in.u16();
  hot.dtype = static_cast<DType>(in.u8());
  hot.max_neighbors = in.u16();
  skip_padding(in, 64);
  if (in.ok() && static_cast<uint8_t>(hot.dtype) > static_cast<uint8_t>(DType::kBinary)) {
    return payload_error(kName, in,
                         "dtype " + std::to_string(static_cast<unsigned>(hot.dtype)) +
                             " cannot stand in a hot segment",
                         ErrorCode::kUnsupported);
  }
  const size_t vector_size = vector_bytes(hot.dtype, hot.dimension);
  if (!can_hold(in, count, align64(8 + vector_size + 2))) return payload_error(kName, in, {});
  hot.entries.reserve(count);
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    HotEntry e;
    e.id = in.u64();
    e.vector = read_bytes(in, vector_size);
    const uint16_t neighbors = in.u16();
    if (neighbors > hot.max_neighbors) {
      return payload_error(kName, in,
                           "entry " + std::to_string(i) + " has " + std::to_string(neighbors) +
                               " neighbours, the header allows " +
                               std::to_string(hot.max_neighbors));
    }
    e.neighbors = read_array<uint64_t>(in, neighbors);
    skip_padding(in, 64);
    hot.entries.push_back(std::move(e));
  }
  RVF_TRY(expect_end(kName, in));
  return hot;
}

}  // namespace rvf::wire
