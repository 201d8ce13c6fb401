// Search by an exhaustive scan of RaBitQ codes: every row is estimated from one bit a dimension, what
// its error bound leaves in doubt from more bits, and what is then still in doubt exactly. There is no
// number of candidates to choose: recall follows from the bound. Rows are kept by partition; one whose
// nearest possible row is too far is skipped whole.
// Immutable after build(); any number of threads may search it.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "quant/bound_mask.hpp"
#include "quant/rabitq.hpp"
#include "rvf/executor.hpp"
#include "rvf/result.hpp"

namespace rvf::quant {

// Rows at data, data + stride, ...; not owned, and read again by each search.
struct StoredRows {
  const std::byte* data = nullptr;
  size_t stride = 0;  // bytes
  size_t count = 0;  // below 2^32
  size_t dim = 0;
  DType dtype = DType::kF32;  // f32, f16, bf16, i8, u8 or i4
};

struct RaBitQScanOptions {
  size_t partitions = 0;  // 0: about half the square root of the rows, at most 1024
  // Bits a dimension of the second look: 4 or 8, or 0 for none. 4 suit most data, 0 saves memory.
  unsigned refine_bits = 4;
  uint64_t seed = 1;
  Executor* executor = nullptr;  // for the build; not owned; the result does not depend on it
};

struct ScanHit {
  uint64_t row = 0;
  float distance = 0;  // exact, as kernels::prepare gives it
};

struct ScanCounts {
  uint64_t partitions = 0;  // that were not skipped
  uint64_t estimated = 0;  // rows, from one bit a dimension
  uint64_t refined = 0;  // rows, from refine_bits
  uint64_t exact = 0;  // rows
};

class RaBitQScan {
 public:
  // Trains the centroids on a sample and encodes every row. kBadArgument for a wrong shape or
  // refine_bits, kUnsupported for dtypes without values, kNotFinite, kWrongMetric for hamming.
  static Result<RaBitQScan> build(const StoredRows& rows, Metric metric,
                                  const RaBitQScanOptions& options);

  const RaBitQ& quantizer() const noexcept { return quantizer_; }
  size_t memory_bytes() const noexcept;  // without the rows

  // The k nearest rows by (distance, row), found but for the chance that an estimate is more than
  // `deviations` standard deviations off. kWrongDimension, kNotFinite.
  Result<std::vector<ScanHit>> search(std::span<const float> query, size_t k,
                                      float deviations = kDefaultDeviations,
                                      ScanCounts* counts = nullptr) const;

 private:
  struct Partition {
    size_t first_block = 0;
    size_t rows = 0;
    float radius = 0;  // no row is farther from the centroid
  };
  struct Encoder {
    std::vector<float> row;
    std::vector<uint8_t> levels;
    std::vector<uint8_t> nibbles;
    RaBitQ::Scratch scratch;
  };
  class Search;

  Result<std::vector<uint32_t>> assign(Executor* executor);
  void reserve(size_t blocks, unsigned refine_bits);
  void encode_partition(uint32_t centroid, const uint32_t* members, Encoder& encoder);
  void encode_refined(size_t position, uint32_t centroid, Encoder& encoder);

  StoredRows rows_;
  RaBitQ quantizer_;  // of one bit
  unsigned refine_bits_ = 0;
  size_t refine_bytes_ = 0;  // of a row
  std::vector<Partition> partitions_;  // [centroids]
  // [i][j]: the least |o - c_i|^2 of the rows o of partition j, less |c_i - c_j|^2. For l2, rows of
  // length 1 for cosine.
  std::vector<float> gaps_;
  // Position p is lane p % 32 of block p / 32.
  std::vector<uint32_t> row_of_;  // [positions]
  std::vector<uint8_t> codes_;  // [blocks][padded / 4][16], as kernels::pack_pq4 lays them out
  std::vector<BlockFactors> factors_;  // [blocks]
  std::vector<std::byte> refine_codes_;  // [positions][refine_bytes_]: i4 or i8, level - middle
  std::vector<RaBitQFactors> refine_factors_;  // [positions]
};

}  // namespace rvf::quant
