#include "wire/delta.hpp"

#include <algorithm>
#include <limits>

namespace rvf::wire {
namespace {

constexpr uint64_t interval_or_all(uint32_t restart_interval) noexcept {
  return restart_interval == 0 ? std::numeric_limits<uint64_t>::max() : restart_interval;
}

Error broken(ByteReader& in) {
  if (!in.ok())
    return {ErrorCode::kTruncated, "delta list: a varint is cut off or longer than 64 bits"};
  return {ErrorCode::kCorrupt, "delta list: the values do not ascend"};
}

// False where the sum overflows.
bool add(uint64_t& value, uint64_t delta) noexcept {
  value += delta;
  return value >= delta;
}

}  // namespace

void write_deltas(ByteWriter& out, std::span<const uint64_t> ascending, uint32_t restart_interval,
                  std::vector<uint32_t>* restarts) {
  const uint64_t interval = interval_or_all(restart_interval);
  const size_t start = out.size();
  for (size_t i = 0; i < ascending.size(); ++i) {
    if (i % interval != 0) {
      out.varint(ascending[i] - ascending[i - 1]);
      continue;
    }
    if (restarts != nullptr) restarts->push_back(static_cast<uint32_t>(out.size() - start));
    out.varint(ascending[i]);
  }
}

Result<std::vector<uint64_t>> read_deltas(ByteReader& in, uint64_t count,
                                          uint32_t restart_interval) {
  if (count > in.remaining()) {
    return Error(ErrorCode::kTruncated, "delta list: " + std::to_string(count) +
                                            " values announced, " + std::to_string(in.remaining()) +
                                            " bytes present");
  }
  const uint64_t interval = interval_or_all(restart_interval);
  std::vector<uint64_t> out;
  out.reserve(static_cast<size_t>(count));
  uint64_t value = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t v = in.varint();
    if (!in.ok()) return broken(in);
    if (i % interval == 0) {
      if (v < value) return broken(in);
      value = v;
    } else if (!add(value, v)) {
      return broken(in);
    }
    out.push_back(value);
  }
  return out;
}

Result<DeltaList> DeltaList::open(ByteSpan bytes, ByteSpan restarts, uint64_t count,
                                  uint32_t restart_interval) {
  DeltaList list;
  list.bytes_ = bytes;
  list.restarts_ = restarts;
  list.count_ = count;
  list.interval_ = interval_or_all(restart_interval);
  const uint64_t expected = count == 0 ? 0 : (count - 1) / list.interval_ + 1;
  if (restarts.size() % 4 != 0 || restarts.size() / 4 != expected || count > bytes.size()) {
    return Error(ErrorCode::kCorrupt, "delta list: " + std::to_string(restarts.size()) +
                                          " bytes of restart points and " +
                                          std::to_string(bytes.size()) + " of values do not fit " +
                                          std::to_string(count) + " values");
  }
  ByteReader in(restarts);
  uint64_t last = 0;
  for (uint64_t i = 0; i < expected; ++i) {
    const uint32_t offset = in.u32();
    const bool in_order = i == 0 ? offset == 0 : offset > last;
    if (!in_order || offset >= bytes.size()) {
      return Error(ErrorCode::kCorrupt, "delta list: restart point " + std::to_string(i) +
                                            " is at " + std::to_string(offset) + " of " +
                                            std::to_string(bytes.size()));
    }
    last = offset;
  }
  return list;
}

ByteReader DeltaList::reader_at(uint64_t restart) const noexcept {
  uint32_t offset = 0;
  std::memcpy(&offset, restarts_.data() + restart * 4, 4);
  return ByteReader(bytes_.subspan(offset));
}

Result<uint64_t> DeltaList::absolute(uint64_t restart) const {
  ByteReader in = reader_at(restart);
  const uint64_t value = in.varint();
  if (!in.ok()) return broken(in);
  return value;
}

Result<uint64_t> DeltaList::at(uint64_t index) const {
  if (index >= count_) {
    return Error(ErrorCode::kOutOfRange,
                 "delta list: index " + std::to_string(index) + " of " + std::to_string(count_));
  }
  ByteReader in = reader_at(index / interval_);
  uint64_t value = in.varint();
  for (uint64_t i = index % interval_; i > 0; --i) {
    if (!add(value, in.varint())) return broken(in);
    if (!in.ok()) return broken(in);
  }
  if (!in.ok()) return broken(in);
  return value;
}

Result<uint64_t> DeltaList::lower_bound(uint64_t value) const {
  uint64_t low = 0;  // the last restart point whose value is less, plus one
  for (uint64_t high = restarts_.size() / 4; low < high;) {
    const uint64_t middle = low + (high - low) / 2;
    RVF_ASSIGN(const uint64_t v, absolute(middle));
    if (v < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return uint64_t{0};
  const uint64_t first = (low - 1) * interval_;
  const uint64_t last = std::min(count_ - first, interval_) + first;
  ByteReader in = reader_at(low - 1);
  uint64_t current = in.varint();
  for (uint64_t i = first + 1; i < last; ++i) {
    if (!add(current, in.varint()) || !in.ok()) return broken(in);
    if (current >= value) return i;
  }
  return last;
}

}  // namespace rvf::wire
