#include "runtime/vec_segment.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "wire/quant_codec.hpp"

namespace rvf::runtime {
namespace {

Error corrupt(const wire::DirEntry& entry, const std::string& what) {
  return {ErrorCode::kCorrupt, "VEC segment " + std::to_string(entry.segment_id) + " " + what,
          entry.segment_id, entry.offset};
}

// The quantiser of a block of codes; null for columns of the store's dtype.
Result<std::shared_ptr<const quant::RowCode>> code_of(const wire::DirEntry& entry,
                                                      const wire::VecBlock& block, DType dtype,
                                                      const Quantizers& quantizers) {
  if (block.dtype != DType::kCustom) {
    if (block.dtype != dtype) return corrupt(entry, "holds columns of another dtype");
    return std::shared_ptr<const quant::RowCode>();
  }
  const auto it = quantizers.find(block.quant_segment);
  if (it == quantizers.end()) return corrupt(entry, "names a quantiser that the store lacks");
  const std::shared_ptr<const quant::RowCode>& code = it->second.code;
  if (block.code_dtype != (code->bits() == 8 ? DType::kI8 : DType::kI4)) {
    return corrupt(entry, "has codes of another width than its quantiser");
  }
  const bool fits = block.row_major ? block.stride == code->row_bytes() : code->scalar() != nullptr;
  if (!fits) return corrupt(entry, "has codes of another form than its quantiser");
  return code;
}

}  // namespace

Result<TierQuantizer> TierQuantizer::from_payload(wire::ByteSpan payload) {
  RVF_ASSIGN(wire::Quant quant, wire::decode_quant(payload));
  const uint8_t tier = quant.tier;
  auto code = quant::RowCode::from_wire(std::move(quant));
  if (code) return TierQuantizer{std::make_shared<const quant::RowCode>(std::move(*code)), tier};
  // Of no use for rows; a block that names it says so.
  if (code.error().code == ErrorCode::kUnsupported) return TierQuantizer{nullptr, tier};
  return std::move(code).error();
}

Result<std::shared_ptr<const VecSegment>> VecSegment::load(const wire::DirEntry& entry,
                                                           const wire::RowMapEntry& rows,
                                                           wire::ByteSpan payload, DType dtype,
                                                           uint32_t dimension,
                                                           const Quantizers& quantizers) {
  auto segment = std::make_shared<VecSegment>();
  segment->entry_ = entry;
  segment->rows_ = rows;
  auto parsed = wire::parse_vec(payload, false);
  if (!parsed) {
    Error e = std::move(parsed).error();
    e.segment_id = entry.segment_id;
    e.file_offset = entry.offset;
    return e;
  }
  uint64_t row = rows.first_row;
  for (wire::VecBlock& b : *parsed) {
    RVF_ASSIGN(Block block, open_block(entry, std::move(b), dtype, dimension, quantizers));
    block.first_row = row;
    row += block.wire.count;
    if (block.lazy != nullptr) segment->reserved_bytes_ += block.lazy->reserved_bytes();
    segment->blocks_.push_back(std::move(block));
  }
  if (row - rows.first_row != rows.rows) {
    return corrupt(entry, "holds " + std::to_string(row - rows.first_row) +
                              " vectors, the manifest says " + std::to_string(rows.rows));
  }
  return std::shared_ptr<const VecSegment>(std::move(segment));
}

Result<VecSegment::Block> VecSegment::open_block(const wire::DirEntry& entry, wire::VecBlock block,
                                                 DType dtype, uint32_t dimension,
                                                 const Quantizers& quantizers) {
  if (block.dim != dimension) return corrupt(entry, "holds vectors of another dimension");
  Block out;
  out.wire = std::move(block);
  if (out.wire.row_major && !out.wire.is_row_codes()) {
    if (out.wire.dtype != dtype) return corrupt(entry, "holds vectors of another dtype");
    out.rows = out.wire.values.data();
    out.stride = out.wire.stride;
    return out;
  }
  RVF_ASSIGN(auto code, code_of(entry, out.wire, dtype, quantizers));
  RVF_ASSIGN(out.lazy, LazyRows::make(out.wire, dtype, std::move(code)));
  out.rows = out.lazy->base();
  out.stride = out.lazy->stride();
  return out;
}

const VecSegment::Block& VecSegment::block_of(uint64_t row) const noexcept {
  auto it = std::upper_bound(blocks_.begin(), blocks_.end(), row,
                             [](uint64_t r, const Block& b) { return r < b.first_row; });
  return *(it - 1);
}

uint64_t VecSegment::id_of(uint64_t row) const noexcept {
  const Block& b = block_of(row);
  return b.wire.ids.at(static_cast<size_t>(row - b.first_row));
}

uint8_t VecSegment::tier_of(uint64_t row) const noexcept { return block_of(row).wire.tier; }

void VecSegment::copy_ids(std::vector<uint64_t>& out) const {
  for (const Block& b : blocks_) b.wire.ids.copy_to(out);
}

uint64_t VecSegment::by_id(uint64_t n) const {
  std::call_once(ordered_, [&] {
    std::vector<uint64_t> ids;
    copy_ids(ids);
    if (std::is_sorted(ids.begin(), ids.end())) return;
    std::vector<uint32_t> order(ids.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return ids[a] < ids[b]; });
    by_id_ = std::move(order);
  });
  return by_id_.empty() ? n : by_id_[n];
}

Status VecSegment::append_runs(index::RowTable& table) const {
  for (const Block& b : blocks_) {
    if (b.wire.count == 0) continue;
    RVF_TRY(table.append_run({b.first_row, b.wire.count, b.rows, b.stride, b.lazy.get()}));
  }
  return {};
}

}  // namespace rvf::runtime
