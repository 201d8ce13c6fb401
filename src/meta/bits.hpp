// A set of row positions as 64-bit words, and the loops that fill one from a column.
// Bits beyond the last row are zero. Plain values and pure functions.
#pragma once
#include <cstdint>
#include <cstring>
#include <vector>

#include "meta/intervals.hpp"

namespace rvf::meta {

using Bits = std::vector<uint64_t>;

inline size_t words_of(uint64_t rows) noexcept { return static_cast<size_t>((rows + 63) / 64); }
inline bool test_bit(const Bits& bits, uint64_t i) noexcept {
  return (bits[i / 64] >> (i % 64) & 1) != 0;
}
inline void set_bit(Bits& bits, uint64_t i) noexcept { bits[i / 64] |= uint64_t{1} << (i % 64); }
void clear_tail(Bits& bits, uint64_t rows) noexcept;  // zeroes what lies beyond `rows`
uint64_t count_bits(const Bits& bits) noexcept;

// Adds the rows whose unsigned value of `width` bytes (1, 2, 4, 8) lies in one of the intervals,
// which ascend and are apart. data holds rows * width bytes.
void scan_unsigned(wire::ByteSpan data, unsigned width, uint32_t rows,
                   const std::vector<Interval>& intervals, Bits& out);
// The same for 8-byte values of a number type, the intervals being of their sort keys.
void scan_wide(wire::ByteSpan data, FieldType type, uint32_t rows,
               const std::vector<Interval>& keys, Bits& out);
// Adds the rows whose code has admitted[code] != 0; codes beyond its end have not.
void scan_codes(wire::ByteSpan data, unsigned width, uint32_t rows,
                const std::vector<uint8_t>& admitted, Bits& out);

// Adds the rows for which admits(row) holds.
template <class Admits>
void scan_rows(uint32_t rows, Bits& out, Admits admits) {
  for (uint32_t row = 0; row < rows; ++row) {
    if (admits(row)) set_bit(out, row);
  }
}

}  // namespace rvf::meta
