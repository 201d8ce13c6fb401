// The metadata part of Store::verify().
#pragma once
#include <vector>

#include "runtime/snapshot_impl.hpp"

namespace rvf::runtime {

// Adds what is wrong. Deep: every column is decoded, every index entry is compared with the value
// that it stands for, string ids are unique.
void verify_metadata(const Snapshot::Impl& snapshot, bool deep, std::vector<Error>& problems);

}  // namespace rvf::runtime
