// What the graph indexes share: they cover rows from some first one on, walk what they cover, and
// scan the rows before and behind it, or everything where a walk would cost more.
#pragma once
#include "index/index.hpp"

namespace rvf::index {

// Beyond this beam width a scan of what is left alive costs less.
inline constexpr uint32_t kMaxDeadWidth = 8192;

class CoveringIndex : public Index {
 public:
  Status search(const SearchRequest& request, SearchScratch& scratch,
                SearchResult& out) const final;

 protected:
  struct Covered {
    uint64_t first_row = 0;
    uint64_t end_row = 0;
    bool rest_has_arrived = true;  // false: rows that are not covered are not looked at
    Metric metric = Metric::kL2;
    uint32_t dim = 0;
  };
  virtual Covered covered() const = 0;
  // How the rows that are covered are to be searched: compared one by one, with all the others;
  // scanned by their codes; or walked, with this width.
  enum class Way : uint8_t { kScan, kCodes, kWalk };
  struct Plan {
    Way way = Way::kScan;
    uint32_t width = 0;
  };
  static Plan walk_or_scan(const SearchRequest& request, uint32_t width) noexcept {
    return width == 0 || request.params.no_walk ? Plan{} : Plan{Way::kWalk, width};
  }
  virtual Plan plan(const SearchRequest& request) const = 0;
  // Asked for where the plan says so; as walk().
  virtual Result<bool> scan_codes(const SearchRequest&, uint64_t, SearchScratch::Impl&, TopK&,
                                  SearchStats&) const {
    return Error(ErrorCode::kUnsupported, "the index has no codes to scan");
  }
  // Rows that are not covered, behind those that are; as walk(), after it.
  virtual bool scan_behind(const SearchRequest& request, uint64_t begin, uint64_t end,
                           uint64_t deadline, SearchScratch::Impl& scratch, TopK& best,
                           SearchStats& stats) const;
  // False when `deadline` passed before the end.
  virtual Result<bool> walk(const SearchRequest& request, uint32_t width, uint64_t deadline,
                            SearchScratch::Impl& scratch, TopK& best, SearchStats& stats) const = 0;

 private:
  Status check_fit(const SearchRequest& request) const;
};

// Rows of the `covered` ones that may be results.
double passing_rows(const SearchRequest& request, uint64_t covered) noexcept;

// The beam width for `target` recall at k, interpolated between measured (width, recall) points of
// ascending width; 0 without points, twice the widest where the target was not reached.
struct WidthPoint {
  double width = 0;
  double recall = 0;
};
double width_on_curve(const std::vector<WidthPoint>& points, double target) noexcept;
// For k, from the widths at k = 10 and k = 100; 0 where k = 10 was not measured.
double width_at_k(double ten, double hundred, uint32_t k) noexcept;

}  // namespace rvf::index
