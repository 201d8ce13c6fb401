#include "wire/root_codec.hpp"

#include <algorithm>

#include "types/planted_bug.hpp"
#include "wire/checksum.hpp"

namespace rvf::wire {
namespace {

constexpr size_t kSignatureAt = 0x09C;
constexpr size_t kIdentityAt = 0xF00;
constexpr size_t kExtensionAt = 0xF84;
constexpr size_t kChecksumAt = 0xFFC;
constexpr uint32_t kExtensionMagic = 0x58465652;  // "RVFX"
constexpr uint16_t kExtensionVersion = 1;

void put(ByteWriter& w, const HotPointer& p) {
  w.u64(p.segment_offset);
  w.u32(p.block_offset);
  w.u32(p.count);
}

HotPointer get_pointer(ByteReader& r) {
  HotPointer p;
  p.segment_offset = r.u64();
  p.block_offset = r.u32();
  p.count = r.u32();
  return p;
}

template <size_t N>
void put(ByteWriter& w, const std::array<uint8_t, N>& a) {
  w.raw(a.data(), N);
}

template <size_t N>
void get(ByteReader& r, std::array<uint8_t, N>& a) {
  const ByteSpan s = r.bytes(N);
  if (s.size() == N) std::memcpy(a.data(), s.data(), N);
}

void put_extension(ByteWriter& w, const Root::Extension& e) {
  w.u32(kExtensionMagic);
  w.u16(kExtensionVersion);
  w.u8(static_cast<uint8_t>(e.metric));
  w.u8(0);
  w.u32(e.live_segments);
  w.u64(e.rows);
  w.u64(e.dead_rows);
  w.u64(e.next_id);
  w.u64(e.next_segment_id);
  w.u64(e.manifest_segment_id);
  w.u64(e.live_bytes);
  put(w, e.level1_hash);
}

std::optional<Root::Extension> get_extension(ByteSpan bytes) {
  ByteReader r(bytes.subspan(kExtensionAt, kChecksumAt - kExtensionAt));
  if (r.u32() != kExtensionMagic || r.u16() < kExtensionVersion) return std::nullopt;
  Root::Extension e;
  e.metric = static_cast<Metric>(r.u8());
  r.skip(1);
  e.live_segments = r.u32();
  e.rows = r.u64();
  e.dead_rows = r.u64();
  e.next_id = r.u64();
  e.next_segment_id = r.u64();
  e.manifest_segment_id = r.u64();
  e.live_bytes = r.u64();
  get(r, e.level1_hash);
  return e;
}

}  // namespace

std::array<std::byte, kRootSize> encode_root(const Root& root) {
  Bytes out;
  out.reserve(kRootSize);
  ByteWriter w(out);
  w.u32(kRootMagic);
  w.u16(root.version);
  w.u16(root.flags);
  w.u64(root.level1_offset);
  w.u64(root.level1_length);
  w.u64(root.total_vectors);
  w.u16(root.dimension);
  w.u8(static_cast<uint8_t>(root.dtype));
  w.u8(root.profile);
  w.u32(root.epoch);
  w.u64(root.created_ns);
  w.u64(root.modified_ns);
  for (const HotPointer* p : {&root.entry_points, &root.top_layer, &root.centroids,
                              &root.quant_dictionary, &root.hot_cache, &root.prefetch}) {
    put(w, *p);
  }
  const size_t signature = std::min(root.signature.size(), kIdentityAt - kSignatureAt);
  w.u16(root.signature_algo);
  w.u16(static_cast<uint16_t>(signature));
  w.raw(root.signature.data(), signature);
  w.zeros(kIdentityAt - out.size());
  put(w, root.identity.file_id);
  put(w, root.identity.parent_id);
  put(w, root.identity.parent_hash);
  w.u32(root.identity.lineage_depth);
  w.u64(root.cow_map_offset);
  w.u32(root.cow_map_generation);
  w.u64(root.membership_offset);
  w.u32(root.membership_generation);
  w.u32(root.snapshot_epoch);
  w.u32(root.double_root_generation);
  put(w, root.double_root_hash);
  if (root.extension) put_extension(w, *root.extension);
  w.zeros(kChecksumAt - out.size());
  w.u32(crc32c(out));

  std::array<std::byte, kRootSize> fixed{};
  std::memcpy(fixed.data(), out.data(), kRootSize);
  return fixed;
}

Result<Root> decode_root(ByteSpan bytes) {
  if (bytes.size() != kRootSize) return Error(ErrorCode::kTruncated, "a root is 4096 bytes long");
  ByteReader r(bytes);
  if (r.u32() != kRootMagic) return Error(ErrorCode::kBadMagic, "these bytes are not an RVF root");
  ByteReader tail(bytes.subspan(kChecksumAt));
  if (crc32c(bytes.first(kChecksumAt)) != tail.u32() && !planted(PlantedBug::kBelieveEveryHash)) {
    return Error(ErrorCode::kBadChecksum, "the root fails its CRC32C");
  }
  Root root;
  root.version = r.u16();
  if (root.version != kRootVersion) {
    return Error(ErrorCode::kBadVersion, "root version " + std::to_string(root.version) +
                                             " is unknown; a newer rvf wrote this file");
  }
  root.flags = r.u16();
  root.level1_offset = r.u64();
  root.level1_length = r.u64();
  root.total_vectors = r.u64();
  root.dimension = r.u16();
  root.dtype = static_cast<DType>(r.u8());
  root.profile = r.u8();
  root.epoch = r.u32();
  root.created_ns = r.u64();
  root.modified_ns = r.u64();
  for (HotPointer* p : {&root.entry_points, &root.top_layer, &root.centroids,
                        &root.quant_dictionary, &root.hot_cache, &root.prefetch}) {
    *p = get_pointer(r);
  }
  root.signature_algo = r.u16();
  const uint16_t signature = r.u16();
  if (signature > kIdentityAt - kSignatureAt) {
    return Error(ErrorCode::kCorrupt, "the root's signature is longer than its place");
  }
  const ByteSpan s = r.bytes(signature);
  root.signature.assign(s.begin(), s.end());

  ByteReader id(bytes.subspan(kIdentityAt));
  get(id, root.identity.file_id);
  get(id, root.identity.parent_id);
  get(id, root.identity.parent_hash);
  root.identity.lineage_depth = id.u32();
  root.cow_map_offset = id.u64();
  root.cow_map_generation = id.u32();
  root.membership_offset = id.u64();
  root.membership_generation = id.u32();
  root.snapshot_epoch = id.u32();
  root.double_root_generation = id.u32();
  get(id, root.double_root_hash);
  root.extension = get_extension(bytes);
  return root;
}

}  // namespace rvf::wire
