#include "kernels/scalar_codes.hpp"

#include <bit>
#include <cstring>

#include "kernels/convert.hpp"

namespace rvf::kernels::detail {
namespace {

uint64_t word_at(const std::byte* p) noexcept {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}

// Subspace by subspace, as the blocks are stored.
template <class Table, class Sum>
void pq8_sums(const Table* tables, const uint8_t* codes, size_t m, size_t blocks, Sum* out) {
  for (size_t b = 0; b < blocks; ++b, codes += m * kPq8Block, out += kPq8Block) {
    Sum sums[kPq8Block] = {};
    for (size_t s = 0; s < m; ++s) {
      const Table* table = tables + s * 256;
      for (size_t c = 0; c < kPq8Block; ++c) sums[c] += table[codes[s * kPq8Block + c]];
    }
    std::memcpy(out, sums, sizeof(sums));
  }
}

}  // namespace

void scalar_code_dots(const uint8_t* query, const int8_t* const* rows, size_t n, size_t padded,
                      int32_t* out) {
  for (size_t r = 0; r < n; ++r) {
    int32_t sum = 0;
    for (size_t i = 0; i < padded; ++i) sum += query[i] * rows[r][i];
    out[r] = sum;
  }
}

void scalar_int8_dots(const int8_t* query, const int8_t* const* rows, size_t n, size_t dim,
                      int32_t* out) {
  for (size_t r = 0; r < n; ++r) {
    int32_t sum = 0;
    for (size_t i = 0; i < dim; ++i) sum += query[i] * rows[r][i];
    out[r] = sum;
  }
}

void scalar_half_dots(const uint16_t* query, const std::byte* rows, size_t stride, size_t n,
                      size_t dim, float* out) {
  for (size_t r = 0; r < n; ++r, rows += stride) {
    double sum = 0;
    for (size_t i = 0; i < dim; ++i) {
      uint16_t half;
      std::memcpy(&half, rows + i * 2, 2);
      sum += static_cast<double>(f16_to_f32(query[i])) * f16_to_f32(half);
    }
    out[r] = static_cast<float>(sum);
  }
}

void scalar_hamming_rows(const std::byte* query, const std::byte* rows, size_t stride, size_t n,
                         size_t bits, uint32_t* out) {
  for (size_t r = 0; r < n; ++r, rows += stride) {
    uint32_t differ = 0;
    for (size_t i = 0; i < bits; ++i) {
      differ += static_cast<uint32_t>((query[i / 8] ^ rows[i / 8]) >> (i % 8)) & 1;
    }
    out[r] = differ;
  }
}

void scalar_bit_plane_dots(const BitPlaneQuery& query, const std::byte* rows, size_t stride,
                           size_t n, uint32_t* out) {
  for (size_t r = 0; r < n; ++r, rows += stride) {
    uint32_t sum = 0;
    for (unsigned i = 0; i < query.query_bits; ++i) {
      for (unsigned j = 0; j < query.row_bits; ++j) {
        for (size_t w = 0; w < query.words; ++w) {
          const uint64_t both =
              query.planes[i * query.words + w] & word_at(rows + (j * query.words + w) * 8);
          sum += static_cast<uint32_t>(std::popcount(both)) << (i + j);
        }
      }
    }
    out[r] = sum;
  }
}

void scalar_sign_differences(const SignQuery& query, const std::byte* rows, size_t stride,
                             const uint32_t* numbers, size_t n, uint32_t* out) {
  for (size_t i = 0; i < n; ++i) {
    const std::byte* row = rows + size_t{numbers[i]} * stride;
    uint32_t sum = 0;
    for (unsigned p = 0; p < kSignPlanes; ++p) {
      for (size_t w = 0; w < query.words; ++w) {
        const uint64_t differ = query.planes[p * query.words + w] ^ word_at(row + w * 8);
        sum += static_cast<uint32_t>(std::popcount(differ)) << p;
      }
    }
    out[i] = sum;
  }
}

void scalar_pq8_float_sums(const float* tables, const uint8_t* codes, size_t m, size_t blocks,
                           float* out) {
  pq8_sums(tables, codes, m, blocks, out);
}

void scalar_pq8_byte_sums(const uint8_t* tables, const uint8_t* codes, size_t m, size_t blocks,
                          uint32_t* out) {
  pq8_sums(tables, codes, m, blocks, out);
}

void scalar_pq4_byte_sums(const uint8_t* tables, const uint8_t* codes, size_t m, size_t blocks,
                          uint32_t* out) {
  for (size_t b = 0; b < blocks; ++b, codes += m * 16, out += kPq4Block) {
    uint32_t sums[kPq4Block] = {};
    for (size_t s = 0; s < m; ++s) {
      const uint8_t* table = tables + s * 16;
      for (size_t c = 0; c < 16; ++c) {
        const unsigned both = codes[s * 16 + c];
        sums[c] += table[both & 0xF];
        sums[c + 16] += table[both >> 4];
      }
    }
    std::memcpy(out, sums, sizeof(sums));
  }
}

}  // namespace rvf::kernels::detail
