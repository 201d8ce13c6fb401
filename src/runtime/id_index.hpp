// Finds the row of an id, for the writer and for all snapshots of one file. It learns the ids of
// new rows when it is first asked after they appeared, so neither opening nor ingesting pays for
// it.
// Thread-safe.
#pragma once
#include <memory>
#include <optional>
#include <shared_mutex>

#include "runtime/id_map.hpp"
#include "runtime/live_state.hpp"

namespace rvf::runtime {

class IdIndex {
 public:
  // The live row of an id in `state`, which may be older than what the index has seen.
  std::optional<uint64_t> find(const LiveState& state, uint64_t id);
  // The same for many ids at the price of one lock.
  void find_all(const LiveState& state, std::span<const uint64_t> ids,
                std::vector<std::optional<uint64_t>>& out);

 private:
  void learn(const LiveState& state);
  std::optional<uint64_t> look_up(const LiveState& state, uint64_t id) const;

  std::shared_mutex mutex_;
  IdMap map_;
  uint64_t known_rows_ = 0;
};

}  // namespace rvf::runtime
