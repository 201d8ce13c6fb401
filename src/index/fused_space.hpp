// From stored vectors and queries to the space of the fused layout, where squared l2 ranks like the
// metric: cosine normalises; ip gets one more coordinate that makes all norms equal (Bachrach et
// al., 2014), so that the largest product is the smallest l2. Then all is centred, rotated and
// scaled so that the mean squared norm is 64, which suits 16-bit factors.
// Thread-safety: immutable; placing uses the caller's memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/fused_kernels.hpp"
#include "index/graph.hpp"
#include "kernels/kernels.hpp"
#include "quant/rotation.hpp"

namespace rvf::index {

// What a file keeps of a space.
struct FusedFrame {
  Metric metric = Metric::kL2;
  uint32_t dim = 0;
  uint64_t seed = 0;  // of the rotation
  float scale = 1;
  float largest_norm2 = 0;  // ip: of the rows the space was fitted to
  std::vector<float> centre;  // coordinates()
  bool operator==(const FusedFrame&) const = default;

  uint32_t coordinates() const noexcept { return dim + (metric == Metric::kInnerProduct ? 1 : 0); }
};

class FusedSpace {
 public:
  // Looks at a sample of the rows (for ip at all norms). Errors of decoding.
  static Result<FusedSpace> fit(const GraphInput& input, uint64_t seed);
  // Errors: kCorrupt for a frame that cannot be.
  static Result<FusedSpace> from(FusedFrame frame);

  const FusedFrame& frame() const noexcept { return frame_; }
  const FusedLayout& layout() const noexcept { return layout_; }

  // Writes layout().padded floats; `vector` has dim values, of which those that are not finite are
  // set to 0. True for a vector without direction under cosine, whose distance to all is 1.
  bool place(std::span<float> vector, bool is_query, float* out) const noexcept;

 private:
  FusedSpace() = default;
  explicit FusedSpace(FusedFrame frame) : frame_(std::move(frame)) {}
  // Up to where squared l2 ranks like the metric: coordinates() values.
  bool lift(std::span<float> vector, bool is_query, float* out) const noexcept;

  FusedFrame frame_;
  FusedLayout layout_;
  quant::Rotation rotation_;
};

const FusedKernels& fused_kernels(kernels::Isa isa = kernels::Isa::kBest) noexcept;

}  // namespace rvf::index
