#include "wire/meta_codec.hpp"

#include <limits>

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

MetaValue random_value(std::mt19937_64& rng, MetaType type) {
  if (rng() % 5 == 0) return std::monostate{};
  switch (type) {
    case MetaType::kString:
    case MetaType::kEnum: return random_text(rng, 2);
    case MetaType::kBytes: return random_bytes(rng, rng() % 9);
    case MetaType::kI64:
    case MetaType::kTimestamp: return static_cast<int64_t>(rng());
    case MetaType::kU64: return rng();
    case MetaType::kF64: return static_cast<double>(static_cast<int64_t>(rng())) / 1e9;
    case MetaType::kBool: return rng() % 2 == 0;
    case MetaType::kStringList: {
      std::vector<std::string> list;
      for (uint64_t n = rng() % 4; n > 0; --n) list.push_back(random_text(rng, 3));
      return list;
    }
  }
  return {};
}

using Table = std::vector<std::vector<MetaValue>>;  // by column

MetaSegment random_meta(std::mt19937_64& rng, uint32_t rows, bool explicit_ids,
                        Table* table = nullptr) {
  MetaSegment meta{.schema = 7, .first_id = 100, .row_count = rows, .ids = {}, .columns = {}};
  for (uint8_t type = 1; type <= static_cast<uint8_t>(MetaType::kStringList); ++type) {
    std::vector<MetaValue> values;
    for (uint32_t r = 0; r < rows; ++r)
      values.push_back(random_value(rng, static_cast<MetaType>(type)));
    auto column =
        make_column(type, static_cast<MetaType>(type), "field " + std::to_string(type), values);
    EXPECT_TRUE(column) << column.error().message;
    meta.columns.push_back(*std::move(column));
    if (table != nullptr) table->push_back(std::move(values));
  }
  if (explicit_ids && rows > 0) {
    for (uint32_t r = 0; r < rows; ++r) meta.ids.push_back(rng());
    meta.first_id = *std::min_element(meta.ids.begin(), meta.ids.end());
  }
  return meta;
}

TEST(MetaCodec, RoundTripsEveryTypeWithNulls) {
  std::mt19937_64 rng(kTestSeed);
  for (const uint32_t rows : {0U, 1U, 7U, 8U, 9U, 100U, 1000U}) {
    for (const bool explicit_ids : {false, true}) {
      Table table;
      const MetaSegment meta = random_meta(rng, rows, explicit_ids, &table);
      const auto back = decode_meta(encode_meta(meta));
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_EQ(*back, meta);
      for (size_t c = 0; c < table.size(); ++c) {
        for (uint32_t r = 0; r < rows; ++r)
          ASSERT_EQ(back->columns[c].value(r), table[c][r]) << c << " " << r;
      }
    }
  }
}

TEST(MetaCodec, OneColumnCanBeReadAlone) {
  std::mt19937_64 rng(kTestSeed);
  const MetaSegment meta = random_meta(rng, 50, true);
  const Bytes bytes = encode_meta(meta);
  const auto layout = read_meta_layout(bytes);
  ASSERT_TRUE(layout);
  for (size_t i = 0; i < meta.columns.size(); ++i) {
    const auto column = decode_meta_column(bytes, *layout, i);
    ASSERT_TRUE(column) << column.error().message;
    EXPECT_EQ(*column, meta.columns[i]);
  }
}

TEST(MetaCodec, EveryTruncationIsAnError) {
  std::mt19937_64 rng(kTestSeed);
  expect_truncations_fail(encode_meta(random_meta(rng, 11, true)), decode_meta);
  expect_truncations_fail(encode_meta(random_meta(rng, 11, false)), decode_meta);
}

TEST(MetaCodec, BitFlipsNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  flip_bits(encode_meta(random_meta(rng, 20, true)), decode_meta, 20000);
}

TEST(MetaCodec, AnyRangeThatDoesNotFitTheValuesIsRefused) {
  const MetaValue values[] = {int64_t{-5}, std::monostate{}, int64_t{9}};
  MetaSegment meta{.schema = 0,
                   .first_id = 1,
                   .row_count = 3,
                   .ids = {},
                   .columns = {*make_column(1, MetaType::kI64, "x", values)}};
  Bytes bytes = encode_meta(meta);
  ASSERT_TRUE(decode_meta(bytes));
  const size_t min_at = 64 + 8 + 16 + 8;
  EXPECT_EQ(static_cast<int8_t>(bytes[min_at]), -5);
  bytes[min_at] = std::byte{0xFC};
  EXPECT_EQ(decode_meta(bytes).error().code, ErrorCode::kBadMetadata);
}

TEST(MetaColumn, RangeLeavesOutNullAndNaN) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const MetaValue values[] = {nan, 2.5, std::monostate{}, -1.0};
  const auto column = make_column(1, MetaType::kF64, "x", values);
  EXPECT_EQ(value_range(*column), (MetaRange{-1.0, 2.5}));
  const MetaValue only_nan[] = {nan};
  EXPECT_EQ(value_range(*make_column(1, MetaType::kF64, "x", only_nan)), std::nullopt);
  EXPECT_EQ(value_range(*make_column(1, MetaType::kF64, "x", {})), std::nullopt);
}

TEST(MetaColumn, RepeatedTextsGetADictionary) {
  std::vector<MetaValue> repeated(1000, std::string("same"));
  EXPECT_TRUE(
      std::holds_alternative<CodedText>(make_column(1, MetaType::kString, "x", repeated)->data));
  std::vector<MetaValue> unique;
  for (int i = 0; i < 1000; ++i) unique.emplace_back(std::to_string(i));
  EXPECT_TRUE(
      std::holds_alternative<StringTable>(make_column(1, MetaType::kString, "x", unique)->data));
}

TEST(MetaColumn, WideDictionariesRoundTrip) {
  std::vector<MetaValue> values;
  for (int i = 0; i < 140000; ++i) values.emplace_back(std::to_string(i % 69000 % 66000));
  MetaSegment meta{.schema = 0,
                   .first_id = 0,
                   .row_count = 140000,
                   .ids = {},
                   .columns = {*make_column(1, MetaType::kString, "x", values)}};
  ASSERT_TRUE(std::holds_alternative<CodedText>(meta.columns[0].data));
  EXPECT_EQ(*decode_meta(encode_meta(meta)), meta);
}

TEST(MetaColumn, AValueOfAnotherTypeIsNamed) {
  const MetaValue values[] = {int64_t{1}, std::string("two")};
  const auto column = make_column(1, MetaType::kI64, "age", values);
  ASSERT_FALSE(column);
  EXPECT_EQ(column.error().code, ErrorCode::kBadMetadata);
  EXPECT_NE(column.error().message.find("row 1"), std::string::npos);
}

}  // namespace
}  // namespace rvf::wire
