// What the tests of metadata rows share: a file's rows as one table of JSON values.
#pragma once
#include <map>

#include "interop/json_values.hpp"
#include "interop/meta_rows.hpp"
#include "interop/schema_text.hpp"
#include "interop/test_files.hpp"

namespace rvf::interop {

// All values of a file as JSON, by field; "null" where there is none.
struct Table {
  size_t rows = 0;
  std::vector<uint64_t> ids;
  std::vector<std::string> keys;
  std::map<std::string, std::string> types;  // of the last batch that had the field
  std::map<std::string, std::vector<std::string>> values;
};

inline void add(Table& table, const MetaRows& rows) {
  table.ids.insert(table.ids.end(), rows.ids.begin(), rows.ids.end());
  table.keys.insert(table.keys.end(), rows.keys.begin(), rows.keys.end());
  for (const Column& c : rows.columns) {
    EXPECT_EQ(c.values.size(), rows.count) << c.name;
    table.types[c.name] = field_type_name(c.type);
    auto& values = table.values[c.name];
    values.resize(table.rows, "null");
    for (const Value& v : c.values) {
      std::string text;
      append_json(text, v, c.type);
      values.push_back(text);
    }
  }
  table.rows += rows.count;
  for (auto& [name, values] : table.values) values.resize(table.rows, "null");
}

inline Result<Table> read_table(const std::string& path, const MetaOptions& options = {},
                                size_t at_once = 100) {
  auto reader = MetaRowReader::open(path, options);
  if (!reader) return reader.error();
  Table table;
  MetaRows rows;
  for (;;) {
    const auto n = (*reader)->read(at_once, rows);
    if (!n) return n.error();
    EXPECT_EQ(*n, rows.count);
    EXPECT_LE(*n, at_once);
    if (*n == 0) return table;
    EXPECT_EQ(rows.first_row, table.rows);
    add(table, rows);
  }
}

class MetaRowsFile : public TestFiles {
 protected:
  Table read(const std::string& content, const std::string& schema = "", size_t at_once = 100) {
    MetaOptions options;
    if (!schema.empty()) options.declared = *parse_schema(schema);
    auto table = read_table(file("rows", content), options, at_once);
    EXPECT_TRUE(table.ok()) << table.error().message;
    return table ? *table : Table();
  }
  void expect(const Table& table, const std::string& field, const std::string& type,
              const std::vector<std::string>& values) {
    ASSERT_TRUE(table.types.contains(field)) << field;
    EXPECT_EQ(table.types.at(field), type) << field;
    EXPECT_EQ(table.values.at(field), values) << field;
  }
  // The whole message but for the path in front of it.
  void expect_error(const std::string& content, const MetaOptions& options, ErrorCode code,
                    const std::string& says, size_t at_once = 100) {
    const std::string where = file("rows", content);
    const auto table = read_table(where, options, at_once);
    ASSERT_FALSE(table.ok()) << content;
    EXPECT_EQ(table.error().code, code) << table.error().message;
    EXPECT_EQ(table.error().message, where + ": " + says);
  }
  static MetaOptions declared(const std::string& schema) {
    MetaOptions options;
    options.declared = *parse_schema(schema);
    return options;
  }
  static MetaOptions known(const std::string& schema) {
    MetaOptions options;
    options.known = *parse_schema(schema);
    return options;
  }
};

}  // namespace rvf::interop
