// What indexes over the fused space share: where a query lies in it, and which width reaches which
// recall, measured when the index was built.
#pragma once
#include <vector>

#include "index/covering_index.hpp"
#include "index/fused_space.hpp"
#include "index/tail_codes.hpp"
#include "wire/fused_codec.hpp"

namespace rvf::index {

// What the header of a payload says of the space and of the rows in it.
void describe_space(const FusedSpace& space, const GraphInput& input, wire::FusedHeader& header);

class CalibratedIndex : public CoveringIndex {
 public:
  // Beyond this width a scan of all rows costs less.
  virtual uint32_t widest() const = 0;
  // The width that reaches `target` at k for queries like the rows.
  uint32_t width_for(uint32_t k, float target) const;
  // Squared distance in the fused space.
  float placed_distance(std::vector<float> query, std::vector<float> row) const;
  const std::vector<float>& centre() const noexcept { return space_.frame().centre; }
  const wire::FusedHeader& header() const noexcept { return header_; }

 protected:
  explicit CalibratedIndex(FusedSpace space) : space_(std::move(space)) {}
  // The space that a header describes. Errors: kCorrupt.
  static Result<FusedSpace> space_of(const wire::FusedHeader& header);
  void take_header(const wire::FusedHeader& header);

  Covered covered() const final;
  // By sign codes that are made meanwhile, see TailCodes.
  bool scan_behind(const SearchRequest& request, uint64_t begin, uint64_t end, uint64_t deadline,
                   SearchScratch::Impl& scratch, TopK& best, SearchStats& stats) const final;
  // The width at which the k nearest are found where `share` of the rows may be returned, and they
  // lie among `room` times as many others as they do by chance.
  uint32_t width_among(const SearchRequest& request, double share, double room) const;
  // At least k rows, where there are so many, and no more than there are.
  uint32_t bounded_width(const SearchRequest& request, uint32_t width) const;
  // Writes the query's place to `scratch.placed`. Errors: kBadArgument.
  Status place_query(const SearchRequest& request, SearchScratch::Impl& scratch) const;
  // Queries that lie farther from the rows than those the width was measured with need more: the
  // width for one whose tenth neighbour, or last, is at `distance` in the space. 0: no other.
  uint32_t wider_for(const SearchRequest& request, uint32_t width, double distance) const;

  // Squared distance of a row from a place in the space.
  float distance_to(const float* placed, std::span<float> row) const;
  // Offers the rows of the keys in `scratch.candidates` with the distances of the stored vectors,
  // which stay in `scratch.distances`.
  void compare_exactly(const SearchRequest& request, SearchScratch::Impl& scratch, TopK& best,
                       SearchStats& stats) const;

  const FusedSpace& space() const noexcept { return space_; }
  wire::FusedHeader& own_header() noexcept { return header_; }

 private:
  // Queries of one kind: how far their tenth neighbour is, at most, for nine in ten of them.
  struct Kind {
    double distance = 0;
    std::vector<WidthPoint> points;
  };
  static constexpr size_t kMostKinds = 8;

  FusedSpace space_;
  wire::FusedHeader header_;
  std::vector<Kind> kinds_;
  std::vector<WidthPoint> hundred_;  // at k = 100, of kind 0
  mutable TailCodes tail_codes_;
};

}  // namespace rvf::index
