#include "runtime/vec_segment.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "kernels/convert.hpp"

namespace rvf::runtime {
namespace {

Error corrupt(const wire::DirEntry& entry, const std::string& what) {
  return {ErrorCode::kCorrupt, "VEC segment " + std::to_string(entry.segment_id) + " " + what,
          entry.segment_id, entry.offset};
}

}  // namespace

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
    if (b.dim != dimension) return corrupt(entry, "holds vectors of another dimension");
    Block block{row, std::move(b), nullptr, 0};
    row += block.wire.count;
    if (block.wire.row_major) {
      if (block.wire.dtype != dtype) return corrupt(entry, "holds vectors of another dtype");
      block.rows = block.wire.values.data();
      block.stride = block.wire.stride;
    } else {
      RVF_TRY(segment->decode_columnar(block, dtype, dimension, quantizers));
    }
    segment->blocks_.push_back(std::move(block));
  }
  if (row - rows.first_row != rows.rows) {
    return corrupt(entry, "holds " + std::to_string(row - rows.first_row) +
                              " vectors, the manifest says " + std::to_string(rows.rows));
  }
  return std::shared_ptr<const VecSegment>(std::move(segment));
}

Status VecSegment::decode_columnar(Block& block, DType dtype, uint32_t dimension,
                                   const Quantizers& quantizers) {
  std::shared_ptr<const quant::ScalarQuantizer> quantizer;
  if (block.wire.dtype == DType::kCustom) {
    const auto it = quantizers.find(block.wire.quant_segment);
    if (it == quantizers.end()) return corrupt(entry_, "names a quantiser that the store lacks");
    quantizer = it->second.quantizer;
    const DType code = quantizer->model().bits == 8 ? DType::kI8 : DType::kI4;
    if (block.wire.code_dtype != code)
      return corrupt(entry_, "has codes of another width than its quantiser");
  } else if (block.wire.dtype != dtype) {
    return corrupt(entry_, "holds columns of another dtype");
  }
  RVF_ASSIGN(const wire::Bytes packed, wire::columnar_rows(block.wire));
  block.stride = wire::row_stride(dtype, dimension);
  const size_t total = block.stride * block.wire.count;
  auto* memory = static_cast<std::byte*>(
      ::operator new(std::max<size_t>(total, 64), std::align_val_t{64}, std::nothrow));
  if (memory == nullptr)
    return Error(ErrorCode::kOutOfMemory, "no memory to decode a columnar block");
  decoded_.emplace_back(memory);
  decoded_bytes_ += total;
  block.rows = memory;
  const size_t bytes = quantizer ? quantizer->code_bytes() : vector_bytes(dtype, dimension);
  std::vector<float> values(dimension);
  for (size_t i = 0; i < block.wire.count; ++i) {
    const std::byte* from = packed.data() + i * bytes;
    if (!quantizer) {
      std::memcpy(memory + i * block.stride, from, bytes);
      continue;
    }
    quantizer->decode({reinterpret_cast<const uint8_t*>(from), bytes}, values);
    RVF_TRY(kernels::encode_row(values, dtype, memory + i * block.stride));
  }
  return {};
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

Status VecSegment::append_runs(index::RowTable& table) const {
  for (const Block& b : blocks_) {
    if (b.wire.count == 0) continue;
    RVF_TRY(table.append_run({b.first_row, b.wire.count, b.rows, b.stride}));
  }
  return {};
}

}  // namespace rvf::runtime
