// The inside of rvf::Snapshot.
#pragma once
#include <mutex>

#include "runtime/id_index.hpp"
#include "runtime/live_state.hpp"
#include "rvf/store.hpp"

namespace rvf::runtime {

// Lends out the working memory of searches, so that queries allocate nothing in the steady state.
class ScratchPool {
 public:
  index::SearchScratch take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return {};
    index::SearchScratch s = std::move(free_.back());
    free_.pop_back();
    return s;
  }
  void give_back(index::SearchScratch&& s) {
    std::lock_guard lock(mutex_);
    if (free_.size() < kKeep) free_.push_back(std::move(s));
  }

 private:
  static constexpr size_t kKeep = 64;
  std::mutex mutex_;
  std::vector<index::SearchScratch> free_;
};

// Counts which rows queries find, for the temperature tiers. Sampled and lossy on purpose: a query
// never waits for it.
class AccessCounter;

}  // namespace rvf::runtime

namespace rvf {

struct Snapshot::Impl {
  runtime::LiveState state;
  std::vector<std::shared_ptr<const io::Mapping>> pins;
  std::vector<wire::DirEntry> directory;  // by segment id
  uint32_t epoch = 0;
  std::shared_ptr<runtime::ScratchPool> scratch;
  std::shared_ptr<runtime::AccessCounter> access;

  Result<QueryResult> query(std::span<const float> vector, const QueryOptions& options,
                            index::SearchScratch& scratch_memory) const;
  Result<uint64_t> find_row(uint64_t id) const;  // kNotFound
  Result<wire::DirEntry> entry(uint64_t segment_id) const;  // kNotFound

  std::shared_ptr<runtime::IdIndex> ids;

  // Asks for the whole file ahead of the first scan; rows are otherwise read one by one.
  void expect_scan() const;
  mutable std::once_flag scan_expected;
};

}  // namespace rvf
