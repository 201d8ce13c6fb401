#include "wire/fused_codec.hpp"

#include <limits>

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

constexpr uint32_t kDim = 3;
constexpr size_t kGroupBytes = 256 + 4 * 16;
constexpr size_t kBlockBytes = 64 + 64 + kGroupBytes;
constexpr size_t kRootAt = 192;  // 128 + 4 * 3 + 2 * 16 = 172, padded
constexpr size_t kBlocksAt = kRootAt + kGroupBytes;

FusedHeader sample_header() {
  FusedHeader h;
  h.block_bytes = kBlockBytes;
  h.first_row = 5;
  h.total_nodes = 9;
  h.first_node = 2;
  h.node_count = 2;
  h.seed = 0x1122334455667788;
  h.index_segment = 0x0A0B;
  for (size_t i = 0; i < h.index_hash.size(); ++i) h.index_hash[i] = static_cast<uint8_t>(0xC0 + i);
  h.metric = Metric::kCosine;
  h.dtype = DType::kF16;
  h.dim = kDim;
  h.scale = 2;
  h.largest_norm2 = 0.5F;
  h.root_groups = 1;
  h.centre = {1, -2, 0.25F};
  h.calibration = {{1, 10, 77, 0.75F, 3}, {0, 0, 0, 0, 0}};
  return h;
}

Bytes sample_root() { return Bytes(kGroupBytes, std::byte{0x21}); }

Bytes encoded(const FusedHeader& h) {
  const Bytes root = sample_root();
  const size_t prefix = fused_prefix_bytes(h.centre.size(), h.calibration.size(), root.size());
  const size_t codes = h.sign_codes ? static_cast<size_t>(sign_code_bytes(h.centre.size())) : 0;
  Bytes out(prefix + static_cast<size_t>(h.node_count) * (kBlockBytes + codes), std::byte{0x42});
  write_fused_prefix(h, root, out.data());
  return out;
}

Bytes sample() { return encoded(sample_header()); }

// Written by hand from docs/format.md.
Bytes by_hand() {
  const std::vector<int> frame = {
      1,    0,    32,   0,                                 // version, degree
      0xC0, 0x01, 0,    0,                                 // block_bytes 448
      5,    0,    0,    0,    0,    0,    0,    0,         // first_row
      9,    0,    0,    0,    0,    0,    0,    0,         // total_nodes
      2,    0,    0,    0,    0,    0,    0,    0,         // first_node
      2,    0,    0,    0,    0,    0,    0,    0,         // node_count
      0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,      // seed
      0x0B, 0x0A, 0,    0,    0,    0,    0,    0,         // index_segment
      0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7,      // index_hash
      0xC8, 0xC9, 0xCA, 0xCB, 0xCC, 0xCD, 0xCE, 0xCF,      //
      2,    1,    2,    0,                                 // metric, dtype, calibration_count
      3,    0,    0,    0,                                 // dim
      0,    0,    0,    0x40,                              // scale 2
      0,    0,    0,    0x3F,                              // largest_norm2 0.5
      1,    0,    0,    0,                                 // root_groups
      3,    0,    0,    0,                                 // coordinates
      0,    0,    0,    0,    0,    0,    0,    0,         // reserved
      0,    0,    0,    0,    0,    0,    0,    0,         //
      0,    0,    0,    0,    0,    0,    0,    0,         //
      0,    0,    0,    0,    0,    0,    0,    0,         //
      0,    0,    0x80, 0x3F, 0,    0,    0,    0xC0,      // centre 1, -2,
      0,    0,    0x80, 0x3E,                              // 0.25
      1,    0,    10,   0,    77,   0,    0,    0,         // kind, k, width
      0,    0,    0x40, 0x3F, 0,    0,    0x40, 0x40,      // recall 0.75, distance 3
      0,    0,    0,    0,    0,    0,    0,    0,         // no point
      0,    0,    0,    0,    0,    0,    0,    0};
  Bytes out;
  for (const int b : frame) out.push_back(static_cast<std::byte>(b));
  out.resize(kRootAt);
  out.insert(out.end(), kGroupBytes, std::byte{0x21});
  out.insert(out.end(), 2 * kBlockBytes, std::byte{0x42});
  return out;
}

