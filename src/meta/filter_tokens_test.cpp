// The token form.
#include <cstring>

#include "meta/filter_test_util.hpp"
#include "wire/bytes.hpp"

namespace rvf::meta {
namespace {

using wire::Bytes;

Bytes bytes_of(std::string_view hex) {
  std::string digits;
  for (const char c : hex) {
    if (c != ' ') digits += c;
  }
  const auto raw = parse_hex(digits);
  EXPECT_TRUE(raw.has_value()) << hex;
  const wire::ByteSpan span = wire::as_bytes(*raw);
  return {span.begin(), span.end()};
}

std::string hex_of(const Bytes& bytes) {
  return to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string decoded(std::string_view hex) {
  const Schema schema = test_schema();
  const auto f = decode_filter(bytes_of(hex), schema);
  if (!f) {
    EXPECT_EQ(f.error().code, ErrorCode::kBadFilter);
    return f.error().message;
  }
  return filter_text(*f, schema);
}

TEST(FilterTokens, AreTheseBytes) {
  const std::pair<const char*, const char*> kFilters[] = {
      {"true", "0100 01 00 33"},
      {"false", "0100 01 00 34"},
      // the example of docs/format.md
      {"year >= 2020 and not draft", "08000300 010300 08e407000000000000 15 010600 0601 10 32 30"},
      {"year = -1", "0300 02 00 010300 08ffffffffffffffff 10"},
      {"size != 1", "0300 02 00 010400 030100000000000000 11"},
      {"score < 1", "0300 02 00 010500 09000000000000f03f 12"},
      {"score <= 1", "0300 02 00 010500 09000000000000f03f 13"},
      {"id > 1", "0300 02 00 01ffff 030100000000000000 14"},
      {"at >= 1", "0300 02 00 010700 080100000000000000 15"},
      {"draft", "0300 02 00 010600 0601 10"},
      {"lang in ('a', 'bc')", "0200 01 00 010100 200200 05010061 0502006263"},
      {"title starts with 'a'", "0300 02 00 010200 05010061 21"},
      {"title contains 'a'", "0300 02 00 010200 05010061 22"},
      {"title match 'a'", "0300 02 00 010200 05010061 23"},
      {"blob between x'01' and x'02'", "0400 03 00 010900 0a0100000001 0a0100000002 24"},
      {"year is not null", "0300 01 00 010300 25 32"},
      {"year is null and size is null and at is null",
       "0800 02 00 010300 25 010400 25 30 010700 25 30"},
      {"year is null or not (size is null and at is null)",
       "0900 03 00 010300 25 010400 25 010700 25 30 32 31"},
  };
  const Schema schema = test_schema();
  for (const auto& [text, hex] : kFilters) {
    const auto f = parse_filter(text, schema);
    ASSERT_TRUE(f.ok()) << f.error().message;
    EXPECT_EQ(hex_of(encode_filter(*f)), hex_of(bytes_of(hex))) << text;
    const auto again = decode_filter(bytes_of(hex), schema);
    ASSERT_TRUE(again.ok()) << text << ": " << again.error().message;
    EXPECT_EQ(*again, *f) << text;
  }
}

TEST(FilterTokens, TakeWhatOtherWritersMayWrite) {
  EXPECT_EQ(decoded("0300 02 00 010300 02e4070000 15"), "year >= 2020");  // LIT_U32
  EXPECT_EQ(decoded("0300 02 00 010300 040000c03f 15"), "year >= 2");  // LIT_F32 1.5
  EXPECT_EQ(decoded("0300 ff 00 02e4070000 010300 12"), "year > 2020");  // literal first
  EXPECT_EQ(decoded("0300 02 00 010300 07 10"), "year is null");
  EXPECT_EQ(decoded("0300 02 00 010300 07 11"), "year is not null");
  EXPECT_EQ(decoded("0200 01 00 010600 32"), "not draft");  // a bool field alone
  EXPECT_EQ(decoded("0100 01 00 010600"), "draft");
  EXPECT_EQ(decoded("0200 01 00 010300 200300 02e4070000 07 07"), "year = 2020 or year is null");
  EXPECT_EQ(decoded("0200 01 00 010300 200000"), "false");
  EXPECT_EQ(decoded("0300 02 00 010500 09000000000000f87f 11"), "true");  // NaN
  EXPECT_EQ(decoded("0300 02 00 010200 0b0100000061 10"), "title = 'a'");
  EXPECT_EQ(decoded("0200 01 00 010100 2601000000 05010061"), "lang = 'a'");
  // a and (b and c)
  EXPECT_EQ(decoded("0500 03 00 010600 010300 25 010c00 30").substr(0, 16), "filter tokens, n");
  EXPECT_EQ(decoded("0600 03 00 010600 010300 25 010c00 30 30"),
            "draft and year is null and `match`");
}

TEST(FilterTokens, RefuseDamage) {
  const std::pair<const char*, const char*> kStreams[] = {
      {"", "number 1: the 4 bytes of the header are missing"},
      {"0100 01", "number 1: the 4 bytes of the header are missing"},
      {"0000 00 00", "number 1: the header is damaged"},
      {"0100 01 01 33", "number 1: the header is damaged"},
      {"0100 01 00", "number 1: the tokens end too early"},
      {"0200 01 00 33", "number 2: the tokens end too early"},
      {"0100 01 00 33 00", "number 2: bytes follow the last token"},
      {"0100 01 00 00", "number 1: its code 0 is unknown"},
      {"0100 01 00 ff", "number 1: its code 255 is unknown"},
      {"0100 00 00 33", "number 1: the stack grows beyond what the header says"},
      {"0200 02 00 33 34", "number 3: the stack holds more than the result"},
      {"0100 01 00 30", "number 1: the stack is empty"},
      {"0200 01 00 33 30", "number 2: the stack is empty"},
      {"0100 01 00 32", "number 1: the stack is empty"},
      {"0100 01 00 10", "number 1: its operands are not a field and a literal"},
      {"0200 01 00 010300 10", "number 2: its operands are not a field and a literal"},
      {"0300 02 00 33 33 10", "number 3: its operands are not a field and a literal"},
      {"0300 02 00 07 010300 21", "number 3: its operands are not a field and a literal"},
      {"0300 02 00 010300 010300 10", "number 3: its operands are not a field and a literal"},
      {"0300 02 00 010300 07 24", "number 3: its operands are not a field and a literal"},
      {"0100 01 00 25", "number 1: its operands are not a field and a literal"},
      {"0100 01 00 200000", "number 1: a set needs a field"},
      {"0100 01 00 016300", "number 1: there is no field number 99"},
      {"0100 01 00 010000", "number 1: there is no field number 0"},
      {"0100 01 00 07", "number 2: a literal stands where a condition should"},
      {"0100 01 00 0602", "number 1: a truth value is 0 or 1"},
      {"0100 01 00 010300", "number 2: the field 'year' is i64 and cannot be compared with true"},
      {"0300 02 00 010300 05010061 10",
       "number 3: the field 'year' is i64 and cannot be compared with the text 'a'"},
      {"0100 01 00 05ffff", "number 1: the tokens end too early"},
      {"0100 01 00 0bffffffff", "number 1: the tokens end too early"},
      {"0200 01 00 010300 26ffffffff 07", "number 2: the tokens end too early"},
      {"0200 01 00 010300 200100 33", "number 2: a literal is expected, not code 51"},
  };
  for (const auto& [hex, expected] : kStreams) {
    EXPECT_EQ(decoded(hex), std::string("filter tokens, ") + expected) << hex;
  }
}

TEST(FilterTokens, RefuseEveryCutStream) {
  const Schema schema = test_schema();
  const auto f =
      parse_filter("lang in ('a', 'bc') and not (year > 3 or blob = x'00') and draft", schema);
  ASSERT_TRUE(f.ok());
  const Bytes bytes = encode_filter(*f);
  for (size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(decode_filter(wire::ByteSpan(bytes).first(n), schema).ok()) << n;
  }
}

TEST(FilterTokens, RefuseDepthAndLength) {
  const Schema schema = test_schema();
  const auto stream = [](uint16_t count, uint8_t depth, const Bytes& tokens) {
    Bytes out;
    wire::ByteWriter w(out);
    w.u16(count);
    w.u8(depth);
    w.u8(0);
    w.bytes(tokens);
    return out;
  };
  // or, and in turn, each deeper by one: leaf (leaf OR leaf AND leaf OR ...)
  Bytes tokens = bytes_of("010300 25");
  uint16_t count = 2;
  for (int i = 0; i < 10000; ++i) {
    const Bytes more = bytes_of(i % 2 == 0 ? "010400 25 31" : "010400 25 30");
    tokens.insert(tokens.end(), more.begin(), more.end());
    count = static_cast<uint16_t>(count + 3);
  }
  auto f = decode_filter(stream(count, 3, tokens), schema);
  ASSERT_FALSE(f.ok());
  EXPECT_EQ(f.error().message,
            "filter tokens, number 194: the filter is nested deeper than 64 levels");

  tokens = bytes_of("010300 25");
  count = 2;
  for (int i = 0; i < 10000; ++i) {
    const Bytes more = bytes_of("010400 25 31");
    tokens.insert(tokens.end(), more.begin(), more.end());
    count = static_cast<uint16_t>(count + 3);
  }
  f = decode_filter(stream(count, 3, tokens), schema);
  ASSERT_FALSE(f.ok());
  EXPECT_NE(f.error().message.find("the filter has more than 10000 conditions"), std::string::npos);

  f = decode_filter(stream(300, 255, Bytes(300, std::byte{0x33})), schema);
  ASSERT_FALSE(f.ok());
}

TEST(FilterTokens, CarryLongTextsAndLargeSets) {
  const Schema schema = test_schema();
  std::string text = "id in (0";
  for (int i = 1; i < 70000; ++i) text += "," + std::to_string(i);
  text += ") or title = '" + std::string(70000, 'x') + "'";
  const auto f = parse_filter(text, schema);
  ASSERT_TRUE(f.ok());
  const auto again = decode_filter(encode_filter(*f), schema);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, *f);
}

TEST(FilterTokens, DoNotNameNumberIdsWhereIdsAreStrings) {
  Schema schema = test_schema();
  const auto f = parse_filter("id = 1", schema);
  ASSERT_TRUE(f.ok());
  ASSERT_TRUE(schema.merge({kKeyField, FieldType::kString, kIndexValues}).ok());
  EXPECT_FALSE(decode_filter(encode_filter(*f), schema).ok());
}

TEST(FilterTokens, BringBackTheSameTree) {
  const Schema schema = test_schema();
  for (uint32_t seed = 1; seed <= 3000; ++seed) {
    const Filter f = RandomFilters(seed, schema).tree(5).filter;
    const auto again = decode_filter(encode_filter(f), schema);
    ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << again.error().message;
    ASSERT_EQ(*again, f) << "seed " << seed << ": " << filter_text(f, schema);
  }
}

// The tree of a filter as it was written decides like the one that binding made of it.
TEST(FilterTokens, DecideRowsLikeTheTreeTheyCameFrom) {
  const Schema schema = test_schema();
  RandomFilters random(99, schema);
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    const Filter f = RandomFilters(seed, schema).tree(3).filter;
    const auto again = decode_filter(encode_filter(f), schema);
    ASSERT_TRUE(again.ok());
    const TestRow row(schema, {{"year", int64_t{random.below(5)}},
                               {"score", static_cast<double>(random.below(100)) / 4},
                               {"draft", random.below(2) == 0}});
    EXPECT_EQ(matches(*again, schema, row), matches(f, schema, row)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace rvf::meta
