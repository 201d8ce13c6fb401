// The kernels over codes, on every instruction set against the scalar specification.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/bit_planes.hpp"
#include "kernels/codes.hpp"
#include "kernels/convert.hpp"
#include "kernels/half_dots.hpp"
#include "kernels/hamming.hpp"
#include "kernels/pq_scan.hpp"

namespace rvf::kernels {
namespace {

std::vector<Isa> available_isas() {
  std::vector<Isa> out;
  for (const Isa isa : kAllIsas) {
    if (isa_available(isa)) out.push_back(isa);
  }
  return out;
}

enum class Fill { kRandom, kOnes, kZeros, kLowest };

// Exactly sized, so that a sanitizer sees any read past the end.
std::vector<uint8_t> bytes(std::mt19937& rng, size_t n, Fill fill = Fill::kRandom) {
  std::vector<uint8_t> out(n);
  for (uint8_t& b : out) {
    switch (fill) {
      case Fill::kRandom: b = static_cast<uint8_t>(rng()); break;
      case Fill::kOnes: b = 0xFF; break;
      case Fill::kZeros: b = 0; break;
      case Fill::kLowest: b = 0x80; break;
    }
  }
  return out;
}

const std::byte* as_bytes(const std::vector<uint8_t>& v, size_t at = 0) {
  return reinterpret_cast<const std::byte*>(v.data()) + at;
}

std::string name(Isa isa, size_t a, size_t b = 0) {
  return std::string(isa_name(isa)) + " " + std::to_string(a) + " " + std::to_string(b);
}

TEST(CodeDots, AreTheSameIntegersOnEveryIsaAtTheExtremes) {
  std::mt19937 rng(12);
  for (const size_t padded : {64, 128, 448, 65536}) {
    for (const bool extreme : {false, true}) {
      std::vector<std::byte> room((padded + 64) * 8 + 64);
      auto* base =
          reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(room.data()) + 63) / 64 * 64);
      for (size_t i = 0; i < padded * 8; ++i) {
        base[i] = static_cast<std::byte>(extreme ? (i < padded ? 0xFF : 0x81) : rng() & 0xFF);
      }
      const int8_t* rows[7];
      for (size_t r = 0; r < 7; ++r) rows[r] = reinterpret_cast<int8_t*>(base + (r + 1) * padded);
      int32_t want[7];
      code_dots(Isa::kScalar)(reinterpret_cast<uint8_t*>(base), rows, 7, padded, want);
      for (const Isa isa : available_isas()) {
        int32_t got[7];
        code_dots(isa)(reinterpret_cast<uint8_t*>(base), rows, 7, padded, got);
        for (int r = 0; r < 7; ++r) ASSERT_EQ(got[r], want[r]) << name(isa, padded);
      }
    }
  }
}

void compare_int8(std::mt19937& rng, size_t dim, Fill query_fill, Fill row_fill) {
  constexpr size_t kRows = 6;
  const std::vector<uint8_t> query = bytes(rng, dim, query_fill);
  std::vector<std::vector<uint8_t>> store;
  const int8_t* rows[kRows];
  for (auto& row : rows) {
    store.push_back(bytes(rng, dim, row_fill));
    row = reinterpret_cast<const int8_t*>(store.back().data());
  }
  const auto* q = reinterpret_cast<const int8_t*>(query.data());
  int32_t want[kRows];
  int8_dots(Isa::kScalar)(q, rows, kRows, dim, want);
  for (const Isa isa : available_isas()) {
    int32_t got[kRows];
    int8_dots(isa)(q, rows, kRows, dim, got);
    for (size_t r = 0; r < kRows; ++r) ASSERT_EQ(got[r], want[r]) << name(isa, dim, r);
  }
}

TEST(Int8Dots, AreTheSameIntegersOnEveryIsa) {
  std::mt19937 rng(1);
  for (size_t dim = 1; dim <= 1025; ++dim) {
    compare_int8(rng, dim, Fill::kRandom, Fill::kRandom);
  }
  for (const size_t dim : {384, 1000, 65535, 65536}) {
    for (const Fill a : {Fill::kLowest, Fill::kOnes, Fill::kRandom}) {
      compare_int8(rng, dim, a, Fill::kLowest);
      compare_int8(rng, dim, Fill::kLowest, a);
    }
  }
}

