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
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || id == kNoId) return std::nullopt;
  return id;
}

}  // namespace rvf
