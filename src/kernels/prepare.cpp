#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include "kernels/convert.hpp"
#include "kernels/kernel_table.hpp"
#include "kernels/square_sum.hpp"

namespace rvf::kernels {

void PreparedQuery::Free::operator()(std::byte* p) const noexcept {
  ::operator delete[](p, std::align_val_t{64});
}

void PreparedQuery::distances_strided(const std::byte* first, size_t stride, size_t n,
                                      float* out) const noexcept {
  constexpr size_t kGroup = 64;
  const std::byte* rows[kGroup];
  for (size_t at = 0; at < n; at += kGroup) {
    const size_t count = n - at < kGroup ? n - at : kGroup;
    for (size_t i = 0; i < count; ++i) rows[i] = first + (at + i) * stride;
    fn_(query_, rows, count, out + at);
  }
}

void PreparedQuery::distances_gathered(const std::byte* first, size_t stride, const uint32_t* ids,
                                       size_t n, float* out) const noexcept {
  // A kernel prefetches within the rows that it is given; what is before its reach is done here.
  constexpr size_t kGroup = 64;
  constexpr size_t kAhead = 4;
  const std::byte* rows[kGroup];
  const size_t bytes = vector_bytes(dtype_, query_.dim);
  const auto prefetch = [&](size_t from) {
    for (size_t i = from; i < n && i < from + kAhead; ++i) {
      const std::byte* row = first + ids[i] * stride;
      for (size_t b = 0; b < bytes; b += 64) __builtin_prefetch(row + b);
    }
  };
  prefetch(0);
  for (size_t at = 0; at < n; at += kGroup) {
    const size_t count = n - at < kGroup ? n - at : kGroup;
    for (size_t i = 0; i < count; ++i) rows[i] = first + ids[at + i] * stride;
    prefetch(at + count);
    fn_(query_, rows, count, out + at);
  }
}

class QueryBuilder {
 public:
  QueryBuilder(Metric metric, DType dtype, size_t dim, Isa isa) {
    q_.metric_ = metric;
    q_.dtype_ = dtype;
    q_.query_.dim = dim;
    q_.isa_ = isa == Isa::kBest ? best_isa() : isa;
  }

  Status check() const {
    if (q_.query_.dim == 0 || q_.query_.dim > kMaxDimension) {
      return Error(ErrorCode::kWrongDimension,
                   "dimension " + std::to_string(q_.query_.dim) + " is not in 1..65535");
    }
    if (!isa_available(q_.isa_)) {
      return Error(ErrorCode::kUnsupported,
                   std::string("this machine cannot run ") + isa_name(q_.isa_) + " kernels");
    }
    if (q_.metric_ == Metric::kHamming && q_.dtype_ != DType::kBinary) {
      return Error(ErrorCode::kWrongMetric,
                   std::string("hamming needs binary vectors, these are ") + dtype_name(q_.dtype_));
    }
    if (detail::distance_kernel(Isa::kScalar, q_.dtype_, q_.metric_, false) == nullptr) {
      return Error(ErrorCode::kUnsupported, std::string("no distance for rows of ") +
                                                dtype_name(q_.dtype_) + " under " +
                                                metric_name(q_.metric_));
    }
    return {};
  }

  Result<PreparedQuery> build(std::span<const float> values) {
    const size_t dim = q_.query_.dim;
    q_.integer_ = fits_integers(values);
    RVF_TRY(allocate());
    if (q_.dtype_ == DType::kBinary) {
      for (size_t i = 0; i < dim; ++i) {
        if (!(values[i] > 0)) continue;
        q_.buffer_.get()[i / 8] |= static_cast<std::byte>(1 << (i % 8));
        q_.query_.norm2 += 1;
      }
    } else {
      q_.query_.norm2 = square_sum(values.first(dim));
      if (q_.integer_) {
        write_integers(values);
      } else {
        std::memcpy(q_.buffer_.get(), values.data(), dim * sizeof(float));
      }
    }
    q_.query_.data = q_.buffer_.get();
    choose();
    return std::move(q_);
  }

