// The metadata parts of one file, opened once and shared by all its snapshots.
// Thread-safe.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "meta/table.hpp"
#include "runtime/live_state.hpp"

namespace rvf::runtime {

Result<meta::Schema> schema_of(const std::vector<wire::SchemaEntry>& entries);
std::vector<wire::SchemaEntry> schema_entries(const meta::Schema& schema);

class PartCache {
 public:
  // The table of a snapshot, whose directory ascends by segment id.
  Result<meta::Table> table(const LiveState& state, const std::vector<wire::DirEntry>& directory,
                            const meta::Schema& schema);

 private:
  Status open_new(const LiveState& state, const std::vector<const wire::DirEntry*>& parts,
                  const std::vector<const wire::DirEntry*>& indexes);

  std::mutex mutex_;
  std::map<uint64_t, std::shared_ptr<const meta::Part>> parts_;  // by segment id
  std::set<uint64_t> indexes_;                                   // segment ids that parts_ hold
};

}  // namespace rvf::runtime
