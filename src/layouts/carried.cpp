#include "layouts/carried.hpp"

namespace rvf::layouts {
namespace {

using wire::ByteReader;
using wire::ByteWriter;

constexpr std::string_view kCarryMagic = "RVFCARRY";
constexpr std::string_view kNativeMagic = "RVFNATIV";
constexpr uint16_t kVersion = 1;

// What makes up a store is never carried: from bytes of a stranger it would become part of another.
bool is_structure(uint8_t type, Layout from) noexcept {
  switch (static_cast<SegmentType>(type)) {
    case SegmentType::kInvalid:
    case SegmentType::kVec:
    case SegmentType::kIndex:
    case SegmentType::kJournal:
    case SegmentType::kManifest: return true;
    case SegmentType::kCowMap:
    case SegmentType::kMembership: return from != Layout::kNative;
    default: return false;
  }
}

bool starts_with(ByteSpan payload, std::string_view magic) noexcept {
  return payload.size() >= magic.size() &&
         std::memcmp(payload.data(), magic.data(), magic.size()) == 0;
}

Error bad(const char* what, const ByteReader& in) {
  return {ErrorCode::kCorrupt,
          std::string(what) + " does not decode at byte " + std::to_string(in.position())};
}

}  // namespace

bool is_carried(ByteSpan payload) noexcept { return starts_with(payload, kCarryMagic); }

// magic, u16 version, u8 layout they come from, u8 0, u32 count, then for each
// {u8 type, u8 0, u16 flags, u32 0, u64 length, bytes, pad 8}
Bytes encode_carried(Layout from, const std::vector<OpaqueSegment>& segments) {
  Bytes out;
  ByteWriter w(out);
  w.text(kCarryMagic);
  w.u16(kVersion);
  w.u8(static_cast<uint8_t>(from));
  w.u8(0);
  w.u32(static_cast<uint32_t>(segments.size()));
  for (const OpaqueSegment& s : segments) {
    w.u8(s.type);
    w.u8(0);
    w.u16(s.flags);
    w.u32(0);
    w.u64(s.payload.size());
    w.bytes(s.payload);
    w.align(8);
  }
  return out;
}

Result<Carried> decode_carried(ByteSpan payload) {
  ByteReader in(payload);
  in.skip(8);
  const uint16_t version = in.u16();
  Carried carried;
  carried.from = static_cast<Layout>(in.u8());
  in.skip(1);
  const uint32_t count = in.u32();
  if (!is_carried(payload) || version != kVersion || carried.from > Layout::kWire || !in.ok() ||
      count > in.remaining() / 16) {
    return bad("RVFCARRY", in);
  }
  for (uint32_t i = 0; i < count; ++i) {
    OpaqueSegment s;
    s.type = in.u8();
    in.skip(1);
    s.flags = in.u16();
    in.skip(4);
    const ByteSpan bytes = in.bytes(in.u64());
    in.align(8);
    if (!in.ok() || is_structure(s.type, carried.from)) return bad("RVFCARRY", in);
    s.payload.assign(bytes.begin(), bytes.end());
    carried.segments.push_back(std::move(s));
  }
  return carried;
}

bool is_native_hints(ByteSpan payload) noexcept { return starts_with(payload, kNativeMagic); }

// magic, u16 version, u8 dtype, u8 0, u32 application_length, u32 field_count, application, then
// for each field {u8 type, u8 indexed, u16 name_length, name}
Bytes encode_native_hints(const NativeHints& hints) {
  Bytes out;
  ByteWriter w(out);
  w.text(kNativeMagic);
  w.u16(kVersion);
  w.u8(static_cast<uint8_t>(hints.dtype));
  w.u8(0);
  w.u32(static_cast<uint32_t>(hints.application.size()));
  w.u32(static_cast<uint32_t>(hints.fields.size()));
  w.text(hints.application);
  for (const Field& f : hints.fields) {
    w.u8(static_cast<uint8_t>(f.type));
    w.u8(f.indexed);
    w.u16(static_cast<uint16_t>(f.name.size()));
    w.text(f.name);
  }
  return out;
}

Result<NativeHints> decode_native_hints(ByteSpan payload) {
  ByteReader in(payload);
  in.skip(8);
  const uint16_t version = in.u16();
  const uint8_t dtype = in.u8();
  in.skip(1);
  const uint32_t application = in.u32();
  const uint32_t count = in.u32();
  NativeHints hints;
  hints.dtype = static_cast<DType>(dtype);
  hints.application = in.text(application);
  if (!is_native_hints(payload) || version != kVersion || dtype > 4 || !in.ok() ||
      count > in.remaining() / 4) {
    return bad("RVFNATIV", in);
  }
  for (uint32_t i = 0; i < count; ++i) {
    Field f;
    const uint8_t type = in.u8();
    f.type = static_cast<FieldType>(type);
    f.indexed = in.u8();
    f.name = in.text(in.u16());
    if (!in.ok() || type < 1 || type > 9) return bad("RVFNATIV", in);
    hints.fields.push_back(std::move(f));
  }
  return hints;
}

}  // namespace rvf::layouts
