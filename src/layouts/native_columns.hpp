// Columns of a native store and metadata of a runtime container, which knows fewer types: enums
// travel as strings, timestamps as i64, lists of strings as JSON. What they were is kept beside
// them (NativeHints), so that the way back restores them.
#pragma once
#include <string>
#include <vector>

#include "layouts/foreign.hpp"
#include "layouts/rvfmeta.hpp"

namespace rvf::layouts {

// Whether a native store can have a field of this name, other than those of the library.
bool is_native_name(const std::string& name) noexcept;

std::string json_list(const std::vector<std::string>& list);
std::string json_text(const std::string& text);  // with quotes

// Gives the columns their native types and names, as `store.fields` says they were, and turns the
// column of string ids into keys.
void restore_native_columns(ForeignStore& store);

// A snapshot with one record for every id that has a value. `ids` ascend; columns have one value an
// id. Notes tell what RVFMETA cannot hold.
RvfMeta make_rvfmeta(const std::vector<uint64_t>& ids, const std::vector<Column>& columns,
                     const Record& file_metadata, std::vector<std::string>& notes);

}  // namespace rvf::layouts
