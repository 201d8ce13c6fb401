// Stores of the other layouts called RVF: read as they are, or brought into a native store.
#pragma once
#include <string>

#include "io/file.hpp"
#include "layouts/foreign.hpp"
#include "rvf/result.hpp"

namespace rvf::runtime {

// kUnknown also for a native store. A file that ends with a native root costs one small read.
Result<layouts::Layout> foreign_layout(const io::File& file);

// Whether opening that failed like this is worth another look.
bool may_be_foreign(ErrorCode code) noexcept;

// What writing to such a file is answered with: kConvertNeeded, naming the command.
Error convert_needed(const std::string& path, layouts::Layout layout);

// The whole store, with the parents of a branch and the string ids beside it. Paths of parents are
// taken from the file's folder; an absolute one must lie there too. `memory_budget` 0: no limit but
// what layouts::DecodeOptions says.
Result<layouts::ForeignStore> read_foreign(io::FileSystem& fs, const std::string& path,
                                           uint64_t memory_budget);

}  // namespace rvf::runtime
