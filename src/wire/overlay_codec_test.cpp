#include "wire/overlay_codec.hpp"

#include <algorithm>

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

Overlay random_overlay(std::mt19937_64& rng, size_t edges) {
  Overlay o;
  o.epoch = static_cast<uint32_t>(rng());
  if (rng() % 2 == 0) {
    o.rollback =
        Rollback{.epoch = 4, .segment_id = rng(), .file_offset = rng(), .content_hash = {1, 2, 3}};
  }
  for (size_t i = 0; i < edges; ++i) {
    o.edges.push_back({.op = static_cast<EdgeOp>(1 + rng() % 3),
                       .layer = static_cast<uint8_t>(rng() % 4),
                       .relation = 0,
                       .weight = 0.5F,
                       .from = rng(),
                       .to = rng()});
  }
  for (uint64_t n = rng() % 4; n > 0; --n)
    o.partitions.push_back({rng(), rng(), rng(), rng(), 1.25});
  if (rng() % 2 == 0) {
    MinCutWitness cut{.value = 3.5, .cut_edges = {{rng(), rng()}}, .side = {}};
    for (uint64_t n = rng() % 20; n > 0; --n) cut.side.push_back(rng());
    std::ranges::sort(cut.side);
    o.min_cut = std::move(cut);
  }
  return o;
}

TEST(OverlayCodec, RoundTrips) {
  std::mt19937_64 rng(kTestSeed);
  for (int round = 0; round < 300; ++round) {
    const Overlay overlay = random_overlay(rng, rng() % 10);
    const auto back = decode_overlay(encode_overlay(overlay));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, overlay);
  }
}

TEST(OverlayCodec, EveryTruncationIsAnError) {
  std::mt19937_64 rng(kTestSeed);
  for (int i = 0; i < 8; ++i)
    expect_truncations_fail(encode_overlay(random_overlay(rng, 5)), decode_overlay);
}

TEST(OverlayCodec, BitFlipsNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  for (int i = 0; i < 4; ++i) flip_bits(encode_overlay(random_overlay(rng, 5)), decode_overlay);
}

}  // namespace
}  // namespace rvf::wire
