// What travels in a layout that has no place for it, in segments of the implementation range:
//
//   "RVFCARRY"  segments that the other layout would read as something else, byte for byte
//   "RVFNATIV"  what a runtime container cannot say of a native store: dtype, application, types
//               and indexes of fields
//
// docs/format.md, 17. A reader that does not know them loses nothing else.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "layouts/foreign.hpp"

namespace rvf::layouts {

inline constexpr uint8_t kCarriedType = 0xF0;

// Whether a segment of this type says the same in the native layout and in a runtime container, so
// that it can stand there as it is.
constexpr bool means_the_same_everywhere(uint8_t type) noexcept {
  return (type >= 0x0E && type <= 0x11) || type >= 0x24;
}

bool is_carried(ByteSpan payload) noexcept;
Bytes encode_carried(Layout from, const std::vector<OpaqueSegment>& segments);
struct Carried {
  Layout from = Layout::kUnknown;
  std::vector<OpaqueSegment> segments;
};
Result<Carried> decode_carried(ByteSpan payload);

struct NativeHints {
  DType dtype = DType::kF32;
  std::string application;
  std::vector<Field> fields;
  friend bool operator==(const NativeHints&, const NativeHints&) = default;
};
bool is_native_hints(ByteSpan payload) noexcept;
Bytes encode_native_hints(const NativeHints& hints);
Result<NativeHints> decode_native_hints(ByteSpan payload);

}  // namespace rvf::layouts
