// The list of files in a text collection, kept as one attachment of the store, and how it is
// encoded. docs/format.md, "Text collections".
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::text_store {

// Segment types of the implementation range that a text collection uses. Passages are rows of
// the store, their fields its metadata.
inline constexpr uint8_t kCatalogSegment = 0xF1;
inline constexpr uint8_t kEmbedderSegment = 0xF2;

struct FileEntry {
  std::string path;  // absolute, links of the folder that was given resolved
  uint64_t size = 0;
  int64_t mtime_ns = 0;  // since 1970
  int64_t changed_ns = 0;  // of its last change of any kind; 0: it has to be read again
  uint64_t content_hash = 0;  // XXH3-64 of the text, behind the title of an HTML document
  uint64_t first_id = 0;  // its passages have the ids [first_id, first_id + count)
  uint32_t count = 0;
  friend bool operator==(const FileEntry&, const FileEntry&) = default;
};

struct Catalog {
  int64_t looked_ns = 0;  // when the folders were looked at last, since 1970
  std::vector<FileEntry> files;  // ascending by path
  friend bool operator==(const Catalog&, const Catalog&) = default;
};

wire::Bytes encode_catalog(const Catalog& catalog);
Result<Catalog> decode_catalog(wire::ByteSpan bytes);

}  // namespace rvf::text_store
