#include "interop/npz.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace rvf::interop {
namespace {

constexpr uint32_t kLocalHeader = 0x04034B50;
constexpr uint32_t kCentralHeader = 0x02014B50;
constexpr uint32_t kEnd = 0x06054B50;
constexpr uint32_t kEnd64 = 0x06064B50;
constexpr uint32_t kEnd64Locator = 0x07064B50;
constexpr size_t kEndBytes = 22;
constexpr size_t kEnd64Bytes = 56;
constexpr size_t kLocatorBytes = 20;
constexpr size_t kLocalBytes = 30;
constexpr size_t kMaxComment = 65535;
constexpr uint64_t kMaxDirectory = 16 << 20;
constexpr uint32_t kIn64 = 0xFFFFFFFF;  // the real value stands in the extra field
constexpr uint16_t kExtra64 = 1;

Error damaged(const ByteSource& archive, const char* what) {
  return archive.error(ErrorCode::kCorrupt, fmt::format("npz: {}", what));
}

Result<std::vector<std::byte>> bytes_at(const ByteSource& archive, uint64_t offset, size_t n) {
  std::vector<std::byte> out(n);
  RVF_ASSIGN(const size_t got, archive.read_at(offset, out.data(), n));
  if (got < n) return archive.error(ErrorCode::kTruncated, "npz: the archive is cut off");
  return out;
}

struct Directory {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// From the end record, or from the larger one that a locator before it points to.
Result<Directory> find_directory(const ByteSource& archive, uint64_t size) {
  const auto tail = static_cast<size_t>(std::min<uint64_t>(size, kEndBytes + kMaxComment));
  RVF_ASSIGN(const auto bytes, bytes_at(archive, size - tail, tail));
  for (size_t at = tail < kEndBytes ? 0 : tail - kEndBytes + 1; at-- > 0;) {
    wire::ByteReader in(wire::ByteSpan(bytes).subspan(at));
    if (in.u32() != kEnd) continue;
    in.skip(8);
    Directory d;
    d.bytes = in.u32();
    d.offset = in.u32();
    if (d.bytes != kIn64 && d.offset != kIn64) return d;
    const uint64_t end = size - tail + at;
    if (end < kLocatorBytes) break;
    RVF_ASSIGN(const auto locator, bytes_at(archive, end - kLocatorBytes, kLocatorBytes));
    wire::ByteReader located(locator);
    if (located.u32() != kEnd64Locator) break;
    located.skip(4);
    RVF_ASSIGN(const auto end64, bytes_at(archive, located.u64(), kEnd64Bytes));
    wire::ByteReader record(end64);
    if (record.u32() != kEnd64) break;
    record.skip(36);
    d.bytes = record.u64();
    d.offset = record.u64();
    return d;
  }
  return archive.error(ErrorCode::kTruncated,
                       "npz: no directory at its end; it is no archive, or cut off");
}

// Sizes and the offset that did not fit 32 bits, in this order, each only if it did not.
void take_extra64(wire::ByteSpan extra, MemberPlace& place) {
  wire::ByteReader in(extra);
  while (in.ok() && in.remaining() >= 4) {
    const uint16_t tag = in.u16();
    const uint16_t n = in.u16();
    wire::ByteReader field(in.bytes(n));
    if (tag != kExtra64 || !in.ok()) continue;
    for (uint64_t* value : {&place.size, &place.packed, &place.offset}) {
      if (*value == kIn64) *value = field.u64();
    }
    return;
  }
}

// The bytes of a member begin behind its local header, whose length only it knows.
Status find_content(const ByteSource& archive, uint64_t size, MemberPlace& place) {
  if (place.offset > size) return damaged(archive, "an array lies beyond the end");
  RVF_ASSIGN(const auto local, bytes_at(archive, place.offset, kLocalBytes));
  wire::ByteReader in(local);
  if (in.u32() != kLocalHeader) return damaged(archive, "an array is not where it should be");
  in.skip(22);
  const uint64_t name = in.u16();
  const uint64_t extra = in.u16();
  place.offset += kLocalBytes + name + extra;
  if (place.offset > size || place.packed > size - place.offset) {
    return damaged(archive, "an array ends beyond the end");
  }
  if (!place.deflated && place.packed != place.size) {
    return damaged(archive, "a stored array has two sizes");
  }
  return {};
}

Result<NpzMember> next_member(const ByteSource& archive, wire::ByteReader& in) {
  NpzMember m;
  const bool header = in.u32() == kCentralHeader;
  in.skip(4);
  const uint16_t flags = in.u16();
  const uint16_t method = in.u16();
  in.skip(4);
  m.place.crc = in.u32();
  m.place.packed = in.u32();
  m.place.size = in.u32();
  const uint16_t name = in.u16();
  const uint16_t extra = in.u16();
  const uint16_t comment = in.u16();
  in.skip(8);
  m.place.offset = in.u32();
  const wire::ByteSpan name_bytes = in.bytes(name);
  take_extra64(in.bytes(extra), m.place);
  in.skip(comment);
  if (!header || !in.ok()) return damaged(archive, "its directory is damaged");
  m.name.assign(reinterpret_cast<const char*>(name_bytes.data()), name_bytes.size());
  m.place.deflated = method == 8;
  if ((flags & 1) != 0 || (method != 0 && method != 8)) {
    return archive.error(ErrorCode::kUnsupported,
                         "npz: encrypted, or packed by another method than deflate");
  }
  return m;
}

std::string names_of(const std::vector<NpzMember>& members) {
  std::string out;
  for (const NpzMember& m : members) out += (out.empty() ? "" : ", ") + m.name.substr(0, 40);
  return out;
}

Result<std::unique_ptr<ByteSource>> open_array(const ByteSource& archive, const std::string& path,
                                               const std::string& name) {
  RVF_ASSIGN(const std::vector<NpzMember> members, npz_members(archive));
  const NpzMember* chosen = members.size() == 1 && name.empty() ? &members.front() : nullptr;
  for (const NpzMember& m : members) {
    if (m.name == name) chosen = &m;
  }
  if (members.empty()) return archive.error(ErrorCode::kNotFound, "npz: no array in it");
  if (chosen == nullptr && name.empty()) {
    return archive.error(ErrorCode::kUnsupported,
                         fmt::format("npz: several arrays; name one of them, {}:{} (there are {})",
                                     path, members.front().name, names_of(members)));
  }
  if (chosen == nullptr) {
    return archive.error(ErrorCode::kNotFound, fmt::format("npz: no array \"{}\"; there are {}",
                                                           name, names_of(members)));
  }
  return ByteSource::open_member(path, path + ":" + chosen->name, chosen->place);
}

Result<bool> is_archive(ByteSource& source) {
  RVF_ASSIGN(const wire::ByteSpan head, source.peek(4));
  if (head.size() < 4) return false;
  const uint32_t magic = wire::ByteReader(head).u32();
  return magic == kLocalHeader || magic == kEnd;
}

}  // namespace

Result<std::vector<NpzMember>> npz_members(const ByteSource& archive) {
  if (!archive.rereadable() || !archive.size()) {
    return archive.error(ErrorCode::kUnsupported, "npz: must be a plain file, not a pipe or gzip");
  }
  const uint64_t size = *archive.size();
  RVF_ASSIGN(const Directory directory, find_directory(archive, size));
  if (directory.offset > size || directory.bytes > size - directory.offset) {
    return damaged(archive, "its directory lies beyond the end");
  }
  if (directory.bytes > kMaxDirectory) return damaged(archive, "its directory is too large");
  RVF_ASSIGN(const auto bytes,
             bytes_at(archive, directory.offset, static_cast<size_t>(directory.bytes)));
  wire::ByteReader in(bytes);
  std::vector<NpzMember> out;
  while (in.remaining() > 0) {
    RVF_ASSIGN(NpzMember m, next_member(archive, in));
    if (!m.name.ends_with(".npy")) continue;
    m.name.resize(m.name.size() - 4);
    RVF_TRY(find_content(archive, size, m.place));
    out.push_back(std::move(m));
  }
  return out;
}

Result<std::unique_ptr<ByteSource>> open_input(const std::string& path) {
  const size_t colon = path.rfind(':');
  const bool named = colon != std::string::npos && path.substr(0, colon).ends_with(".npz");
  const std::string file = named ? path.substr(0, colon) : path;
  RVF_ASSIGN(std::unique_ptr<ByteSource> source, ByteSource::open(file));
  auto archive = is_archive(*source);
  if (!archive.ok()) return std::move(archive).error();
  if (!*archive) {
    if (named) return source->error(ErrorCode::kUnsupported, "is no npz archive");
    return source;
  }
  return open_array(*source, file, named ? path.substr(colon + 1) : std::string());
}

}  // namespace rvf::interop
