// Shows text hits; shared by `rvf text search` and `rvf demo`.
#pragma once
#include <string>
#include <vector>

#include "text_store/text_store.hpp"

namespace rvf::cli {

// Matched words are bold on a terminal and between ** elsewhere.
void print_hits(const std::string& query, const std::vector<text_store::SearchHit>& hits,
                size_t width);
std::string hits_json(const std::string& query, const std::vector<text_store::SearchHit>& hits);

}  // namespace rvf::cli
