#include "meta/bits.hpp"

#include <algorithm>
#include <bit>

#include "kernels/range_scan.hpp"
#include "wire/metaidx_codec.hpp"

namespace rvf::meta {
namespace {

// More intervals than this are looked up row by row; up to it the whole array is compared with each.
constexpr size_t kComparedIntervals = 32;
// Codes of a dictionary in more runs than this are looked up in a table.
constexpr size_t kComparedRuns = 4;

template <class T>
T load(const std::byte* data, size_t i) noexcept {
  T v;
  std::memcpy(&v, data + i * sizeof(T), sizeof(T));
  return v;
}

// Eight bytes of 0 or 1 to eight bits.
uint64_t pack_eight(const uint8_t* flags) noexcept {
  uint64_t v = 0;
  std::memcpy(&v, flags, 8);
  return (v * 0x0102040810204080ULL) >> 56;
}

// Calls fill(first, n, flags) for groups of 64 rows; flags[i] becomes 0 or 1.
template <class Fill>
void by_words(uint32_t rows, Bits& out, Fill fill) {
  alignas(64) uint8_t flags[64];
  for (uint32_t first = 0; first < rows; first += 64) {
    const uint32_t n = std::min<uint32_t>(64, rows - first);
    if (n < 64) std::memset(flags, 0, sizeof(flags));
    fill(first, n, flags);
    uint64_t word = 0;
    for (size_t g = 0; g < 8; ++g) word |= pack_eight(flags + g * 8) << (g * 8);
    out[first / 64] |= word;
  }
}

template <class T, class Key>
void scan_values(const std::byte* data, uint32_t rows, const std::vector<Interval>& intervals,
                 Bits& out, Key key) {
  by_words(rows, out, [&](uint32_t first, uint32_t n, uint8_t* flags) {
    for (uint32_t j = 0; j < n; ++j) {
      const uint64_t k = key(load<T>(data, first + j));
      const auto after = std::upper_bound(intervals.begin(), intervals.end(), k,
                                          [](uint64_t v, const Interval& i) { return v < i.low; });
      flags[j] = after != intervals.begin() && k <= (after - 1)->high;
    }
  });
}

template <class T>
void scan_narrow(const std::byte* data, uint32_t rows, std::vector<Interval> intervals, Bits& out) {
  constexpr uint64_t kLargest = static_cast<T>(~T{0});
  std::erase_if(intervals, [](const Interval& i) { return i.low > kLargest; });
  for (Interval& i : intervals) i.high = std::min(i.high, kLargest);
  if (intervals.size() > kComparedIntervals) {
    return scan_values<T>(data, rows, intervals, out, [](T v) { return v; });
  }
  const kernels::RangeScan scan = kernels::range_scan(sizeof(T));
  for (const Interval& i : intervals) scan(data, rows, i.low, i.high - i.low, out.data());
}

template <class T>
void look_up(const std::byte* data, uint32_t rows, const std::vector<uint8_t>& admitted,
             Bits& out) {
  const size_t known = admitted.size();
  by_words(rows, out, [&](uint32_t first, uint32_t n, uint8_t* flags) {
    for (uint32_t j = 0; j < n; ++j) {
      const size_t code = load<T>(data, first + j);
      flags[j] = code < known ? admitted[code] : 0;
    }
  });
}

// The double that has this sort key.
double number_of(uint64_t key) noexcept {
  constexpr uint64_t kSignBit = uint64_t{1} << 63;
  return std::bit_cast<double>((key & kSignBit) != 0 ? key ^ kSignBit : ~key);
}

std::vector<Interval> runs_of(const std::vector<uint8_t>& admitted) {
  std::vector<Interval> runs;
  for (uint64_t i = 0; i < admitted.size() && runs.size() <= kComparedRuns; ++i) {
    if (admitted[i] == 0) continue;
    if (!runs.empty() && runs.back().high + 1 == i) {
      runs.back().high = i;
    } else {
      runs.push_back({i, i});
    }
  }
  return runs;
}

}  // namespace

void clear_tail(Bits& bits, uint64_t rows) noexcept {
  if (rows % 64 != 0 && !bits.empty()) bits[rows / 64] &= (uint64_t{1} << (rows % 64)) - 1;
}

uint64_t count_bits(const Bits& bits) noexcept {
  uint64_t n = 0;
  for (const uint64_t w : bits) n += static_cast<uint64_t>(std::popcount(w));
  return n;
}

void scan_unsigned(wire::ByteSpan data, unsigned width, uint32_t rows,
                   const std::vector<Interval>& intervals, Bits& out) {
  switch (width) {
    case 1: return scan_narrow<uint8_t>(data.data(), rows, intervals, out);
    case 2: return scan_narrow<uint16_t>(data.data(), rows, intervals, out);
    case 4: return scan_narrow<uint32_t>(data.data(), rows, intervals, out);
    default: return scan_narrow<uint64_t>(data.data(), rows, intervals, out);
  }
}

void scan_wide(wire::ByteSpan data, FieldType type, uint32_t rows,
               const std::vector<Interval>& keys, Bits& out) {
  if (type == FieldType::kU64) return scan_unsigned(data, 8, rows, keys, out);
  if (type == FieldType::kF64 && keys.size() <= kComparedIntervals) {
    for (const Interval& i : keys) {
      const double low = number_of(i.low);
      const double high = number_of(i.high);
      by_words(rows, out, [&](uint32_t first, uint32_t n, uint8_t* flags) {
        for (uint32_t j = 0; j < n; ++j) {
          const auto v = load<double>(data.data(), first + j);
          flags[j] = static_cast<uint8_t>(v >= low) & static_cast<uint8_t>(v <= high);
        }
      });
    }
    return;
  }
  if (type == FieldType::kF64) {
    return scan_values<double>(data.data(), rows, keys, out,
                               [](double v) { return wire::sort_key(v); });
  }
  // Keys are values with the top bit flipped, and so are their differences.
  constexpr uint64_t kSignBit = uint64_t{1} << 63;
  if (keys.size() <= kComparedIntervals) {
    const kernels::RangeScan scan = kernels::range_scan(8);
    for (const Interval& i : keys) {
      scan(data.data(), rows, i.low ^ kSignBit, i.high - i.low, out.data());
    }
    return;
  }
  scan_values<uint64_t>(data.data(), rows, keys, out, [](uint64_t v) { return v ^ kSignBit; });
}

void scan_codes(wire::ByteSpan data, unsigned width, uint32_t rows,
                const std::vector<uint8_t>& admitted, Bits& out) {
  const std::vector<Interval> runs = runs_of(admitted);
  if (runs.size() <= kComparedRuns) return scan_unsigned(data, width, rows, runs, out);
  switch (width) {
    case 1: return look_up<uint8_t>(data.data(), rows, admitted, out);
    case 2: return look_up<uint16_t>(data.data(), rows, admitted, out);
    default: return look_up<uint32_t>(data.data(), rows, admitted, out);
  }
}

}  // namespace rvf::meta
