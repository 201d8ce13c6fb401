// A filter over one part: which of its rows match. Columns are read where they lie; value ranges,
// dictionaries and indexes are used where there are any. Update parts are the table's business.
// Pure; thread-safe. Errors: those of a damaged index or of compressed texts that do not unpack.
#pragma once
#include <functional>
#include <map>
#include <string>

#include "meta/bits.hpp"
#include "meta/part.hpp"

namespace rvf::meta {

// The ids of consecutive rows, for filters on `id`.
using RowIds = std::function<void(uint64_t first_row, uint32_t rows, uint64_t* out)>;

// How comparisons were answered, for people: counts of parts by means.
class EvaluateNotes {
 public:
  void add(const Filter* comparison, const char* means) { ++counts_[comparison][means]; }
  // "scanned 3 parts, 2 by value range"; empty if the comparison was never needed.
  std::string of(const Filter* comparison) const;

 private:
  std::map<const Filter*, std::map<std::string, uint64_t>> counts_;
};

// `out` becomes words_of(part.rows()) words. `notes` may be null.
Status evaluate_part(const Filter& filter, const Part& part, const RowIds& ids, Bits& out,
                     EvaluateNotes* notes);
// The same for rows that no part holds: all their fields are null.
Status evaluate_bare(const Filter& filter, uint64_t first_row, uint32_t rows, const RowIds& ids,
                     Bits& out);

// Whether reading the columns costs more than comparing vectors does: long texts without an index.
bool is_expensive(const Filter& filter, const Part& part);

}  // namespace rvf::meta
