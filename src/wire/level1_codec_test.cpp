#include "wire/level1_codec.hpp"

#include <algorithm>

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

constexpr uint64_t kMany = 1U << 20;

Level1 full_level1(std::mt19937_64& rng) {
  Level1 l;
  for (uint64_t i = 0; i < 40; ++i) {
    DirEntry e;
    e.segment_id = rng();
    e.type = static_cast<SegmentType>(rng() % 16);
    e.tier = static_cast<uint8_t>(rng() % 3);
    e.flags = static_cast<uint16_t>(rng());
    e.offset = rng();
    e.payload_length = rng();
    e.uncompressed_length = rng();
    e.shard = static_cast<uint16_t>(rng());
    e.compression = static_cast<uint16_t>(rng());
    e.block_count = static_cast<uint32_t>(rng());
    e.hash.fill(static_cast<uint8_t>(rng()));
    l.directory.push_back(e);
    l.row_map.push_back({rng(), rng(), rng(), rng(), rng()});
  }
  l.chain = {{1, 2, 3, {}}, {4, 5, 6, {}}};
  l.chain[1].hash.fill(9);
  for (uint64_t row = 0; row < 500; ++row) l.dead_rows.push_back(row * row);
  l.shards = {{1, "store.rvf.cold.0", 99, {}, {}}};
  l.tiers = {{1, 2, DType::kI4, 3}};
  l.index_layers = {{1, 2, 3, 4, 5}};
  l.compaction = {{{}, 1, 2, 3, 4}};
  l.capability = {{1, 2}};
  ProfileConfig p;
  p.metric = Metric::kCosine;
  p.dimension = 384;
  p.seed = 7;
  p.schema = "any text";
  l.profile = {p};
  l.sketch_segments = {5, 6};
  l.prefetch = {{1, 2}, {3, 4}};
  l.id_restarts = {{1, 2, 3}};
  l.witness = {{1, 2, 3, {}}};
  l.key_directory = random_bytes(rng, 33);
  l.metadata_indexes = {{1, 2, 1}};
  l.schema = {{1, FieldType::kI64, 1, "year"}, {3, FieldType::kStringList, 0, "tags"}};
  l.dimensions = {{384, DType::kF16, 10}};
  l.unknown = {{0x7777, random_bytes(rng, 13)}, {0xF0FF, {}}};
  return l;
}

TEST(Level1Codec, EveryRecordIsReadBackAndUnknownTagsAreKept) {
  std::mt19937_64 rng(kTestSeed);
  const Level1 l = full_level1(rng);
  const Bytes bytes = encode_level1(l);
  EXPECT_EQ(bytes.size() % 64, 0U);
  const auto back = decode_level1(bytes, kMany);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, l);
}

TEST(Level1Codec, TruncatedAndDamagedRecordsAreRefusedOrReadWithinBounds) {
  std::mt19937_64 rng(kTestSeed);
  const Bytes bytes = encode_level1(full_level1(rng));
  const auto decode = [](ByteSpan b) { return decode_level1(b, kMany); };
  for (size_t n = 0; n < bytes.size(); ++n) {
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    (void)decode(cut);
  }
  flip_bits(bytes, decode, 20000);
}

TEST(Level1Codec, AShardNameThatLeavesTheFolderIsRefused) {
  for (const char* name : {"../x", "a/b", "..", "", "/etc/passwd"}) {
    Level1 l;
    l.shards = {{1, name, 1, {}, {}}};
    EXPECT_FALSE(decode_level1(encode_level1(l), kMany).ok()) << name;
  }
}

TEST(BitmapCodec, SparseDenseAndRunningSetsAreReadBack) {
  std::mt19937_64 rng(kTestSeed);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint64_t> values;
    uint64_t at = rng() >> (20 + rng() % 40);
    const uint64_t step = 1 + rng() % (uint64_t{1} << (rng() % 18));
    for (size_t n = rng() % 5000; n > 0; --n) values.push_back(at += 1 + rng() % step);
    const auto back = decode_bitmap(encode_bitmap(values), kMany);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, values);
  }
  std::vector<uint64_t> all(300000);
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  const Bytes bytes = encode_bitmap(all);
  EXPECT_LT(bytes.size(), 200U) << "a run takes no room";
  EXPECT_EQ(*decode_bitmap(bytes, kMany), all);
}

// Each key of 24 bytes claims 65,536 rows; the limit stops it before memory is taken.
TEST(BitmapCodec, RunsThatNameFarMoreRowsThanThereAreAreRefusedEarly) {
  Bytes bytes;
  ByteWriter w(bytes);
  const uint32_t groups = 1U << 20;
  w.u32(0x3B3A3332);
  w.u32(groups);
  const uint32_t container = 8 + groups * 16;
  for (uint32_t g = 0; g < groups; ++g) {
    w.u64(g);
    w.u32(3);
    w.u32(container);
  }
  w.u32(1);
  w.u16(0);
  w.u16(65535);
  EXPECT_FALSE(decode_bitmap(bytes, 100).ok());
  EXPECT_FALSE(decode_bitmap(bytes, 65536 * 3).ok());
}

// The same for containers that are shared: 2^20 keys may all point at one full bitmap or array.
TEST(BitmapCodec, ContainersThatAreNamedManyTimesAreRefusedEarly) {
  for (const uint32_t type : {1U, 2U}) {
    Bytes bytes;
    ByteWriter w(bytes);
    const uint32_t groups = 1U << 18;
    w.u32(0x3B3A3332);
    w.u32(groups);
    const uint32_t container = 8 + groups * 16;
    for (uint32_t g = 0; g < groups; ++g) {
      w.u64(g);
      w.u32(type);
      w.u32(container);
    }
    w.u32(type == 1 ? 4096 : 65536);
    for (int i = 0; i < 4096; ++i) w.u16(type == 1 ? static_cast<uint16_t>(i) : 0xFFFF);
    EXPECT_FALSE(decode_bitmap(bytes, 100000).ok());
  }
}

}  // namespace
}  // namespace rvf::wire
