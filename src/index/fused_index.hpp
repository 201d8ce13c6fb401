// The graph index over fused node blocks (docs/design/search.md), searched straight on the mapped
// FUSED payloads; rows are touched only for the exact distances of what is returned.
#pragma once
#include <memory>
#include <vector>

#include "index/covering_index.hpp"
#include "index/fused_space.hpp"
#include "wire/fused_codec.hpp"

namespace rvf::index {

class FusedIndex final : public CoveringIndex {
 public:
  // The payloads of one graph in any order; borrowed. Errors: kCorrupt, kTruncated, kUnsupported,
  // kEmptyIndex.
  static Result<std::unique_ptr<FusedIndex>> open(const std::vector<wire::ByteSpan>& payloads);
  // Over blocks that lie anywhere, for calibrating; all is borrowed.
  FusedIndex(FusedSpace space, const FusedBlocks& blocks, uint64_t first_row);

  IndexInfo describe() const override;
  // The width that reaches `target` at k for queries like the rows.
  uint32_t width_for(uint32_t k, float target) const;
  // Squared distance in the fused space.
  float placed_distance(std::vector<float> query, std::vector<float> row) const;
  const std::vector<float>& centre() const noexcept { return space_.frame().centre; }
  const wire::FusedHeader& header() const noexcept { return header_; }

 private:
  Covered covered() const override;
  uint32_t beam_width(const SearchRequest& request) const override;
  Result<bool> walk(const SearchRequest& request, uint32_t width, uint64_t deadline,
                    SearchScratch::Impl& scratch, TopK& best, SearchStats& stats) const override;
  bool walk_once(const SearchRequest& request, uint32_t width, uint64_t deadline,
                 SearchScratch::Impl& scratch, SearchStats& stats) const;
  void collect(const SearchRequest& request, SearchScratch::Impl& scratch) const;
  void compare_exactly(const SearchRequest& request, SearchScratch::Impl& scratch, TopK& best,
                       SearchStats& stats) const;
  uint32_t wider_for(const SearchRequest& request, uint32_t width,
                     const SearchScratch::Impl& scratch) const;

  // Queries of one kind: how far their tenth neighbour is, at most, for nine in ten of them.
  struct Kind {
    double distance = 0;
    std::vector<WidthPoint> points;
  };
  static constexpr size_t kMostKinds = 8;
  void take_calibration();

  FusedSpace space_;
  std::vector<const std::byte*> parts_;
  FusedBlocks blocks_;
  wire::FusedHeader header_;
  std::vector<Kind> kinds_;
  std::vector<WidthPoint> hundred_;  // at k = 100, of kind 0
  uint64_t bytes_ = 0;
};

}  // namespace rvf::index
