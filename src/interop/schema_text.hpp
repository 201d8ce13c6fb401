// Fields as people write them:
//   year:i64,lang:enum,title:string:words,tags:list:index
//   {"year":"i64","title":{"type":"string","index":["words"]}}
// Types are those of parse_field_type(). Indexes are "index" (values) and "words" (of strings).
// Pure functions, thread-safe. Errors: kBadArgument, naming the field, and the file's own.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "rvf/metadata.hpp"
#include "rvf/result.hpp"

namespace rvf::interop {

// Either form; text that begins with '{' is JSON.
Result<std::vector<Field>> parse_schema(std::string_view text);
Result<std::vector<Field>> read_schema(const std::string& path);  // a file of either form
// An argument: the path of a file if it begins with '@' or ends with ".json", else the text.
Result<std::vector<Field>> schema_argument(const std::string& argument);

}  // namespace rvf::interop
