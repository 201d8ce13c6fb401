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
  // Of the walk; 0: scan instead.
  virtual uint32_t beam_width(const SearchRequest& request) const = 0;
  // Whether the rows that are covered are to be scanned by their codes, not walked nor compared.
  virtual bool prefers_codes(const SearchRequest&) const { return false; }
  // Asked for where that holds; as walk().
  virtual Result<bool> scan_codes(const SearchRequest&, uint64_t, SearchScratch::Impl&, TopK&,
                                  SearchStats&) const {
    return Error(ErrorCode::kUnsupported, "the index has no codes to scan");
  }
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
