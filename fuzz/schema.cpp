// Fields as people write them, and the string ids beside a store of the JavaScript package.
#include "interop/schema_text.hpp"
#include "layouts/string_ids.hpp"

#include "fuzz.hpp"

RVF_FUZZ {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  if (const auto fields = rvf::interop::parse_schema(text); !fields) {
    rvf::fuzz::require(!fields.error().message.empty());
  }
  rvf::layouts::ForeignStore store;
  store.ids = {1, 2, 3, UINT64_MAX - 1};
  rvf::layouts::apply_string_ids(input, store);
  rvf::fuzz::require(store.keys.empty() || store.keys.size() == store.ids.size());
}
