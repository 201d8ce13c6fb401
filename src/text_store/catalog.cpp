#include "text_store/catalog.hpp"

namespace rvf::text_store {
namespace {
constexpr uint32_t kVersion = 3;
constexpr size_t kLeastFileBytes = 28;  // three numbers of 8 bytes and four varints, at least
}  // namespace

wire::Bytes encode_catalog(const Catalog& catalog) {
  wire::Bytes out;
  wire::ByteWriter w(out);
  w.u32(kVersion);
  w.u32(static_cast<uint32_t>(catalog.files.size()));
  w.i64(catalog.looked_ns);
  for (const FileEntry& f : catalog.files) {
    w.varint(f.path.size());
    w.text(f.path);
    w.varint(f.size);
    w.i64(f.mtime_ns);
    w.i64(f.changed_ns);
    w.u64(f.content_hash);
    w.varint(f.first_id);
    w.varint(f.count);
  }
  return out;
}

Result<Catalog> decode_catalog(wire::ByteSpan bytes) {
  const Error bad(ErrorCode::kBadMetadata, "the list of files of the text collection is malformed");
  wire::ByteReader r(bytes);
  if (r.u32() != kVersion) {
    return Error(ErrorCode::kUnsupported, "the text collection was written by a newer rvf");
  }
  const uint32_t files = r.u32();
  Catalog c;
  c.looked_ns = r.i64();
  if (!r.ok() || files > r.remaining() / kLeastFileBytes) return bad;
  c.files.reserve(files);
  for (uint32_t i = 0; i < files && r.ok(); ++i) {
    FileEntry f;
    f.path = r.text(r.varint());
    f.size = r.varint();
    f.mtime_ns = r.i64();
    f.changed_ns = r.i64();
    f.content_hash = r.u64();
    f.first_id = r.varint();
    f.count = static_cast<uint32_t>(r.varint());
    c.files.push_back(std::move(f));
  }
  if (!r.ok()) return bad;
  return c;
}

}  // namespace rvf::text_store
