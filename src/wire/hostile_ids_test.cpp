// Id columns, blocks and bitmaps that were made to mislead: valid checksums, contradictory content.
#include <algorithm>
#include <string>

#include "wire/checksum.hpp"
#include "wire/codec_test_util.hpp"
#include "wire/level1_codec.hpp"
#include "wire/vec_codec.hpp"

namespace rvf::wire {
namespace {

struct DeltaColumn {
  uint16_t interval = 4;
  uint32_t count = 0;
  std::vector<uint32_t> restarts;
  Bytes data;

  explicit DeltaColumn(std::span<const uint64_t> ids) : count(static_cast<uint32_t>(ids.size())) {
    ByteWriter w(data);
    for (size_t i = 0; i < ids.size(); ++i) {
      if (i % interval == 0) restarts.push_back(static_cast<uint32_t>(data.size()));
      w.varint(i % interval == 0 ? ids[i] : ids[i] - ids[i - 1]);
    }
  }
  Result<IdColumn> parse() {
    bytes_.clear();
    ByteWriter w(bytes_);
    w.u8(1);
    w.u16(interval);
    w.u32(count);
    for (const uint32_t r : restarts) w.u32(r);
    w.u32(static_cast<uint32_t>(data.size()));
    w.bytes(data);
    ByteReader in(bytes_);
    return IdColumn::parse(in);
  }

