#include "wire/segment.hpp"

#include "types/planted_bug.hpp"

namespace rvf::wire {
namespace {

Error bad(ErrorCode code, uint64_t offset, std::string what, uint64_t segment_id = 0) {
  return {code, "segment header at offset " + std::to_string(offset) + ": " + std::move(what),
          segment_id, offset};
}

std::string hex(uint64_t value) {
  std::string out = "0x";
  int shift = 60;
  while (shift > 0 && (value >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) out += "0123456789abcdef"[(value >> shift) & 0xF];
  return out;
}

}  // namespace

void encode_header(const SegmentHeader& h, std::span<std::byte, kSegmentHeaderSize> out) noexcept {
  std::byte* p = out.data();
  const auto put = [&p](const auto& v) {
    std::memcpy(p, &v, sizeof(v));
    p += sizeof(v);
  };
  put(kSegmentMagic);
  put(h.version);
  put(h.type);
  put(h.flags);
  put(h.segment_id);
  put(h.payload_length);
  put(h.timestamp_ns);
  put(h.checksum);
  put(h.compression);
  put(uint16_t{0});
  put(uint32_t{0});
  put(h.content_hash);
  put(h.uncompressed_length);
  put(h.alignment_pad);
}

Result<SegmentHeader> decode_header(ByteSpan data, uint64_t offset) {
  if (data.size() < kSegmentHeaderSize) {
    return bad(ErrorCode::kTruncated, offset, std::to_string(data.size()) + " of 64 bytes present");
  }
  ByteReader in(data);
  SegmentHeader h;
  if (const uint32_t magic = in.u32(); magic != kSegmentMagic) {
    return bad(ErrorCode::kBadMagic, offset, "magic is " + hex(magic) + ", expected 0x52564653");
  }
  h.version = in.u8();
  h.type = static_cast<SegmentType>(in.u8());
  h.flags = in.u16();
  h.segment_id = in.u64();
  h.payload_length = in.u64();
  h.timestamp_ns = in.u64();
  h.checksum = static_cast<ChecksumAlgo>(in.u8());
  h.compression = static_cast<Compression>(in.u8());
  const uint16_t reserved_0 = in.u16();
  const uint32_t reserved_1 = in.u32();
  h.content_hash = in.number<ContentHash>();
  h.uncompressed_length = in.u32();
  h.alignment_pad = in.u32();

  if (h.version != kSegmentVersion) {
    return bad(ErrorCode::kBadVersion, offset,
               "version is " + std::to_string(h.version) + ", this library reads 1", h.segment_id);
  }
  if (h.type == SegmentType::kInvalid) {
    return bad(ErrorCode::kCorrupt, offset, "segment type is 0", h.segment_id);
  }
  if (reserved_0 != 0 || reserved_1 != 0) {
    return bad(ErrorCode::kCorrupt, offset, "a reserved field is not zero", h.segment_id);
  }
  if (h.payload_length >= kMaxPayload) {
    return bad(ErrorCode::kTooLarge, offset,
               "payload_length " + std::to_string(h.payload_length) + " is not below 4 GiB",
               h.segment_id);
  }
  return h;
}

Bytes make_segment(SegmentHeader header, ByteSpan payload) {
  header.payload_length = payload.size();
  header.alignment_pad = padding_for(payload.size());
  header.content_hash = content_hash(header.checksum, payload);
  Bytes out(kSegmentHeaderSize);
  out.reserve(kSegmentHeaderSize + payload.size() + header.alignment_pad);
  encode_header(header, std::span<std::byte, kSegmentHeaderSize>(out.data(), kSegmentHeaderSize));
  ByteWriter w(out);
  w.bytes(payload);
  w.zeros(header.alignment_pad);
  return out;
}

Result<SegmentView> read_segment(ByteSpan file, uint64_t offset, bool verify_hash) {
  if (offset % kSegmentAlignment != 0) {
    return bad(ErrorCode::kBadAlignment, offset, "not on a 64-byte boundary");
  }
  if (offset >= file.size()) {
    return bad(ErrorCode::kTruncated, offset, "the file ends at " + std::to_string(file.size()));
  }
  const ByteSpan rest = file.subspan(static_cast<size_t>(offset));
  RVF_ASSIGN(SegmentHeader h, decode_header(rest, offset));

  const uint64_t pad = h.alignment_pad;
  const bool is_signed = (h.flags & segment_flag::kSigned) != 0;
  if ((h.payload_length + pad) % kSegmentAlignment != 0 ||
      (pad >= kSegmentAlignment && !is_signed)) {
    return bad(ErrorCode::kBadAlignment, offset,
               "alignment_pad " + std::to_string(pad) + " does not fit payload_length " +
                   std::to_string(h.payload_length),
               h.segment_id);
  }
  const uint64_t available = rest.size() - kSegmentHeaderSize;
  if (h.payload_length + pad > available) {
    return bad(ErrorCode::kTruncated, offset,
               "needs " + std::to_string(h.payload_length + pad) + " bytes after the header, " +
                   std::to_string(available) + " present",
               h.segment_id);
  }
  SegmentView view;
  view.payload = rest.subspan(kSegmentHeaderSize, static_cast<size_t>(h.payload_length));
  view.trailer = rest.subspan(kSegmentHeaderSize + view.payload.size(), static_cast<size_t>(pad));
  view.offset = offset;
  view.end = offset + kSegmentHeaderSize + h.payload_length + pad;
  if (verify_hash && !hash_matches(h, view.payload)) {
    if (!is_known(h.checksum)) {
      return bad(
          ErrorCode::kUnsupported, offset,
          "checksum algorithm " + std::to_string(static_cast<unsigned>(h.checksum)) + " is unknown",
          h.segment_id);
    }
    return bad(ErrorCode::kBadChecksum, offset,
               std::string("the ") + segment_type_name(h.type) +
                   " payload does not match its content hash",
               h.segment_id);
  }
  view.header = h;
  return view;
}

bool hash_matches(const SegmentHeader& header, ByteSpan payload) noexcept {
  if (planted(PlantedBug::kBelieveEveryHash)) return is_known(header.checksum);
  return is_known(header.checksum) && content_hash(header.checksum, payload) == header.content_hash;
}

}  // namespace rvf::wire
