#include "index/row_codes.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/convert.hpp"

namespace rvf::index {
namespace {

constexpr float kLeastCoordinate = 1e-12F;  // where others are about 1

}  // namespace

RowCodes::Query::Query(const RowCodes& codes)
    : codes_(&codes),
      rows_(std::make_unique<const int8_t*[]>(kMostAtOnce)),
      products_(std::make_unique<int32_t[]>(kMostAtOnce)) {}

void RowCodes::Query::set(uint32_t node) noexcept {
  code_ = codes_->code(node);
  scale_ = codes_->rows_[node].scale;
  norm_ = codes_->rows_[node].norm;
}

void RowCodes::Query::distances(const uint32_t* nodes, size_t n, float* out) const noexcept {
  for (size_t at = 0; at < n; at += kMostAtOnce) {
    distances_at_once(nodes + at, std::min(kMostAtOnce, n - at), out + at);
  }
}

void RowCodes::Query::distances_at_once(const uint32_t* nodes, size_t n,
                                        float* out) const noexcept {
  for (size_t i = 0; i < n; ++i) rows_[i] = codes_->code(nodes[i]);
  codes_->dots_(code_, rows_.get(), n, codes_->stride_, products_.get());
  for (size_t i = 0; i < n; ++i) {
    const Row& row = codes_->rows_[nodes[i]];
    const auto product = static_cast<float>(products_[i]);
    const float d = (norm_ + row.norm) - 2 * (scale_ * row.scale) * product;
    out[i] = (d > 0 ? d : 0) + row.lift;
  }
}

Result<RowCodes> RowCodes::make(const FusedSpace& space, const GraphInput& input,
                                Executor& executor) {
  RowCodes c;
  c.padded_ = space.layout().padded;
  c.stride_ = space.layout().vector_bytes;
  c.dots_ = kernels::int8_dots();
  c.codes_ = aligned_array<int8_t>(static_cast<size_t>(input.count) * c.stride_);
  if (c.codes_ == nullptr) {
    return Error(ErrorCode::kOutOfMemory, "no memory for the codes of " +
                                              std::to_string(input.count) + " rows of " +
                                              std::to_string(input.dim) + " dimensions");
  }
  c.rows_.resize(static_cast<size_t>(input.count));
  executor.parallel_for(input.count, 256, [&](size_t, uint64_t b, uint64_t e) {
    std::vector<float> v(input.dim);
    std::vector<float> placed(c.padded_);
    for (uint64_t r = b; r < e; ++r) {
      if (!kernels::decode_row((*input.rows)[input.first_row + r], input.dtype, v).ok()) {
        std::fill(v.begin(), v.end(), 0.0F);
      }
      const bool is_null = space.place(v, false, placed.data());
      // Cosine distance 1 is squared l2 2 between unit vectors; from the origin it is only 1.
      const float lift = is_null ? space.frame().scale * space.frame().scale : 0;
      c.encode(static_cast<uint32_t>(r), placed.data(), lift);
    }
  });
  return c;
}

void RowCodes::encode(uint32_t node, const float* placed, float lift) {
  int8_t* code = codes_.get() + node * stride_;
  std::fill_n(code, stride_, int8_t{0});
  float top = 0;
  for (size_t i = 0; i < padded_; ++i) top = std::max(top, std::fabs(placed[i]));
  Row& row = rows_[node];
  if (top < kLeastCoordinate) top = 0;
  const float inverse = top > 0 ? 127.0F / top : 0.0F;
  const float scale = top / 127.0F;
  double exact = 0;
  double crossed = 0;
  int64_t squares = 0;
  for (size_t i = 0; i < padded_; ++i) {
    const auto c = static_cast<int32_t>(std::lrintf(placed[i] * inverse));
    code[i] = static_cast<int8_t>(c);
    exact += static_cast<double>(placed[i]) * placed[i];
    crossed += static_cast<double>(placed[i]) * c;
    squares += int64_t{c} * c;
  }
  crossed *= scale;
  row.scale = scale;
  row.norm = static_cast<float>(static_cast<double>(scale) * scale * static_cast<double>(squares));
  row.lift = lift;
  row.block_norm = static_cast<float>(exact) + lift;
  row.block_scale = crossed > 0 ? static_cast<float>(scale * (exact / crossed)) : scale;
}

}  // namespace rvf::index
