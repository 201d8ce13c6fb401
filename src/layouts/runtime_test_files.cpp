#include "layouts/runtime_test_files.hpp"

#include <algorithm>

#include "wire/checksum.hpp"
#include "wire/sha256.hpp"

namespace rvf::layouts {

uint64_t TestFile::append(SegmentType type, ByteSpan payload, Hash hash, uint8_t version) {
  SegmentHeader h;
  h.type = type;
  h.version = version;
  h.segment_id = next_id++;
  h.payload_length = payload.size();
  h.checksum = ChecksumAlgo{0};
  switch (hash) {
    case Hash::kOwn: h.content_hash = runtime_hash(payload); break;
    case Hash::kZero: break;
    case Hash::kXxh3: h.content_hash = wire::xxh3_128(payload); break;
    case Hash::kSha256: {
      const auto digest = wire::sha256(payload);
      std::copy_n(digest.begin(), 16, h.content_hash.begin());
      break;
    }
    case Hash::kWrong: h.content_hash.fill(0xEE); break;
  }
  const uint64_t offset = bytes.size();
  bytes.resize(offset + kSegmentHeaderSize);
  wire::encode_header(
      h, std::span<std::byte, kSegmentHeaderSize>(bytes.data() + offset, kSegmentHeaderSize));
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  manifest.directory.push_back({h.segment_id, offset, payload.size(), static_cast<uint8_t>(type)});
  return offset;
}

void TestFile::vectors(uint16_t dim, const std::vector<std::pair<uint64_t, float>>& rows,
                       Hash hash) {
  Bytes payload;
  wire::ByteWriter w(payload);
  w.u16(dim);
  w.u32(static_cast<uint32_t>(rows.size()));
  for (const auto& [id, value] : rows) {
    w.u64(id);
    for (uint16_t d = 0; d < dim; ++d) w.f32(value);
  }
  append(SegmentType::kVec, payload, hash);
}

void TestFile::commit(Hash hash, ByteSpan trailing) {
  Bytes payload = encode_runtime_manifest(manifest);
  payload.insert(payload.end(), trailing.begin(), trailing.end());
  append(SegmentType::kManifest, payload, hash);
  ++manifest.epoch;
}

}  // namespace rvf::layouts
