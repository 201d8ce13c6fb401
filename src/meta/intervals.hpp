// Comparisons of numbers as intervals of sort keys (wire::sort_key): one form for every type and
// operator, exact for literals of another number type. Pure functions, thread-safe.
#pragma once
#include <vector>

#include "meta/filter.hpp"
#include "wire/meta_view.hpp"

namespace rvf::meta {

struct Interval {  // both ends belong to it
  uint64_t low = 0, high = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

// What `filter` (kEq, kLt, kLe, kGt, kGe, kIn, kBetween) admits among values stored as `stored`;
// ascending, apart from each other. The literals may be of a wider type than what is stored. The
// ends of intervals of f64 are keys of doubles.
std::vector<Interval> intervals_of(const Filter& filter, FieldType stored);

uint64_t key_of(uint64_t bits, FieldType type) noexcept;  // of a stored value's 64 bits

// The same intervals among the offsets of a packed column.
std::vector<Interval> offset_intervals(const std::vector<Interval>& keys,
                                       const wire::NumberPacking& packing, FieldType type);

}  // namespace rvf::meta
