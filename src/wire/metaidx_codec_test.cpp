#include "wire/metaidx_codec.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

std::vector<uint64_t> random_ids(std::mt19937_64& rng, size_t n) {
  std::vector<uint64_t> ids(n);
  for (uint64_t& id : ids) id = rng() % 3 == 0 ? rng() : rng() % 100000;
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

RangeIndex random_range_index(std::mt19937_64& rng, size_t n) {
  RangeIndex index;
  index.header = {.kind = MetaIndexKind::kRange,
                  .type = MetaType::kI64,
                  .field = 3,
                  .schema = 1,
                  .key_count = 0,
                  .null_count = 0,
                  .meta_segment = 44};
  std::vector<std::pair<uint64_t, uint64_t>> pairs;
  for (uint64_t id : random_ids(rng, n)) {
    id &= UINT32_MAX;
    pairs.emplace_back(sort_key(static_cast<int64_t>(rng() % 9) - 4), id);
  }
  std::ranges::sort(pairs);
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (const auto& [key, id] : pairs) {
    index.keys.push_back(key);
    index.rows.push_back(static_cast<uint32_t>(id));
  }
  for (const uint64_t id : random_ids(rng, n / 4)) {
    if (id <= UINT32_MAX) index.null_rows.push_back(static_cast<uint32_t>(id));
  }
  index.header.key_count = index.keys.size();
  index.header.null_count = index.null_rows.size();
  return index;
}

BitmapIndex random_bitmap_index(std::mt19937_64& rng, size_t keys) {
  BitmapIndex index;
  index.header = {.kind = MetaIndexKind::kBitmap,
                  .type = MetaType::kString,
                  .field = 4,
                  .schema = 2,
                  .key_count = 0,
                  .null_count = 0,
                  .meta_segment = 9};
  std::set<std::string> texts;
  for (size_t i = 0; i < keys; ++i) {
    Bytes key;
    ByteWriter out(key);
    write_meta_value(out, random_text(rng, 8));
    texts.insert({reinterpret_cast<const char*>(key.data()), key.size()});
  }
  for (const std::string& key : texts) {
    index.keys.add(key);
    index.rows.push_back(random_ids(rng, rng() % 50));
  }
  index.null_rows = random_ids(rng, 20);
  index.header.key_count = index.keys.size();
  index.header.null_count = index.null_rows.size();
  return index;
}

const auto kDecodeBitmap = [](ByteSpan s) { return decode_bitmap_index(s, 1 << 20); };

TEST(RangeIndexCodec, RoundTrips) {
  std::mt19937_64 rng(kTestSeed);
  for (size_t n = 0; n < 100; ++n) {
    const RangeIndex index = random_range_index(rng, n);
    const auto back = decode_range_index(encode_range_index(index));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, index);
  }
}

TEST(RangeIndexCodec, EveryTruncationIsAnErrorAndBitFlipsNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  const Bytes bytes = encode_range_index(random_range_index(rng, 20));
  expect_truncations_fail(bytes, decode_range_index);
  flip_bits(bytes, decode_range_index);
}

TEST(RangeIndexCodec, DisorderIsRefused) {
  std::mt19937_64 rng(kTestSeed);
  RangeIndex index = random_range_index(rng, 20);
  std::swap(index.keys.front(), index.keys.back());
  EXPECT_EQ(decode_range_index(encode_range_index(index)).error().code, ErrorCode::kBadMetadata);
}

TEST(SortKey, KeepsTheOrderOfNumbers) {
  const double inf = std::numeric_limits<double>::infinity();
  const double doubles[] = {-inf, -1e300, -1.5, -1e-310, 0.0, 1e-310, 1.5, 1e300, inf};
  for (size_t i = 1; i < std::size(doubles); ++i)
    EXPECT_LT(sort_key(doubles[i - 1]), sort_key(doubles[i]));
  EXPECT_EQ(sort_key(-0.0), sort_key(0.0));
  const int64_t ints[] = {std::numeric_limits<int64_t>::min(), -1, 0, 1,
                          std::numeric_limits<int64_t>::max()};
  for (size_t i = 1; i < std::size(ints); ++i) EXPECT_LT(sort_key(ints[i - 1]), sort_key(ints[i]));
}

TEST(BitmapIndexCodec, RoundTrips) {
  std::mt19937_64 rng(kTestSeed);
  for (size_t n = 0; n < 40; ++n) {
    const BitmapIndex index = random_bitmap_index(rng, n);
    const auto back = kDecodeBitmap(encode_bitmap_index(index));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, index);
  }
}

TEST(BitmapIndexCodec, EveryTruncationIsAnErrorAndBitFlipsNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  const Bytes bytes = encode_bitmap_index(random_bitmap_index(rng, 5));
  expect_truncations_fail(bytes, kDecodeBitmap);
  flip_bits(bytes, kDecodeBitmap);
}

TEST(BitmapIndexCodec, MoreRowsThanAllowedAreRefused) {
  std::mt19937_64 rng(kTestSeed);
  BitmapIndex index = random_bitmap_index(rng, 1);
  index.rows[0].resize(100000);
  for (size_t i = 0; i < index.rows[0].size(); ++i) index.rows[0][i] = i;
  EXPECT_TRUE(decode_bitmap_index(encode_bitmap_index(index), 200000));
  EXPECT_FALSE(decode_bitmap_index(encode_bitmap_index(index), 50000));
}

}  // namespace
}  // namespace rvf::wire
