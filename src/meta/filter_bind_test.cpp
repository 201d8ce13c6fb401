// Literals against the types of fields, and what a filter says about a row.
#include "meta/filter_test_util.hpp"

namespace rvf::meta {
namespace {

TEST(FilterBind, GivesLiteralsTheTypeOfTheirField) {
  const std::pair<const char*, Value> kFilters[] = {
      {"lang = 'de'", std::string("de")},
      {"title = 'x'", std::string("x")},
      {"tags = 'x'", std::string("x")},
      {"year = 2020.0", int64_t{2020}},
      {"year = -0", int64_t{0}},
      {"size = 2.02e3", uint64_t{2020}},
      {"score = 2020", 2020.0},
      {"draft = true", true},
      {"at = 5", int64_t{5}},
      {"at = '1970-01-01T00:00:01'", int64_t{1000000000}},
      {"blob = x'00ff'", std::vector<std::byte>{std::byte{0}, std::byte{255}}},
      {"id = 7", uint64_t{7}},
  };
  for (const auto& [text, value] : kFilters) {
    const auto f = parse_filter(text, test_schema());
    ASSERT_TRUE(f.ok()) << f.error().message;
    EXPECT_EQ(f->op, FilterOp::kEq) << text;
    ASSERT_EQ(f->values.size(), 1u) << text;
    EXPECT_EQ(f->values[0], value) << text;
  }
}

TEST(FilterBind, TurnsComparisonsOfIntegersIntoExactOnes) {
  const std::pair<const char*, const char*> kFilters[] = {
      // fractions
      {"year >= 2020.5", "year >= 2021"},
      {"year > 2020.5", "year >= 2021"},
      {"year <= 2020.5", "year <= 2020"},
      {"year < 2020.5", "year <= 2020"},
      {"year >= -2020.5", "year >= -2020"},
      {"year <= -2020.5", "year <= -2021"},
      {"year < -0.5", "year <= -1"},
      {"year = 2020.5", "false"},
      {"year != 2020.5", "true"},
      {"year in (1, 2.5, 3)", "year in (1, 3)"},
      {"year in (1.5, 2.5)", "false"},
      {"year not in (1.5)", "true"},
      {"year = 20200e-1", "year = 2020"},
      {"year = 1e-400", "false"},
      {"year > 1e-400", "year >= 1"},
      // below, above
      {"size >= -1", "size is not null"},
      {"size > -0.5", "size is not null"},
      {"size < -1", "false"},
      {"size = -1", "false"},
      {"size != -1", "true"},
      {"size >= 0", "size is not null"},
      {"size > 0", "size > 0"},
      {"size < 0", "false"},
      {"size <= 0", "size <= 0"},
      {"size <= 18446744073709551615", "size is not null"},
      {"size < 18446744073709551615", "size < 18446744073709551615"},
      {"size > 18446744073709551615", "false"},
      {"size > 18446744073709551614.5", "size >= 18446744073709551615"},
      {"size >= 18446744073709551615.5", "false"},
      {"size <= 18446744073709551615.5", "size is not null"},
      {"size < 18446744073709551616", "size is not null"},
      {"size = 18446744073709551616", "false"},
      {"year < 1e300", "year is not null"},
      {"year > 1e300", "false"},
      {"year > -1e300", "year is not null"},
      {"year >= -9223372036854775808", "year is not null"},
      {"year > -9223372036854775808", "year > -9223372036854775808"},
      {"year < -9223372036854775808", "false"},
      {"year < -9223372036854775807.5", "year <= -9223372036854775808"},
      {"year <= -9223372036854775808.5", "false"},
      {"year >= -9223372036854775808.5", "year is not null"},
      {"year <= 9223372036854775807", "year is not null"},
      {"year < 9223372036854775807.5", "year is not null"},
      {"year > 9223372036854775806.5", "year >= 9223372036854775807"},
      {"year = 9223372036854775808", "false"},
      {"year = 9223372036854775807.0", "year = 9223372036854775807"},
      // between
      {"year between 2.5 and 3.5", "year = 3"},
      {"year between 2.2 and 2.8", "false"},
      {"year between 3 and 2", "false"},
      {"year between 2 and 2", "year = 2"},
      {"year between 1.5 and 9e99", "year >= 2"},
      {"size between -1 and 10.5", "size <= 10"},
      {"size between 0 and 1e99", "size is not null"},
      {"size between -2 and -1", "false"},
      {"size not between -2 and -1", "true"},
      // timestamps
      {"at >= '9999-12-31'", "false"},
      {"at < '9999-12-31T23:59:59Z'", "at is not null"},
      {"at > '0000-01-01'", "at is not null"},
      {"at > 0.5", "at >= '1970-01-01T00:00:00.000000001Z'"},
      {"at between '2024-01-01' and '2024-01-31T12:00+01:00'",
       "at between '2024-01-01' and '2024-01-31T11:00:00Z'"},
  };
  for (const auto& [text, expected] : kFilters) EXPECT_EQ(canonical(text), expected) << text;
}

TEST(FilterBind, HoldsForEveryIntegerNearTheEdges) {
  // The bound filter, evaluated, against the comparison done with exact arithmetic.
  const Schema schema = test_schema();
  const int64_t kRows[] = {INT64_MIN, INT64_MIN + 1, -3,       -2, -1, 0, 1, 2,
                           3,         INT64_MAX - 1, INT64_MAX};
  const char* kOps[] = {"<", "<=", ">", ">=", "=", "!="};
  // Literals as twice their value, relative to an anchor, so that halves are integers.
  const std::pair<int64_t, std::string> kLiterals[] = {
      {-5, "-2.5"}, {-4, "-2"}, {-3, "-1.5"}, {-1, "-0.5"}, {0, "0"},
      {1, "0.5"},   {2, "1"},   {3, "1.5"},   {4, "2.0"},   {5, "25e-1"}};
  for (const int64_t row : kRows) {
    const TestRow values(schema, {{"year", row}});
    for (const auto& [twice, text] : kLiterals) {
      const int sign = row > 1000 ? 1 : row < -1000 ? -1 : row * 2 < twice ? -1 : row * 2 > twice;
      const bool expected[] = {sign < 0, sign <= 0, sign > 0, sign >= 0, sign == 0, sign != 0};
      for (size_t i = 0; i < std::size(kOps); ++i) {
        const auto f = parse_filter(std::string("year ") + kOps[i] + " " + text, schema);
        ASSERT_TRUE(f.ok());
        EXPECT_EQ(matches(*f, schema, values), expected[i]) << row << kOps[i] << text;
      }
    }
  }
}

TEST(FilterBind, ReadsDoublesAsTheNearestAndNeverNaN) {
  EXPECT_EQ(canonical("score = 0.1"), "score = 0.1");
  EXPECT_EQ(canonical("score = 9007199254740993"), "score = 9007199254740992");
  EXPECT_EQ(canonical("score >= -1e400"), "score >= -1e999");
  EXPECT_EQ(canonical("score > -0.0"), "score > 0");
  EXPECT_EQ(canonical("score between 2 and 1"), "false");
  EXPECT_EQ(canonical("score between 1 and 1.0"), "score = 1");
  const Schema schema = test_schema();
  const SchemaField& score = *schema.find("score");
  const Literal nan = Literal::of(to_number(std::nan("")), "nan");
  for (int op = static_cast<int>(FilterOp::kEq); op <= static_cast<int>(FilterOp::kIn); ++op) {
    Node out;
    ASSERT_FALSE(bind_filter(score, static_cast<FilterOp>(op), {nan}, out).has_value());
    EXPECT_EQ(out.filter, make_constant(op == static_cast<int>(FilterOp::kNe)).filter);
  }
  Node out;
  ASSERT_FALSE(bind_filter(score, FilterOp::kBetween, {nan, nan}, out).has_value());
  EXPECT_EQ(out.filter.op, FilterOp::kNone);
}

TEST(FilterBind, ReadsTimesWithOffsetAndFraction) {
  const std::pair<const char*, int64_t> kTimes[] = {
      {"1970-01-01", 0},
      {"1970-01-02T00:00:00Z", 86400000000000},
      {"1969-12-31T23:59:59.5Z", -500000000},
      {"2024-02-29 12:30", 1709209800000000000},
      {"2024-02-29t12:30:00.000000001z", 1709209800000000001},
      {"2024-02-29T12:30:00.25+02:00", 1709202600250000000},
      {"2024-02-29T12:30:00-0130", 1709215200000000000},
      {"1677-09-21T00:12:43.145224192Z", INT64_MIN},
      {"2262-04-11T23:47:16.854775807Z", INT64_MAX},
  };
  for (const auto& [text, nanos] : kTimes) {
    const auto x = parse_iso_time(text);
    ASSERT_TRUE(x.has_value()) << text;
    EXPECT_EQ(x->negative, nanos < 0) << text;
    EXPECT_EQ(x->whole, to_number(nanos).whole) << text;
    const auto again = parse_iso_time(iso_time(nanos));
    ASSERT_TRUE(again.has_value()) << iso_time(nanos);
    EXPECT_EQ(again->whole, x->whole) << iso_time(nanos);
    EXPECT_EQ(again->negative, x->negative) << iso_time(nanos);
  }
  EXPECT_EQ(iso_time(0), "1970-01-01");
  EXPECT_EQ(iso_time(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(iso_time(1709202600250000000), "2024-02-29T10:30:00.25Z");
  for (const char* text : {"",
                           "2024",
                           "2024-1-1",
                           "2024-13-01",
                           "2023-02-29",
                           "2024-00-10",
                           "2024-01-00",
                           "20240131",
                           "2024-01-31T",
                           "2024-01-31T1",
                           "2024-01-31T24:00",
                           "2024-01-31T10:60",
                           "2024-01-31T10:00:60",
                           "2024-01-31T10:00:00.",
                           "2024-01-31T10:00:00.1234567891",
                           "2024-01-31T10:00:00+1",
                           "2024-01-31T10:00:00+24:00",
                           "2024-01-31T10:00:00Zx",
                           "2024-01-31x10:00",
                           " 2024-01-31",
                           "2024-01-31 ",
                           "-024-01-31",
                           "2024-01-31T10:00+01:0",
                           "2024-01-31T10:00:00+01-00"}) {
    EXPECT_FALSE(parse_iso_time(text).has_value()) << text;
  }
}

TEST(FilterBind, AnEmptyTextIsInEveryTextButInNoEmptyList) {
  EXPECT_EQ(canonical("title contains '' or lang starts with ''"),
            "title is not null or lang is not null");
  EXPECT_EQ(canonical("tags starts with ''"), "tags starts with ''");
}

TEST(FilterBind, KeepsGroupsFlat) {
  EXPECT_EQ(canonical("(year = 1 and (size = 1 and score = 1)) and draft"),
            "year = 1 and size = 1 and score = 1 and draft");
  EXPECT_EQ(canonical("(true and draft) or (false or year = 1)"), "draft or year = 1");
  EXPECT_EQ(canonical("draft and year = 1.5"), "false");
}

class FilterMatch : public ::testing::Test {
 protected:
  bool holds(std::string_view text, const TestRow& row) const {
    const auto f = parse_filter(text, schema_);
    EXPECT_TRUE(f.ok()) << f.error().message;
    return f.ok() && matches(*f, schema_, row);
  }
  const Schema schema_ = test_schema();
  const TestRow row_{schema_,
                     {{"lang", std::string("de")},
                      {"title", std::string("The quick brown foxes, running")},
                      {"year", int64_t{2020}},
                      {"size", UINT64_MAX},
                      {"score", 0.5},
                      {"draft", false},
                      {"tags", std::vector<std::string>{"red fox", "blue bird"}},
                      {"id", uint64_t{7}},
                      {"blob", std::vector<std::byte>{std::byte{1}}}}};
};

TEST_F(FilterMatch, DecidesARow) {
  const std::pair<const char*, bool> kFilters[] = {
      {"true", true},
      {"false", false},
      {"lang = 'de' and year >= 2020 and not draft", true},
      {"lang = 'de' and draft", false},
      {"draft or year = 2020", true},
      {"lang > 'd' and lang < 'e'", true},
      {"lang between 'a' and 'dd'", false},
      {"lang in ('de', 'en')", true},
      {"lang not in ('de', 'en')", false},
      {"title starts with 'The q' and title contains 'fox'", true},
      {"title starts with 'the q'", false},
      {"title contains 'Fox'", false},
      {"year between 2019.5 and 2020.5", true},
      {"size > 18446744073709551614", true},
      {"score < 1 and score > 0.25", true},
      {"id = 7 and blob = x'01' and blob < x'0100'", true},
  };
  for (const auto& [text, expected] : kFilters) EXPECT_EQ(holds(text, row_), expected) << text;
}

TEST_F(FilterMatch, NullFailsEveryComparisonAndPassesItsNegation) {
  const TestRow nothing(schema_, {});
  for (const char* text : {"year = 1", "year < 1", "year >= 1", "year in (1, 2)", "year > -1e99",
                           "title contains ''", "title match 'x'", "tags = 'x'", "draft",
                           "year between 1 and 2", "title starts with 'x'"}) {
    EXPECT_FALSE(holds(text, nothing)) << text;
    EXPECT_TRUE(holds("not (" + std::string(text) + ")", nothing)) << text;
  }
  EXPECT_TRUE(holds("year is null and year = null and year in (1, null)", nothing));
  EXPECT_TRUE(holds("year != 1 and year != 1.5 and tags != 'x' and draft != true", nothing));
  EXPECT_FALSE(holds("year is not null or year != null", nothing));
}

TEST_F(FilterMatch, NaNEqualsNothing) {
  const TestRow nan(schema_, {{"score", std::nan("")}});
  for (const char* text : {"score = 1", "score < 1", "score >= 1", "score <= 1e999",
                           "score between -1e999 and 1e999", "score in (1, 2)", "score is null"}) {
    EXPECT_FALSE(holds(text, nan)) << text;
  }
  EXPECT_TRUE(holds("score != 1 and score is not null", nan));
}

TEST_F(FilterMatch, AskForAnyElementOfAList) {
  const std::pair<const char*, bool> kFilters[] = {
      {"tags = 'red fox'", true},           {"tags = 'fox'", false},
      {"tags != 'red fox'", false},         {"tags != 'fox'", true},
      {"tags in ('x', 'blue bird')", true}, {"tags contains 'blue bird'", true},
      {"tags contains 'blue'", false},      {"tags starts with 'blue'", true},
      {"tags starts with ''", true},        {"tags match 'foxes'", true},
      {"tags match 'red bird'", false},
  };
  for (const auto& [text, expected] : kFilters) EXPECT_EQ(holds(text, row_), expected) << text;
  const TestRow empty(schema_, {{"tags", std::vector<std::string>{}}});
  EXPECT_FALSE(holds("tags is null or tags = '' or tags starts with ''", empty));
  EXPECT_TRUE(holds("tags != 'x'", empty));
}

TEST_F(FilterMatch, WantsEveryWordAfterStemmingAndOverlooksStopWords) {
  const std::pair<const char*, bool> kFilters[] = {
      {"title match 'fox'", true},
      {"title match 'FOX run'", true},
      {"title match 'foxes and the runs'", true},
      {"title match 'fox cat'", false},
      {"title match 'the'", true},
      {"title match 'and'", false},
      {"title match 'the and'", false},
  };
  for (const auto& [text, expected] : kFilters) EXPECT_EQ(holds(text, row_), expected) << text;
}

TEST_F(FilterMatch, TakesIntegersOfAFieldThatHasWidened) {
  const TestRow old(schema_, {{"score", int64_t{3}}});
  EXPECT_TRUE(holds("score = 3 and score > 2.5", old));
}

}  // namespace
}  // namespace rvf::meta