 private:
  bool fits_integers(std::span<const float> values) const {
    if (q_.dtype_ != DType::kI8 && q_.dtype_ != DType::kU8) return q_.dtype_ == DType::kBinary;
    const float lowest = q_.dtype_ == DType::kI8 ? -128.0F : 0.0F;
    const float highest = q_.dtype_ == DType::kI8 ? 127.0F : 255.0F;
    // Without branches, for the compiler to do several at once; NaN is no whole number either.
    unsigned others = 0;
    for (const float v : values) {
      const float raised = v > lowest ? v : lowest;
      const float bounded = raised < highest ? raised : highest;
      others += static_cast<unsigned>(static_cast<float>(static_cast<int>(bounded)) != v);
    }
    return others == 0;
  }

  void write_integers(std::span<const float> values) {
    constexpr size_t kPart = 64;
    int16_t part[kPart];
    for (size_t i = 0; i < values.size(); i += kPart) {
      const size_t n = std::min(kPart, values.size() - i);
      for (size_t j = 0; j < n; ++j) part[j] = static_cast<int16_t>(values[i + j]);
      std::memcpy(q_.buffer_.get() + i * 2, part, n * 2);
    }
  }

  Status allocate() {
    const size_t padded = (q_.query_.dim + 63) / 64 * 64;
    const size_t bytes = q_.dtype_ == DType::kBinary ? (padded / 8 + 63) / 64 * 64
                         : q_.integer_               ? padded * 2
                                                     : padded * 4;
    auto* p = static_cast<std::byte*>(::operator new[](bytes, std::align_val_t{64}, std::nothrow));
    if (p == nullptr) return Error(ErrorCode::kOutOfMemory, "no memory for a query vector");
    std::memset(p, 0, bytes);
    q_.buffer_.reset(p);
    return {};
  }

  void choose() {
    const bool integer = q_.integer_ && q_.dtype_ != DType::kBinary;
    const detail::KernelFn exact =
        detail::distance_kernel(Isa::kScalar, q_.dtype_, q_.metric_, integer);
    q_.query_.exact = exact;
    q_.fn_ = exact;
    const double n2 = q_.query_.norm2;
    const bool tame =
        q_.integer_ || n2 == 0 || (n2 >= detail::kMinNorm2 && n2 <= detail::kMaxNorm2);
    if (q_.metric_ == Metric::kCosine && !tame) return;
    q_.fn_ = detail::distance_kernel(q_.isa_, q_.dtype_, q_.metric_, integer);
  }

  PreparedQuery q_;
};

Result<PreparedQuery> prepare(std::span<const float> query, Metric metric, DType dtype, size_t dim,
                              Isa isa) {
  if (query.size() != dim) {
    return Error(ErrorCode::kWrongDimension, "the query has " + std::to_string(query.size()) +
                                                 " dimensions, the store has " +
                                                 std::to_string(dim));
  }
  unsigned others = 0;
  for (const float v : query) {
    others += static_cast<unsigned>(!(std::fabs(v) <= std::numeric_limits<float>::max()));
  }
  if (others != 0) {
    const auto at =
        std::find_if(query.begin(), query.end(), [](float v) { return !std::isfinite(v); });
    return Error(ErrorCode::kNotFinite,
                 "query dimension " + std::to_string(at - query.begin()) + " is NaN or infinite");
  }
  QueryBuilder builder(metric, dtype, dim, isa);
  RVF_TRY(builder.check());
  return builder.build(query);
}

Result<PreparedQuery> prepare_row(const std::byte* row, Metric metric, DType dtype, size_t dim,
                                  Isa isa) {
  QueryBuilder builder(metric, dtype, dim, isa);
  RVF_TRY(builder.check());
  std::vector<float> values(dim);
  RVF_TRY(decode_row(row, dtype, values));
  return builder.build(values);
}

}  // namespace rvf::kernels
