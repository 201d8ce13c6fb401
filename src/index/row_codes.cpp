#include "index/row_codes.hpp"

#include <algorithm>

namespace rvf::index {

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
    const ByteRow& row = codes_->rows_[nodes[i]];
    const auto product = static_cast<float>(products_[i]);
    const float d = (norm_ + row.norm) - 2 * (scale_ * row.scale) * product;
    out[i] = (d > 0 ? d : 0) + row.lift;
  }
}

Result<RowCodes> RowCodes::make(const FusedSpace& space, const GraphInput& input,
                                Executor& executor) {
  RowCodes c;
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
    std::vector<float> placed(space.layout().padded);
    for (uint64_t r = b; r < e; ++r) {
      const float lift = place_row(space, input, input.first_row + r, v, placed.data());
      c.rows_[r] = to_byte_row(space.layout(), placed.data(), lift, c.codes_.get() + r * c.stride_);
    }
  });
  return c;
}

}  // namespace rvf::index
