// The graph index over fused node blocks (docs/design/search.md), searched straight on the mapped
// FUSED payloads; rows are touched only for the exact distances of what is returned.
#pragma once
#include <memory>
#include <vector>

#include "index/calibrated_index.hpp"
#include "index/sign_codes.hpp"

namespace rvf::index {

class FusedIndex final : public CalibratedIndex {
 public:
  // The payloads of one graph in any order; borrowed. Errors: kCorrupt, kTruncated, kUnsupported,
  // kEmptyIndex.
  static Result<std::unique_ptr<FusedIndex>> open(const std::vector<wire::ByteSpan>& payloads);
  // Over blocks that lie anywhere, for calibrating; all is borrowed.
  FusedIndex(FusedSpace space, const FusedBlocks& blocks, uint64_t first_row);

  IndexInfo describe() const override;
  uint32_t widest() const override;
  // The width of a walk where `share` of the rows may be returned. It need not hold all among which
  // the k are, as the neighbours of all its nodes are looked at.
  uint32_t filtered_width(const SearchRequest& request, double share) const;
  const FusedBlocks& blocks() const noexcept { return blocks_; }
  const SignCodes& sign_codes() const noexcept { return codes_; }

 private:
  // `rows` may be returned, a walk would have this width.
  Way cheapest_way(const SearchParams& params, double rows, uint32_t width) const;
  Plan plan(const SearchRequest& request) const override;
  Result<bool> scan_codes(const SearchRequest& request, uint64_t deadline,
                          SearchScratch::Impl& scratch, TopK& best,
                          SearchStats& stats) const override;
  Result<bool> walk(const SearchRequest& request, uint32_t width, uint64_t deadline,
                    SearchScratch::Impl& scratch, TopK& best, SearchStats& stats) const override;
  // Some rows may not be returned. Takes another way where few near the query may be.
  Result<bool> walk_filtered(const SearchRequest& request, uint32_t width, uint64_t deadline,
                             SearchScratch::Impl& scratch, TopK& best, SearchStats& stats) const;
  bool walk_once(const SearchRequest& request, uint32_t width, uint64_t deadline,
                 SearchScratch::Impl& scratch, SearchStats& stats) const;
  // For a query that lies farther from the rows than others; 0 where `width` will do.
  uint32_t wider_than(const SearchRequest& request, uint32_t width,
                      const SearchScratch::Impl& scratch) const;
  bool scan_covered(const SearchRequest& request, uint64_t deadline, TopK& best,
                    SearchStats& stats) const;
  double share_of(const SearchRequest& request) const;
  // Drops the candidates that cannot be among the k nearest, of which the last gives
  // `scratch.within`.
  void trim(const SearchParams& params, SearchScratch::Impl& scratch) const;

  std::vector<const std::byte*> parts_;
  std::vector<const std::byte*> code_parts_;
  SignCodes codes_;
  FusedBlocks blocks_;
  uint64_t bytes_ = 0;
};

}  // namespace rvf::index