void compare_hamming(std::mt19937& rng, size_t bits, size_t n, size_t gap, Fill fill) {
  const size_t size = (bits + 7) / 8;
  const size_t stride = size + gap;
  const std::vector<uint8_t> query = bytes(rng, size);
  const std::vector<uint8_t> rows = bytes(rng, (n - 1) * stride + size, fill);
  std::vector<uint32_t> want(n);
  hamming_rows(Isa::kScalar)(as_bytes(query), as_bytes(rows), stride, n, bits, want.data());
  for (const Isa isa : available_isas()) {
    std::vector<uint32_t> got(n);
    hamming_rows(isa)(as_bytes(query), as_bytes(rows), stride, n, bits, got.data());
    ASSERT_EQ(got, want) << name(isa, bits, n);
  }
}

TEST(Hamming, IsTheSameOnEveryIsaForEveryWidthAndCount) {
  std::mt19937 rng(2);
  for (size_t bits = 1; bits <= 1025; ++bits) {
    compare_hamming(rng, bits, 1 + bits % 19, bits % 5, Fill::kRandom);
  }
  for (const size_t bits : {384, 512, 513, 1536, 1537, 4097, 65535, 1 << 20}) {
    for (const Fill fill : {Fill::kRandom, Fill::kOnes, Fill::kZeros}) {
      compare_hamming(rng, bits, 17, 3, fill);
    }
  }
}

TEST(Hamming, OfAllBitsIsTheirNumber) {
  const std::vector<uint8_t> ones(300, 0xFF);
  const std::vector<uint8_t> zeros(300, 0);
  for (const Isa isa : available_isas()) {
    for (const size_t bits : {1, 64, 384, 511, 512, 1536, 2399}) {
      uint32_t got = 0;
      hamming_rows(isa)(as_bytes(ones), as_bytes(zeros), 0, 1, bits, &got);
      EXPECT_EQ(got, bits) << isa_name(isa);
    }
  }
}

std::vector<uint8_t> values_below(std::mt19937& rng, size_t n, unsigned bits, bool full) {
  std::vector<uint8_t> out(n);
  for (uint8_t& v : out) v = static_cast<uint8_t>((full ? 0xFFU : rng()) & ((1U << bits) - 1));
  return out;
}

void compare_planes(std::mt19937& rng, size_t dim, unsigned query_bits, unsigned row_bits,
                    bool full) {
  constexpr size_t kRows = 11;
  const size_t words = plane_words(dim);
  const std::vector<uint8_t> query = values_below(rng, dim, query_bits, full);
  std::vector<uint64_t> planes(words * query_bits);
  pack_bit_planes(query.data(), dim, query_bits, planes.data());
  std::vector<uint64_t> rows(words * row_bits * kRows);
  std::vector<uint32_t> want(kRows);
  for (size_t r = 0; r < kRows; ++r) {
    const std::vector<uint8_t> row = values_below(rng, dim, row_bits, full);
    pack_bit_planes(row.data(), dim, row_bits, &rows[r * words * row_bits]);
    for (size_t i = 0; i < dim; ++i) want[r] += uint32_t{query[i]} * row[i];
  }
  const BitPlaneQuery q{planes.data(), query_bits, row_bits, words};
  for (const Isa isa : available_isas()) {
    std::vector<uint32_t> got(kRows);
    bit_plane_dots(isa)(q, reinterpret_cast<const std::byte*>(rows.data()), words * row_bits * 8,
                        kRows, got.data());
    ASSERT_EQ(got, want) << name(isa, dim) << " bits " << query_bits << " x " << row_bits;
  }
}

TEST(BitPlanes, GiveTheInnerProductOfTheValuesOnEveryIsa) {
  std::mt19937 rng(3);
  for (size_t dim = 1; dim <= 1025; dim += 1 + dim / 9) {
    compare_planes(rng, dim, 4 + static_cast<unsigned>(dim % 5), 1 + static_cast<unsigned>(dim % 8),
                   false);
  }
  for (unsigned query_bits = 1; query_bits <= 8; ++query_bits) {
    for (unsigned row_bits = 1; row_bits <= 8; ++row_bits) {
      compare_planes(rng, 384, query_bits, row_bits, false);
    }
  }
  compare_planes(rng, 65535, 8, 8, true);
}

