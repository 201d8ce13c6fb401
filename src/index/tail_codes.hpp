// Sign codes of the rows behind a graph, which a file has none of: made in memory while they are
// searched, a block for a search, so that ever fewer rows are compared one by one until the graph
// takes them. Thread-safe.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "index/aligned_array.hpp"
#include "index/fused_space.hpp"
#include "index/graph.hpp"
#include "index/sign_codes.hpp"

namespace rvf::index {

class TailCodes {
 public:
  static constexpr uint64_t kBlockRows = 256;

  struct Block {
    AlignedArray<std::byte> records;
    // Where the first of the rows lies: a table in which it lies elsewhere has other rows.
    const std::byte* first_row = nullptr;
  };
  using Blocks = std::vector<std::shared_ptr<const Block>>;

  // Blocks of consecutive rows from input.first_row on, as far as they are made and are those of
  // the table. Makes the next one too if `input` has all its rows and no other thread makes one.
  std::shared_ptr<const Blocks> of(const FusedSpace& space, const GraphInput& input);

 private:
  static std::shared_ptr<const Block> make(const FusedSpace& space, const GraphInput& input,
                                           uint64_t first);

  std::mutex making_;
  std::mutex mutex_;  // of `blocks_`
  std::shared_ptr<const Blocks> blocks_ = std::make_shared<Blocks>();
};

}  // namespace rvf::index
