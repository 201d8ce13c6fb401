// The specification of distances: sums in double, integers in int64, in order of the dimensions.
#include <cmath>
#include <cstring>

#include "kernels/choose_kernel.hpp"
#include "kernels/convert.hpp"
#include "kernels/scalar_codes.hpp"

namespace rvf::kernels::detail {
namespace {

template <DType D>
double element(const std::byte* row, size_t i) noexcept {
  if constexpr (D == DType::kF32) {
    float v;
    std::memcpy(&v, row + i * 4, 4);
    return v;
  } else if constexpr (D == DType::kF16 || D == DType::kBF16) {
    uint16_t v;
    std::memcpy(&v, row + i * 2, 2);
    return D == DType::kF16 ? f16_to_f32(v) : bf16_to_f32(v);
  } else if constexpr (D == DType::kI8) {
    return static_cast<int8_t>(row[i]);
  } else if constexpr (D == DType::kU8) {
    return static_cast<uint8_t>(row[i]);
  } else {
    const unsigned nibble = static_cast<unsigned>(row[i / 2]) >> (i % 2 * 4) & 0xF;
    return static_cast<int>(nibble ^ 8) - 8;
  }
}

float cosine(double dot, double query2, double row2) noexcept {
  if (query2 == 0 || row2 == 0) return 1.0F;
  const double d = 1.0 - dot / (std::sqrt(query2) * std::sqrt(row2));
  return static_cast<float>(d < 0 ? 0.0 : d);
}

template <DType D, Metric M>
void float_kernel(const KernelQuery& q, const std::byte* const* rows, size_t n, float* out) {
  const auto* query = static_cast<const float*>(q.data);
  for (size_t r = 0; r < n; ++r) {
    double sum = 0;
    double norm = 0;
    for (size_t i = 0; i < q.dim; ++i) {
      const double x = element<D>(rows[r], i);
      const double y = query[i];
      if constexpr (M == Metric::kL2) {
        sum += (x - y) * (x - y);
      } else {
        sum += x * y;
        if constexpr (M == Metric::kCosine) norm += x * x;
      }
    }
    if constexpr (M == Metric::kL2) out[r] = static_cast<float>(sum);
    if constexpr (M == Metric::kInnerProduct) out[r] = static_cast<float>(-sum);
    if constexpr (M == Metric::kCosine) out[r] = cosine(sum, q.norm2, norm);
  }
}

template <DType D, Metric M>
void integer_kernel(const KernelQuery& q, const std::byte* const* rows, size_t n, float* out) {
  const auto* query = static_cast<const int16_t*>(q.data);
  for (size_t r = 0; r < n; ++r) {
    int64_t sum = 0;
    int64_t norm = 0;
    for (size_t i = 0; i < q.dim; ++i) {
      const int x =
          D == DType::kI8 ? static_cast<int8_t>(rows[r][i]) : static_cast<uint8_t>(rows[r][i]);
      const int y = query[i];
      if constexpr (M == Metric::kL2) {
        sum += (x - y) * (x - y);
      } else {
        sum += x * y;
        norm += x * x;
      }
    }
    if constexpr (M == Metric::kL2) out[r] = static_cast<float>(sum);
    if constexpr (M == Metric::kInnerProduct) out[r] = static_cast<float>(-sum);
    if constexpr (M == Metric::kCosine) {
      out[r] = cosine(static_cast<double>(sum), q.norm2, static_cast<double>(norm));
    }
  }
}

template <Metric M>
void binary_kernel(const KernelQuery& q, const std::byte* const* rows, size_t n, float* out) {
  const auto* query = static_cast<const uint8_t*>(q.data);
  for (size_t r = 0; r < n; ++r) {
    int64_t both = 0;
    int64_t ones = 0;
    for (size_t i = 0; i < q.dim; ++i) {
      const int x = static_cast<int>(rows[r][i / 8]) >> (i % 8) & 1;
      const int y = query[i / 8] >> (i % 8) & 1;
      both += x & y;
      ones += x;
    }
    const auto query_ones = static_cast<int64_t>(q.norm2);
    if constexpr (M == Metric::kL2 || M == Metric::kHamming) {
      out[r] = static_cast<float>(query_ones + ones - 2 * both);
    }
    if constexpr (M == Metric::kInnerProduct) out[r] = static_cast<float>(-both);
    if constexpr (M == Metric::kCosine) {
      out[r] = cosine(static_cast<double>(both), q.norm2, static_cast<double>(ones));
    }
  }
}

struct Set {
  template <DType D, Metric M>
  static constexpr KernelFn kFloat = float_kernel<D, M>;
  template <DType D, Metric M>
  static constexpr KernelFn kInteger = integer_kernel<D, M>;
  template <Metric M>
  static constexpr KernelFn kBinary = binary_kernel<M>;
};

}  // namespace

const Level kScalarLevel = {
    .distance = choose_kernel<Set>,
    .code_dots = scalar_code_dots,
    .int8_dots = scalar_int8_dots,
    .half_dots = scalar_half_dots,
    .hamming_rows = scalar_hamming_rows,
    .bit_plane_dots = scalar_bit_plane_dots,
    .sign_differences = scalar_sign_differences,
    .pq8_float_sums = scalar_pq8_float_sums,
    .pq8_byte_sums = scalar_pq8_byte_sums,
    .pq4_byte_sums = scalar_pq4_byte_sums,
};

}  // namespace rvf::kernels::detail
