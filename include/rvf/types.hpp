// The few enums that a user of the store meets. Values are those written into files.
#pragma once
#include <cstddef>
#include <cstdint>

namespace rvf {

enum class DType : uint8_t {
  kF32 = 0,
  kF16 = 1,
  kBF16 = 2,
  kI8 = 3,
  kU8 = 4,
  kI4 = 5,      // two values a byte, low nibble first, two's complement -8..7
  kBinary = 6,  // one bit a dimension, least significant bit first
  kPQ = 7,      // codes that name their QUANT_SEG
  kCustom = 8,
};

// Smaller is nearer for every metric: l2 is the squared distance, ip is minus the dot product,
// cosine is 1 - cos (1 when either vector is zero), hamming counts differing bits.
enum class Metric : uint8_t { kL2 = 0, kInnerProduct = 1, kCosine = 2, kHamming = 3 };

// What the vectors of a store are named by: one kind a store, decided by its first row or at create.
enum class IdKind : uint8_t {
  kUndecided = 0,  // an empty store that was not told
  kNumbers = 1,  // 0 to 2^64-2, given or counted on
  kTexts = 2,  // 1 byte or more
};
const char* id_kind_name(IdKind kind) noexcept;  // "undecided", "numbers", "texts"

// What a store's index is, and what it is searched through.
enum class SearchLayout : uint16_t {
  kFused = 0,  // node blocks made for searching, about 1.5 times the vectors as f32: fastest
  kStandard = 1,  // the neighbour lists and the vectors alone: smaller
  // No graph: one-bit codes in partitions, about 1/25 of the vectors as f32. For collections too
  // large for a graph: built in minutes with little memory, a first answer from few bytes.
  kPartitions = 2,
};
const char* search_layout_name(SearchLayout layout) noexcept;  // "fused", "standard", "partitions"

// Which parts of a store answered a query: bits of QueryResult::layers.
inline constexpr uint32_t kLayerA = 1;  // entry points, top layers; partitions with their codes
inline constexpr uint32_t kLayerB = 2;  // hot region; files of others have it
inline constexpr uint32_t kLayerC = 4;  // all neighbour lists or node blocks
inline constexpr uint32_t kLayerScan = 8;  // rows one by one: all, a filter's, or the newest
const char* layers_text(uint32_t layers) noexcept;  // for example "A+C"; "none"

inline constexpr uint32_t kMaxDimension = 65535;

// Bytes that one vector takes without padding.
constexpr size_t vector_bytes(DType dtype, size_t dim) noexcept {
  switch (dtype) {
    case DType::kF32: return dim * 4;
    case DType::kF16:
    case DType::kBF16: return dim * 2;
    case DType::kI8:
    case DType::kU8: return dim;
    case DType::kI4: return (dim + 1) / 2;
    case DType::kBinary: return (dim + 7) / 8;
    case DType::kPQ:
    case DType::kCustom: return 0;
  }
  return 0;
}

const char* dtype_name(DType dtype) noexcept;  // "f32", "f16", ...
const char* metric_name(Metric metric) noexcept;  // "l2", "cosine", "ip", "hamming"
// False if the text names none; out is untouched then.
bool parse_dtype(const char* text, DType& out) noexcept;
bool parse_metric(const char* text, Metric& out) noexcept;

}  // namespace rvf
