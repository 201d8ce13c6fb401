// The text form, the JSON form, and the text that is printed.
#include "meta/filter_test_util.hpp"

namespace rvf::meta {
namespace {

Filter leaf(const char* field, FilterOp op, std::vector<Value> values = {}) {
  return {op, test_schema().find(field)->id, std::move(values), {}};
}

TEST(FilterText, GivesTheTreeThatItSays) {
  const auto f = parse_filter("lang = 'de' and year >= 2020 and not draft", test_schema());
  ASSERT_TRUE(f.ok()) << f.error().message;
  Filter expected;
  expected.op = FilterOp::kAnd;
  expected.children = {leaf("lang", FilterOp::kEq, {std::string("de")}),
                       leaf("year", FilterOp::kGe, {int64_t{2020}}),
                       {FilterOp::kNot, 0, {}, {leaf("draft", FilterOp::kEq, {true})}}};
  EXPECT_EQ(*f, expected);
}

TEST(FilterText, WithoutAConditionIsEveryRow) {
  for (const char* text : {"", "  ", "\n\t", "{}", " { } ", "true", "true or false"}) {
    const auto f = parse_filter(text, test_schema());
    ASSERT_TRUE(f.ok()) << text << f.error().message;
    EXPECT_EQ(*f, Filter{}) << text;
  }
  EXPECT_EQ(canonical("false"), "false");
  EXPECT_EQ(canonical("not true and year = 1"), "false");
}

TEST(FilterText, BindsNotBeforeAndBeforeOr) {
  EXPECT_EQ(canonical("not draft and year = 1 or size = 2 and not (draft or year = 3)"),
            "not draft and year = 1 or size = 2 and not (draft or year = 3)");
  EXPECT_EQ(canonical("(draft or year = 1) and (size = 2 and score = 3)"),
            "(draft or year = 1) and size = 2 and score = 3");
  EXPECT_EQ(canonical("not year = 1 or draft"), "not year = 1 or draft");
  EXPECT_EQ(canonical("not not draft"), "draft");
}

TEST(FilterText, KnowsEveryOperatorInAnyCase) {
  const std::pair<const char*, const char*> kTexts[] = {
      {"year == 1 OR year <> 2", "year = 1 or year != 2"},
      {"year<1 Or year<=2 or year>3 or year>=4", "year < 1 or year <= 2 or year > 3 or year >= 4"},
      {"lang IN ('b', \"a\",'b')", "lang in ('a', 'b')"},
      {"lang in ('a')", "lang = 'a'"},
      {"lang in ()", "false"},
      {"lang not in ('a','b')", "lang not in ('a', 'b')"},
      {"year Between 1 And 2 and draft", "year between 1 and 2 and draft"},
      {"year not between 1 and 2", "year not between 1 and 2"},
      {"year IS NULL", "year is null"},
      {"year is Not null", "year is not null"},
      {"title Starts With 'x'", "title starts with 'x'"},
      {"title not starts with 'x'", "title not starts with 'x'"},
      {"title contains \"x\"", "title contains 'x'"},
      {"title not contains 'x'", "title not contains 'x'"},
      {"title match \"red foxes\"", "title match 'red foxes'"},
      {"title not match 'a'", "title not match 'a'"},
      {"2020 <= year and 'de' = lang", "year >= 2020 and lang = 'de'"},
      {"2020 < year or 2020 > year or 2020 >= year", "year > 2020 or year < 2020 or year <= 2020"},
      {"true = draft and false != draft", "draft and draft != false"},
      {"draft = FALSE", "draft = false"},
      {"null = year or null != size", "year is null or size is not null"},
      {"year = null or size != NULL", "year is null or size is not null"},
      {"lang in ('a', null)", "lang = 'a' or lang is null"},
      {"lang not in ('a', null)", "not (lang = 'a' or lang is null)"},
      {"\"title\" = \"x\" and `year` = 1", "title = 'x' and year = 1"},
      {"`odd ``name``` = 1 and `match`", "`odd ``name``` = 1 and `match`"},
      {"author.name = 'O''Brien \\ \"x\"'", "author.name = 'O''Brien \\ \"x\"'"},
      {"title = \"a\"\"b'c\"", "title = 'a\"b''c'"},
      {"blob = x'00fF' or blob = X''", "blob = x'00ff' or blob = x''"},
      {"score = -1.5e3 or score=+.5 or score = 1E400",
       "score = -1500 or score = 0.5 or score = 1e999"},
      {"id in (3,1)", "id in (1, 3)"},
      {"match", "`match`"},
  };
  for (const auto& [text, expected] : kTexts) EXPECT_EQ(canonical(text), expected) << text;
}

TEST(FilterText, NamesTheStringIdsWhereThereAreSome) {
  Schema schema = test_schema();
  ASSERT_TRUE(schema.merge({kKeyField, FieldType::kString, kIndexValues}).ok());
  EXPECT_EQ(canonical("id = 'doc-1'", schema), "id = 'doc-1'");
  EXPECT_EQ(canonical("id = 1", schema),
            "column 6: the field 'id' is string and cannot be compared with the number 1\n"
            "  id = 1\n"
            "       ^");
}

TEST(FilterText, SaysWhereAndWhatIsWrong) {
  const std::string names = kTestNames;
  EXPECT_EQ(canonical("year > 1 and lnag = 'de'"),
            "column 14: there is no field 'lnag'; the fields are " + names +
                "; did you mean 'lang'?\n"
                "  year > 1 and lnag = 'de'\n"
                "               ^");
  EXPECT_EQ(refusal("qqqqq = 1"), "column 1: there is no field 'qqqqq'; the fields are " + names);
  const std::pair<const char*, const char*> kTexts[] = {
      {"lang = de", "column 8: expected a value, not 'de'; a text goes in quotes: 'de'"},
      {"lang = ", "column 8: expected a value, not the end"},
      {"lang = 'de", "column 8: the closing ' is missing"},
      {"`lang = 1", "column 1: the closing ` is missing"},
      {"blob = x'0g'", "column 8: x'...' holds pairs of hexadecimal digits, such as x'00ff'"},
      {"year = 1_000", "column 8: '1_000' is no number"},
      {"at > 2024-01-31",
       "column 6: '2024-01-31' is no number; a time goes in quotes: '2024-01-31'"},
      {"draft && draft", "column 7: write 'and' instead of &&"},
      {"draft || draft", "column 7: write 'or' instead of ||"},
      {"!draft", "column 1: write 'not' instead of !"},
      {"year ~ 1", "column 6: '~' has no meaning in a filter"},
      {"and draft", "column 1: expected a condition, not 'and'"},
      {"draft and", "column 10: expected a condition, not the end"},
      {"draft draft", "column 7: expected 'and', 'or' or the end, not 'draft'"},
      {"draft)", "column 6: there is no ( for this )"},
      {"(draft", "column 7: expected 'and', 'or' or ), not the end"},
      {"()", "column 2: expected a condition, not ')'"},
      {"year in 1", "column 9: expected ( and a list of values, not '1'"},
      {"year in (1 2)", "column 12: expected a comma or ), not '2'"},
      {"year in (1,)", "column 12: expected a value, not ')'"},
      {"year between 1 or 2", "column 16: expected 'and' and the upper bound, not 'or'"},
      {"year is nul", "column 9: expected null or not null, not 'nul'"},
      {"year is not 1", "column 13: expected null, not '1'"},
      {"year not = 1",
       "column 10: expected in, between, starts with, contains or match after 'not', not '='"},
      {"title starts 'x'", "column 14: expected 'with' after 'starts', not ''x''"},
      {"1 = 1", "column 5: expected a field, not '1'"},
      {"1", "column 2: expected one of = != < <= > >= after a value, not the end"},
      {"1 <= year <= 2", "column 11: expected 'and', 'or' or the end, not '<='"},
      {"year",
       "column 5: expected an operator after the field 'year' (= != < <= > >= in, between, "
       "is null, starts with, contains, match), not the end"},
      {"year = lang", "column 8: expected a value, not 'lang'; a text goes in quotes: 'lang'"},
  };
  for (const auto& [text, expected] : kTexts) EXPECT_EQ(refusal(text), expected) << text;
}

TEST(FilterText, SaysWhatDoesNotFitTheField) {
  const std::pair<const char*, const char*> kTexts[] = {
      {"year >= 'x'", "column 9: the field 'year' is i64 and cannot be compared with the text 'x'"},
      {"lang = 3", "column 8: the field 'lang' is enum and cannot be compared with the number 3"},
      {"draft = 1", "column 9: the field 'draft' is bool and cannot be compared with the number 1"},
      {"title = true", "column 9: the field 'title' is string and cannot be compared with true"},
      {"score = x'00'",
       "column 9: the field 'score' is f64 and cannot be compared with the bytes x'00'"},
      {"year in (1, 2, 'c')",
       "column 16: the field 'year' is i64 and cannot be compared with the text 'c'"},
      {"year between 1 and 'c'",
       "column 20: the field 'year' is i64 and cannot be compared with the text 'c'"},
      {"'x' <= year", "column 1: the field 'year' is i64 and cannot be compared with the text 'x'"},
      {"draft < true",
       "column 7: the field 'draft' is bool and has no order; it can be compared with = and !="},
      {"tags between 'a' and 'b'",
       "column 6: the field 'tags' is list and has no order; it can be compared with = and !="},
      {"year contains 'x'",
       "column 6: the field 'year' is i64; 'starts with' and 'contains' need a string, an enum or "
       "a list"},
      {"lang match 'x'", "column 6: the field 'lang' is enum; 'match' needs a string or a list"},
      {"title match '?!'", "column 13: 'match' needs a word; there is none in the text '?!'"},
      {"year < null", "column 8: null can only be asked for with =, != and in"},
      {"at > 'soon'",
       "column 6: the field 'at' is timestamp; the text 'soon' is no time such as "
       "'2024-01-31T10:00:00Z'"},
      {"at > '2024-02-30'",
       "column 6: the field 'at' is timestamp; the text '2024-02-30' is no time "
       "such as '2024-01-31T10:00:00Z'"},
      {"blob = 'ab'",
       "column 8: the field 'blob' is bytes; the text 'ab' is no hexadecimal such as x'00ff'"},
  };
  for (const auto& [text, expected] : kTexts) EXPECT_EQ(refusal(text), expected) << text;
}

TEST(FilterText, CountsColumnsInCodePointsAndCutsLongTexts) {
  EXPECT_EQ(canonical("title = '\xC3\xA9\xE6\x97\xA5' and\nx = 1", Schema{}),
            "column 1: there is no field 'title'; the fields are id\n"
            "  title = '\xC3\xA9\xE6\x97\xA5' and x = 1\n"
            "  ^");
  EXPECT_EQ(canonical("author.name = '\xC3\xA9\xE6\x97\xA5' and\nlang = 1"),
            "column 31: the field 'lang' is enum and cannot be compared with the number 1\n"
            "  author.name = '\xC3\xA9\xE6\x97\xA5' and lang = 1\n"
            "                                ^");
  const std::string text =
      "year = 1 or " + std::string(60, ' ') + "lang = 1 or " + std::string(90, ' ') + "draft";
  EXPECT_EQ(canonical(text),
            "column 80: the field 'lang' is enum and cannot be compared with the number 1\n"
            "  ..." +
                text.substr(39, 76) + "...\n" + std::string(5 + 40, ' ') + "^");
}

TEST(FilterText, RefusesWhatIsTooDeepOrTooLong) {
  const auto nested = [](size_t n, const std::string& open, const std::string& close) {
    std::string text;
    for (size_t i = 0; i < n; ++i) text += open;
    text += "draft";
    for (size_t i = 0; i < n; ++i) text += close;
    return text;
  };
  EXPECT_EQ(canonical(nested(64, "(", ")")), "draft");
  EXPECT_EQ(refusal(nested(65, "(", ")")), "column 65: the filter is nested deeper than 64 levels");
  EXPECT_EQ(refusal(nested(100000, "(", "")),
            "column 65: the filter is nested deeper than 64 levels");
  EXPECT_EQ(refusal(nested(100000, "not ", "")),
            "column 257: the filter is nested deeper than 64 levels");
  EXPECT_EQ(refusal(nested(40, "(year = 1 or size = 2 and ", ")")),
            "column 210: the filter is nested deeper than 64 levels");
  std::string wide = "year = 1";
  for (int i = 2; i < 10000; ++i) wide += " or year = 1";
  ASSERT_TRUE(parse_filter(wide, test_schema()).ok());
  EXPECT_EQ(refusal(wide + " or year = 1"), "column 1: the filter has more than 10000 conditions");
  std::string constants = "true";
  for (int i = 0; i < 20000; ++i) constants += " and true";
  EXPECT_EQ(refusal(constants), "column 1: the filter has more than 10000 conditions");
}

TEST(FilterText, ComesBackFromTheTextThatIsPrinted) {
  const Schema schema = test_schema();
  for (uint32_t seed = 1; seed <= 3000; ++seed) {
    const Filter f = RandomFilters(seed, schema).tree(4).filter;
    const std::string text = filter_text(f, schema);
    const auto again = parse_filter(text, schema);
    ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << again.error().message;
    ASSERT_EQ(*again, f) << "seed " << seed << ": " << text;
  }
}

TEST(FilterJson, SaysWhatTheTextSays) {
  const std::pair<const char*, const char*> kFilters[] = {
      {R"({})", "true"},
      {R"({"lang":"de"})", "lang = 'de'"},
      {R"({"lang":"de","year":{"$gte":2020,"$lt":2024}})",
       "lang = 'de' and year >= 2020 and year < 2024"},
      {R"({"year":{"$eq":1}, "size":{"$ne":2}, "score":{"$gt":3.5}, "at":{"$lte":4}})",
       "year = 1 and size != 2 and score > 3.5 and at <= 4"},
      {R"({"$or":[{"draft":true},{"title":{"$match":"red fox"}}],"lang":"de"})",
       "(draft or title match 'red fox') and lang = 'de'"},
      {R"({"$and":[{"draft":false},{"$nor":[{"year":1},{"year":2}]}]})",
       "draft = false and not (year = 1 or year = 2)"},
      {R"({"$not":{"lang":"de","year":1}})", "not (lang = 'de' and year = 1)"},
      {R"({"year":{"$not":{"$gte":2020,"$lt":2024}}})", "not (year >= 2020 and year < 2024)"},
      {R"({"lang":{"$in":["b","a",null]},"tags":{"$nin":["x","y"]}})",
       "(lang in ('a', 'b') or lang is null) and tags not in ('x', 'y')"},
      {R"({"lang":{"$in":[]}})", "false"},
      {R"({"lang":null,"year":{"$ne":null},"size":{"$exists":true},"at":{"$exists":false}})",
       "lang is null and year is not null and size is not null and at is null"},
      {R"({"year":{"$between":[1,2.5]}})", "year between 1 and 2.5"},
      {R"({"title":{"$startsWith":"x\n\"\u00e9"},"lang":{"$contains":"d"}})",
       "title starts with 'x\n\"\xC3\xA9' and lang contains 'd'"},
      {R"({"author.name":"x","odd `name`":1})", "author.name = 'x' and `odd ``name``` = 1"},
      {R"({"blob":"x'00ff'"})", "blob = x'00ff'"},
      {R"({"at":{"$gte":"2024-01-31"}})", "at >= '2024-01-31'"},
      {R"({"id":{"$in":[18446744073709551614, 3]}})", "id in (3, 18446744073709551614)"},
      {R"({"year":{"$lt":9223372036854775807.5},"size":{"$gt":18446744073709551616}})",
       "year < 9223372036854775807.5 and size > 18446744073709551616"},
      {R"({"score":{"$lt":1e400}})", "score < 1e400"},
      {"\n {\"draft\" : true } \n", "draft"},
  };
  for (const auto& [json, text] : kFilters) {
    const auto from_json = parse_filter(json, test_schema());
    const auto from_text = parse_filter(text, test_schema());
    ASSERT_TRUE(from_json.ok()) << json << ": " << from_json.error().message;
    ASSERT_TRUE(from_text.ok()) << text << ": " << from_text.error().message;
    EXPECT_EQ(*from_json, *from_text) << json;
  }
}