TEST(FusedCodec, WritesTheBytesOfTheFormat) { EXPECT_EQ(sample(), by_hand()); }

TEST(FusedCodec, ReadsTheBytesOfTheFormat) {
  const Bytes bytes = by_hand();
  const auto v = parse_fused(bytes);
  ASSERT_TRUE(v.ok()) << v.error().message;
  const FusedHeader want = sample_header();
  const FusedHeader& h = v->header;
  EXPECT_EQ(h.block_bytes, want.block_bytes);
  EXPECT_EQ(h.first_row, want.first_row);
  EXPECT_EQ(h.total_nodes, want.total_nodes);
  EXPECT_EQ(h.first_node, want.first_node);
  EXPECT_EQ(h.node_count, want.node_count);
  EXPECT_EQ(h.seed, want.seed);
  EXPECT_EQ(h.index_segment, want.index_segment);
  EXPECT_EQ(h.index_hash, want.index_hash);
  EXPECT_EQ(h.metric, want.metric);
  EXPECT_EQ(h.dtype, want.dtype);
  EXPECT_EQ(h.dim, want.dim);
  EXPECT_EQ(h.scale, want.scale);
  EXPECT_EQ(h.largest_norm2, want.largest_norm2);
  EXPECT_EQ(h.root_groups, want.root_groups);
  EXPECT_EQ(h.centre, want.centre);
  ASSERT_EQ(h.calibration.size(), 1U);  // the other has no width
  EXPECT_EQ(h.calibration[0].kind, 1);
  EXPECT_EQ(h.calibration[0].k, 10);
  EXPECT_EQ(h.calibration[0].width, 77U);
  EXPECT_EQ(h.calibration[0].recall, 0.75F);
  EXPECT_EQ(h.calibration[0].distance, 3.0F);
  EXPECT_EQ(v->root.data(), bytes.data() + kRootAt);
  EXPECT_EQ(v->root.size(), kGroupBytes);
  EXPECT_EQ(v->blocks.data(), bytes.data() + kBlocksAt);
  EXPECT_EQ(v->blocks.size(), 2 * kBlockBytes);
}

TEST(FusedCodec, TheIndexIsSetInPlace) {
  FusedHeader h = sample_header();
  h.index_segment = 0;
  h.index_hash = {};
  Bytes bytes = encoded(h);
  set_fused_index(bytes.data(), sample_header().index_segment, sample_header().index_hash);
  EXPECT_EQ(bytes, by_hand());
}

TEST(FusedCodec, WhatIsCutOffIsRefused) {
  expect_truncations_fail(sample(), parse_fused);
  Bytes longer = sample();
  longer.push_back(std::byte{0});
  EXPECT_FALSE(parse_fused(longer).ok());
}

TEST(FusedCodec, DamageIsRefusedOrHarmless) {
  flip_bits(sample(), [](ByteSpan damaged) {
    const auto v = parse_fused(damaged);
    if (v) {
      EXPECT_LE(v->header.calibration.size(), kMaxCalibrationPoints);
      EXPECT_EQ(v->blocks.size(), v->header.node_count * v->header.block_bytes);
    }
    return v.ok();
  });
}

