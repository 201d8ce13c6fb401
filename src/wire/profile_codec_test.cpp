#include "wire/profile_codec.hpp"

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

const Profile kSample{.profile = ProfileId::kFull,
                      .domain = Domain::kDna,
                      .settings = {{"alphabet", "ACGT"}, {"empty", ""}, {"k", "31"}}};

TEST(ProfileCodec, RoundTrips) {
  for (const Profile& p :
       {kSample, Profile{},
        Profile{.profile = ProfileId{99}, .domain = Domain{98}, .settings = {}}}) {
    const auto back = decode_profile(encode_profile(p));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, p);
  }
}

TEST(ProfileCodec, EveryTruncationIsAnError) {
  expect_truncations_fail(encode_profile(kSample), decode_profile);
}

TEST(ProfileCodec, BitFlipsNeverCrash) { flip_bits(encode_profile(kSample), decode_profile); }

TEST(ProfileCodec, KeysMustAscend) {
  Profile p;
  p.settings = {{"b", "1"}, {"a", "2"}};
  EXPECT_EQ(decode_profile(encode_profile(p)).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace rvf::wire
