// The name that somebody who mistyped one may have meant.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace rvf::meta {

// The candidate with the fewest edits, ASCII case aside; empty if none is near. Only the first
// thousand are looked at.
std::string nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace rvf::meta
