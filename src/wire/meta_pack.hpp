// How META stores numbers in fewer than 8 bytes: value = base + step * offset, the offsets 1, 2 or
// 4 bytes wide. Doubles that are decimal numbers of few digits are stored as such integers over
// a power of ten, exactly. Pure functions, thread-safe.
#pragma once
#include <optional>

#include "wire/meta_column.hpp"

namespace rvf::wire {

inline constexpr uint8_t kMaxDecimals = 9;

struct NumberPacking {
  uint8_t width = 1;     // bytes an offset takes: 1, 2, 4
  uint8_t decimals = 0;  // f64: the integer is divided by 10^decimals
  uint64_t step = 1;
  uint64_t base = 0;  // two's complement for i64, timestamp and f64
  friend bool operator==(const NumberPacking&, const NumberPacking&) = default;

  // Wraps around on overflow, as hostile bytes may make it.
  uint64_t integer(uint64_t offset) const noexcept { return base + step * offset; }
};

double decimal_value(int64_t integer, uint8_t decimals) noexcept;

// The narrowest packing of a column of i64, timestamp, u64 or f64 that gives every value back;
// nothing where 8 bytes a value are needed.
std::optional<NumberPacking> choose_packing(const MetaColumn& column);
// The offset of each row, 0 for null. `packing` is what choose_packing() said.
std::vector<uint32_t> pack_numbers(const MetaColumn& column, const NumberPacking& packing);

}  // namespace rvf::wire
