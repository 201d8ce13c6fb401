// A row as a RaBitQ code that is meant to be decoded: the number of its nearest centroid, and the
// levels and length of what it differs from it by, in the rotated space. Each row for itself:
//   levels (bits a dimension, padded), f32 step, u16 centroid
//   row = centroid + R^-1(step * (level - middle))
// The metric does not matter; centroids are those of the rows as they are. The step is the one of
// the least squared error. docs/format.md, "QUANT".
// Immutable; thread-safe. The same bits on every machine.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "quant/rabitq_code.hpp"
#include "quant/rotation.hpp"
#include "rvf/result.hpp"
#include "wire/quant_codec.hpp"

namespace rvf::quant {

class RaBitQRows {
 public:
  static constexpr size_t kMaxCentroids = 65535;
  static constexpr size_t kFactorBytes = 6;

  // kUnsupported for a rotation, bits or a number of centroids that these rows cannot have;
  // kNotFinite for centroids with NaN or infinity.
  static Result<RaBitQRows> from_wire(wire::RaBitQ model, size_t dim);
  const wire::RaBitQ& model() const noexcept { return model_; }

  unsigned bits() const noexcept { return model_.bits; }
  size_t dim() const noexcept { return rotation_.dim(); }
  size_t padded() const noexcept { return rotation_.padded(); }
  size_t code_bytes() const noexcept { return packed_bytes(padded(), bits()); }
  size_t row_bytes() const noexcept { return code_bytes() + kFactorBytes; }
  uint32_t centroid_count() const noexcept {
    return static_cast<uint32_t>(model_.centroids.size() / dim());
  }
  const float* centroid(uint32_t c) const noexcept { return model_.centroids.data() + c * dim(); }
  size_t memory_bytes() const noexcept {
    return rotation_.memory_bytes() + model_.centroids.size() * sizeof(float);
  }

  // Working memory, one a thread.
  struct Scratch {
    std::vector<float> values;  // [padded]
    std::vector<uint8_t> levels;  // [padded]
  };
  Scratch make_scratch() const;

  // `row` is row_bytes() bytes, `vector` [dim]. Allocates nothing with a scratch of make_scratch().
  void encode(const float* vector, uint32_t centroid, Scratch& scratch,
              uint8_t* row) const noexcept;
  // Of a row that is_whole() refuses: zeros.
  void decode(const uint8_t* row, Scratch& scratch, float* vector) const noexcept;
  // Whether the centroid exists and the step is a number that is finite and not negative.
  bool is_whole(const uint8_t* row) const noexcept;
  // Squared length of what the row differs from its centroid by.
  double residual2(const uint8_t* row, Scratch& scratch) const noexcept;

 private:
  wire::RaBitQ model_;
  Rotation rotation_;
};

}  // namespace rvf::quant
