// The specification: sums in double, integers in int64, in order of the dimensions.
#include <cmath>
#include <cstring>

#include "kernels/convert.hpp"
#include "kernels/kernel_table.hpp"

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

template <DType D>
KernelFn pick(Metric metric, bool integer) noexcept {
  if constexpr (D == DType::kI8 || D == DType::kU8) {
    if (integer) {
      if (metric == Metric::kL2) return integer_kernel<D, Metric::kL2>;
      if (metric == Metric::kInnerProduct) return integer_kernel<D, Metric::kInnerProduct>;
      if (metric == Metric::kCosine) return integer_kernel<D, Metric::kCosine>;
      return nullptr;
    }
  }
  if (metric == Metric::kL2) return float_kernel<D, Metric::kL2>;
  if (metric == Metric::kInnerProduct) return float_kernel<D, Metric::kInnerProduct>;
  if (metric == Metric::kCosine) return float_kernel<D, Metric::kCosine>;
  return nullptr;
}

}  // namespace

KernelFn scalar_kernel(DType dtype, Metric metric, bool integer) noexcept {
  switch (dtype) {
    case DType::kF32: return pick<DType::kF32>(metric, integer);
    case DType::kF16: return pick<DType::kF16>(metric, integer);
    case DType::kBF16: return pick<DType::kBF16>(metric, integer);
    case DType::kI8: return pick<DType::kI8>(metric, integer);
    case DType::kU8: return pick<DType::kU8>(metric, integer);
    case DType::kI4: return pick<DType::kI4>(metric, integer);
    case DType::kBinary:
      switch (metric) {
        case Metric::kL2: return binary_kernel<Metric::kL2>;
        case Metric::kInnerProduct: return binary_kernel<Metric::kInnerProduct>;
        case Metric::kCosine: return binary_kernel<Metric::kCosine>;
        case Metric::kHamming: return binary_kernel<Metric::kHamming>;
      }
      return nullptr;
    case DType::kPQ:
    case DType::kCustom: return nullptr;
  }
  return nullptr;
}

void scalar_code_dots(const uint8_t* query, const int8_t* const* rows, size_t n, size_t padded,
                      int32_t* out) {
  for (size_t r = 0; r < n; ++r) {
    int32_t sum = 0;
    for (size_t i = 0; i < padded; ++i) sum += query[i] * rows[r][i];
    out[r] = sum;
  }
}

}  // namespace rvf::kernels::detail
