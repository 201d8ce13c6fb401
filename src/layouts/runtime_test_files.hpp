// Small runtime containers, byte by byte.
#pragma once
#include <string>
#include <vector>

#include "layouts/foreign.hpp"
#include "layouts/runtime_bytes.hpp"
#include "wire/segment.hpp"

namespace rvf::layouts {

struct TestFile {
  Bytes bytes;
  RuntimeManifest manifest;
  uint64_t next_id = 1;

  enum class Hash : uint8_t { kOwn, kZero, kXxh3, kSha256, kWrong };

  uint64_t append(SegmentType type, ByteSpan payload, Hash hash = Hash::kOwn, uint8_t version = 1);
  void vectors(uint16_t dim, const std::vector<std::pair<uint64_t, float>>& rows,
               Hash hash = Hash::kOwn);
  // Ends the file with what `manifest` says; a further commit may follow.
  void commit(Hash hash = Hash::kOwn, ByteSpan trailing = {});
};

}  // namespace rvf::layouts
