#include "wire/profile_codec.hpp"

#include "wire/codec.hpp"

namespace rvf::wire {
namespace {
constexpr const char* kName = "PROFILE";
constexpr uint16_t kVersion = 1;
}  // namespace

Bytes encode_profile(const Profile& profile) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u16(kVersion);
  out.number(profile.profile);
  out.number(profile.domain);
  out.u32(static_cast<uint32_t>(profile.settings.size()));
  out.align(64);
  for (const auto& [key, value] : profile.settings) {
    out.u16(static_cast<uint16_t>(key.size()));
    out.u16(0);
    out.u32(static_cast<uint32_t>(value.size()));
    out.text(key);
    out.text(value);
    out.align(8);
  }
  return bytes;
}

Result<Profile> decode_profile(ByteSpan payload) {
  ByteReader in(payload);
  Profile profile;
  const uint16_t version = in.u16();
  profile.profile = static_cast<ProfileId>(in.u8());
  profile.domain = static_cast<Domain>(in.u8());
  const uint32_t count = in.u32();
  skip_padding(in, 64);
  if (in.ok() && version != kVersion) {
    return payload_error(kName, in, "version " + std::to_string(version) + " is unknown",
                         ErrorCode::kUnsupported);
  }
  if (!can_hold(in, count, 8)) return payload_error(kName, in, {});
  profile.settings.reserve(count);
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    const uint16_t key_length = in.u16();
    if (in.u16() != 0) in.fail();
    const uint32_t value_length = in.u32();
    std::string key(in.text(key_length));
    std::string value(in.text(value_length));
    if (i > 0 && key <= profile.settings.back().first) {
      return payload_error(kName, in, "the keys do not ascend");
    }
    profile.settings.emplace_back(std::move(key), std::move(value));
    skip_padding(in, 8);
  }
  RVF_TRY(expect_end(kName, in));
  return profile;
}

}  // namespace rvf::wire
