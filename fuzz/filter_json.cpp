#include "filter_fuzz.hpp"

namespace {
constexpr std::string_view kWords[] = {"{",
                                       "}",
                                       "[",
                                       "]",
                                       ",",
                                       ":",
                                       "\"s\":",
                                       "\"b\":",
                                       "\"i\":",
                                       "\"u\":",
                                       "\"f\":",
                                       "\"d\":",
                                       "\"e\":",
                                       "\"t\":",
                                       "\"l\":",
                                       "\"id\":",
                                       "\"$eq\":",
                                       "\"$ne\":",
                                       "\"$gt\":",
                                       "\"$gte\":",
                                       "\"$lt\":",
                                       "\"$lte\":",
                                       "\"$in\":[",
                                       "\"$nin\":[",
                                       "\"$exists\":",
                                       "\"$not\":{",
                                       "\"$and\":[",
                                       "\"$or\":[",
                                       "\"$nor\":[",
                                       "\"$startsWith\":",
                                       "\"$contains\":",
                                       "\"$match\":",
                                       "\"$between\":[",
                                       "\"fox\"",
                                       "\"x'00ff'\"",
                                       "\"2024-01-31\"",
                                       "0",
                                       "-1",
                                       "2.5",
                                       "1e400",
                                       "18446744073709551615",
                                       "true",
                                       "false",
                                       "null",
                                       "{\"i\":1}",
                                       "{\"d\":true}",
                                       " ",
                                       "\"\""};
}  // namespace

RVF_FUZZ {
  const rvf::meta::Schema schema = rvf::fuzz::filter_schema();
  const std::string json = rvf::fuzz::words_of(input, kWords);
  rvf::fuzz::check_filter(rvf::meta::parse_filter_json(json, schema), schema);
}
