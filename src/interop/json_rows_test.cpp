#include "interop/json_rows.hpp"

#include "interop/meta_rows_test_util.hpp"

namespace rvf::interop {
namespace {

TEST_F(MetaRowsFile, RowsMayStandInOneArrayOrOverSeveralLines) {
  for (const char* content :
       {"[{\"a\":1},{\"a\":2}]", "\xEF\xBB\xBF [\n {\"a\":1} ,\r\n {\n\"a\":\n2}\n]\n",
        "{\n  \"a\": 1\n}\n{\"a\":2}", "{\"a\":1}\r{\"a\":2}\r"}) {
    expect(read(content, "", 1), "a", "i64", {"1", "2"});
  }
  expect_error("[{\"a\":1},]", {}, ErrorCode::kCorrupt,
               "line 1: not JSON: a comma before the closing bracket");
  expect_error("[{\"a\":1}\n{\"a\":2}]", {}, ErrorCode::kCorrupt,
               "line 2: not JSON: a comma is missing, or the closing bracket");
  expect_error("[{\"a\":1},\n{\"a\":2}", {}, ErrorCode::kCorrupt,
               "line 2: not JSON: a comma is missing, or the closing bracket");
  expect_error("[{\"a\":1}]\n{}", {}, ErrorCode::kCorrupt,
               "line 2: not JSON: more after the array");
  expect_error(
      "{\"a\":1},\n{\"a\":2}\n", {}, ErrorCode::kCorrupt,
      "line 1: not JSON: a comma between rows; rows stand one a line, or all in one [array]");
  expect_error("{\"a\":1}\nhello\n", {}, ErrorCode::kCorrupt,
               "line 2: not JSON: a row begins with '{' or '[', not 'h'");
  expect_error(std::string("{\"a\":1}\n\0{\"a\":2}\n", 18), {}, ErrorCode::kCorrupt,
               "line 2: not JSON: a row begins with '{' or '[', not '?'");
  EXPECT_EQ(read("[]").rows, 0u);
}

TEST_F(MetaRowsFile, NumbersBeyond64BitsKeepTheirDigitsOrAreRefused) {
  const std::string big = "123456789012345678901234567890";
  expect(read("{\"n\":" + big + ",\"l\":[1," + big + "],\"s\":\"x\"}\n", "n:string"), "n", "string",
         {'"' + big + '"'});
  expect(read("{\"l\":[1," + big + "]}\n"), "l", "string", {"\"[1," + big + "]\""});
  expect(read("{\"n\":18446744073709551616}\n", "n:f64"), "n", "f64", {"18446744073709551616.0"});
  expect(read("{\"n\":1e400}\n", "n:string"), "n", "string", {"\"1e400\""});
  expect(read("{\"n\":{\"k\":" + big + "}}\n", "n:string"), "n", "string",
         {"\"{\\\"k\\\":" + big + "}\""});
  expect_error(
      "{\"n\":" + big + "}\n", {}, ErrorCode::kBadMetadata,
      "line 1: field \"n\": " + big +
          " is beyond 64 bits; --schema n:string keeps its digits, n:f64 takes what a double "
          "is exactly");
  EXPECT_EQ(read_table(file("f", "{\"n\":" + big + "}\n"), declared("n:f64")).error().code,
            ErrorCode::kBadMetadata);
  EXPECT_EQ(read_table(file("c", "n\n" + big + "\n"), declared("n:f64")).error().code,
            ErrorCode::kBadMetadata);
  EXPECT_EQ(read_table(file("m", "{\"n\":" + big + ",\"t\":\"\\uFDD0\"}\n")).error().code,
            ErrorCode::kCorrupt)
      << "a text that could be taken for a number's digits";
}

TEST_F(MetaRowsFile, AFieldThatIsThereTwiceIsRefusedAlsoWhereOneIsNull) {
  for (const char* row : {R"({"a":1,"a":2})", R"({"a":null,"a":1})", R"({"a":1,"a":null})",
                          R"({"a.b":1,"a":{"b":2}})", R"({"a":{"b":1},"a.b":null})"}) {
    EXPECT_EQ(read_table(file("rows", row)).error().code, ErrorCode::kBadMetadata) << row;
  }
}

}  // namespace
}  // namespace rvf::interop
