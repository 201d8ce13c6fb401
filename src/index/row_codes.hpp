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
#include "index/byte_row.hpp"
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
  const ByteRow& row(uint32_t node) const noexcept { return rows_[node]; }
  GroupMember member(uint32_t node) const noexcept {
    return {node, code(node), rows_[node].scale, rows_[node].lift};
  }
  void prefetch(uint32_t node) const noexcept {
    for (size_t i = 0; i < stride_ && i < 512; i += 64) __builtin_prefetch(code(node) + i);
  }

 private:
  size_t stride_ = 0;  // bytes, a multiple of 64
  AlignedArray<int8_t> codes_;
  std::vector<ByteRow> rows_;
  kernels::Int8Dots dots_ = nullptr;
};

}  // namespace rvf::index
