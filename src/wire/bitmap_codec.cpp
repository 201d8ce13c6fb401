#include <algorithm>

#include "wire/level1_codec.hpp"

namespace rvf::wire {
namespace {

constexpr uint32_t kCookie = 0x3B3A3332;
constexpr size_t kKeyEntry = 16;  // u64 key, u8 type, 3 zero, u32 offset
constexpr size_t kBitmapBytes = 8192;
enum : uint8_t { kArray = 1, kBitmap = 2, kRun = 3 };

size_t count_runs(std::span<const uint64_t> values) {
  size_t runs = values.empty() ? 0 : 1;
  for (size_t i = 1; i < values.size(); ++i) runs += values[i] != values[i - 1] + 1;
  return runs;
}

// The smallest of the three container forms.
uint8_t choose(size_t cardinality, size_t runs) {
  const size_t array = cardinality * 2;
  const size_t run = runs * 4;
  if (run < array && run < kBitmapBytes) return kRun;
  return array <= kBitmapBytes ? kArray : kBitmap;
}

void put_container(ByteWriter& w, uint8_t type, size_t runs, std::span<const uint64_t> values) {
  w.u32(static_cast<uint32_t>(type == kRun ? runs : values.size()));
  if (type == kArray) {
    for (const uint64_t v : values) w.u16(static_cast<uint16_t>(v));
  } else if (type == kBitmap) {
    Bytes bits(kBitmapBytes);
    for (const uint64_t v : values) {
      const auto low = static_cast<uint16_t>(v);
      bits[low / 8] |= static_cast<std::byte>(1U << (low % 8));
    }
    w.bytes(bits);
  } else {
    for (size_t i = 0; i < values.size();) {
      size_t end = i + 1;
      while (end < values.size() && values[end] == values[end - 1] + 1) ++end;
      w.u16(static_cast<uint16_t>(values[i]));
      w.u16(static_cast<uint16_t>(end - i - 1));
      i = end;
    }
  }
}

// Appends the values of one container. It may stand for 65536 values in 8 bytes, so the room left
// is checked before a value is appended, not afterwards.
bool get_container(ByteReader& r, uint8_t type, uint64_t base, uint64_t max_values,
                   std::vector<uint64_t>& out) {
  const uint32_t count = r.u32();
  const auto room = [&] { return max_values - out.size(); };
  if (!r.ok() || count == 0 || count > 65536) return false;
  if (type == kArray) {
    if (count > room() || count > r.remaining() / 2) return false;
    for (uint32_t i = 0; i < count; ++i) out.push_back(base | r.u16());
  } else if (type == kBitmap) {
    const ByteSpan bits = r.bytes(kBitmapBytes);
    if (!r.ok() || count > room()) return false;
    uint32_t seen = 0;
    for (size_t i = 0; i < bits.size() * 8; ++i) {
      if ((static_cast<uint8_t>(bits[i / 8]) >> (i % 8) & 1) == 0) continue;
      if (++seen > count) return false;
      out.push_back(base | i);
    }
    if (seen != count) return false;
  } else if (type == kRun) {
    if (count > r.remaining() / 4) return false;
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t first = r.u16();
      const uint32_t more = r.u16();
      if (first + more > 65535 || more >= room()) return false;
      for (uint32_t v = first; v <= first + more; ++v) out.push_back(base | v);
    }
  } else {
    return false;
  }
  return r.ok();
}

}  // namespace

Bytes encode_bitmap(std::span<const uint64_t> values) {
  std::vector<std::span<const uint64_t>> groups;
  for (size_t i = 0; i < values.size();) {
    size_t end = i + 1;
    while (end < values.size() && values[end] >> 16 == values[i] >> 16) ++end;
    groups.push_back(values.subspan(i, end - i));
    i = end;
  }
  Bytes out;
  ByteWriter w(out);
  w.u32(kCookie);
  w.u32(static_cast<uint32_t>(groups.size()));
  const size_t directory = out.size();
  w.zeros(groups.size() * kKeyEntry);
  for (size_t g = 0; g < groups.size(); ++g) {
    const size_t runs = count_runs(groups[g]);
    const uint8_t type = choose(groups[g].size(), runs);
    const size_t entry = directory + g * kKeyEntry;
    w.patch(entry, groups[g][0] >> 16);
    w.patch(entry + 8, type);
    w.patch(entry + 12, static_cast<uint32_t>(out.size()));
    put_container(w, type, runs, groups[g]);
  }
  return out;
}

Result<std::vector<uint64_t>> decode_bitmap(ByteSpan bytes, uint64_t max_values) {
  const Error bad(ErrorCode::kManifestInvalid, "the deletion bitmap is malformed");
  ByteReader r(bytes);
  if (r.u32() != kCookie) return bad;
  const uint32_t groups = r.u32();
  if (!r.ok() || groups > r.remaining() / kKeyEntry) return bad;
  std::vector<uint64_t> out;
  uint64_t previous_key = 0;
  // Containers follow one another: none is named twice or lies inside another or the directory.
  uint64_t previous_end = r.position() + uint64_t{groups} * kKeyEntry;
  for (uint32_t g = 0; g < groups; ++g) {
    const uint64_t key = r.u64();
    const uint8_t type = r.u8();
    r.skip(3);
    const uint32_t offset = r.u32();
    if (!r.ok() || offset > bytes.size() || key >> 48 != 0 || (g > 0 && key <= previous_key))
      return bad;
    if (offset < previous_end) return bad;
    previous_key = key;
    ByteReader container(bytes.subspan(offset));
    if (!get_container(container, type, key << 16, max_values, out)) return bad;
    previous_end = offset + container.position();
  }
  if (std::adjacent_find(out.begin(), out.end(), std::greater_equal<>()) != out.end()) return bad;
  return out;
}

}  // namespace rvf::wire
