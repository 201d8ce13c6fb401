// The exact index: every row is compared. Also the tool that other indexes use for small sets of
// rows.
#pragma once
#include "index/index.hpp"

namespace rvf::index {

class FlatIndex final : public Index {
 public:
  // With an executor in the request the scan is shared out; the result is the same bit for bit.
  Status search(const SearchRequest& request, SearchScratch& scratch,
                SearchResult& out) const override;
  IndexInfo describe() const override;
};

// Offers every live row of [begin, end) that passes the filter to `best`. Returns false when
// `deadline_ns` (steady clock, 0: none) passed before the end.
bool scan_rows(const SearchRequest& request, uint64_t begin, uint64_t end, uint64_t deadline_ns,
               TopK& best, SearchStats& stats);

// The same, shared out over request.executor when there is one.
bool scan_rows_parallel(const SearchRequest& request, uint64_t begin, uint64_t end,
                        uint64_t deadline_ns, TopK& best, SearchStats& stats);

Status check_request(const SearchRequest& request);
uint64_t steady_now_ns() noexcept;

}  // namespace rvf::index
