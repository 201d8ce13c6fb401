#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "kernels/convert.hpp"
#include "runtime/store_impl.hpp"
#include "wire/vec_codec.hpp"

namespace rvf::runtime {
namespace {

// Batches are cut so that a segment stays far below the payload limit and a commit's memory is
// bounded.
constexpr uint64_t kMaxSegmentBytes = 256ULL << 20;

Error name_vector(Error e, uint64_t index) {
  e.message = "vector " + std::to_string(index) + " of the batch: " + e.message;
  return e;
}

// True if no value has all exponent bits set. Written over integers so that it vectorises.
bool all_finite_f32(const std::byte* p, size_t n) noexcept {
  uint32_t bad = 0;
  for (size_t i = 0; i < n; ++i) {
    uint32_t v = 0;
    std::memcpy(&v, p + i * 4, 4);
    bad |= static_cast<uint32_t>((v & 0x7F800000U) == 0x7F800000U);
  }
  return bad == 0;
}

bool all_finite_16(const std::byte* p, size_t n, uint16_t exponent) noexcept {
  uint32_t bad = 0;
  for (size_t i = 0; i < n; ++i) {
    uint16_t v = 0;
    std::memcpy(&v, p + i * 2, 2);
    bad |= static_cast<uint32_t>((v & exponent) == exponent);
  }
  return bad == 0;
}

bool all_finite(const std::byte* p, DType dtype, size_t n) noexcept {
  switch (dtype) {
    case DType::kF32: return all_finite_f32(p, n);
    case DType::kF16: return all_finite_16(p, n, 0x7C00);
    case DType::kBF16: return all_finite_16(p, n, 0x7F80);
    default: return true;
  }
}

bool holds_whole_numbers(DType dtype) noexcept {
  return dtype == DType::kI8 || dtype == DType::kU8;
}

// Rounding would turn a unit vector into zeros without a word.
Status refuse_fractions(std::span<const float> values, DType dtype) {
  for (size_t d = 0; d < values.size(); ++d) {
    if (!std::isfinite(values[d]) || values[d] == std::trunc(values[d])) continue;
    return Error(ErrorCode::kOutOfRange,
                 "dimension " + std::to_string(d) + " is " + std::to_string(values[d]) +
                     ", and dtype " + dtype_name(dtype) +
                     " holds whole numbers only; a store of dtype f32 with storage int8 keeps "
                     "fractions in 8 bits a dimension");
  }
  return {};
}

// Puts one vector of the caller into a row of the store.
Status convert(const std::byte* from, DType from_type, DType to_type, std::span<float> scratch,
               std::byte* to) {
  if (from_type == to_type) {
    if (all_finite(from, from_type, scratch.size())) {
      std::memcpy(to, from, vector_bytes(to_type, scratch.size()));
      return {};
    }
    RVF_TRY(kernels::decode_row(from, from_type, scratch));
    for (size_t d = 0; d < scratch.size(); ++d) {
      if (!std::isfinite(scratch[d])) {
        return Error(ErrorCode::kNotFinite,
                     "dimension " + std::to_string(d) + " is NaN or infinite");
      }
    }
  }
  RVF_TRY(kernels::decode_row(from, from_type, scratch));
  if (holds_whole_numbers(to_type)) RVF_TRY(refuse_fractions(scratch, to_type));
  return kernels::encode_row(scratch, to_type, to);
}

}  // namespace

Result<std::vector<EncodedRows>> encode_rows(const Vectors& vectors, std::span<const uint64_t> ids,
                                             DType dtype, uint32_t dimension) {
  const size_t in_bytes = vector_bytes(vectors.dtype, dimension);
  const auto* data = static_cast<const std::byte*>(vectors.data);
  const uint64_t per_segment =
      std::max<uint64_t>(1, kMaxSegmentBytes / wire::row_stride(dtype, dimension));
  std::vector<float> scratch(dimension);
  std::vector<EncodedRows> all;
  for (uint64_t first = 0; first < vectors.count; first += per_segment) {
    const uint64_t count = std::min<uint64_t>(per_segment, vectors.count - first);
    wire::RowMajorBuilder builder(dtype, static_cast<uint16_t>(dimension), 0,
                                  ids.subspan(first, count));
    for (uint64_t i = 0; i < count; ++i) {
      const std::byte* from = data + (first + i) * in_bytes;
      if (auto s = convert(from, vectors.dtype, dtype, scratch, builder.row(i)); !s) {
        return name_vector(std::move(s).error(), first + i);
      }
    }
    EncodedRows part;
    part.first = first;
    part.count = count;
    part.blocks = static_cast<uint32_t>((count + wire::rows_per_block(dtype, dimension) - 1) /
                                        wire::rows_per_block(dtype, dimension));
    part.payload = std::move(builder).finish();
    all.push_back(std::move(part));
  }
  return all;
}

}  // namespace rvf::runtime