TEST(FusedCodec, SignCodesFollowTheBlocksInVersion3) {
  FusedHeader h = sample_header();
  h.sign_codes = true;
  const Bytes bytes = encoded(h);
  EXPECT_EQ(bytes[0], std::byte{3});
  const auto v = parse_fused(bytes);
  ASSERT_TRUE(v.ok()) << v.error().message;
  EXPECT_TRUE(v->header.sign_codes);
  EXPECT_EQ(v->blocks.size(), 2 * kBlockBytes);
  EXPECT_EQ(v->sign_codes.data(), v->blocks.data() + v->blocks.size());
  EXPECT_EQ(v->sign_codes.size(), 2 * 32U);
  expect_truncations_fail(bytes, parse_fused);
  Bytes other = bytes;
  other[0] = std::byte{1};  // there the blocks end the payload
  EXPECT_FALSE(parse_fused(other).ok());
  other = sample();
  other[0] = std::byte{3};
  EXPECT_FALSE(parse_fused(other).ok());
  other[0] = std::byte{4};
  EXPECT_EQ(parse_fused(other).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(sign_code_bytes(64), 32U);
  EXPECT_EQ(sign_code_bytes(192), 32U);
  EXPECT_EQ(sign_code_bytes(193), 64U);
  EXPECT_EQ(sign_code_bytes(384), 64U);
  EXPECT_EQ(sign_code_bytes(768), 128U);
}

TEST(FusedCodec, NumbersThatCannotBeAreRefused) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const auto refused = [](auto change, ErrorCode code = ErrorCode::kCorrupt) {
    FusedHeader h = sample_header();
    change(h);
    const auto v = parse_fused(encoded(h));
    return !v.ok() && v.error().code == code;
  };
  for (const float scale : {0.0F, -1.0F, kNan, kInf}) {
    EXPECT_TRUE(refused([&](FusedHeader& h) { h.scale = scale; })) << scale;
  }
  for (const float norm : {-1.0F, kNan, kInf}) {
    EXPECT_TRUE(refused([&](FusedHeader& h) { h.largest_norm2 = norm; })) << norm;
  }
  for (const float c : {kNan, kInf, -kInf}) {
    EXPECT_TRUE(refused([&](FusedHeader& h) { h.centre[1] = c; })) << c;
    EXPECT_TRUE(refused([&](FusedHeader& h) { h.calibration[0].distance = c; })) << c;
    EXPECT_TRUE(refused([&](FusedHeader& h) { h.calibration[0].recall = c; })) << c;
  }
  EXPECT_TRUE(refused([](FusedHeader& h) { h.calibration[0].recall = 1.5F; }));
  EXPECT_TRUE(refused([](FusedHeader& h) { h.first_row = (uint64_t{1} << 48) + 1; }));
  EXPECT_TRUE(refused([](FusedHeader& h) { h.total_nodes = 3; }));
  EXPECT_TRUE(refused([](FusedHeader& h) { h.total_nodes = uint64_t{1} << 31; }));
  EXPECT_TRUE(refused([](FusedHeader& h) { h.first_node = ~uint64_t{0}; }));
  EXPECT_TRUE(refused([](FusedHeader& h) { h.root_groups = 0; }));
  EXPECT_TRUE(refused([](FusedHeader& h) { h.root_groups = kMaxRootGroups + 1; }));
  EXPECT_TRUE(refused([](FusedHeader& h) { h.metric = static_cast<Metric>(4); }));
  EXPECT_TRUE(refused([](FusedHeader& h) { h.metric = Metric::kInnerProduct; }));
  EXPECT_TRUE(refused([](FusedHeader& h) { h.dim = 4; }));
  EXPECT_TRUE(refused([](FusedHeader& h) { h.block_bytes += 64; }));
  EXPECT_TRUE(refused([](FusedHeader& h) { h.calibration.resize(kMaxCalibrationPoints + 1); }));
  EXPECT_FALSE(refused([](FusedHeader& h) { h.calibration.resize(kMaxCalibrationPoints); }));
  for (const size_t at : {size_t{0}, size_t{2}}) {
    Bytes other = sample();
    other[at] = std::byte{4};
    EXPECT_EQ(parse_fused(other).error().code, ErrorCode::kUnsupported);
  }
}

TEST(FusedCodec, ReservedBytesAndPaddingAreZero) {
  for (const size_t at : {size_t{96}, size_t{127}, size_t{172}, size_t{191}}) {
    Bytes bytes = sample();
    bytes[at] = std::byte{1};
    EXPECT_FALSE(parse_fused(bytes).ok()) << at;
  }
}

}  // namespace
}  // namespace rvf::wire
