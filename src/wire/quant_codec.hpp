// QUANT_SEG: what turns codes back into vectors. A VEC block of codes names its QUANT_SEG by
// segment id. docs/format.md has the byte table. Pure functions, thread-safe.
#pragma once
#include <variant>

#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

// code = round((x - min) / (max - min) * (2^bits - 1)), stored minus 2^(bits-1) as i8 or i4.
struct ScalarQuant {
  uint8_t bits = 8;        // 8 or 4
  std::vector<float> min;  // dimension
  std::vector<float> max;  // dimension
  friend bool operator==(const ScalarQuant&, const ScalarQuant&) = default;
};

// The vector is cut into `subspaces` parts of sub_dimension values, the last one filled up with
// zeros.
struct ProductQuant {
  uint16_t subspaces = 0;       // M
  uint16_t centroids = 0;       // K a subspace; codes take one byte up to 256, else two
  uint16_t sub_dimension = 0;
  std::vector<float> codebook;  // [subspaces][centroids][sub_dimension]
  friend bool operator==(const ProductQuant&, const ProductQuant&) = default;
};

struct BinaryQuant {
  std::vector<float> threshold;  // dimension; bit = x > threshold
  friend bool operator==(const BinaryQuant&, const BinaryQuant&) = default;
};

struct ResidualQuant {
  std::vector<float>
      coarse;  // [coarse count][dimension]; `fine` codes the difference to the nearest
  ProductQuant fine;
  friend bool operator==(const ResidualQuant&, const ResidualQuant&) = default;
};

enum class RotationKind : uint8_t {
  // `rounds` times: random signs from the seed, then a fast Walsh-Hadamard transform.
  kHadamardRounds = 0,
  kNone = 1,
  // `rounds` times: random signs from the seed, a transform of the largest power of two of
  // coordinates, the first and the last ones in turn, and butterflies between the halves.
  kAlternatingHadamard = 2,
  kImplementation = 0xFF,  // the seed alone reproduces it, in the implementation that wrote it
};

// Gao and Long, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound", 2024.
struct RaBitQ {
  uint8_t rounds = 3;
  uint8_t bits = 1;  // a dimension
  RotationKind rotation = RotationKind::kHadamardRounds;
  uint64_t seed = 0;
  // kAlternatingHadamard: the dimension rounded up to 16, else a power of two at least as large.
  uint32_t padded_dimension = 0;
  std::vector<float> centroids;  // [centroid count][dimension], at least one
  friend bool operator==(const RaBitQ&, const RaBitQ&) = default;
};

struct Quant {
  uint8_t tier = 0;
  uint16_t dimension = 0;
  std::variant<ScalarQuant, ProductQuant, BinaryQuant, ResidualQuant, RaBitQ> model;
  friend bool operator==(const Quant&, const Quant&) = default;
};

Bytes encode_quant(const Quant& quant);
// kUnsupported for a quantiser, RaBitQ version or bit width that this library does not know.
Result<Quant> decode_quant(ByteSpan payload);

}  // namespace rvf::wire
