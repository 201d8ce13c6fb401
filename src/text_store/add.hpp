// Field numbers of a text collection's word indexes.
#pragma once
#include <cstdint>

namespace rvf::text_store {

inline constexpr uint16_t kBodyField = 1;
inline constexpr uint16_t kHeadingField = 2;

}  // namespace rvf::text_store
