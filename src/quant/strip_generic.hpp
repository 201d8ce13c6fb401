// The strip kernels for vectors of kLanes floats, which the including unit has defined. Included
// once by each unit, which keeps its own copy, compiled with its own flags: hence no include guard
// and the anonymous namespace.
namespace rvf::quant {
namespace {

using Lanes = float __attribute__((vector_size(kLanes * 4)));
using LaneInts = int32_t __attribute__((vector_size(kLanes * 4)));

inline constexpr int kParts = static_cast<int>(kStripWidth) / kLanes;  // vectors of a strip
// Sixteen, eight or four sums at once hide the latency of an addition.
inline constexpr int kRowsAtOnce = kLanes == 4 ? 2 : 4;
inline constexpr int kStripsAtOnce = kLanes == 16 ? 4 : 1;

template <int kRows, int kStrips>
inline void sums(const StripTable& table, size_t strip, const float* const* rows,
                 Lanes (&sum)[kRows][kStrips * kParts]) {
  const size_t stride = table.dim * kStripWidth;
  const float* first = table.values + strip * stride;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int s = 0; s < kStrips * kParts; ++s) sum[r][s] = Lanes{};
  }
  for (size_t j = 0; j < table.dim; ++j) {
    Lanes centroid[kStrips * kParts];
#pragma GCC unroll 16
    for (int s = 0; s < kStrips * kParts; ++s) {
      __builtin_memcpy(&centroid[s],
                       first + static_cast<size_t>(s / kParts) * stride + j * kStripWidth +
                           static_cast<size_t>(s % kParts * kLanes),
                       sizeof(Lanes));
    }
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const Lanes x = rows[r][j] - Lanes{};
#pragma GCC unroll 16
      for (int s = 0; s < kStrips * kParts; ++s) {
        const Lanes d = x - centroid[s];
        sum[r][s] = sum[r][s] + d * d;
      }
    }
  }
}

// Calls use(row, first centroid, sums) for every row and strip.
template <int kRows, class Use>
inline void each_strip(const StripTable& table, const float* const* rows, Use use) {
  size_t strip = 0;
  for (; strip + kStripsAtOnce <= table.strips; strip += kStripsAtOnce) {
    Lanes sum[kRows][kStripsAtOnce * kParts];
    sums<kRows, kStripsAtOnce>(table, strip, rows, sum);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (int s = 0; s < kStripsAtOnce * kParts; ++s) {
        use(r, strip * kStripWidth + static_cast<size_t>(s * kLanes), sum[r][s]);
      }
    }
  }
  for (; strip < table.strips; ++strip) {
    Lanes sum[kRows][kParts];
    sums<kRows, 1>(table, strip, rows, sum);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (int s = 0; s < kParts; ++s) {
        use(r, strip * kStripWidth + static_cast<size_t>(s * kLanes), sum[r][s]);
      }
    }
  }
}

template <int kRows>
inline void distances_of(const StripTable& table, const float* const* rows, float* out) {
  const size_t width = table.strips * kStripWidth;
  each_strip<kRows>(table, rows, [&](int r, size_t first, Lanes sum) {
    __builtin_memcpy(out + static_cast<size_t>(r) * width + first, &sum, sizeof(sum));
  });
}

template <int kRows>
inline void nearest_of(const StripTable& table, const float* const* rows, uint32_t* index,
                       float* distance) {
  LaneInts lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = i;
  Lanes best[kRows];
  LaneInts at[kRows];
  for (int r = 0; r < kRows; ++r) {
    best[r] = __builtin_inff() - Lanes{};
    at[r] = LaneInts{};
  }
  each_strip<kRows>(table, rows, [&](int r, size_t first, Lanes sum) {
    const LaneInts nearer = sum < best[r];
    best[r] = nearer ? sum : best[r];
    at[r] = nearer ? lane + static_cast<int32_t>(first) : at[r];
  });
  for (int r = 0; r < kRows; ++r) {
    float smallest = best[r][0];
    int32_t where = at[r][0];
    for (int i = 1; i < kLanes; ++i) {
      if (best[r][i] < smallest || (best[r][i] == smallest && at[r][i] < where)) {
        smallest = best[r][i];
        where = at[r][i];
      }
    }
    index[r] = static_cast<uint32_t>(where);
    distance[r] = smallest;
  }
}

void distances(const StripTable& table, const float* const* rows, size_t n, float* out) {
  const size_t width = table.strips * kStripWidth;
  size_t r = 0;
  for (; r + kRowsAtOnce <= n; r += kRowsAtOnce) {
    distances_of<kRowsAtOnce>(table, rows + r, out + r * width);
  }
  for (; r < n; ++r) distances_of<1>(table, rows + r, out + r * width);
}

void nearest(const StripTable& table, const float* const* rows, size_t n, uint32_t* index,
             float* distance) {
  size_t r = 0;
  for (; r + kRowsAtOnce <= n; r += kRowsAtOnce) {
    nearest_of<kRowsAtOnce>(table, rows + r, index + r, distance + r);
  }
  for (; r < n; ++r) nearest_of<1>(table, rows + r, index + r, distance + r);
}

}  // namespace
}  // namespace rvf::quant
