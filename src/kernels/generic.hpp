// The one algorithm of the vector units, included once by each of them after it has defined `V`
// (the register operations). No include guard and an anonymous namespace on purpose: every unit
// must keep its own copy, compiled with its own flags.
//
// Whether R rows or one are computed together, a row goes through the same accumulators in the same
// order, so its distance has the same bits.
namespace rvf::kernels::detail {
namespace {

#define RVF_UNROLL _Pragma("GCC unroll 8")

template <DType D>
constexpr size_t offset_of(size_t i) {
  if constexpr (D == DType::kF32) return i * 4;
  if constexpr (D == DType::kF16 || D == DType::kBF16) return i * 2;
  if constexpr (D == DType::kI4) return i / 2;
  return i;
}

inline float cosine_of(double dot, double query2, double row2) {
  if (query2 == 0 || row2 == 0) return 1.0F;
  const double d = 1.0 - dot / (__builtin_sqrt(query2) * __builtin_sqrt(row2));
  return static_cast<float>(d < 0 ? 0.0 : d);
}

inline bool finite(float x) { return __builtin_fabsf(x) <= __FLT_MAX__; }

template <size_t U>
inline V::F sum_of(const V::F (&acc)[U]) {
  if constexpr (U == 2) return V::add(acc[0], acc[1]);
  if constexpr (U == 4) return V::add(V::add(acc[0], acc[1]), V::add(acc[2], acc[3]));
}

// V::total and V::totals4 add the lanes of a row in the same order.
template <size_t U, int R>
inline void totals(const V::F (&acc)[R][U], float* out) {
  if constexpr (R == 4) {
    V::totals4(sum_of(acc[0]), sum_of(acc[1]), sum_of(acc[2]), sum_of(acc[3]), out);
  } else {
    RVF_UNROLL for (int r = 0; r < R; ++r) out[r] = V::total(sum_of(acc[r]));
  }
}

template <DType D, Metric M>
inline void float_step(V::F& sum, V::F& norm, V::F x, V::F y) {
  if constexpr (M == Metric::kL2) {
    const V::F d = V::sub(x, y);
    sum = V::fma(d, d, sum);
  } else {
    sum = V::fma(x, y, sum);
    if constexpr (M == Metric::kCosine) norm = V::fma(x, x, norm);
  }
}

template <DType D, Metric M, int R>
inline void float_rows(const KernelQuery& q, const std::byte* const* rows,
                       const std::byte* const* next, float* out) {
  constexpr size_t L = V::kLanes;
  constexpr size_t U = M == Metric::kCosine ? V::kUnrollCosine : V::kUnroll;
  constexpr size_t kStepBytes = offset_of<D>(L * U);
  const auto* query = static_cast<const float*>(q.data);
  V::F sum[R][U];
  V::F norm[R][U];
  RVF_UNROLL for (int r = 0; r < R; ++r) {
    RVF_UNROLL for (size_t u = 0; u < U; ++u) sum[r][u] = norm[r][u] = V::zero();
  }
  size_t i = 0;
  for (; i + L * U <= q.dim; i += L * U) {
    if (next != nullptr && (kStepBytes >= 64 || offset_of<D>(i) % 64 == 0)) {
      RVF_UNROLL for (int r = 0; r < R; ++r) {
        RVF_UNROLL for (size_t b = 0; b < kStepBytes; b += 64) {
          __builtin_prefetch(next[r] + offset_of<D>(i) + b);
        }
      }
    }
    RVF_UNROLL for (size_t u = 0; u < U; ++u) {
      const V::F y = V::query(query + i + u * L);
      RVF_UNROLL for (int r = 0; r < R; ++r) {
        float_step<D, M>(sum[r][u], norm[r][u],
                         V::template load<D>(rows[r] + offset_of<D>(i + u * L)), y);
      }
    }
  }
  for (; i + L <= q.dim; i += L) {
    const V::F y = V::query(query + i);
    RVF_UNROLL for (int r = 0; r < R; ++r) {
      float_step<D, M>(sum[r][0], norm[r][0], V::template load<D>(rows[r] + offset_of<D>(i)), y);
    }
  }
  if (i < q.dim) {
    const V::F y = V::query(query + i);  // zero beyond dim, like the tail of the row
    RVF_UNROLL for (int r = 0; r < R; ++r) {
      float_step<D, M>(sum[r][0], norm[r][0],
                       V::template tail<D>(rows[r] + offset_of<D>(i), q.dim - i), y);
    }
  }
  float sums[R];
  float norms[R];
  totals(sum, sums);
  if constexpr (M == Metric::kCosine) totals(norm, norms);
  RVF_UNROLL for (int r = 0; r < R; ++r) {
    const float s = sums[r];
    if constexpr (M == Metric::kCosine) {
      const float n2 = norms[r];
      if (!(n2 >= static_cast<float>(kMinNorm2)) || !finite(n2) || !finite(s)) {
        q.exact(q, rows + r, 1, out + r);
      } else {
        out[r] = cosine_of(s, q.norm2, n2);
      }
    } else {
      out[r] = M == Metric::kL2 ? s : -s;
      if (!finite(s)) q.exact(q, rows + r, 1, out + r);
    }
  }
}

template <DType D, Metric M>
void float_kernel(const KernelQuery& q, const std::byte* const* rows, size_t n, float* out) {
  constexpr int R = M == Metric::kCosine ? V::kRowsCosine : V::kRows;
  size_t r = 0;
  for (; r + R <= n; r += R) {
    float_rows<D, M, R>(q, rows + r, r + 2 * R <= n ? rows + r + R : nullptr, out + r);
  }
  for (; r < n; ++r) float_rows<D, M, 1>(q, rows + r, nullptr, out + r);
}

// Sums of 32 bits hold the squares of a whole row only as long as each lane has its share of them.
template <int U>
inline int64_t total_of(const V::I (&sums)[U]) {
  int64_t total = 0;
  RVF_UNROLL for (int u = 0; u < U; ++u) total += V::total64(sums[u]);
  return total;
}

template <DType D, Metric M, int R>
inline void integer_rows(const KernelQuery& q, const std::byte* const* rows,
                         const std::byte* const* next, float* out) {
  constexpr size_t L = V::kShorts;
  const auto* query = static_cast<const int16_t*>(q.data);
  constexpr int U = R == 1 ? 4 : 1;  // a lone row would wait for its one sum
  V::I sum[R][U];
  V::I norm[R][U];
  RVF_UNROLL for (int r = 0; r < R; ++r) {
    RVF_UNROLL for (int u = 0; u < U; ++u) sum[r][u] = norm[r][u] = V::izero();
  }
  const auto step = [&](int r, int u, V::I x, V::I y) __attribute__((always_inline)) {
    if constexpr (M == Metric::kL2) {
      const V::I d = V::sub16(x, y);
      sum[r][u] = V::dot16(sum[r][u], d, d);
    } else {
      sum[r][u] = V::dot16(sum[r][u], x, y);
      if constexpr (M == Metric::kCosine) norm[r][u] = V::dot16(norm[r][u], x, x);
    }
  };
  size_t i = 0;
  for (; i + L * U <= q.dim; i += L * U) {
    if (next != nullptr && i % 64 == 0) {
      RVF_UNROLL for (int r = 0; r < R; ++r) __builtin_prefetch(next[r] + i);
    }
    RVF_UNROLL for (int u = 0; u < U; ++u) {
      const V::I y = V::query16(query + i + L * u);
      RVF_UNROLL for (int r = 0; r < R; ++r) {
        step(r, u, V::template load16<D>(rows[r] + i + L * u), y);
      }
    }
  }
  for (; i + L <= q.dim; i += L) {
    const V::I y = V::query16(query + i);
    RVF_UNROLL for (int r = 0; r < R; ++r) step(r, 0, V::template load16<D>(rows[r] + i), y);
  }
  if (i < q.dim) {
    const V::I y = V::query16(query + i);
    RVF_UNROLL for (int r = 0; r < R; ++r) {
      step(r, 0, V::template tail16<D>(rows[r] + i, q.dim - i), y);
    }
  }
  RVF_UNROLL for (int r = 0; r < R; ++r) {
    const int64_t s = total_of(sum[r]);
    if constexpr (M == Metric::kCosine) {
      const int64_t n2 = total_of(norm[r]);
      out[r] = cosine_of(static_cast<double>(s), q.norm2, static_cast<double>(n2));
    } else {
      out[r] = static_cast<float>(M == Metric::kL2 ? s : -s);
    }
  }
}

template <DType D, Metric M>
void integer_kernel(const KernelQuery& q, const std::byte* const* rows, size_t n, float* out) {
  constexpr int R = 4;
  size_t r = 0;
  for (; r + R <= n; r += R) {
    integer_rows<D, M, R>(q, rows + r, r + 2 * R <= n ? rows + r + R : nullptr, out + r);
  }
  for (; r < n; ++r) integer_rows<D, M, 1>(q, rows + r, nullptr, out + r);
}

template <Metric M>
void binary_kernel(const KernelQuery& q, const std::byte* const* rows, size_t n, float* out) {
  const auto* query = static_cast<const std::byte*>(q.data);
  const size_t whole = q.dim / 8 / V::kBitBytes * V::kBitBytes;  // bytes
  const size_t rest = q.dim - whole * 8;  // bits
  for (size_t r = 0; r < n; ++r) {
    const std::byte* row = rows[r];
    if (r + 4 < n) __builtin_prefetch(rows[r + 4]);
    V::Count both = V::no_bits();
    V::Count ones = V::no_bits();
    const auto step = [&](V::B x, V::B y) __attribute__((always_inline)) {
      constexpr bool kDiffer = M == Metric::kL2 || M == Metric::kHamming;
      both = V::count_bits(both, kDiffer ? V::differ(x, y) : V::common(x, y));
      if constexpr (M == Metric::kCosine) ones = V::count_bits(ones, x);
    };
    for (size_t b = 0; b < whole; b += V::kBitBytes) {
      step(V::load_bits(row + b), V::load_bits(query + b));
    }
    if (rest != 0) step(V::tail_bits(row + whole, rest), V::tail_bits(query + whole, rest));
    const auto sum = static_cast<int64_t>(V::total_bits(both));
    if constexpr (M == Metric::kCosine) {
      out[r] =
          cosine_of(static_cast<double>(sum), q.norm2, static_cast<double>(V::total_bits(ones)));
    } else {
      out[r] = static_cast<float>(M == Metric::kInnerProduct ? -sum : sum);
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
}  // namespace rvf::kernels::detail
