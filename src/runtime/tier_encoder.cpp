#include "runtime/tier_encoder.hpp"

#include <algorithm>
#include <cstring>

#include "exec/inline_executor.hpp"
#include "kernels/convert.hpp"
#include "runtime/tier_training.hpp"
#include "wire/vec_codec.hpp"

namespace rvf::runtime {
namespace {

constexpr size_t kColumnarRows = 16384;  // a block
constexpr size_t kCodedRows = 65536;
constexpr size_t kMaxQuantizers = 8;  // of a tier

bool suits(const quant::RowCode& code, uint8_t tier) noexcept {
  return tier == 1 ? code.scalar() != nullptr && code.bits() == 8
                   : code.rabitq() != nullptr && code.bits() == 4;
}

const std::byte* kept_code(const LiveState& from, uint64_t row) noexcept {
  const VecSegment::Block& block = from.segment_of(row).block_of(row);
  return block.lazy->code_of(row - block.first_row);
}

}  // namespace

uint64_t kept_quantizer(const LiveState& from, uint64_t row, uint8_t tier) noexcept {
  if (tier == 0) return 0;
  const VecSegment::Block& block = from.segment_of(row).block_of(row);
  return block.wire.is_row_codes() && suits(*block.lazy->code(), tier) ? block.wire.quant_segment
                                                                       : 0;
}

void TierEncoder::adopt(uint64_t segment_id, const quant::RowCode& code) {
  for (const uint8_t tier : {uint8_t{1}, uint8_t{2}}) {
    if (suits(code, tier))
      written_.emplace_back(wire::encode_quant(code.to_wire(tier)), segment_id);
  }
}

Result<uint64_t> TierEncoder::put(const quant::RowCode& code, uint8_t tier, Writer& writer) {
  wire::Bytes payload = wire::encode_quant(code.to_wire(tier));
  for (const auto& [there, id] : written_) {
    if (there == payload) return id;
  }
  Writer::Segment segment;
  segment.type = SegmentType::kQuant;
  segment.tier = tier;
  RVF_ASSIGN(const wire::DirEntry entry, writer.append(segment, payload));
  writer.root().quant_dictionary = {entry.offset, 0, 1};
  written_.emplace_back(std::move(payload), entry.segment_id);
  return entry.segment_id;
}

Status TierEncoder::prepare(const LiveState& from, std::span<const uint64_t> rows, uint8_t tier,
                            Writer& writer) {
  if (tier == 0 || rows.empty() || !has_row_codes(from.dtype)) return {};
  Tier& t = tiers_[tier];
  std::vector<uint64_t> others;
  for (const uint64_t row : rows) {
    const uint64_t id = kept_quantizer(from, row, tier);
    id == 0 ? others.push_back(row) : (void)t.kept[id];
  }
  if (t.kept.size() >= kMaxQuantizers) {
    t.kept.clear();
    others.assign(rows.begin(), rows.end());
  }
  for (auto& [id, in_output] : t.kept) {
    RVF_ASSIGN(in_output, put(*from.quantizers.at(id).code, tier, writer));
  }
  if (others.empty()) return {};
  const TierTraining training(from, others, executor_);
  const Code newest = t.kept.empty() ? nullptr : from.quantizers.at(t.kept.rbegin()->first).code;
  if (tier == 1) {
    RVF_ASSIGN(t.code, training.scalar(newest));
  } else {
    RVF_ASSIGN(t.code, training.rabitq(newest, rows));
    RVF_ASSIGN(auto centroids,
               quant::GroupedCentroids::make(t.code->rabitq()->model().centroids, from.dimension));
    t.centroids = std::make_shared<const quant::GroupedCentroids>(std::move(centroids));
  }
  RVF_ASSIGN(t.segment_id, put(*t.code, tier, writer));
  return {};
}

Result<TierEncoder::Encoded> TierEncoder::encode(const LiveState& from,
                                                 std::span<const uint64_t> rows,
                                                 std::span<const uint64_t> ids,
                                                 uint8_t tier) const {
  if (tier == 0) return encode_hot(from, rows, ids);
  return has_row_codes(from.dtype) ? encode_codes(from, rows, ids, tier)
                                   : encode_columns(from, rows, ids, tier);
}

TierEncoder::Encoded TierEncoder::encode_hot(const LiveState& from, std::span<const uint64_t> rows,
                                             std::span<const uint64_t> ids) {
  Encoded out;
  out.dtype = from.dtype;
  const size_t bytes = vector_bytes(from.dtype, from.dimension);
  wire::RowMajorBuilder builder(from.dtype, static_cast<uint16_t>(from.dimension), 0, ids);
  for (size_t i = 0; i < rows.size(); ++i) std::memcpy(builder.row(i), from.rows[rows[i]], bytes);
  const size_t per_block = wire::rows_per_block(from.dtype, from.dimension);
  out.blocks = static_cast<uint32_t>((rows.size() + per_block - 1) / per_block);
  out.payload = std::move(builder).finish();
  return out;
}

TierEncoder::Encoded TierEncoder::encode_columns(const LiveState& from,
                                                 std::span<const uint64_t> rows,
                                                 std::span<const uint64_t> ids, uint8_t tier) {
  Encoded out;
  out.dtype = from.dtype;
  const size_t bytes = vector_bytes(from.dtype, from.dimension);
  wire::Bytes packed(bytes * rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(packed.data() + i * bytes, from.rows[rows[i]], bytes);
  }
  std::vector<wire::ColumnarInput> blocks;
  for (size_t first = 0; first < rows.size(); first += kColumnarRows) {
    const size_t count = std::min(kColumnarRows, rows.size() - first);
    wire::ColumnarInput block;
    block.dtype = from.dtype;
    block.dim = static_cast<uint16_t>(from.dimension);
    block.tier = tier;
    block.rows = wire::ByteSpan(packed).subspan(first * bytes, count * bytes);
    block.ids = ids.subspan(first, count);
    blocks.push_back(block);
  }
  out.blocks = static_cast<uint32_t>(blocks.size());
  out.payload = wire::encode_columnar_vec(blocks);
  return out;
}

Result<TierEncoder::Encoded> TierEncoder::encode_codes(const LiveState& from,
                                                       std::span<const uint64_t> rows,
                                                       std::span<const uint64_t> ids,
                                                       uint8_t tier) const {
  const Tier& t = tiers_[tier];
  // The quantiser of the output of each row; 0: of the rows that are coded now.
  std::vector<uint64_t> kept(rows.size());
  const quant::RowCode* any = t.code.get();
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto at = t.kept.find(kept_quantizer(from, rows[i], tier));
    if (at == t.kept.end()) continue;
    kept[i] = at->second;
    any = from.quantizers.at(at->first).code.get();
  }
  const size_t row_bytes = any->row_bytes();  // the same of all quantisers of a tier
  wire::Bytes packed(row_bytes * rows.size());
  encode_rows(from, rows, kept, t, row_bytes, packed);
  Encoded out;
  out.dtype = tier == 1 ? DType::kI8 : DType::kI4;
  std::vector<wire::RowCodesInput> blocks;
  for (size_t first = 0; first < rows.size();) {
    size_t end = first + 1;
    while (end < rows.size() && end - first < kCodedRows && kept[end] == kept[first]) ++end;
    wire::RowCodesInput block;
    block.code_dtype = out.dtype;
    block.quant_segment = kept[first] != 0 ? kept[first] : t.segment_id;
    block.row_bytes = static_cast<uint32_t>(row_bytes);
    block.dim = static_cast<uint16_t>(from.dimension);
    block.tier = tier;
    block.rows = wire::ByteSpan(packed).subspan(first * row_bytes, (end - first) * row_bytes);
    block.ids = ids.subspan(first, end - first);
    blocks.push_back(block);
    first = end;
  }
  out.blocks = static_cast<uint32_t>(blocks.size());
  out.payload = wire::encode_row_codes_vec(blocks);
  return out;
}

