#include "wire/sketch_codec.hpp"

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

SketchSegment random_sketch(std::mt19937_64& rng, uint8_t bits, size_t blocks) {
  SketchSegment s{.width = static_cast<uint32_t>(1 + rng() % 60),
                  .depth = static_cast<uint32_t>(1 + rng() % 5),
                  .counter_bits = bits,
                  .decay_shift = 1,
                  .total_accesses = rng(),
                  .blocks = {}};
  for (size_t i = 0; i < blocks; ++i) {
    s.blocks.push_back({static_cast<uint32_t>(rng()), random_bytes(rng, s.counter_bytes())});
  }
  return s;
}

TEST(SketchCodec, RoundTripsBothCounterWidths) {
  std::mt19937_64 rng(kTestSeed);
  for (int round = 0; round < 200; ++round) {
    const SketchSegment sketch = random_sketch(rng, round % 2 == 0 ? 8 : 16, rng() % 6);
    const auto back = decode_sketch(encode_sketch(sketch));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, sketch);
  }
}

TEST(SketchCodec, EveryTruncationIsAnError) {
  std::mt19937_64 rng(kTestSeed);
  expect_truncations_fail(encode_sketch(random_sketch(rng, 8, 3)), decode_sketch);
}

TEST(SketchCodec, BitFlipsNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  flip_bits(encode_sketch(random_sketch(rng, 16, 3)), decode_sketch);
}

TEST(SketchCodec, AHugeTableIsRefusedBeforeMemoryIsTaken) {
  SketchSegment sketch{.width = ~0U,
                       .depth = 64,
                       .counter_bits = 16,
                       .decay_shift = 1,
                       .total_accesses = 0,
                       .blocks = {{.block_id = 1, .counters = Bytes(10)}}};
  EXPECT_EQ(decode_sketch(encode_sketch(sketch)).error().code, ErrorCode::kTruncated);
}

}  // namespace
}  // namespace rvf::wire
