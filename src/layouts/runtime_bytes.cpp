#include "layouts/runtime_bytes.hpp"

#include <algorithm>
#include <bit>

#include "wire/checksum.hpp"
#include "wire/sha256.hpp"

namespace rvf::layouts {
namespace {

using wire::ByteReader;
using wire::ByteSpan;

Error invalid(const char* what) {
  return {ErrorCode::kManifestInvalid, std::string("the manifest ") + what};
}

// False, with `in` failed, if the entries do not fit. Nothing is allocated before that is known.
bool read_directory(ByteReader& in, uint32_t count, std::vector<RuntimeDirEntry>& out) {
  if (count > in.remaining() / kRuntimeDirEntry) {
    in.fail();
    return false;
  }
  out.resize(count);
  for (RuntimeDirEntry& e : out) {
    e.segment_id = in.u64();
    e.offset = in.u64();
    e.payload_length = in.u64();
    e.type = in.u8();
  }
  return in.ok();
}

std::optional<wire::FileIdentity> read_identity(ByteReader& in) {
  if (in.remaining() < 72 || in.u32() != kIdentityMagic) return std::nullopt;
  wire::FileIdentity id;
  id.file_id = in.number<std::array<uint8_t, 16>>();
  id.parent_id = in.number<std::array<uint8_t, 16>>();
  id.parent_hash = in.number<std::array<uint8_t, 32>>();
  id.lineage_depth = in.u32();
  return id;
}

}  // namespace

ContentHash runtime_hash(ByteSpan payload) noexcept {
  const uint32_t crc = wire::crc32_ieee(payload);
  ContentHash hash{};
  for (size_t i = 0; i < 4; ++i) {
    const uint32_t word = std::rotl(crc, static_cast<int>(8 * i));
    std::memcpy(hash.data() + 4 * i, &word, 4);
  }
  return hash;
}

std::array<uint8_t, 32> fold_hash(ByteSpan data) noexcept {
  std::array<uint8_t, 32> o{};
  size_t k = 0;
  for (const std::byte b : data) {
    o[k] = static_cast<uint8_t>(o[k] + std::to_integer<uint8_t>(b));
    const size_t j = (k + 13) % 32;
    o[j] = static_cast<uint8_t>(o[j] + std::rotl(o[k], 3));
    k = (k + 1) % 32;
  }
  return o;
}

HashState check_hash(const SegmentHeader& header, ByteSpan payload) noexcept {
  if (header.content_hash == ContentHash{}) return HashState::kUnverified;
  if (header.content_hash == runtime_hash(payload)) return HashState::kOwn;
  const auto is = [&](const uint8_t* hash) {
    return std::equal(header.content_hash.begin(), header.content_hash.end(), hash);
  };
  if (is(wire::xxh3_128(payload).data())) return HashState::kOther;
  if (is(wire::content_hash(ChecksumAlgo::kShake256, payload).data())) return HashState::kOther;
  if (is(wire::sha256(payload).data())) return HashState::kOther;
  return HashState::kWrong;
}

std::optional<RuntimeSegment> runtime_segment(ByteSpan file, uint64_t offset) noexcept {
  if (offset > file.size() || file.size() - offset < kSegmentHeaderSize) return std::nullopt;
  ByteReader in(file.subspan(static_cast<size_t>(offset)));
  if (in.u32() != kSegmentMagic) return std::nullopt;
  RuntimeSegment s;
  s.offset = offset;
  s.header.version = in.u8();
  s.header.type = static_cast<SegmentType>(in.u8());
  s.header.flags = in.u16();
  s.header.segment_id = in.u64();
  s.header.payload_length = in.u64();
  s.header.timestamp_ns = in.u64();
  s.header.checksum = static_cast<ChecksumAlgo>(in.u8());
  s.header.compression = static_cast<Compression>(in.u8());
  in.skip(6);
  s.header.content_hash = in.number<ContentHash>();
  s.header.uncompressed_length = in.u32();
  s.header.alignment_pad = in.u32();
  s.payload = in.bytes(s.header.payload_length);
  if (!in.ok()) return std::nullopt;
  return s;
}

bool is_plausible_manifest(ByteSpan payload) noexcept {
  ByteReader in(payload);
  in.skip(14);
  const uint32_t segments = in.u32();
  in.skip(4);
  in.skip(uint64_t{segments} * kRuntimeDirEntry);
  const uint32_t deleted = in.u32();
  return in.ok() && deleted <= in.remaining() / 8;
}

Result<RuntimeManifest> decode_runtime_manifest(ByteSpan payload) {
  ByteReader in(payload);
  RuntimeManifest m;
  m.epoch = in.u32();
  m.dimension = in.u16();
  m.total_vectors = in.u64();
  const uint32_t segments = in.u32();
  m.profile = in.u8();
  m.metric = in.u8();
  in.skip(2);
  if (!in.ok()) return invalid("is shorter than its head");
  if (!read_directory(in, segments, m.directory)) {
    return invalid("is shorter than its directory");
  }
  const uint32_t deleted = in.u32();
  if (!in.ok() || deleted > in.remaining() / 8)
    return invalid("is shorter than its list of deletions");
  m.deleted.resize(deleted);
  for (uint64_t& id : m.deleted) id = in.u64();
  std::sort(m.deleted.begin(), m.deleted.end());
  m.identity = read_identity(in);
  return m;
}

wire::Bytes encode_runtime_manifest(const RuntimeManifest& m) {
  wire::Bytes out;
  wire::ByteWriter w(out);
  w.u32(m.epoch);
  w.u16(m.dimension);
  w.u64(m.total_vectors);
  w.u32(static_cast<uint32_t>(m.directory.size()));
  w.u8(m.profile);
  w.u8(m.metric);
  w.u16(0);
  for (const RuntimeDirEntry& e : m.directory) {
    w.u64(e.segment_id);
    w.u64(e.offset);
    w.u64(e.payload_length);
    w.u8(e.type);
  }
  w.u32(static_cast<uint32_t>(m.deleted.size()));
  for (const uint64_t id : m.deleted) w.u64(id);
  if (m.identity) {
    w.u32(kIdentityMagic);
    w.number(m.identity->file_id);
    w.number(m.identity->parent_id);
    w.number(m.identity->parent_hash);
    w.u32(m.identity->lineage_depth);
  }
  return out;
}

bool is_wasm_manifest(ByteSpan payload) noexcept {
  ByteReader in(payload);
  in.skip(15);
  const uint32_t segments = in.u32();
  return in.ok() && uint64_t{segments} * kRuntimeDirEntry == in.remaining();
}

Result<RuntimeManifest> decode_wasm_manifest(ByteSpan payload) {
  ByteReader in(payload);
  RuntimeManifest m;
  m.epoch = in.u32();
  m.dimension = in.u16();
  m.total_vectors = in.u64();
  m.profile = in.u8();
  const uint32_t segments = in.u32();
  if (!is_wasm_manifest(payload) || !read_directory(in, segments, m.directory)) {
    return invalid("and its directory differ in length");
  }
  return m;
}

}  // namespace rvf::layouts
