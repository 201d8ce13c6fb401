#include "meta/intervals.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "wire/metaidx_codec.hpp"

namespace rvf::meta {
namespace {

constexpr uint64_t kSignBit = 1ULL << 63;
// -0 counts as 0, so no value has the key that its bits would have.
constexpr uint64_t kNegativeZeroKey = kSignBit - 1;

// The smallest and largest key that a value of the type has; NaN has none.
Interval all_keys(FieldType type) noexcept {
  if (type != FieldType::kF64) return {0, UINT64_MAX};
  const double inf = std::numeric_limits<double>::infinity();
  return {wire::sort_key(-inf), wire::sort_key(inf)};
}

double key_as_double(uint64_t key, FieldType type) noexcept {
  if (type == FieldType::kU64) return static_cast<double>(key);
  return static_cast<double>(static_cast<int64_t>(key ^ kSignBit));
}

// The first key in [low, high] for which `admits` holds, where it holds from some key on; high + 1
// (or 0 after the last key) if for none.
template <class Admits>
uint64_t first_key(Interval range, Admits admits, bool& found) noexcept {
  uint64_t low = range.low;
  uint64_t high = range.high;
  found = admits(high);
  while (found && low < high) {
    const uint64_t mid = low + (high - low) / 2;
    if (admits(mid)) {
      high = mid;
    } else {
      low = mid + 1;
    }
  }
  return low;
}

struct Bounds {
  const Value* low = nullptr;  // null: unbounded
  bool low_open = false;
  const Value* high = nullptr;
  bool high_open = false;
};

// The literal as a key of the stored type; nothing where its type is another.
bool literal_key(const Value& literal, FieldType stored, uint64_t& key) noexcept {
  if (const auto* i = std::get_if<int64_t>(&literal);
      i != nullptr && (stored == FieldType::kI64 || stored == FieldType::kTimestamp)) {
    key = wire::sort_key(*i);
    return true;
  }
  if (const auto* u = std::get_if<uint64_t>(&literal); u != nullptr && stored == FieldType::kU64) {
    key = *u;
    return true;
  }
  if (const auto* d = std::get_if<double>(&literal); d != nullptr && stored == FieldType::kF64) {
    key = wire::sort_key(*d);
    return true;
  }
  return false;
}

bool is_nan(const Value* v) noexcept {
  const auto* d = v == nullptr ? nullptr : std::get_if<double>(v);
  return d != nullptr && *d != *d;
}

void add(std::vector<Interval>& out, const Bounds& b, FieldType stored) {
  if (is_nan(b.low) || is_nan(b.high)) return;
  Interval range = all_keys(stored);
  const Interval all = range;
  bool some = true;
  if (b.low != nullptr) {
    uint64_t key = 0;
    if (literal_key(*b.low, stored, key)) {
      if (b.low_open && key == UINT64_MAX) return;
      range.low = std::max(all.low, b.low_open ? key + 1 : key);
    } else if (const auto* d = std::get_if<double>(b.low)) {
      range.low = first_key(
          all,
          [&](uint64_t k) {
            const double v = key_as_double(k, stored);
            return b.low_open ? v > *d : v >= *d;
          },
          some);
    } else {
      return;
    }
    if (!some) return;
  }
  if (b.high != nullptr) {
    uint64_t key = 0;
    if (literal_key(*b.high, stored, key)) {
      if (b.high_open && key == 0) return;
      range.high = std::min(all.high, b.high_open ? key - 1 : key);
    } else if (const auto* d = std::get_if<double>(b.high)) {
      const uint64_t beyond = first_key(
          all,
          [&](uint64_t k) {
            const double v = key_as_double(k, stored);
            return b.high_open ? v >= *d : v > *d;
          },
          some);
      if (some && beyond == 0) return;
      range.high = some ? beyond - 1 : all.high;
    } else {
      return;
    }
  }
  if (stored == FieldType::kF64) {  // ends that are keys of numbers can be compared as numbers
    if (range.low == kNegativeZeroKey) ++range.low;
    if (range.high == kNegativeZeroKey) --range.high;
  }
  if (range.low <= range.high) out.push_back(range);
}

void merge(std::vector<Interval>& v) {
  std::sort(v.begin(), v.end(), [](const Interval& a, const Interval& b) { return a.low < b.low; });
  size_t n = 0;
  for (const Interval& i : v) {
    if (n > 0 && (v[n - 1].high == UINT64_MAX || i.low <= v[n - 1].high + 1)) {
      v[n - 1].high = std::max(v[n - 1].high, i.high);
    } else {
      v[n++] = i;
    }
  }
  v.resize(n);
}

}  // namespace

std::vector<Interval> intervals_of(const Filter& filter, FieldType stored) {
  std::vector<Interval> out;
  const auto value = [&](size_t i) {
    return i < filter.values.size() ? &filter.values[i] : nullptr;
  };
  if (value(0) == nullptr) return out;
  switch (filter.op) {
    case FilterOp::kEq:
    case FilterOp::kIn:
      for (const Value& v : filter.values) add(out, {&v, false, &v, false}, stored);
      break;
    case FilterOp::kLt: add(out, {nullptr, false, value(0), true}, stored); break;
    case FilterOp::kLe: add(out, {nullptr, false, value(0), false}, stored); break;
    case FilterOp::kGt: add(out, {value(0), true, nullptr, false}, stored); break;
    case FilterOp::kGe: add(out, {value(0), false, nullptr, false}, stored); break;
    case FilterOp::kBetween:
      if (value(1) != nullptr) add(out, {value(0), false, value(1), false}, stored);
      break;
    default: break;
  }
  merge(out);
  return out;
}

uint64_t key_of(uint64_t bits, FieldType type) noexcept {
  if (type == FieldType::kU64) return bits;
  if (type == FieldType::kF64) return wire::sort_key(std::bit_cast<double>(bits));
  return bits ^ kSignBit;
}

std::vector<Interval> offset_intervals(const std::vector<Interval>& keys,
                                       const wire::NumberPacking& packing, FieldType type) {
  const Interval all{0, packing.width == 4 ? UINT32_MAX : (1ULL << (8 * packing.width)) - 1};
  // Offsets that no row has may pass the type's largest value; they count as above everything.
  const auto key_at = [&](uint64_t offset, bool& beyond) {
    const uint64_t integer = packing.integer(offset);
    beyond = type == FieldType::kU64
                 ? integer < packing.base
                 : static_cast<int64_t>(integer) < static_cast<int64_t>(packing.base);
    if (offset != 0 && packing.step > UINT64_MAX / offset) beyond = true;
    if (type != FieldType::kF64) return key_of(integer, type);
    return wire::sort_key(wire::decimal_value(static_cast<int64_t>(integer), packing.decimals));
  };
  std::vector<Interval> out;
  for (const Interval& k : keys) {
    bool some = false;
    bool beyond = false;
    const uint64_t low = first_key(
        all,
        [&](uint64_t o) {
          const uint64_t key = key_at(o, beyond);
          return beyond || key >= k.low;
        },
        some);
    if (!some) continue;
    const uint64_t after = first_key(
        all,
        [&](uint64_t o) {
          const uint64_t key = key_at(o, beyond);
          return beyond || key > k.high;
        },
        some);
    if (some && after == 0) continue;
    const uint64_t high = some ? after - 1 : all.high;
    if (low <= high) out.push_back({low, high});
  }
  return out;
}

}  // namespace rvf::meta
