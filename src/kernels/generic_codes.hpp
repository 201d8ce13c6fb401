// The algorithms over codes that the vector units share, included like generic.hpp after `V`.
namespace rvf::kernels::detail {
namespace {

template <int R>
inline void code_rows(const uint8_t* query, const int8_t* const* rows, size_t padded,
                      int32_t* out) {
  V::I sum[R];
  RVF_UNROLL for (int r = 0; r < R; ++r) sum[r] = V::izero();
  for (size_t i = 0; i < padded; i += 64) {
    RVF_UNROLL for (int r = 0; r < R; ++r) sum[r] = V::dot_codes(sum[r], query + i, rows[r] + i);
  }
  if constexpr (R == 4) {
    V::totals4(sum[0], sum[1], sum[2], sum[3], out);
  } else {
    out[0] = V::total32(sum[0]);
  }
}

void code_dots_kernel(const uint8_t* query, const int8_t* const* rows, size_t n, size_t padded,
                      int32_t* out) {
  size_t r = 0;
  for (; r + 4 <= n; r += 4) code_rows<4>(query, rows + r, padded, out + r);
  for (; r < n; ++r) code_rows<1>(query, rows + r, padded, out + r);
}

// V::dot_int8 may add a multiple of the query's sum, which `excess` takes away again.
template <int R>
inline void int8_rows(const int8_t* query, const int8_t* const* rows, size_t dim, int32_t excess,
                      int32_t* out) {
  constexpr size_t U = R == 1 ? 4 : 1;  // a lone row would wait for its one sum
  V::I sum[R][U];
  RVF_UNROLL for (int r = 0; r < R; ++r) {
    RVF_UNROLL for (size_t u = 0; u < U; ++u) sum[r][u] = V::izero();
  }
  size_t i = 0;
  for (; i + 64 * U <= dim; i += 64 * U) {
    RVF_UNROLL for (size_t u = 0; u < U; ++u) {
      RVF_UNROLL for (int r = 0; r < R; ++r) {
        const size_t at = i + 64 * u;
        sum[r][u] = V::dot_int8(sum[r][u], query + at, rows[r] + at);
      }
    }
  }
  for (; i + 64 <= dim; i += 64) {
    RVF_UNROLL for (int r = 0; r < R; ++r) {
      sum[r][0] = V::dot_int8(sum[r][0], query + i, rows[r] + i);
    }
  }
  if (i < dim) {
    RVF_UNROLL for (int r = 0; r < R; ++r) {
      sum[r][0] = V::dot_int8_tail(sum[r][0], query + i, rows[r] + i, dim - i);
    }
  }
  if constexpr (R == 4) {
    V::totals4(sum[0][0], sum[1][0], sum[2][0], sum[3][0], out);
  } else {
    out[0] = V::total32(V::add32(V::add32(sum[0][0], sum[0][1]), V::add32(sum[0][2], sum[0][3])));
  }
  RVF_UNROLL for (int r = 0; r < R; ++r) out[r] -= excess;
}

void int8_dots_kernel(const int8_t* query, const int8_t* const* rows, size_t n, size_t dim,
                      int32_t* out) {
  const int32_t excess = V::int8_excess(query, dim);
  size_t r = 0;
  for (; r + 4 <= n; r += 4) int8_rows<4>(query, rows + r, dim, excess, out + r);
  for (; r < n; ++r) int8_rows<1>(query, rows + r, dim, excess, out + r);
}

template <int R>
inline void half_rows(const std::byte* query, const std::byte* rows, size_t stride, size_t dim,
                      float* out) {
  constexpr size_t L = V::kLanes;
  constexpr size_t U = V::kUnroll;
  V::F sum[R][U];
  RVF_UNROLL for (int r = 0; r < R; ++r) {
    RVF_UNROLL for (size_t u = 0; u < U; ++u) sum[r][u] = V::zero();
  }
  size_t i = 0;
  const auto step = [&](size_t u, auto load) __attribute__((always_inline)) {
    const V::F y = load(query + i * 2);
    RVF_UNROLL for (int r = 0; r < R; ++r) {
      sum[r][u] = V::fma(load(rows + r * stride + i * 2), y, sum[r][u]);
    }
  };
  const auto whole = [](const std::byte* p) __attribute__((always_inline)) {
    return V::template load<DType::kF16>(p);
  };
  while (i + L * U <= dim) {
    RVF_UNROLL for (size_t u = 0; u < U; ++u) {
      step(u, whole);
      i += L;
    }
  }
  for (; i + L <= dim; i += L) step(0, whole);
  if (i < dim) {
    step(0, [&](const std::byte* p) __attribute__((always_inline)) {
      return V::template tail<DType::kF16>(p, dim - i);
    });
  }
  totals(sum, out);
}

void half_dots_kernel(const uint16_t* query, const std::byte* rows, size_t stride, size_t n,
                      size_t dim, float* out) {
  const auto* q = reinterpret_cast<const std::byte*>(query);
  size_t r = 0;
  for (; r + 4 <= n; r += 4) half_rows<4>(q, rows + r * stride, stride, dim, out + r);
  for (; r < n; ++r) half_rows<1>(q, rows + r * stride, stride, dim, out + r);
}

void hamming_kernel(const std::byte* query, const std::byte* rows, size_t stride, size_t n,
                    size_t bits, uint32_t* out) {
  const size_t whole = bits / 8 / V::kBitBytes * V::kBitBytes;  // bytes
  const size_t rest = bits - whole * 8;
  for (size_t r = 0; r < n; ++r, rows += stride) {
    V::Count differ = V::no_bits();
    for (size_t b = 0; b < whole; b += V::kBitBytes) {
      differ = V::count_bits(differ, V::differ(V::load_bits(rows + b), V::load_bits(query + b)));
    }
    if (rest != 0) {
      differ = V::count_bits(
          differ, V::differ(V::tail_bits(rows + whole, rest), V::tail_bits(query + whole, rest)));
    }
    out[r] = static_cast<uint32_t>(V::total_bits(differ));
  }
}

// Planes of the query from the highest down: each step doubles what the higher ones gave. kQueryBits
// is known to the compiler for the usual widths, else 0.
template <unsigned kQueryBits>
void bit_plane_rows(const BitPlaneQuery& q, const std::byte* rows, size_t stride, size_t n,
                    uint32_t* out) {
  const size_t plane = q.words * 8;  // bytes
  const auto* planes = reinterpret_cast<const std::byte*>(q.planes);
  const unsigned query_bits = kQueryBits != 0 ? kQueryBits : q.query_bits;
  for (size_t r = 0; r < n; ++r, rows += stride) {
    V::Count sum = V::no_bits();
    const auto step = [&](size_t at, auto load) __attribute__((always_inline)) {
      for (unsigned j = 0; j < q.row_bits; ++j) {
        const V::B code = load(rows + j * plane + at);
        V::Count term = V::no_bits();
        RVF_UNROLL for (unsigned i = 0; i < query_bits; ++i) {
          const V::B part = load(planes + (query_bits - 1 - i) * plane + at);
          term = V::count_bits(V::doubled(term), V::common(code, part));
        }
        sum = V::add_shifted(sum, term, j);
      }
    };
    size_t at = 0;
    for (; at + V::kBitBytes <= plane; at += V::kBitBytes) {
      step(at, [](const std::byte* p) { return V::load_bits(p); });
    }
    if (at < plane) {
      step(at, [&](const std::byte* p) { return V::tail_bits(p, (plane - at) * 8); });
    }
    out[r] = static_cast<uint32_t>(V::total_bits(sum));
  }
}

void bit_plane_kernel(const BitPlaneQuery& q, const std::byte* rows, size_t stride, size_t n,
                      uint32_t* out) {
  switch (q.query_bits) {
    case 4: return bit_plane_rows<4>(q, rows, stride, n, out);
    case 8: return bit_plane_rows<8>(q, rows, stride, n, out);
    default: return bit_plane_rows<0>(q, rows, stride, n, out);
  }
}

void sign_differences_kernel(const SignQuery& q, const std::byte* rows, size_t stride,
                             const uint32_t* numbers, size_t n, uint32_t* out) {
  const size_t plane = q.words * 8;  // bytes
  const auto* planes = reinterpret_cast<const std::byte*>(q.planes);
  for (size_t i = 0; i < n; ++i) {
    const std::byte* row = rows + size_t{numbers[i]} * stride;
    V::Count sum = V::no_bits();
    const auto step = [&](size_t at, auto load) __attribute__((always_inline)) {
      const V::B code = load(row + at);
      V::Count term = V::no_bits();
      RVF_UNROLL for (unsigned p = 0; p < kSignPlanes; ++p) {
        const V::B part = load(planes + (kSignPlanes - 1 - p) * plane + at);
        term = V::count_bits(V::doubled(term), V::differ(code, part));
      }
      sum = V::add_shifted(sum, term, 0);
    };
    size_t at = 0;
    for (; at + V::kBitBytes <= plane; at += V::kBitBytes) {
      step(at, [](const std::byte* p) { return V::load_bits(p); });
    }
    if (at < plane) {
      step(at, [&](const std::byte* p) { return V::tail_bits(p, (plane - at) * 8); });
    }
    out[i] = static_cast<uint32_t>(V::total_bits(sum));
  }
}

// A register holds the tables of V::kTables subspaces. Entries are added as 16-bit numbers: `all`
// of both bytes, `odd` of the upper ones alone, so the lower ones are all - 256 odd.
void pq4_kernel(const uint8_t* tables, const uint8_t* codes, size_t m, size_t blocks,
                uint32_t* out) {
  constexpr size_t kChunk = 256;  // subspaces: 256 * 255 < 2^16
  constexpr size_t T = V::kTables;
  for (size_t b = 0; b < blocks; ++b, codes += m * 16, out += kPq4Block) {
    for (size_t first = 0; first < m; first += kChunk) {
      const size_t end = m - first < kChunk ? m : first + kChunk;
      V::C all_low = V::no_bytes(), odd_low = V::no_bytes();
      V::C all_high = V::no_bytes(), odd_high = V::no_bytes();
      const auto step = [&](V::C table, V::C code) __attribute__((always_inline)) {
        const V::C low = V::lookup(table, V::low_nibbles(code));
        const V::C high = V::lookup(table, V::high_nibbles(code));
        all_low = V::add16(all_low, low);
        odd_low = V::add16(odd_low, V::upper_bytes(low));
        all_high = V::add16(all_high, high);
        odd_high = V::add16(odd_high, V::upper_bytes(high));
      };
      size_t s = first;
      for (; s + T <= end; s += T)
        step(V::load_bytes(tables + s * 16), V::load_bytes(codes + s * 16));
      if (s < end) {
        const size_t bytes = (end - s) * 16;
        step(V::part_of_bytes(tables + s * 16, bytes), V::part_of_bytes(codes + s * 16, bytes));
      }
      V::store_sums(all_low, odd_low, first != 0, out);
      V::store_sums(all_high, odd_high, first != 0, out + 16);
    }
  }
}

}  // namespace
}  // namespace rvf::kernels::detail
