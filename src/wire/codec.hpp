// What the payload codecs share: arrays whose count is checked against the bytes present before
// memory is taken, strict alignment, and one way to word an error. Internal to src/wire.
#pragma once
#include <array>
#include <string>
#include <type_traits>

#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

// "HOT payload, byte 64: ...". Truncation wins over `code`: a sticky reader yields zeros after the
// end.
inline Error payload_error(const char* segment, const ByteReader& in, std::string what,
                           ErrorCode code = ErrorCode::kCorrupt) {
  if (!in.ok()) {
    code = ErrorCode::kTruncated;
    what = "ends too early";
  }
  return {code,
          std::string(segment) + " payload, byte " + std::to_string(in.position()) + ": " + what};
}

// False, leaving `in` failed, where fewer than `count` items of `item_size` bytes are left.
inline bool can_hold(ByteReader& in, uint64_t count, uint64_t item_size) noexcept {
  if (count > in.remaining() / item_size) in.fail();
  return in.ok();
}

template <class T>
std::vector<T> read_array(ByteReader& in, uint64_t count) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (!can_hold(in, count, sizeof(T))) return {};
  const ByteSpan raw = in.bytes(count * sizeof(T));
  std::vector<T> out(static_cast<size_t>(count));
  if (!out.empty()) std::memcpy(out.data(), raw.data(), raw.size());
  return out;
}

inline Bytes read_bytes(ByteReader& in, uint64_t count) {
  const ByteSpan raw = in.bytes(count);
  return Bytes(raw.begin(), raw.end());
}

template <class T>
void write_array(ByteWriter& out, const std::vector<T>& values) {
  out.raw(values.data(), values.size() * sizeof(T));
}

// Skips to the next multiple of `alignment`; unlike ByteReader::align, padding that is cut off or
// not zero fails, so that every payload has exactly one encoding.
inline void skip_padding(ByteReader& in, size_t alignment) noexcept {
  for (const std::byte b : in.bytes((alignment - in.position() % alignment) % alignment)) {
    if (b != std::byte{0}) in.fail();
  }
}

// The error of a decoder that has read its last field, if any: cut off, or bytes left over.
inline Status expect_end(const char* segment, const ByteReader& in) {
  if (!in.ok()) return payload_error(segment, in, {});
  if (in.remaining() != 0) {
    return payload_error(segment, in, std::to_string(in.remaining()) + " bytes too many");
  }
  return {};
}

}  // namespace rvf::wire