void TierEncoder::encode_rows(const LiveState& from, std::span<const uint64_t> rows,
                              std::span<const uint64_t> kept, const Tier& t, size_t row_bytes,
                              std::span<std::byte> packed) const {
  struct Worker {
    std::vector<float> values;
    quant::RaBitQRows::Scratch scratch;
    quant::GroupedCentroids::Scratch nearest;
  };
  InlineExecutor alone;
  Executor& executor = executor_ != nullptr ? *executor_ : alone;
  // Made before the work is shared out: its bodies must not want memory.
  std::vector<Worker> workers(executor.width());
  for (Worker& w : workers) {
    w.values.resize(from.dimension);
    if (t.code != nullptr) w.scratch = t.code->make_scratch();
    if (t.centroids != nullptr) w.nearest = t.centroids->make_scratch();
  }
  executor.parallel_for(rows.size(), 256, [&](size_t worker, uint64_t begin, uint64_t end) {
    Worker& w = workers[worker];
    for (uint64_t i = begin; i < end; ++i) {
      auto* out = reinterpret_cast<uint8_t*>(packed.data() + i * row_bytes);
      if (kept[i] != 0) {
        std::memcpy(out, kept_code(from, rows[i]), row_bytes);
        continue;
      }
      (void)kernels::decode_row(from.rows[rows[i]], from.dtype, w.values);
      if (const quant::RaBitQRows* rabitq = t.code->rabitq()) {
        float distance2 = 0;
        const uint32_t centroid = t.centroids->nearest(w.values.data(), w.nearest, &distance2);
        rabitq->encode(w.values.data(), centroid, w.scratch, out);
      } else {
        t.code->scalar()->encode(w.values, {out, row_bytes});
      }
    }
  });
}

}  // namespace rvf::runtime
