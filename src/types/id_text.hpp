// When a written id is a number: canonical decimal, 0 to 2^64-2. All else is a text: 007 and " 1" are
// other ids than 7 and 1.
#pragma once
#include <charconv>
#include <optional>
#include <string_view>

#include "types/limits.hpp"

namespace rvf {

inline std::optional<uint64_t> number_id(std::string_view text) noexcept {
  if (text.empty() || (text.front() == '0' && text.size() > 1)) return std::nullopt;
  uint64_t id = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, id);
  if (error != std::errc() || end != last || id == kNoId) return std::nullopt;
  return id;
}

}  // namespace rvf