TEST(SignPlanes, CountDifferencesOfRowsInAnyOrderOnEveryIsa) {
  std::mt19937_64 rng(5);
  for (const size_t words : {1U, 2U, 3U, 6U, 7U, 8U, 9U, 16U, 25U, 1024U}) {
    for (const size_t n : {0U, 1U, 7U, 8U, 41U}) {
      constexpr size_t kRows = 50;
      const size_t stride = words * 8 + 8;
      std::vector<uint64_t> planes(words * kSignPlanes);
      for (uint64_t& w : planes) w = rng();
      std::vector<uint64_t> rows(kRows * stride / 8);
      for (uint64_t& w : rows) w = rng();
      std::vector<uint32_t> numbers(n);
      std::vector<uint32_t> want(n);
      for (size_t i = 0; i < n; ++i) {
        numbers[i] = static_cast<uint32_t>(rng() % kRows);
        for (size_t bit = 0; bit < words * 64; ++bit) {
          const uint64_t of_row = rows[numbers[i] * (words + 1) + bit / 64] >> (bit % 64) & 1;
          for (unsigned p = 0; p < kSignPlanes; ++p) {
            const uint64_t of_plane = planes[p * words + bit / 64] >> (bit % 64) & 1;
            want[i] += static_cast<uint32_t>((of_row ^ of_plane) << p);
          }
        }
      }
      for (const Isa isa : available_isas()) {
        std::vector<uint32_t> got(n);
        sign_differences(isa)({planes.data(), words},
                              reinterpret_cast<const std::byte*>(rows.data()), stride,
                              numbers.data(), n, got.data());
        ASSERT_EQ(got, want) << name(isa, words) << " rows " << n;
      }
    }
  }
}

void compare_pq(std::mt19937& rng, size_t m, size_t blocks, Fill fill) {
  const std::vector<uint8_t> codes8 = bytes(rng, m * kPq8Block * blocks);
  const std::vector<uint8_t> tables8 = bytes(rng, m * 256, fill);
  const std::vector<uint8_t> codes4 = bytes(rng, m * 16 * blocks);
  const std::vector<uint8_t> tables4 = bytes(rng, m * 16, fill);
  std::vector<float> floats(m * 256);
  for (float& x : floats) x = std::normal_distribution<float>()(rng);
  std::vector<uint32_t> want8(blocks * kPq8Block);
  std::vector<uint32_t> want4(blocks * kPq4Block);
  std::vector<float> want(blocks * kPq8Block);
  pq8_byte_sums(Isa::kScalar)(tables8.data(), codes8.data(), m, blocks, want8.data());
  pq4_byte_sums(Isa::kScalar)(tables4.data(), codes4.data(), m, blocks, want4.data());
  pq8_float_sums(Isa::kScalar)(floats.data(), codes8.data(), m, blocks, want.data());
  for (const Isa isa : available_isas()) {
    std::vector<uint32_t> got8(blocks * kPq8Block);
    std::vector<uint32_t> got4(blocks * kPq4Block);
    std::vector<float> got(blocks * kPq8Block);
    pq8_byte_sums(isa)(tables8.data(), codes8.data(), m, blocks, got8.data());
    pq4_byte_sums(isa)(tables4.data(), codes4.data(), m, blocks, got4.data());
    pq8_float_sums(isa)(floats.data(), codes8.data(), m, blocks, got.data());
    ASSERT_EQ(got8, want8) << name(isa, m, blocks);
    ASSERT_EQ(got4, want4) << name(isa, m, blocks);
    ASSERT_EQ(std::memcmp(got.data(), want.data(), got.size() * 4), 0) << name(isa, m, blocks);
  }
}

TEST(PqScan, SumsAreTheSameOnEveryIsaForEveryNumberOfSubspaces) {
  std::mt19937 rng(4);
  for (size_t m = 1; m <= 70; ++m) compare_pq(rng, m, 1 + m % 6, Fill::kRandom);
  for (const size_t m : {255, 256, 257, 513, 1025}) {
    compare_pq(rng, m, 5, Fill::kOnes);
    compare_pq(rng, m, 2, Fill::kRandom);
  }
}

