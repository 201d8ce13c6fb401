// Shows text hits; shared by `rvf text search` and `rvf demo`.
#pragma once
#include <string>
#include <vector>

#include "records.hpp"
#include "text_store/text_store.hpp"

namespace rvf::cli {

// Matched words are bold on a terminal and between ** elsewhere. `records`: fields to show besides
// path, lines and text; may be null.
void print_hits(const std::string& query, const std::vector<text_store::SearchHit>& hits,
                size_t width, const Records* records = nullptr);
// The fields of `records`, or all of them if it has none.
std::string hits_json(const std::string& query, const std::vector<text_store::SearchHit>& hits,
                      const Records& records);

}  // namespace rvf::cli
