// The graph of a store as a runtime container wants it: node i is the i-th id in ascending order.
#pragma once
#include <optional>
#include <vector>

#include "layouts/runtime_writer.hpp"
#include "rvf/executor.hpp"
#include "rvf/store.hpp"
#include "wire/index_codec.hpp"

namespace rvf::runtime {

// A live row where it lies in the mapped file.
struct RowAt {
  uint64_t id = 0;  // as the snapshot gives it
  const std::byte* values = nullptr;
  uint64_t row = 0;  // among all rows of the store, in row order
};
// Ascending by id. Valid while the snapshot is held.
Result<std::vector<RowAt>> rows_by_id(const Snapshot& snapshot);

// Must outlive the RuntimeGraph made from it.
class OrderedGraph {
 public:
  // The store's own graph where it covers exactly these rows, else a new one. Empty for so few rows
  // that a reader would not use it.
  static Result<std::optional<OrderedGraph>> make(const Snapshot& snapshot,
                                                  const std::vector<RowAt>& rows, bool rows_are_all,
                                                  Executor* executor, const Progress* progress);
  layouts::RuntimeGraph view() const;

 private:
  Status parse(uint64_t nodes);
  Status layers_of(uint64_t ordinal, std::vector<std::vector<uint32_t>>& out) const;
  const wire::IndexView& part_of(uint64_t node, uint64_t& local) const;
  Result<uint64_t> top_node() const;

  std::vector<wire::Bytes> payloads_;
  std::vector<wire::IndexView> parts_;  // ascending by first node
  std::vector<uint32_t> node_of_ordinal_;  // empty: the same
  std::vector<uint32_t> ordinal_of_node_;
  uint64_t entry_ = 0;
  uint32_t max_layer_ = 0;
};

}  // namespace rvf::runtime
