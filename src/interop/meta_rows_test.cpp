#include "interop/meta_rows.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "interop/meta_rows_test_util.hpp"

namespace rvf::interop {
namespace {

TEST_F(MetaRowsFile, JsonlFindsTheTypes) {
  const Table t = read(R"({"id":7,"lang":"de","year":2020,"price":1.5,"open":true,"tags":["a","b"]}
{"id":9,"lang":null,"year":-1,"price":2,"open":false,"tags":[]}

{"id":0,"year":9223372036854775807,"big":18446744073709551615}
)");
  EXPECT_EQ(t.rows, 3u);
  EXPECT_EQ(t.ids, (std::vector<uint64_t>{7, 9, 0}));
  EXPECT_TRUE(t.keys.empty());
  EXPECT_EQ(t.values.size(), 6u);
  expect(t, "lang", "string", {"\"de\"", "null", "null"});
  expect(t, "year", "i64", {"2020", "-1", "9223372036854775807"});
  expect(t, "price", "f64", {"1.5", "2.0", "null"});
  expect(t, "open", "bool", {"true", "false", "null"});
  expect(t, "tags", "list", {R"(["a","b"])", "[]", "null"});
  expect(t, "big", "u64", {"null", "null", "18446744073709551615"});
}

TEST_F(MetaRowsFile, NestedObjectsAreTakenApartAndOtherArraysAreText) {
  const Table t = read(R"({"author":{"name":"x","address":{"city":"Ulm"}},"empty":{},"v":[1,2.5]}
{"author":{"name":"y"},"v":["a",1],"w":[]}
{"v":["a"],"w":[{"k":[null,true]}]}
)");
  EXPECT_TRUE(t.ids.empty());
  EXPECT_EQ(t.values.size(), 4u);
  expect(t, "author.name", "string", {"\"x\"", "\"y\"", "null"});
  expect(t, "author.address.city", "string", {"\"Ulm\"", "null", "null"});
  expect(t, "v", "string", {"\"[1,2.5]\"", R"("[\"a\",1]")", R"("[\"a\"]")"});
  expect(t, "w", "string", {"null", "\"[]\"", R"("[{\"k\":[null,true]}]")"});
}

TEST_F(MetaRowsFile, WholeNumbersAndOthersTogetherAreF64AlsoOverBatches) {
  const std::string content = "{\"a\":1}\n{\"a\":2}\n{\"a\":0.5}\n{\"a\":4}\n";
  expect(read(content), "a", "f64", {"1.0", "2.0", "0.5", "4.0"});
  expect(read(content, "", 2), "a", "f64", {"1", "2", "0.5", "4.0"});
  expect(read("{\"a\":5}\n{\"a\":9223372036854775808}\n"), "a", "u64",
         {"5", "9223372036854775808"});
  expect(read("{\"a\":-5}\n{\"a\":9223372036854775808}\n"), "a", "f64",
         {"-5.0", "9223372036854775808.0"});
  expect(read("{\"a\":5}\n{\"a\":9223372036854775808}\n", "", 1), "a", "f64",
         {"5", "9223372036854775808.0"});
}

TEST_F(MetaRowsFile, ANumberThatF64CannotHoldIsAnError) {
  expect_error("{\"a\":9007199254740993}\n{\"a\":0.5}\n", {}, ErrorCode::kBadMetadata,
               "line 1: field \"a\": 9007199254740993 (i64) does not fit f64, the type of the rows "
               "before; --schema a:string would keep both as text");
}

TEST_F(MetaRowsFile, ATypeThatDisagreesNamesLineFieldValueAndBothTypes) {
  const std::string rest =
      "line 2: field \"a\": \"x\" (string) does not fit i64, the type of the rows before; --schema "
      "a:string would keep both as text";
  expect_error("{\"a\":1}\n{\"a\":\"x\"}\n", {}, ErrorCode::kBadMetadata, rest);
  expect_error("{\"a\":1}\n{\"a\":\"x\"}\n", {}, ErrorCode::kBadMetadata, rest, 1);
  expect_error("{\"a\":[\"x\"]}\n\n{\"a\":true}\n", {}, ErrorCode::kBadMetadata,
               "line 3: field \"a\": true (bool) does not fit list, the type of the rows before; "
               "--schema a:string would keep both as text");
  expect_error("{\"a\":[\"x\"]}\n{\"a\":[1]}\n", {}, ErrorCode::kBadMetadata,
               "line 2: field \"a\": [1] (array) does not fit list, the type of the rows before; "
               "--schema a:string would keep both as text",
               1);
}

TEST_F(MetaRowsFile, StringKeepsBothAsText) {
  expect(read("{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":2.0}\n{\"a\":true}\n{\"a\":[1,\"b\"]}\n"
              "{\"a\":[\"c\"]}\n{\"a\":{\"b\":{\"c\":1}}}\n{\"a\":null}\n",
              "a:string"),
         "a", "string",
         {"\"1\"", "\"x\"", "\"2.0\"", "\"true\"", R"("[1,\"b\"]")", R"("[\"c\"]")",
          R"("{\"b\":{\"c\":1}}")", "null"});
}

TEST_F(MetaRowsFile, GivenTypesConvertWithoutLoss) {
  expect(read("{\"a\":\"2024-05-01T12:00:00+02:00\"}\n{\"a\":1}\n", "a:timestamp"), "a",
         "timestamp", {"\"2024-05-01T10:00:00Z\"", "\"1970-01-01T00:00:00.000000001Z\""});
  expect(read("{\"a\":\"de\"}\n{\"a\":5}\n{\"a\":false}\n", "a:enum"), "a", "enum",
         {"\"de\"", "\"5\"", "\"false\""});
  expect(read("{\"a\":\"true\"}\n{\"a\":0}\n{\"a\":1}\n{\"a\":false}\n", "a:bool"), "a", "bool",
         {"true", "false", "true", "false"});
  expect(read("{\"a\":3.0}\n{\"a\":\"-4\"}\n{\"a\":1e3}\n", "a:i64"), "a", "i64",
         {"3", "-4", "1000"});
  expect(read("{\"a\":3}\n{\"a\":\"18446744073709551615\"}\n", "a:u64"), "a", "u64",
         {"3", "18446744073709551615"});
  expect(read("{\"a\":3}\n{\"a\":\"0.1\"}\n{\"a\":\"-0\"}\n", "a:f64"), "a", "f64",
         {"3.0", "0.1", "-0.0"});
  expect(read("{\"a\":\"x\"}\n{\"a\":[\"[y]\"]}\n{\"a\":\"[z]\"}\n", "a:list"), "a", "list",
         {"[\"x\"]", "[\"[y]\"]", "[\"[z]\"]"});
  expect(read("{\"a\":\"//4=\"}\n{\"a\":\"\"}\n", "a:bytes"), "a", "bytes", {"\"//4=\"", "\"\""});
}

TEST_F(MetaRowsFile, WhatAGivenTypeCannotHoldIsAnError) {
  const auto refuse = [&](const std::string& type, const std::string& value,
                          const std::string& shown) {
    expect_error("{\"a\":" + value + "}\n", declared("a:" + type), ErrorCode::kBadMetadata,
                 "line 1: field \"a\": " + shown + " does not fit " + type +
                     ", the type given for it; --schema a:string would keep it as text");
  };
  refuse("i64", "2.5", "2.5 (f64)");
  refuse("i64", "1e19", "1e+19 (f64)");
  refuse("i64", "9223372036854775808", "9223372036854775808 (u64)");
  refuse("i64", "\"007\"", "\"007\" (string)");
  refuse("i64", "\" 7\"", "\" 7\" (string)");
  refuse("i64", "true", "true (bool)");
  refuse("u64", "-1", "-1 (i64)");
  refuse("f64", "9007199254740993", "9007199254740993 (i64)");
  refuse("f64", "\"nan\"", "\"nan\" (string)");
  refuse("f64", "\"1e999\"", "\"1e999\" (string)");
  refuse("bool", "\"yes\"", "\"yes\" (string)");
  refuse("bool", "2", "2 (i64)");
  refuse("timestamp", "\"2024\"", "\"2024\" (string)");
  refuse("timestamp", "\"May 1st\"", "\"May 1st\" (string)");
  refuse("timestamp", "0.5", "0.5 (f64)");
  refuse("bytes", "\"abc\"", "\"abc\" (string)");
  refuse("bytes", "\"ab==\"", "\"ab==\" (string)");
  refuse("bytes", "\"=b==\"", "\"=b==\" (string)");
  refuse("list", "[1]", "[1] (array)");
  refuse("enum", "[\"x\"]", "[\"x\"] (list)");
  refuse("bool", "\"" + std::string(50, 'x') + "\"", "\"" + std::string(39, 'x') + "... (string)");
}

TEST_F(MetaRowsFile, AFieldOfTheStoreKeepsItsTypeAndWholeNumbersWiden) {
  auto t = read_table(file("rows", "{\"s\":5,\"n\":1,\"e\":\"x\"}\n{\"n\":2.5}\n"),
                      known("s:string,n:i64,e:enum"));
  ASSERT_TRUE(t.ok()) << t.error().message;
  expect(*t, "s", "string", {"\"5\"", "null"});
  expect(*t, "n", "f64", {"1.0", "2.5"});
  expect(*t, "e", "enum", {"\"x\"", "null"});
  expect_error(
      "{\"n\":\"x\"}\n", known("n:i64"), ErrorCode::kBadMetadata,
      "line 1: field \"n\": \"x\" (string) does not fit i64, the type it has in the store");
  expect_error("{\"n\":-1}\n", known("n:u64"), ErrorCode::kBadMetadata,
               "line 1: field \"n\": -1 (i64) does not fit u64, the type it has in the store");
  MetaOptions both = known("n:i64");
  both.declared = *parse_schema("n:f64");
  expect(*read_table(file("rows", "{\"n\":1}\n"), both), "n", "f64", {"1.0"});
}

TEST_F(MetaRowsFile, RowsJoinByNumberOrTextOrOrder) {
  EXPECT_EQ(read("{\"id\":18446744073709551614}\n").ids,
            (std::vector<uint64_t>{18446744073709551614ULL}));
  EXPECT_EQ(read("{\"id\":\"a\"}\n{\"id\":\"7\"}\n").keys, (std::vector<std::string>{"a", "7"}));
  MetaOptions options;
  options.id_field = "doc.key";
  const auto t = read_table(file("rows", "{\"doc\":{\"key\":\"k1\",\"x\":1}}\n"), options);
  ASSERT_TRUE(t.ok()) << t.error().message;
  EXPECT_EQ(t->keys, (std::vector<std::string>{"k1"}));
  expect(*t, "doc.x", "i64", {"1"});

  expect_error("{\"id\":1}\n{\"id\":\"a\"}\n", {}, ErrorCode::kCorrupt,
               "line 2: the id \"a\" is a text, and those before are numbers (0 to 2^64-2, without "
               "signs, blanks or leading zeros); --id-type text takes all as texts");
  expect_error("{\"id\":1}\n{\"a\":1}\n", {}, ErrorCode::kCorrupt,
               "line 2: its id is missing, the rows before have one", 1);
  expect_error("{\"a\":1}\n{\"id\":null,\"a\":1}\n{\"id\":3}\n", {}, ErrorCode::kCorrupt,
               "line 3: it has an id, the rows before have none");
  for (const char* bad : {"-1", "1.0", "1e3", "true", "[1]", "18446744073709551616"}) {
    expect_error("{\"id\":" + std::string(bad) + "}\n", {}, ErrorCode::kOutOfRange,
                 "line 1: \"id\" is neither a whole number from 0 to 2^64-2 nor a text");
  }
  expect_error("{\"id\":\"\"}\n", {}, ErrorCode::kCorrupt, "line 1: the id is empty");
  expect_error("{\"id\":1,\"id\":2}\n", {}, ErrorCode::kBadMetadata,
               "line 1: the field \"id\" is there twice");
  options.id_field = "key";
  options.id_required = true;
  expect_error("{\"a\":1}\n", options, ErrorCode::kBadMetadata, "line 1: no \"key\" in it");
}

TEST_F(MetaRowsFile, FieldNamesMustBeThoseOfAStore) {
  const std::string taken =
      "is taken: \"id\", \"vector\", \"embedding\" and names that begin with '_' belong to the "
      "store; "
      "rename it";
  expect_error("{\"_id\":1}\n", {}, ErrorCode::kBadArgument,
               "line 1: the field name \"_id\" " + taken);
  MetaOptions other;
  other.id_field = "key";
  expect_error("{\"id\":1,\"key\":1}\n", other, ErrorCode::kBadArgument,
               "line 1: the field name \"id\" " + taken);
  expect_error("{\"\":1}\n", {}, ErrorCode::kBadArgument,
               "line 1: the field name \"\" has 0 bytes; 1 to 255 without control characters are "
               "possible");
  expect_error("{\"a\\nb\":1}\n", {}, ErrorCode::kBadArgument,
               "line 1: the field name \"?\" has 3 bytes; 1 to 255 without control characters are "
               "possible");
  expect_error("{\"" + std::string(256, 'n') + "\":1}\n", {}, ErrorCode::kBadArgument,
               "line 1: the field name \"" + std::string(40, 'n') +
                   "\" has 256 bytes; 1 to 255 without control characters are possible");
  expect_error("{\"a.b\":1,\"a\":{\"b\":2}}\n", {}, ErrorCode::kBadMetadata,
               "line 1: the field \"a.b\" is there twice");
  expect(read("{\"" + std::string(255, 'n') + "\":1}\n"), std::string(255, 'n'), "i64", {"1"});
  expect(read("{\"_expires\":\"2030-01-01\"}\n"), "_expires", "timestamp",
         {"\"2030-01-01T00:00:00Z\""});
}

TEST_F(MetaRowsFile, DamagedInputIsRefused) {
  expect_error("{\"a\":1}\n{\"a\":\n", {}, ErrorCode::kCorrupt,
               "line 2: not JSON: it ends within a value");
  expect_error("{\"a\":1}\n{\"a\":}\n", {}, ErrorCode::kCorrupt,
               "line 2: not JSON: The JSON document has an improper structure: missing or "
               "superfluous commas, braces, missing keys, etc.");
  expect_error(
      "{\"a\":NaN}\n", {}, ErrorCode::kCorrupt,
      "line 1: not JSON: The JSON document has an improper structure: missing or "
      "superfluous commas, braces, missing keys, etc. (NaN and Infinity are no JSON; null is)");
  expect_error("{\"a\":1}\n[1]\n", {}, ErrorCode::kCorrupt,
               "line 2: not a JSON object; one a line is wanted");
  expect_error("", {}, ErrorCode::kBadArgument, "the file holds no rows");
  expect_error(" \n\n", {}, ErrorCode::kBadArgument, "the file holds no rows");
  EXPECT_EQ(read_table(path("missing")).error().code, ErrorCode::kNoSuchFile);
  EXPECT_EQ(read_table(file("utf8", "{\"a\":\"\xE4\"}\n")).error().code, ErrorCode::kCorrupt);
  std::string deep;
  for (int i = 0; i < 400; ++i) deep += "{\"\":";
  EXPECT_EQ(read_table(file("deep", deep + "1" + std::string(400, '}') + "\n")).error().code,
            ErrorCode::kBadArgument);
  const std::string gz = gzip("cut.gz", "{\"a\":1}\n");
  std::filesystem::resize_file(gz, std::filesystem::file_size(gz) - 6);
  EXPECT_EQ(read_table(gz).error().code, ErrorCode::kTruncated);
}

TEST_F(MetaRowsFile, GzipIsReadAsItIs) {
  const auto t = read_table(gzip("rows.gz", "{\"a\":1}\n{\"a\":2}\n"), {}, 1);
  ASSERT_TRUE(t.ok()) << t.error().message;
  expect(*t, "a", "i64", {"1", "2"});
}

TEST_F(MetaRowsFile, LargeValuesHaveALimit) {
  const std::string most(16 << 20, 'x');
  EXPECT_EQ(read("{\"a\":\"" + most + "\"}\n").values.at("a")[0].size(), most.size() + 2);
  expect_error("{\"a\":\"" + most + "x\"}\n", {}, ErrorCode::kTooLarge,
               "line 1: field \"a\": a value of more than 16 MiB");
  std::string list = "{\"a\":[\"\"";
  for (int i = 0; i < (1 << 20); ++i) list += ",\"\"";
  expect_error(list + "]}\n", {}, ErrorCode::kTooLarge,
               "line 1: field \"a\": a value of more than 16 MiB");
}

TEST_F(MetaRowsFile, RowsThatShareNoFieldEndABatchEarlyInsteadOfFillingMemory) {
  std::string content;
  for (int i = 0; i < 5000; ++i) content += "{\"f" + std::to_string(i) + "\":1}\n";
  auto reader = MetaRowReader::open(file("rows", content), {});
  ASSERT_TRUE(reader.ok());
  MetaRows rows;
  size_t total = 0;
  size_t batches = 0;
  for (;; ++batches) {
    const auto n = (*reader)->read(5000, rows);
    ASSERT_TRUE(n.ok()) << n.error().message;
    if (*n == 0) break;
    EXPECT_EQ(rows.columns.size(), *n);
    EXPECT_LE(*n * *n, size_t{4} << 20);
    total += *n;
  }
  EXPECT_EQ(total, 5000u);
  EXPECT_EQ(batches, 3u);
}

TEST_F(MetaRowsFile, CsvFindsTheTypesAndQuotesMakeText) {
  const Table t = read(
      "id,lang,year,price,open,zip,note,big\r\n"
      "7,de,2020,1.5,true,01234,\"a, \"\"b\"\"\nc\",18446744073709551615\r\n"
      "9,,-1,2,False,80331,\"\",3\n"
      "11, en ,,,,,\" x \",\n");
  EXPECT_EQ(t.ids, (std::vector<uint64_t>{7, 9, 11}));
  expect(t, "lang", "string", {"\"de\"", "null", "\"en\""});
  expect(t, "year", "i64", {"2020", "-1", "null"});
  expect(t, "price", "f64", {"1.5", "2.0", "null"});
  expect(t, "open", "bool", {"true", "false", "null"});
  expect(t, "zip", "string", {"\"01234\"", "\"80331\"", "null"});
  expect(t, "note", "string", {R"("a, \"b\"\nc")", "\"\"", "\" x \""});
  expect(t, "big", "u64", {"18446744073709551615", "3", "null"});
}

TEST_F(MetaRowsFile, CsvTakesEverySeparatorAndAByteOrderMark) {
  for (const char* s : {"\xEF\xBB\xBF"
                        "a;b\n1;x,y\n",
                        "a\tb\n1\tx,y\n", "a,b\n1,\"x,y\"\n"}) {
    const Table t = read(s);
    expect(t, "a", "i64", {"1"});
    expect(t, "b", "string", {"\"x,y\""});
  }
}

TEST_F(MetaRowsFile, CsvValuesThatDoNotAgreeAreTextWithinABatch) {
  const std::string content = "a,b\n1,true\nx,0\n2.50,\n";
  expect(read(content), "a", "string", {"\"1\"", "\"x\"", "\"2.50\""});
  expect(read(content), "b", "string", {"\"true\"", "\"0\"", "null"});
  expect_error(content, {}, ErrorCode::kBadMetadata,
               "line 3: field \"a\": x (string) does not fit i64, the type of the rows before; "
               "--schema a:string would keep both as text",
               1);
  expect(read(content, "a:string,b:string", 1), "a", "string", {"\"1\"", "\"x\"", "\"2.50\""});
}

TEST_F(MetaRowsFile, CsvConvertsToGivenTypes) {
  const Table t = read("t,l,e,b\n2024-05-01,\"[\"\"a\"\",\"\"b\"\"]\",7,//4=\n0,c,x,\n",
                       "t:timestamp,l:list,e:enum,b:bytes");
  expect(t, "t", "timestamp", {"\"2024-05-01T00:00:00Z\"", "\"1970-01-01T00:00:00Z\""});
  expect(t, "l", "list", {R"(["a","b"])", R"(["c"])"});
  expect(t, "e", "enum", {"\"7\"", "\"x\""});
  expect(t, "b", "bytes", {"\"//4=\"", "null"});
}

TEST_F(MetaRowsFile, OneIdOfACsvThatIsNoNumberMakesAllOfThemTexts) {
  EXPECT_EQ(read("id,a\nx,1\n12,2\n").keys, (std::vector<std::string>{"x", "12"}));
  for (const char* odd : {"x", "007", "-1", "1.0", "+1", "18446744073709551615"}) {
    const Table t = read("id,a\n12,1\n" + std::string(odd) + ",2\n", "", 1);
    EXPECT_EQ(t.keys, (std::vector<std::string>{"12", odd}));
  }
  EXPECT_EQ(read("id,a\n12,1\n0,2\n").ids, (std::vector<uint64_t>{12, 0}));
  MetaOptions numbers;
  numbers.ids = IdKind::kNumbers;
  expect_error(
      "id,a\n12,1\n007,2\n", numbers, ErrorCode::kCorrupt,
      "line 3: the id \"007\" is a text, and the ids here are numbers (0 to 2^64-2, without "
      "signs, blanks or leading zeros)");
  MetaOptions texts;
  texts.ids = IdKind::kTexts;
  EXPECT_EQ(read_table(file("t", "{\"id\":5}\n"), texts)->keys, (std::vector<std::string>{"5"}));
}

TEST_F(MetaRowsFile, DamagedCsvIsRefused) {
  expect_error("a,b\n1\n", {}, ErrorCode::kCorrupt, "line 2: 1 fields, the header has 2");
  expect_error("a,b\n1,\"x\ny\n", {}, ErrorCode::kCorrupt, "line 2: a quote stays open");
  expect_error("a,\n1,2\n", {}, ErrorCode::kBadArgument,
               "line 1: column 2 has no name (the first line must be a header of field names in "
               "UTF-8)");
  expect_error("a,a\n1,2\n", {}, ErrorCode::kBadArgument, "line 1: two columns are named \"a\"");
  expect_error("a,b\n1,\xE4\n", {}, ErrorCode::kCorrupt, "line 2: field \"b\" is no UTF-8");
}

// ---- metadata that vectors bring themselves

class ExtraFile : public MetaRowsFile {
 protected:
  Result<Table> read_extra(const std::string& where, size_t at_once, MetaOptions options = {}) {
    ReadOptions read_options;
    read_options.want_extra = true;
    read_options.id_field = options.id_field;
    read_options.id_required = options.id_required;
    auto reader = open_vectors(where, read_options);
    if (!reader) return reader.error();
    ExtraColumns extra(where, (*reader)->info().format, options);
    dim_ = (*reader)->info().dim;
    Table table;
    VectorChunk chunk;
    MetaRows rows;
    for (;;) {
      const auto n = (*reader)->read(at_once, chunk);
      if (!n) return n.error();
      if (*n == 0) return table;
      if (const auto s = extra.read(chunk, rows); !s) return s.error();
      EXPECT_EQ(rows.count, *n);
      chunk.to_f32(vectors_);
      ids_.insert(ids_.end(), chunk.ids.begin(), chunk.ids.end());
      keys_.insert(keys_.end(), chunk.string_ids.begin(), chunk.string_ids.end());
      add(table, rows);
    }
  }

  uint32_t dim_ = 0;
  std::vector<float> vectors_;
  std::vector<uint64_t> ids_;
  std::vector<std::string> keys_;
};

TEST_F(ExtraFile, TheOtherKeysOfAJsonlAreItsMetadata) {
  const std::string where =
      file("v.jsonl",
           "{\"id\":7,\"vector\":[1,2],\"lang\":\"de\",\"n\":{\"x\":1.0}}\n"
           "{\"lang\":\"en\",\"id\":8,\"vector\":[3,4],\"n\":{\"x\":0.1},\"t\":[\"a\"]}\n");
  const auto t = read_extra(where, 1);
  ASSERT_TRUE(t.ok()) << t.error().message;
  EXPECT_EQ(ids_, (std::vector<uint64_t>{7, 8}));
  EXPECT_TRUE(t->ids.empty());
  expect(*t, "lang", "string", {"\"de\"", "\"en\""});
  expect(*t, "n.x", "f64", {"1.0", "0.1"});
  expect(*t, "t", "list", {"null", "[\"a\"]"});
}

TEST_F(ExtraFile, AnotherFieldCanBeTheId) {
  MetaOptions options;
  options.id_required = true;
  for (const auto& [field, row] : {std::pair("doi", R"({"vector":[1],"doi":"10.1/x","id":7})"),
                                   {"doc.doi", R"({"vector":[1],"doc":{"doi":"10.1/x"}})"}}) {
    options.id_field = field;
    keys_.clear();
    const auto t = read_extra(file("v.jsonl", row), 1, options);
    ASSERT_TRUE(t.ok()) << t.error().message;
    EXPECT_EQ(keys_, (std::vector<std::string>{"10.1/x"}));
    EXPECT_TRUE(t->values.empty());
  }
}

TEST_F(ExtraFile, ErrorsNameTheRow) {
  const std::string where =
      file("v.jsonl", "{\"vector\":[1],\"a\":1}\n{\"vector\":[1],\"a\":\"x\"}\n");
  const auto t = read_extra(where, 10);
  ASSERT_FALSE(t.ok());
  EXPECT_EQ(t.error().message, where +
                                   ": row 1: field \"a\": \"x\" (string) does not fit i64, the "
                                   "type of the rows before; --schema a:string would keep both as "
                                   "text");
}

TEST_F(ExtraFile, NumberedColumnsOfACsvAreTheVectorAndTheOthersMetadata) {
  const auto t = read_extra(file("v.csv",
                                 "id,year,v0,v1,v2,title\n"
                                 "7,2020,1,2,3,\"a\nb\"\n8,,4,5,6,7\n"),
                            10);
  ASSERT_TRUE(t.ok()) << t.error().message;
  EXPECT_EQ(dim_, 3u);
  EXPECT_EQ(vectors_, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(ids_, (std::vector<uint64_t>{7, 8}));
  expect(*t, "year", "i64", {"2020", "null"});
  expect(*t, "title", "string", {"\"a\\nb\"", "\"7\""});
}

TEST_F(ExtraFile, WithoutNumberedNamesTheNumbersOfTheFirstRowAreTheVector) {
  const auto t = read_extra(file("v.csv", "x,lang,y,note\n1,de,2,\n3,en,4,hm\n"), 1);
  ASSERT_TRUE(t.ok()) << t.error().message;
  EXPECT_EQ(vectors_, (std::vector<float>{1, 2, 3, 4}));
  expect(*t, "lang", "string", {"\"de\"", "\"en\""});
  expect(*t, "note", "string", {"null", "\"hm\""});
  vectors_.clear();
  ASSERT_TRUE(read_extra(file("t.csv", "x1,x2,y1,y2\n1,2,3,4\n"), 1).ok());
  EXPECT_EQ(vectors_, (std::vector<float>{1, 2, 3, 4}));
  const auto none = read_extra(file("n.csv", "1,2\n3,4\n"), 10);
  ASSERT_TRUE(none.ok()) << none.error().message;
  EXPECT_TRUE(none->values.empty());
}

// ---- schemas

TEST(SchemaText, BothFormsGiveTheSameFields) {
  const std::vector<Field> fields = {{"year", FieldType::kI64, kIndexNone},
                                     {"lang", FieldType::kEnum, kIndexNone},
                                     {"title", FieldType::kString, kIndexWords},
                                     {"tags", FieldType::kStringList, kIndexValues}};
  const auto list = parse_schema("year:i64, lang : enum,title:string:words,tags:list:index");
  ASSERT_TRUE(list.ok()) << list.error().message;
  EXPECT_EQ(*list, fields);
  const auto json = parse_schema(
      R"({"year":"i64","lang":{"type":"enum"},"title":{"index":["words"],"type":"string"},)"
      R"("tags":{"type":"list","index":"values"}})");
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ(*json, fields);
  EXPECT_EQ(parse_schema("t:string:words:index")->front().indexed, kIndexWords | kIndexValues);
  EXPECT_EQ(*parse_schema(R"({"a:b, c":"u64"})"),
            (std::vector<Field>{{"a:b, c", FieldType::kU64, kIndexNone}}));
}

TEST(SchemaText, MistakesAreNamed) {
  const auto says = [](const std::string& text) {
    const auto fields = parse_schema(text);
    EXPECT_FALSE(fields.ok()) << text;
    if (fields.ok()) return std::string();
    EXPECT_EQ(fields.error().code, ErrorCode::kBadArgument);
    return fields.error().message;
  };
  EXPECT_EQ(says(""), "schema: is empty; name:type,... is wanted");
  EXPECT_EQ(says("year"),
            "schema: \"year\" has no type; name:type is wanted, types are string bytes i64 u64 f64 "
            "bool enum timestamp list");
  EXPECT_EQ(says("year:i46"),
            "schema: field \"year\": no type is named \"i46\"; types are string bytes i64 u64 f64 "
            "bool enum timestamp list");
  EXPECT_EQ(says("a:i64:words"),
            "schema: field \"a\": words are indexed of string fields, it is i64");
  EXPECT_EQ(says("a:string:fast"),
            "schema: field \"a\": no index is named \"fast\"; \"index\" and \"words\" are");
  EXPECT_EQ(says("a:i64,a:f64"), "schema: the field \"a\" is there twice");
  EXPECT_EQ(
      says("id:u64"),
      "schema: the field name \"id\" is taken: \"id\", \"vector\", \"embedding\" and names that "
      "begin with '_' belong to the store");
  EXPECT_EQ(says(":i64"), "schema: a field name has 1 to 255 bytes");
  EXPECT_NE(says("a:i64,"), "");
  EXPECT_EQ(says("{\"a\":5}"), "schema: field \"a\": neither a type nor {\"type\":...}");
  EXPECT_EQ(says("{\"a\":{\"index\":[]}}"), "schema: field \"a\": has no \"type\"");
  EXPECT_EQ(says("{\"a\":{\"type\":\"i64\",\"indx\":1}}"),
            "schema: field \"a\": \"indx\" is not known; \"type\" and \"index\" are");
  EXPECT_NE(says("{"), "");
}

TEST_F(MetaRowsFile, ASchemaCanStandInAFile) {
  const std::string json = file("s.json", "\n{\"year\":\n\"i64\"}\n");
  const std::string list = file("s.txt", "year:i64\n");
  const std::vector<Field> fields = {{"year", FieldType::kI64, kIndexNone}};
  EXPECT_EQ(*schema_argument(json), fields);
  EXPECT_EQ(*schema_argument("@" + list), fields);
  EXPECT_EQ(*schema_argument("year:i64"), fields);
  EXPECT_EQ(*schema_argument("{\"year\":\"i64\"}"), fields);
  const auto bad = schema_argument(file("bad.json", "[]"));
  ASSERT_FALSE(bad.ok());
  EXPECT_TRUE(bad.error().message.starts_with(path("bad.json") + ": schema: "))
      << bad.error().message;
}

}  // namespace
}  // namespace rvf::interop