TEST(FilterJson, SaysWhereAndWhatIsWrong) {
  const std::string operators =
      "$between, $contains, $eq, $exists, $gt, $gte, $in, $lt, $lte, $match, $ne, $nin, $not, "
      "$startsWith";
  const std::pair<const char*, std::string> kFilters[] = {
      {R"({"lang":"de","yaer":1})",
       std::string("$.yaer: there is no field 'yaer'; the fields are ") + kTestNames +
           "; did you mean 'year'?"},
      {R"({"year":{"$gte":"x"}})",
       "$.year.$gte: the field 'year' is i64 and cannot be compared with the text 'x'"},
      {R"({"year":{"$in":[1,"x"]}})",
       "$.year.$in[1]: the field 'year' is i64 and cannot be compared with the text 'x'"},
      {R"({"$or":[{"year":1},{"draft":1}]})",
       "$.$or[1].draft: the field 'draft' is bool and cannot be compared with the number 1"},
      {R"({"tags":{"$size":3}})",
       "$.tags.$size: there is no operator '$size'; the operators are " + operators},
      {R"({"author.name":{"first":"x"}})",
       "$.author.name.first: there is no operator 'first'; the operators are " + operators +
           "; a field of a record is named with a dot: \"author.name\""},
      {R"({"$where":"1"})",
       "$.$where: there is no operator '$where' here; the operators are $and, $nor, $not, $or"},
      {R"({"year":{}})", "$.year: an operator is expected; the operators are " + operators},
      {R"({"lang":["de"]})",
       "$.lang: a value or an object of operators is expected, not an array; for one of several "
       "values write {\"$in\": [...]}"},
      {R"({"year":{"$gt":[1]}})", "$.year.$gt: a value is expected, not an array"},
      {R"({"year":{"$in":1}})", "$.year.$in: an array of values is expected"},
      {R"({"year":{"$in":[{}]}})", "$.year.$in[0]: a value is expected, not an object"},
      {R"({"year":{"$between":[1]}})", "$.year.$between: two values are expected"},
      {R"({"year":{"$exists":1}})", "$.year.$exists: true or false is expected"},
      {R"({"$and":{}})", "$.$and: an array of objects is expected"},
      {R"({"$or":[]})", "$.$or: at least one condition is expected"},
      {R"({"$or":[1]})", "$.$or[0]: an object is expected"},
      {R"({"$not":1})", "$.$not: an object is expected"},
      {R"({"year":01})", "$.year: '01' is no value of JSON"},
      {R"({"draft":truth})", "$.draft: 'truth' is no value of JSON"},
      {R"([])", "$: an object is expected"},
  };
  for (const auto& [json, expected] : kFilters) {
    const auto f = parse_filter_json(json, test_schema());
    ASSERT_FALSE(f.ok()) << json;
    EXPECT_EQ(f.error().code, ErrorCode::kBadFilter);
    EXPECT_EQ(f.error().message, expected) << json;
  }
}

