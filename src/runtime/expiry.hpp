// Which rows have expired, kept from snapshot to snapshot of one file: a new snapshot reads the times
// of the rows and updates that are new to it, not all of them.
//
// Times are candidates: when one passes, the row's value in that snapshot decides, so one list
// serves snapshots of different epochs. Thread-safe.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "index/row_bitmap.hpp"
#include "meta/table.hpp"

namespace rvf::runtime {

// (time in nanoseconds since 1970, row), ascending.
using ExpiryRun = std::vector<std::pair<int64_t, uint64_t>>;

// What one snapshot knows; a plain value.
struct Expiry {
  std::vector<std::shared_ptr<const ExpiryRun>>
      runs;  // each less than half as long as the one before
  uint64_t rows = 0;  // whose times are in the runs
  uint64_t newest_update = 0;  // segment id of the newest update part that is in the runs
  index::RowBitmap expired;  // at `until`
  int64_t until = INT64_MIN;

  // Brings `expired` to `now`; true if rows have expired since.
  bool advance(int64_t now, const meta::Table& table, uint16_t field);
};

class ExpiryCache {
 public:
  // What a snapshot with this table begins with.
  Expiry start(const meta::Table& table, const meta::SchemaField& field);
  // The next snapshot begins where this one has come to.
  void keep(const Expiry& reached);

 private:
  std::mutex mutex_;
  Expiry newest_;
};

}  // namespace rvf::runtime
