#include "filter_fuzz.hpp"

namespace {
constexpr std::string_view kWords[] = {" and ",
                                       " or ",
                                       " not ",
                                       "(",
                                       ")",
                                       " = ",
                                       " != ",
                                       " < ",
                                       " <= ",
                                       " > ",
                                       " >= ",
                                       " in (",
                                       ",",
                                       " between ",
                                       " is null",
                                       " is not null",
                                       " starts with ",
                                       " contains ",
                                       " match ",
                                       "true",
                                       "false",
                                       "null",
                                       "s",
                                       "b",
                                       "i",
                                       "u",
                                       "f",
                                       "d",
                                       "e",
                                       "t",
                                       "l",
                                       "id",
                                       "`a ``b```",
                                       "'fox'",
                                       "\"red\"",
                                       "''",
                                       "x'00ff'",
                                       "'2024-01-31T10:00:00.5+01:00'",
                                       "0",
                                       "-1",
                                       "2.5",
                                       "1e19",
                                       "1e400",
                                       "9223372036854775807",
                                       "18446744073709551615",
                                       ".5",
                                       "i = 1",
                                       "d",
                                       "s match 'a'"};
}  // namespace

RVF_FUZZ {
  const rvf::meta::Schema schema = rvf::fuzz::filter_schema();
  const std::string text = rvf::fuzz::words_of(input, kWords);
  rvf::fuzz::check_filter(rvf::meta::parse_filter(text, schema), schema);
}
