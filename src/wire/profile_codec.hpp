// PROFILE_SEG: which domain a store speaks (text, DNA, graph, vision) and its settings, as text
// pairs. docs/format.md has the byte table. Pure functions, thread-safe.
#pragma once
#include <string>
#include <utility>

#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

enum class ProfileId : uint8_t { kGeneric = 0, kCore = 1, kHot = 2, kFull = 3 };
enum class Domain : uint8_t { kGeneric = 0, kDna = 1, kText = 2, kGraph = 3, kVision = 4 };

struct Profile {
  ProfileId profile = ProfileId::kGeneric;  // unknown numbers are kept
  Domain domain = Domain::kGeneric;         // unknown numbers are kept
  std::vector<std::pair<std::string, std::string>> settings;  // keys strictly ascending
  friend bool operator==(const Profile&, const Profile&) = default;
};

Bytes encode_profile(const Profile& profile);
Result<Profile> decode_profile(ByteSpan payload);

}  // namespace rvf::wire
