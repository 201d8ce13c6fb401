#include "runtime/tier_encoder.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/convert.hpp"
#include "wire/vec_codec.hpp"

namespace rvf::runtime {
namespace {

constexpr size_t kColumnarRows = 16384;  // a block

bool is_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
}

// The range of every dimension over the rows.
Result<wire::ScalarQuant> ranges(const LiveState& from, std::span<const uint64_t> rows,
                                 uint8_t bits) {
  wire::ScalarQuant model;
  model.bits = bits;
  std::vector<float> v(from.dimension);
  for (const uint64_t row : rows) {
    RVF_TRY(kernels::decode_row(from.rows[row], from.dtype, v));
    if (model.min.empty()) {
      model.min = model.max = v;
      continue;
    }
    for (size_t d = 0; d < v.size(); ++d) {
      model.min[d] = std::min(model.min[d], v[d]);
      model.max[d] = std::max(model.max[d], v[d]);
    }
  }
  return model;
}

}  // namespace

void TierEncoder::adopt(uint8_t tier, uint64_t segment_id,
                        std::shared_ptr<const quant::ScalarQuantizer> quantizer) {
  if (tier < 3) codes_[tier] = {std::move(quantizer), segment_id};
}

Status TierEncoder::prepare(const LiveState& from, std::span<const uint64_t> rows, uint8_t tier,
                            Writer& writer) {
  if (tier == 0 || rows.empty() || !is_float(from.dtype)) return {};
  if (codes_[tier].quantizer) return {};
  RVF_ASSIGN(wire::ScalarQuant model, ranges(from, rows, tier == 1 ? 8 : 4));
  wire::Quant quant;
  quant.tier = tier;
  quant.dimension = static_cast<uint16_t>(from.dimension);
  quant.model = model;
  RVF_ASSIGN(auto quantizer, quant::ScalarQuantizer::from_wire(std::move(model)));
  Writer::Segment segment;
  segment.type = SegmentType::kQuant;
  segment.tier = tier;
  RVF_ASSIGN(const wire::DirEntry entry, writer.append(segment, wire::encode_quant(quant)));
  writer.root().quant_dictionary = {entry.offset, 0, 1};
  codes_[tier] = {std::make_shared<const quant::ScalarQuantizer>(std::move(quantizer)),
                  entry.segment_id};
  return {};
}

Result<TierEncoder::Encoded> TierEncoder::encode(const LiveState& from,
                                                 std::span<const uint64_t> rows,
                                                 std::span<const uint64_t> ids,
                                                 uint8_t tier) const {
  Encoded out;
  out.dtype = from.dtype;
  const size_t bytes = vector_bytes(from.dtype, from.dimension);
  const auto dim = static_cast<uint16_t>(from.dimension);
  if (tier == 0) {
    wire::RowMajorBuilder builder(from.dtype, dim, 0, ids);
    for (size_t i = 0; i < rows.size(); ++i) std::memcpy(builder.row(i), from.rows[rows[i]], bytes);
    const size_t per_block = wire::rows_per_block(from.dtype, from.dimension);
    out.blocks = static_cast<uint32_t>((rows.size() + per_block - 1) / per_block);
    out.payload = std::move(builder).finish();
    return out;
  }
  const Code& code = codes_[tier];
  const size_t row_bytes = code.quantizer ? code.quantizer->code_bytes() : bytes;
  wire::Bytes packed(row_bytes * rows.size());
  std::vector<float> v(from.dimension);
  for (size_t i = 0; i < rows.size(); ++i) {
    std::byte* to = packed.data() + i * row_bytes;
    if (!code.quantizer) {
      std::memcpy(to, from.rows[rows[i]], bytes);
      continue;
    }
    RVF_TRY(kernels::decode_row(from.rows[rows[i]], from.dtype, v));
    code.quantizer->encode(v, {reinterpret_cast<uint8_t*>(to), row_bytes});
  }
  std::vector<wire::ColumnarInput> blocks;
  for (size_t first = 0; first < rows.size(); first += kColumnarRows) {
    const size_t count = std::min(kColumnarRows, rows.size() - first);
    wire::ColumnarInput block;
    block.dtype = code.quantizer ? DType::kCustom : from.dtype;
    block.code_dtype = tier == 1 ? DType::kI8 : DType::kI4;
    block.quant_segment = code.segment_id;
    block.dim = dim;
    block.tier = tier;
    block.rows = wire::ByteSpan(packed).subspan(first * row_bytes, count * row_bytes);
    block.ids = ids.subspan(first, count);
    blocks.push_back(block);
  }
  if (code.quantizer) out.dtype = tier == 1 ? DType::kI8 : DType::kI4;
  out.blocks = static_cast<uint32_t>(blocks.size());
  out.payload = wire::encode_columnar_vec(blocks);
  return out;
}

}  // namespace rvf::runtime