TEST(PqScan, PackedBlocksHoldTheCodesAndZerosAfterThem) {
  std::mt19937 rng(5);
  for (const size_t n : {1, 31, 32, 33, 64, 65, 200}) {
    const size_t m = 7;
    std::vector<uint8_t> codes8 = bytes(rng, n * m);
    std::vector<uint8_t> codes4 = codes8;
    for (uint8_t& c : codes4) c &= 0xF;
    const std::vector<uint8_t> tables8 = bytes(rng, m * 256);
    const std::vector<uint8_t> tables4 = bytes(rng, m * 16);
    const size_t blocks8 = (n + 63) / 64;
    const size_t blocks4 = (n + 31) / 32;
    std::vector<uint8_t> packed8(blocks8 * 64 * m, 0xAA);
    std::vector<uint8_t> packed4(blocks4 * 16 * m, 0xAA);
    pack_pq8(codes8.data(), n, m, packed8.data());
    pack_pq4(codes4.data(), n, m, packed4.data());
    std::vector<uint32_t> sums8(blocks8 * 64);
    std::vector<uint32_t> sums4(blocks4 * 32);
    pq8_byte_sums()(tables8.data(), packed8.data(), m, blocks8, sums8.data());
    pq4_byte_sums()(tables4.data(), packed4.data(), m, blocks4, sums4.data());
    for (size_t i = 0; i < sums8.size(); ++i) {
      uint32_t want8 = 0;
      uint32_t want4 = 0;
      for (size_t s = 0; s < m; ++s) {
        want8 += tables8[s * 256 + (i < n ? codes8[i * m + s] : 0)];
        want4 += tables4[s * 16 + (i < n ? codes4[i * m + s] : 0)];
      }
      ASSERT_EQ(sums8[i], want8);
      if (i < sums4.size()) {
        ASSERT_EQ(sums4[i], want4);
      }
    }
  }
}

TEST(PqScan, RoundedTablesAreWithinTheErrorThatTheyState) {
  std::mt19937 rng(6);
  for (const size_t entries : {16, 256}) {
    for (const float scale : {0.0F, 1e-20F, 1.0F, 1e10F}) {
      for (const float offset : {0.0F, -3.0F, 1e6F}) {
        const size_t m = 48;
        std::vector<float> tables(m * entries);
        for (float& x : tables) x = offset + scale * std::normal_distribution<float>()(rng);
        std::vector<uint8_t> rounded(tables.size());
        const TableRounding r = round_tables(tables.data(), m, entries, rounded.data());
        const double spread = 0.5 * r.step * static_cast<double>(m);
        EXPECT_LE(r.error, spread * 1.01 + 1e-5 * (std::abs(r.bias) + 500 * spread) + 1e-30);
        for (int round = 0; round < 200; ++round) {
          float exact = 0;
          uint32_t sum = 0;
          for (size_t s = 0; s < m; ++s) {
            const size_t at = s * entries + rng() % entries;
            exact += tables[at];
            sum += rounded[at];
          }
          ASSERT_LE(std::abs(r.bias + r.step * static_cast<float>(sum) - exact), r.error)
              << entries << " " << scale << " " << offset;
        }
      }
    }
  }
}

TEST(HalfDots, AreWithinTheStatedErrorOnEveryIsaAndReadNothingPastTheRow) {
  std::mt19937 rng(7);
  for (size_t dim = 1; dim <= 1025; dim += 1 + dim / 25) {
    for (const float scale : {1e-4F, 1.0F, 900.0F}) {  // the last overflows f16 sums
      constexpr size_t kRows = 6;
      std::vector<uint16_t> query(dim);
      std::vector<uint16_t> rows(dim * kRows);
      for (uint16_t& x : query) x = f32_to_f16(scale * std::normal_distribution<float>()(rng));
      for (uint16_t& x : rows) x = f32_to_f16(scale * std::normal_distribution<float>()(rng));
      for (const Isa isa : available_isas()) {
        float got[kRows];
        half_dots(isa)(query.data(), reinterpret_cast<const std::byte*>(rows.data()), dim * 2,
                       kRows, dim, got);
        for (size_t r = 0; r < kRows; ++r) {
          double sum = 0;
          double magnitude = 0;
          for (size_t i = 0; i < dim; ++i) {
            const double term =
                static_cast<double>(f16_to_f32(query[i])) * f16_to_f32(rows[r * dim + i]);
            sum += term;
            magnitude += std::abs(term);
          }
          const double bound =
              kHalfDotsRelative * magnitude + kHalfDotsAbsolute * static_cast<double>(dim);
          ASSERT_NEAR(got[r], sum, bound) << name(isa, dim, r);
        }
      }
    }
  }
}

}  // namespace
}  // namespace rvf::kernels
