// Passages as rows of a store: the fields they have, and how they are written and read.
// Pure functions; thread-safe.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "rvf/store.hpp"

namespace rvf::text_store {

inline constexpr const char* kTextField = "text";
inline constexpr const char* kHeadingField = "heading";

struct StoredPassage {
  std::string path;  // of its file, as it was given
  std::string title;  // of its document
  std::string heading;  // the headings above it, outermost first; may be empty
  std::string text;
  int64_t mtime_ns = 0;  // of its file, since 1970
  uint64_t size = 0;  // bytes of its file
  uint32_t first_line = 0, last_line = 0;  // from 1
};

std::vector<Field> passage_fields();
// Column i of a batch whose row j is passage j. An empty heading is null.
std::vector<Column> columns_of(const std::vector<StoredPassage>& passages);
// In the order of the ids; fields that are null are empty.
Result<std::vector<StoredPassage>> read_passages(const Snapshot& snapshot,
                                                 std::span<const uint64_t> ids);

}  // namespace rvf::text_store
