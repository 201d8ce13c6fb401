// A store whose whole content follows from one number, the version, which is itself in the store:
// whoever reads any snapshot can tell whether it is one epoch, whole.
//
// Version v writes, in one batch, the row kClock with v in it, and either replaces or deletes the
// kGroup rows of one of kGroups groups. Which group, and with which values, follows from v.
#pragma once
#include <array>
#include <string>

#include "rvf/store.hpp"

namespace rvf::testing {

inline constexpr uint32_t kVersionDim = 8;
inline constexpr uint64_t kGroup = 10;
inline constexpr uint64_t kGroups = 60;
inline constexpr uint64_t kClock = 1'000'000;  // above all ids of groups

// Makes the store be at version `v`, which follows the one that it is at.
Status write_version(Store& store, uint64_t v);

// The version of a snapshot; kNotFound in an empty store, kCorrupt if its row holds something else.
Result<uint64_t> version_of(const Snapshot& snapshot);

// Follows the versions of a store and knows the content of the one that it is at.
class VersionChecker {
 public:
  // Empty if the snapshot is exactly one version and none before the last one checked. A part of
  // the rows is read each time, all ids, and one query asked; `seed` chooses.
  std::string check(const Snapshot& snapshot, uint64_t seed);
  uint64_t version() const { return version_; }

 private:
  void advance(uint64_t to);
  std::string check_group(const Snapshot& snapshot, uint64_t group) const;

  uint64_t version_ = 0;
  uint64_t groups_there_ = 0;
  std::array<uint64_t, kGroups> written_{};  // the version that wrote it; 0: not there
};

}  // namespace rvf::testing
