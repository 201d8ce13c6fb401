// Ids that occur again: within a batch, or in the store that it goes to. Pure functions; they may throw
// std::bad_alloc.
#pragma once
#include <vector>

#include "interop/vector_file.hpp"
#include "rvf/metadata.hpp"
#include "rvf/result.hpp"

namespace rvf::interop {

enum class OnDuplicate : uint8_t {
  kBatch,  // the store answers: an error within a batch, replaced where it is there already
  kReplace,  // the last one stays
  kError,
  kKeep,  // the first one stays
};

// Takes the rows that do not stay out of a batch and its columns, and yields how many they were.
// there[i]: the store has the id of row i; needed for kError and kKeep. kDuplicateId.
Result<size_t> resolve_duplicates(OnDuplicate mode, const std::vector<bool>& there,
                                  VectorChunk& chunk, std::vector<Column>& columns);

}  // namespace rvf::interop
