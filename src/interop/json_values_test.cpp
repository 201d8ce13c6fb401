#include "interop/json_values.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "interop/meta_values.hpp"

namespace rvf::interop {
namespace {

std::string json(const Value& value, FieldType type = FieldType::kString) {
  std::string out;
  append_json(out, value, type);
  return out;
}

std::string base64(const std::string& bytes) {
  std::vector<std::byte> v;
  for (const char c : bytes) v.push_back(static_cast<std::byte>(c));
  return json(v, FieldType::kBytes);
}

TEST(JsonValues, WritesEveryTypeExactly) {
  EXPECT_EQ(json({}), "null");
  EXPECT_EQ(json(true, FieldType::kBool), "true");
  EXPECT_EQ(json(std::numeric_limits<int64_t>::min(), FieldType::kI64), "-9223372036854775808");
  EXPECT_EQ(json(std::numeric_limits<uint64_t>::max(), FieldType::kU64), "18446744073709551615");
  EXPECT_EQ(json(std::vector<std::string>{"a", "b\"c"}, FieldType::kStringList), R"(["a","b\"c"])");
  EXPECT_EQ(json(std::vector<std::string>{}, FieldType::kStringList), "[]");
}

TEST(JsonValues, ANumberWithAFractionTypeStaysOne) {
  EXPECT_EQ(json(1.0, FieldType::kF64), "1.0");
  EXPECT_EQ(json(-0.0, FieldType::kF64), "-0.0");
  EXPECT_EQ(json(0.1, FieldType::kF64), "0.1");
  EXPECT_EQ(json(1e300, FieldType::kF64), "1e+300");
  EXPECT_EQ(json(123456789012345680.0, FieldType::kF64), "123456789012345680.0");
  EXPECT_EQ(json(std::numeric_limits<double>::denorm_min(), FieldType::kF64), "5e-324");
  EXPECT_EQ(json(std::numeric_limits<double>::quiet_NaN(), FieldType::kF64), "null");
  EXPECT_EQ(json(-std::numeric_limits<double>::infinity(), FieldType::kF64), "null");
}

TEST(JsonValues, TextIsEscapedAndAlwaysUtf8) {
  EXPECT_EQ(json(std::string("a\\b\"c\n\t\r\x01\x7F")), "\"a\\\\b\\\"c\\n\\t\\r\\u0001\\u007f\"");
  EXPECT_EQ(json(std::string("\u009B31m \u202E")), "\"\\u009b31m \\u202e\"");
  EXPECT_EQ(json(std::string("\xC3\xA4 \xF0\x9F\x90\x9D")), "\"\xC3\xA4 \xF0\x9F\x90\x9D\"");
  // A byte of Latin-1, an overlong '/', half of a surrogate pair, a character cut off.
  EXPECT_EQ(json(std::string("\xE4|\xC0\xAF|\xED\xA0\x80|\xE2\x82")),
            "\"\uFFFD|\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD|\uFFFD\uFFFD\"");
}

TEST(JsonValues, BytesAreBase64) {
  EXPECT_EQ(base64(""), "\"\"");
  EXPECT_EQ(base64("f"), "\"Zg==\"");
  EXPECT_EQ(base64("fo"), "\"Zm8=\"");
  EXPECT_EQ(base64("foobar"), "\"Zm9vYmFy\"");
  EXPECT_EQ(base64("\xFF\xFE"), "\"//4=\"");
}

TEST(JsonValues, TimestampsHaveTheDigitsThatTheyNeed) {
  EXPECT_EQ(timestamp_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(timestamp_text(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(timestamp_text(1'714'564'800'250'000'000), "2024-05-01T12:00:00.25Z");
  EXPECT_EQ(timestamp_text(std::numeric_limits<int64_t>::max()), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(timestamp_text(std::numeric_limits<int64_t>::min()), "1677-09-21T00:12:43.145224192Z");
}

TEST(JsonValues, TimestampsReadBackToTheSameNanosecond) {
  uint64_t state = 88172645463325252ULL;
  for (int i = 0; i < 20000; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    const auto t = static_cast<int64_t>(state);
    ASSERT_EQ(parse_timestamp(timestamp_text(t)), t) << timestamp_text(t);
  }
  for (const int64_t t :
       {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    EXPECT_EQ(parse_timestamp(timestamp_text(t)), t);
  }
}

TEST(JsonValues, TimestampsAreReadWithOffsetsAndRefusedWhenTheyAreNone) {
  constexpr int64_t kNoon = 1'714'564'800'000'000'000;
  for (const char* s :
       {"2024-05-01T12:00:00Z", "2024-05-01 12:00", "2024-05-01T14:00:00+02:00",
        "2024-05-01T07:30:00.000-0430", "2024-05-01t12:00:00,0000000000z", "2024-05-02T00:00+12"}) {
    EXPECT_EQ(parse_timestamp(s), kNoon) << s;
  }
  EXPECT_EQ(parse_timestamp("2024-05-01"), kNoon - 43'200'000'000'000);
  EXPECT_EQ(parse_timestamp("2000-02-29"), 951'782'400'000'000'000);
  for (const char* s :
       {"", "2024", "2024-5-1", "2024-13-01", "2023-02-29", "1900-02-29", "2024-05-01T",
        "2024-05-01T24:00", "2024-05-01T12:60", "2024-05-01T12:00:60Z", "2024-05-01T12:00:00.",
        "2024-05-01T12:00:00.0000000001", "2024-05-01T12:00:00+24:00", "2024-05-01T12:00:00 +02:00",
        "2024-05-01Z", "2262-04-12", "1677-09-21", "9999-12-31T23:59:59Z",
        "2024-05-01T12:00:00ZZ"}) {
    EXPECT_EQ(parse_timestamp(s), std::nullopt) << s;
  }
}

TEST(JsonValues, RecordsAreWrittenWithTheTypesOfTheirFields) {
  const std::vector<Field> fields = {{"when", FieldType::kTimestamp, 0}, {"n", FieldType::kI64, 0}};
  const RecordWriter writer(fields);
  EXPECT_EQ(writer.object({}), "{}");
  EXPECT_EQ(writer.object({{"when", int64_t{0}},
                           {"n", int64_t{0}},
                           {"a \"b\"", 0.5},
                           {"_expires", int64_t{1'000'000'000}}}),
            R"({"when":"1970-01-01T00:00:00Z","n":0,"a \"b\"":0.5,)"
            R"("_expires":"1970-01-01T00:00:01Z"})");
  std::string out = "{\"id\":1,";
  writer.append_members(out, {{"n", int64_t{5}}});
  EXPECT_EQ(out, "{\"id\":1,\"n\":5");
}

}  // namespace
}  // namespace rvf::interop
