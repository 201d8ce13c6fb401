// JSON values one after another, in lines or in one array; what parses must parse again as it is
// written.
#include "interop/json_rows.hpp"

#include "memory_file.hpp"

using namespace rvf;           // NOLINT: a program of one function
using namespace rvf::interop;  // NOLINT

RVF_FUZZ {
  const fuzz::MemoryFile file(input);
  auto source = ByteSource::open(file.path());
  if (!source) return;
  JsonRows rows(**source);
  JsonText json;
  std::string text;
  for (size_t n = 0; n < fuzz::kMaxItems; ++n) {
    const auto any = rows.next(text);
    if (!any.ok()) {
      fuzz::require(!any.error().message.empty());
      return;
    }
    if (!*any) return;
    const auto value = json.parse(text);
    if (!value) continue;
    std::string again = json.text_of(*value);
    JsonText second;
    const auto back = second.parse(again);
    fuzz::require(back.ok() && second.text_of(*back) == json.text_of(*value));
  }
}