 private:
  Bytes bytes_;
};

const std::vector<uint64_t> kIds = {3,     10,    300,      301,        302,
                                    70000, 70001, 1U << 30, 1ULL << 40, 1ULL << 41};

TEST(HostileIds, AWellFormedDeltaColumnIsReadTheSameFromTheStartAndFromRestartPoints) {
  DeltaColumn column{kIds};
  const auto c = column.parse();
  ASSERT_TRUE(c.ok()) << c.error().message;
  std::vector<uint64_t> all;
  c->copy_to(all);
  EXPECT_EQ(all, kIds);
  for (size_t i = 0; i < kIds.size(); ++i) EXPECT_EQ(c->at(i), kIds[i]);
}

TEST(HostileIds, MoreIdsThanBytesAreRefusedBeforeMemoryIsTaken) {
  DeltaColumn column{kIds};
  column.count = 0xFFFFFFFF;
  column.interval = 0xFFFF;
  column.restarts.assign(65538, 0);
  EXPECT_FALSE(column.parse().ok());
  column = DeltaColumn{kIds};
  column.count = static_cast<uint32_t>(column.data.size()) + 1;
  column.restarts.resize((column.count + 3) / 4, 0);
  EXPECT_FALSE(column.parse().ok());
}

TEST(HostileIds, ARestartPointThatLeadsElsewhereIsRefused) {
  for (size_t r = 0; r < 3; ++r) {
    for (const uint32_t wrong : {0U, 1U, 5U, 200U, 0xFFFFFFFFU}) {
      DeltaColumn column{kIds};
      if (column.restarts[r] == wrong) continue;
      column.restarts[r] = wrong;
      EXPECT_FALSE(column.parse().ok()) << r << " at " << wrong;
    }
  }
}

TEST(HostileIds, IdsThatDescendOverflowOrReachTheReservedOneAreRefused) {
  std::vector<uint64_t> ids = kIds;
  std::swap(ids[3], ids[4]);  // a restart value below the id before it
  EXPECT_FALSE(DeltaColumn{ids}.parse().ok());
  ids = kIds;
  std::swap(ids[5], ids[6]);  // the difference wraps around
  EXPECT_FALSE(DeltaColumn{ids}.parse().ok());
  ids = kIds;
  ids.back() = kNoId;
  EXPECT_FALSE(DeltaColumn{ids}.parse().ok());
  ids.back() = kNoId - 1;
  EXPECT_TRUE(DeltaColumn{ids}.parse().ok());
}

TEST(HostileIds, BytesBehindTheLastIdAreRefused) {
  DeltaColumn column{kIds};
  column.data.push_back(std::byte{0});
  EXPECT_FALSE(column.parse().ok());
}

// Whatever is accepted, a look-up and a decode agree on it.
TEST(HostileIds, DamagedColumnsAreRefusedOrStillConsistent) {
  std::mt19937_64 rng(kTestSeed);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    DeltaColumn column{kIds};
    if (rng() % 2 == 0) {
      column.data[rng() % column.data.size()] = static_cast<std::byte>(rng());
    } else {
      column.restarts[rng() % column.restarts.size()] ^= 1U << (rng() % 6);
    }
    const auto c = column.parse();
    if (!c) continue;
    ++accepted;
    std::vector<uint64_t> all;
    c->copy_to(all);
    ASSERT_TRUE(std::is_sorted(all.begin(), all.end()));
    for (size_t i = 0; i < all.size(); ++i) ASSERT_EQ(c->at(i), all[i]);
  }
  EXPECT_GT(accepted, 0);
}

// 12 bytes of directory must not stand for another copy of the same megabytes.
TEST(HostileBlocks, BlocksThatShareBytesAreRefused) {
  const std::vector<uint64_t> ids = {1, 2, 3};
  Bytes rows(3 * 8);
  ColumnarInput block;
  block.dtype = DType::kI8;
  block.dim = 8;
  block.rows = rows;
  block.ids = ids;
  const ColumnarInput two[] = {block, block};
  const Bytes good = encode_columnar_vec(two);
  ASSERT_TRUE(parse_vec(good, true).ok());
  Bytes shared = good;
  std::memcpy(shared.data() + 4 + 12, shared.data() + 4, 4);  // the second block is the first
  EXPECT_FALSE(parse_vec(shared, true).ok());
  Bytes swapped = good;
  std::memcpy(swapped.data() + 4, good.data() + 4 + 12, 4);
  std::memcpy(swapped.data() + 4 + 12, good.data() + 4, 4);
  EXPECT_FALSE(parse_vec(swapped, true).ok());
  Bytes inside = good;
  ByteWriter(inside).patch(4, uint32_t{0});  // in the directory
  EXPECT_FALSE(parse_vec(inside, false).ok());
}

struct Container {
  uint64_t key = 0;
  uint8_t type = 1;
  uint32_t offset = 0;
};

Bytes bitmap_of(const std::vector<Container>& directory, const Bytes& containers) {
  Bytes bytes;
  ByteWriter w(bytes);
  w.u32(0x3B3A3332);
  w.u32(static_cast<uint32_t>(directory.size()));
  for (const Container& c : directory) {
    w.u64(c.key);
    w.u8(c.type);
    w.zeros(3);
    w.u32(c.offset);
  }
  w.bytes(containers);
  return bytes;
}

Bytes array_container(std::initializer_list<uint16_t> values, uint32_t count) {
  Bytes bytes;
  ByteWriter w(bytes);
  w.u32(count);
  for (const uint16_t v : values) w.u16(v);
  return bytes;
}

TEST(HostileBitmap, TheLimitHoldsInEveryFormOfContainer) {
  std::vector<uint64_t> sparse;
  std::vector<uint64_t> dense;
  std::vector<uint64_t> run;
  for (uint64_t i = 0; i < 1000; ++i) sparse.push_back(i * 60);
  for (uint64_t i = 0; i < 60000; i += 1 + i % 2) dense.push_back(i);
  for (uint64_t i = 100; i < 40000; ++i) run.push_back(i);
  for (const auto& values : {sparse, dense, run}) {
    const Bytes bytes = encode_bitmap(values);
    EXPECT_EQ(*decode_bitmap(bytes, values.size()), values);
    EXPECT_FALSE(decode_bitmap(bytes, values.size() - 1).ok());
    EXPECT_FALSE(decode_bitmap(bytes, 0).ok());
  }
  EXPECT_TRUE(decode_bitmap(encode_bitmap({}), 0).ok());
}

TEST(HostileBitmap, ContainersThatAreSharedOverlapOrLieInTheDirectoryAreRefused) {
  const Bytes three = array_container({1, 2, 3}, 3);  // 10 bytes
  Bytes two = three;
  two.insert(two.end(), three.begin(), three.end());
  const uint32_t first = 8 + 2 * 16;
  EXPECT_EQ(*decode_bitmap(bitmap_of({{0, 1, first}, {1, 1, first + 10}}, two), 100),
            (std::vector<uint64_t>{1, 2, 3, 65537, 65538, 65539}));
  EXPECT_FALSE(decode_bitmap(bitmap_of({{0, 1, first}, {1, 1, first}}, two), 100).ok()) << "shared";
  EXPECT_FALSE(decode_bitmap(bitmap_of({{0, 1, first + 10}, {1, 1, first}}, two), 100).ok())
      << "descending";
  EXPECT_FALSE(decode_bitmap(bitmap_of({{0, 1, first}, {1, 1, first + 2}}, two), 100).ok())
      << "overlapping";
  EXPECT_FALSE(decode_bitmap(bitmap_of({{0, 1, 8}, {1, 1, first}}, two), 100).ok())
      << "in the directory";
  EXPECT_FALSE(decode_bitmap(bitmap_of({{1, 1, first}, {0, 1, first + 10}}, two), 100).ok())
      << "keys descend";
}

TEST(HostileBitmap, AContainerWhoseCountIsWrongIsRefused) {
  const uint32_t at = 8 + 16;
  EXPECT_FALSE(decode_bitmap(bitmap_of({{0, 1, at}}, array_container({}, 0)), 100).ok());
  EXPECT_FALSE(decode_bitmap(bitmap_of({{0, 1, at}}, array_container({1, 2, 3}, 4)), 100).ok());
  EXPECT_FALSE(
      decode_bitmap(bitmap_of({{0, 1, at}}, array_container({1, 2, 3}, 65537)), 1U << 20).ok());
  EXPECT_FALSE(decode_bitmap(bitmap_of({{0, 1, at}}, array_container({3, 2, 1}, 3)), 100).ok());
  EXPECT_FALSE(decode_bitmap(bitmap_of({{0, 4, at}}, array_container({1}, 1)), 100).ok());
  EXPECT_FALSE(decode_bitmap(bitmap_of({{1ULL << 48, 1, at}}, array_container({1}, 1)), 100).ok());
  for (const uint32_t count : {2U, 3U, 4U}) {
    Bytes bits = array_container({}, count);
    bits.resize(4 + 8192);
    bits[4] = std::byte{0x15};  // three values
    EXPECT_EQ(decode_bitmap(bitmap_of({{0, 2, at}}, bits), 100).ok(), count == 3) << count;
  }
}

TEST(HostileLevel1, AShardNamedAfterTheFolderItselfOrWithAZeroByteIsRefused) {
  for (const std::string& name : {std::string("."), std::string("a\0b", 3)}) {
    Level1 l;
    l.shards = {{1, name, 1, {}, {}}};
    EXPECT_FALSE(decode_level1(encode_level1(l), 100).ok());
  }
}

}  // namespace
}  // namespace rvf::wire
