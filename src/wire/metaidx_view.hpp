// Range and bitmap indexes where they lie in the mapped file. Opening is O(1); damaged bytes yield
// wrong rows at worst, never one beyond what the caller checks.
// Ownership: borrows the payload. Thread-safety: immutable.
#pragma once
#include "wire/meta_view.hpp"
#include "wire/metaidx_codec.hpp"

namespace rvf::wire {

class RangeIndexView {
 public:
  static Result<RangeIndexView> open(ByteSpan payload);
  const MetaIndexHeader& header() const noexcept { return header_; }
  uint64_t size() const noexcept { return header_.key_count; }
  uint64_t key(uint64_t i) const noexcept;
  uint32_t row(uint64_t i) const noexcept;
  // Entries with low <= key <= high are those from first to below second.
  std::pair<uint64_t, uint64_t> find(uint64_t low, uint64_t high) const noexcept;

 private:
  uint64_t lower_bound(uint64_t key) const noexcept;

  MetaIndexHeader header_;
  ByteSpan keys_;
  ByteSpan rows_;
};

class BitmapIndexView {
 public:
  static Result<BitmapIndexView> open(ByteSpan payload);
  const MetaIndexHeader& header() const noexcept { return header_; }
  // The rows that have this value, at most max_rows; none for one that does not occur.
  Result<std::vector<uint64_t>> find(const MetaValue& value, uint64_t max_rows) const;
  // How many bytes the set of a value takes: what reading it costs.
  Result<uint64_t> set_bytes(const MetaValue& value) const;

 private:
  Result<ByteSpan> set_of(const MetaValue& value) const;

  MetaIndexHeader header_;
  ByteSpan payload_;
  TableView keys_;
  ByteSpan offsets_;
};

}  // namespace rvf::wire
