#include "wire/root_codec.hpp"

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

Root full_root() {
  Root r;
  r.flags = root_flag::kDataSynced;
  r.level1_offset = 64;
  r.level1_length = 640;
  r.total_vectors = 12345;
  r.dimension = 384;
  r.dtype = DType::kF16;
  r.profile = 3;
  r.epoch = 77;
  r.created_ns = 111;
  r.modified_ns = 222;
  r.entry_points = {1, 2, 3};
  r.top_layer = {4, 5, 6};
  r.centroids = {7, 8, 9};
  r.quant_dictionary = {10, 11, 12};
  r.hot_cache = {13, 14, 15};
  r.prefetch = {16, 17, 18};
  r.signature_algo = 1;
  r.signature.assign(3309, std::byte{0x5A});
  r.identity.file_id.fill(1);
  r.identity.parent_id.fill(2);
  r.identity.parent_hash.fill(3);
  r.identity.lineage_depth = 4;
  r.cow_map_offset = 5;
  r.cow_map_generation = 6;
  r.membership_offset = 7;
  r.membership_generation = 8;
  r.snapshot_epoch = 9;
  r.double_root_generation = 10;
  r.double_root_hash.fill(11);
  Root::Extension& e = r.extension.emplace();
  e.metric = Metric::kCosine;
  e.live_segments = 1;
  e.rows = 2;
  e.dead_rows = 3;
  e.next_id = 4;
  e.next_segment_id = 5;
  e.manifest_segment_id = 6;
  e.live_bytes = 7;
  e.level1_hash.fill(8);
  return r;
}

TEST(RootCodec, AZeroedRootHasThePublishedBytes) {
  const auto bytes = encode_root(Root{});
  const uint8_t prefix[] = {0x30, 0x4D, 0x56, 0x52, 0x01, 0x00, 0x00, 0x00};
  const uint8_t crc[] = {0xFF, 0xDD, 0x18, 0x14};
  EXPECT_EQ(std::memcmp(bytes.data(), prefix, 8), 0);
  EXPECT_EQ(std::memcmp(bytes.data() + 0xFFC, crc, 4), 0);
  for (size_t i = 8; i < 0xFFC; ++i) ASSERT_EQ(bytes[i], std::byte{0}) << i;
}

TEST(RootCodec, EveryFieldIsReadBack) {
  const Root root = full_root();
  const auto back = decode_root(encode_root(root));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, root);
}

TEST(RootCodec, ARootOfAnotherWriterHasNoExtension) {
  Root root = full_root();
  root.extension.reset();
  const auto back = decode_root(encode_root(root));
  ASSERT_TRUE(back.ok());
  EXPECT_FALSE(back->extension.has_value());
  EXPECT_EQ(*back, root);
}

TEST(RootCodec, AnyFlippedBitIsFound) {
  const auto bytes = encode_root(full_root());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    ASSERT_FALSE(decode_root(damaged).ok()) << "bit " << bit;
  }
}

TEST(RootCodec, OnlyFourThousandAndNinetySixBytesAreARoot) {
  const auto encoded = encode_root(full_root());
  expect_truncations_fail(Bytes(encoded.begin(), encoded.end()),
                          [](ByteSpan b) { return decode_root(b); });
  Bytes longer(encoded.begin(), encoded.end());
  longer.push_back(std::byte{0});
  EXPECT_EQ(decode_root(longer).error().code, ErrorCode::kTruncated);
}

TEST(RootCodec, ANewerVersionIsNamedAsSuch) {
  Root root = full_root();
  root.version = 2;
  EXPECT_EQ(decode_root(encode_root(root)).error().code, ErrorCode::kBadVersion);
}

}  // namespace
}  // namespace rvf::wire
