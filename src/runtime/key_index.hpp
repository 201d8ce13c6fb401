// Finds the row of a string id, for the writer and all snapshots of one file. It keeps 16 bytes a
// row, no texts: rows whose hash fits are compared with the text in the file, so that two ids are
// never taken for each other. Learns new rows when it is first asked after they appeared.
// Thread-safe.
#pragma once
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "meta/table.hpp"
#include "runtime/live_state.hpp"

namespace rvf::runtime {

class KeyIndex {
 public:
  // The live rows of string ids in `state`, whose metadata is `table`; both may be older than what
  // the index has seen.
  std::vector<std::optional<uint64_t>> find_all(const LiveState& state, const meta::Table& table,
                                                std::span<const std::string_view> keys);

 private:
  struct Slot {
    uint64_t hash = 0;
    uint64_t row = kFree;
  };
  static constexpr uint64_t kFree = UINT64_MAX;

  void learn(const meta::Table& table, uint16_t field);
  void insert(uint64_t hash, uint64_t row);
  void reserve(size_t more);

  std::shared_mutex mutex_;
  std::vector<Slot> slots_;
  size_t used_ = 0;
  uint64_t known_rows_ = 0;
};

}  // namespace rvf::runtime
