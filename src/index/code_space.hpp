// The vectors as the graph builder sees them: int8 codes compared by squared l2 in exact integers,
// so a build gives the same graph on every machine. l2 on i8, u8, i4 and binary rows is kept
// exactly (binary l2 is hamming); floats are centred and scaled; cosine normalises rows first; for
// ip, which is not centred, one more coordinate makes all norms equal (Bachrach et al., 2014), so
// the largest dot product is the smallest l2.
// Thread-safety: immutable after make().
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "index/graph.hpp"
#include "kernels/codes.hpp"

namespace rvf::index {

struct AlignedFree {
  void operator()(void* p) const noexcept { ::operator delete[](p, std::align_val_t{64}); }
};
template <class T>
using AlignedArray = std::unique_ptr<T[], AlignedFree>;
template <class T>
AlignedArray<T> aligned_array(size_t n) {  // null when there is no memory
  return AlignedArray<T>(
      static_cast<T*>(::operator new[](n * sizeof(T), std::align_val_t{64}, std::nothrow)));
}

class CodeSpace {
 public:
  // A node turned into the left side of comparisons. One a thread.
  class Query {
   public:
    explicit Query(const CodeSpace& space)
        : space_(&space),
          code_(aligned_array<uint8_t>(space.stride_)),
          rows_(std::make_unique<const int8_t*[]>(512)),
          dots_(std::make_unique<int32_t[]>(512)) {}
    void set(uint32_t node) noexcept;
    // The node's vector as a user's query: for ip without the extra coordinate.
    void set_as_search(uint32_t node) noexcept;
    // out[i] = distance to nodes[i]; n <= 512.
    void distances(const uint32_t* nodes, size_t n, float* out) const noexcept;

   private:
    const CodeSpace* space_;
    AlignedArray<uint8_t> code_;
    std::unique_ptr<const int8_t*[]> rows_;
    std::unique_ptr<int32_t[]> dots_;
    int64_t norm_ = 0;
    float extra_ = 0;
  };

  static Result<CodeSpace> make(const GraphInput& input, uint64_t seed, Executor& executor);

  void prefetch(uint32_t node) const noexcept {
    const int8_t* p = codes_.get() + node * stride_;
    for (size_t i = 0; i < stride_ && i < 512; i += 64) __builtin_prefetch(p + i);
  }

 private:
  Status fit(const GraphInput& input, uint64_t seed);
  void encode(const GraphInput& input, uint64_t begin, uint64_t end);

  size_t stride_ = 0;  // bytes, a multiple of 64
  AlignedArray<int8_t> codes_;
  std::vector<int64_t> norms_;
  std::vector<int64_t> terms_;  // norm + 256 * sum: undoes the offset that makes the query unsigned
  std::vector<float> extra_;  // ip only
  std::vector<float> mean_;
  float scale_ = 1;
  bool normalise_ = false;
  kernels::CodeDots dots_ = nullptr;
};

}  // namespace rvf::index
