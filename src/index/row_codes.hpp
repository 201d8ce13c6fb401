// The vectors as the graph builder sees them: placed in the fused space and kept as signed bytes
// with a scale for each row. Distances come from exact integer products and single float operations
// in a fixed order, so a build gives the same graph on every machine.
// Thread-safety: immutable after make().
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "index/aligned_array.hpp"
#include "index/fused_space.hpp"
#include "kernels/codes.hpp"

namespace rvf::index {

class RowCodes {
 public:
  // A node as the left side of comparisons. One a thread.
  class Query {
   public:
    explicit Query(const RowCodes& codes);
    void set(uint32_t node) noexcept;
    // out[i] = squared distance to nodes[i].
    void distances(const uint32_t* nodes, size_t n, float* out) const noexcept;

   private:
    static constexpr size_t kMostAtOnce = 512;
    void distances_at_once(const uint32_t* nodes, size_t n, float* out) const noexcept;

    const RowCodes* codes_;
    const int8_t* code_ = nullptr;
    std::unique_ptr<const int8_t*[]> rows_;
    std::unique_ptr<int32_t[]> products_;
    float scale_ = 0;
    float norm_ = 0;
  };

  // Errors: kOutOfMemory.
  static Result<RowCodes> make(const FusedSpace& space, const GraphInput& input,
                               Executor& executor);

  const int8_t* code(uint32_t node) const noexcept { return codes_.get() + node * stride_; }
  float scale(uint32_t node) const noexcept { return rows_[node].scale; }
  // What a block says of its vector: the exact squared norm, and the scale with which products of
  // the bytes are unbiased.
  float block_norm(uint32_t node) const noexcept { return rows_[node].block_norm; }
  float block_scale(uint32_t node) const noexcept { return rows_[node].block_scale; }
  // What a distance to this row is larger by than its bytes say.
  float lift(uint32_t node) const noexcept { return rows_[node].lift; }
  void prefetch(uint32_t node) const noexcept {
    for (size_t i = 0; i < stride_ && i < 512; i += 64) __builtin_prefetch(code(node) + i);
  }

 private:
  struct Row {
    float scale = 0;
    float norm = 0;  // of the decoded bytes
    float block_norm = 0;
    float block_scale = 0;
    float lift = 0;
  };
  void encode(uint32_t node, const float* placed, float lift);

  size_t stride_ = 0;  // bytes, a multiple of 64
  size_t padded_ = 0;
  AlignedArray<int8_t> codes_;
  std::vector<Row> rows_;
  kernels::Int8Dots dots_ = nullptr;
};

}  // namespace rvf::index
