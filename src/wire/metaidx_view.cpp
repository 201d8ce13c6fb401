#include "wire/metaidx_view.hpp"

#include "wire/codec.hpp"
#include "wire/level1_codec.hpp"

namespace rvf::wire {
namespace {

constexpr const char* kName = "METAIDX";

}  // namespace

Result<RangeIndexView> RangeIndexView::open(ByteSpan payload) {
  ByteReader in(payload);
  RangeIndexView view;
  RVF_ASSIGN(view.header_, read_meta_index_header(in));
  if (view.header_.kind != MetaIndexKind::kRange) {
    return payload_error(kName, in, "not a range index", ErrorCode::kBadMetadata);
  }
  if (!can_hold(in, view.header_.key_count, 12)) return payload_error(kName, in, {});
  view.keys_ = in.bytes(view.header_.key_count * 8);
  view.rows_ = in.bytes(view.header_.key_count * 4);
  return view;
}

uint64_t RangeIndexView::key(uint64_t i) const noexcept {
  uint64_t v = 0;
  std::memcpy(&v, keys_.data() + i * 8, 8);
  return v;
}

uint32_t RangeIndexView::row(uint64_t i) const noexcept {
  uint32_t v = 0;
  std::memcpy(&v, rows_.data() + i * 4, 4);
  return v;
}

uint64_t RangeIndexView::lower_bound(uint64_t wanted) const noexcept {
  uint64_t low = 0;
  uint64_t high = size();
  while (low < high) {
    const uint64_t mid = low + (high - low) / 2;
    if (key(mid) < wanted) {
      low = mid + 1;
    } else {
      high = mid;
    }
  }
  return low;
}

std::pair<uint64_t, uint64_t> RangeIndexView::find(uint64_t low, uint64_t high) const noexcept {
  if (low > high) return {0, 0};
  const uint64_t first = lower_bound(low);
  const uint64_t last = high == UINT64_MAX ? size() : lower_bound(high + 1);
  return {first, std::max(first, last)};
}

Result<BitmapIndexView> BitmapIndexView::open(ByteSpan payload) {
  ByteReader in(payload);
  BitmapIndexView view;
  view.payload_ = payload;
  RVF_ASSIGN(view.header_, read_meta_index_header(in));
  if (view.header_.kind != MetaIndexKind::kBitmap) {
    return payload_error(kName, in, "not a bitmap index", ErrorCode::kBadMetadata);
  }
  RVF_ASSIGN(view.keys_, TableView::read(in, view.header_.key_count));
  view.offsets_ = in.bytes((view.header_.key_count + 2) * 4);
  if (!in.ok()) return payload_error(kName, in, {});
  return view;
}

Result<ByteSpan> BitmapIndexView::set_of(const MetaValue& value) const {
  const std::string wanted = meta_value_key(value);
  uint32_t low = 0;
  uint32_t high = keys_.size();
  while (low < high) {
    const uint32_t mid = low + (high - low) / 2;
    if (keys_[mid] < wanted) {
      low = mid + 1;
    } else {
      high = mid;
    }
  }
  if (low == keys_.size() || keys_[low] != wanted) return ByteSpan();
  uint32_t ends[2];
  std::memcpy(ends, offsets_.data() + size_t{low} * 4, 8);
  if (ends[0] > ends[1] || ends[1] > payload_.size()) {
    return Error(ErrorCode::kCorrupt, "a set of a bitmap index lies outside it");
  }
  return payload_.subspan(ends[0], ends[1] - ends[0]);
}

Result<std::vector<uint64_t>> BitmapIndexView::find(const MetaValue& value,
                                                    uint64_t max_rows) const {
  RVF_ASSIGN(const ByteSpan set, set_of(value));
  if (set.empty()) return std::vector<uint64_t>();
  return decode_bitmap(set, max_rows);
}

Result<uint64_t> BitmapIndexView::set_bytes(const MetaValue& value) const {
  RVF_ASSIGN(const ByteSpan set, set_of(value));
  return set.size();
}

}  // namespace rvf::wire
