// Search without a graph: rows lie in partitions around centroids, list by list, as one-bit codes
// seen from their centroid (docs/design/search.md, "Partitions"). A search finds the nearest
// centroids by their own codes, scans their lists, and compares the best by the stored rows. All is
// read straight from the mapped FUSED payload.
#pragma once
#include <memory>
#include <optional>

#include "index/calibrated_index.hpp"

namespace rvf::index {

// Where partitions lie; borrowed.
struct PartitionLists {
  FusedLayout layout;
  const std::byte* root = nullptr;  // groups of centroids, coded against the centre
  uint32_t root_groups = 0;
  const std::byte* heads = nullptr;
  uint32_t partitions = 0;
  const std::byte* groups = nullptr;
  uint64_t group_count = 0;

  size_t head_bytes() const noexcept { return FusedLayout::kVector + layout.vector_bytes; }
  const std::byte* head(uint32_t partition) const noexcept {
    return heads + partition * head_bytes();
  }
  struct List {
    const std::byte* groups = nullptr;
    uint32_t count = 0;
  };
  // The groups that a head names; none where they would lie outside.
  std::optional<List> list(uint32_t partition) const noexcept;
};

class PartitionIndex final : public CalibratedIndex {
 public:
  // Errors: kCorrupt, kTruncated, kUnsupported.
  static Result<std::unique_ptr<PartitionIndex>> open(wire::ByteSpan payload);
  // Over lists that lie anywhere, for calibrating.
  PartitionIndex(FusedSpace space, const PartitionLists& lists, const wire::FusedHeader& header);

  IndexInfo describe() const override;
  uint32_t widest() const override;
  // kCorrupt unless every row lies in one list and every partition in the root. Reads all of it.
  Status check() const;
  const PartitionLists& lists() const noexcept { return lists_; }

 private:
  Plan plan(const SearchRequest& request) const override;
  Result<bool> walk(const SearchRequest& request, uint32_t width, uint64_t deadline,
                    SearchScratch::Impl& scratch, TopK& best, SearchStats& stats) const override;
  bool search_lists(const SearchRequest& request, const FusedQuery& query, uint32_t width,
                    uint64_t deadline, SearchScratch::Impl& scratch, SearchStats& stats) const;
  // Keys (squared distance, partition) of the nearest centroids, ascending, in `scratch.heads`.
  void nearest_partitions(const FusedQuery& query, size_t wanted,
                          SearchScratch::Impl& scratch) const;
  double tenth_distance(const SearchRequest& request, SearchScratch::Impl& scratch) const;

  PartitionLists lists_;
  uint64_t bytes_ = 0;
};

}  // namespace rvf::index