TEST(FilterJson, RefusesWhatIsNoJson) {
  for (const char* json :
       {"", " ", "{", "}", "{\"year\":1", "{\"year\":1,}", "{\"year\":1}}", "{\"year\":1} {}",
        "{\"year\" 1}", "{'year':1}", "{\"year\":1 \"size\":2}", "{\"lang\":\"\\x\"}",
        "{\"lang\":\"de}", "{\"lang\":\"\xFF\"}", "{\"year\":{\"$in\":[1,]}}", "{\"year\":}",
        "{\"year\":+1}"}) {
    const auto f = parse_filter_json(json, test_schema());
    ASSERT_FALSE(f.ok()) << json;
    EXPECT_EQ(f.error().code, ErrorCode::kBadFilter) << json;
    EXPECT_TRUE(f.error().message.starts_with("$")) << f.error().message;
  }
}

TEST(FilterJson, RefusesWhatIsTooDeepOrTooLong) {
  const auto nested = [](size_t n) {
    std::string json;
    for (size_t i = 0; i < n; ++i) json += R"({"$and":[)";
    json += R"({"draft":true})";
    for (size_t i = 0; i < n; ++i) json += "]}";
    return json;
  };
  EXPECT_EQ(canonical_json(nested(63)), "draft");
  for (const size_t n : {size_t{64}, size_t{500}, size_t{100000}}) {
    EXPECT_FALSE(parse_filter_json(nested(n), test_schema()).ok());
  }
  std::string wide = R"({"$or":[{"year":1})";
  for (int i = 1; i < 10000; ++i) wide += R"(,{"year":1})";
  const auto f = parse_filter_json(wide + "]}", test_schema());
  ASSERT_FALSE(f.ok());
  EXPECT_NE(f.error().message.find("the filter has more than 10000 conditions"), std::string::npos)
      << f.error().message;
}

}  // namespace
}  // namespace rvf::meta
