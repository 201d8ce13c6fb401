#include "kernels/kernels.hpp"

#include <gtest/gtest.h>
#if !defined(__wasm__)  // where no page can be made unreadable
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "kernels/convert.hpp"

namespace rvf::kernels {
namespace {

constexpr DType kDTypes[] = {DType::kF32, DType::kF16, DType::kBF16,  DType::kI8,
                             DType::kU8,  DType::kI4,  DType::kBinary};
constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine,
                               Metric::kHamming};

std::vector<Isa> fast_isas() {
  std::vector<Isa> out;
  for (const Isa isa : kAllIsas) {
    if (isa != Isa::kScalar && isa_available(isa)) out.push_back(isa);
  }
  return out;
}

std::vector<float> random_vector(std::mt19937& rng, DType t, size_t dim) {
  std::vector<float> v(dim);
  for (float& x : v) {
    switch (t) {
      case DType::kI8: x = static_cast<float>(static_cast<int>(rng() % 256) - 128); break;
      case DType::kU8: x = static_cast<float>(rng() % 256); break;
      case DType::kI4: x = static_cast<float>(static_cast<int>(rng() % 16) - 8); break;
      case DType::kBinary: x = static_cast<float>(rng() % 2); break;
      default: x = std::normal_distribution<float>()(rng);
    }
  }
  return v;
}

// Sum of the magnitudes of the terms: what a float summation error is relative to.
double term_scale(const std::vector<float>& q, const std::byte* row, Metric m, DType t) {
  std::vector<float> x(q.size());
  (void)decode_row(row, t, x);
  double sum = 0;
  double qn = 0;
  double xn = 0;
  for (size_t i = 0; i < q.size(); ++i) {
    const double a = q[i];
    const double b = x[i];
    sum += m == Metric::kL2 ? (a - b) * (a - b) : std::abs(a * b);
    qn += a * a;
    xn += b * b;
  }
  return m == Metric::kCosine ? (qn * xn > 0 ? 1 + sum / std::sqrt(qn * xn) : 1) : sum;
}

void compare(std::mt19937& rng, DType t, Metric m, size_t dim, size_t misalign, bool whole_query) {
  const size_t bytes = vector_bytes(t, dim);
  constexpr size_t kRows = 11;
  std::vector<std::vector<std::byte>> store;
  std::vector<const std::byte*> rows;
  for (size_t r = 0; r < kRows; ++r) {
    // Exactly sized, so that a sanitizer sees any read past the row.
    store.emplace_back(bytes + misalign);
    ASSERT_TRUE(encode_row(random_vector(rng, t, dim), t, store.back().data() + misalign).ok());
    rows.push_back(store.back().data() + misalign);
  }
  std::vector<float> q = random_vector(rng, t, dim);
  if (!whole_query) {
    for (float& x : q) x += 0.25F;
  }
  auto spec = prepare(q, m, t, dim, Isa::kScalar);
  ASSERT_TRUE(spec.ok());
  std::vector<float> want(kRows);
  spec->distances(rows.data(), kRows, want.data());
  for (Isa isa : fast_isas()) {
    auto fast = prepare(q, m, t, dim, isa);
    ASSERT_TRUE(fast.ok());
    ASSERT_EQ(fast->is_integer(), spec->is_integer());
    std::vector<float> got(kRows);
    fast->distances(rows.data(), kRows, got.data());
    for (size_t r = 0; r < kRows; ++r) {
      if (fast->is_integer()) {
        ASSERT_EQ(got[r], want[r])
            << isa_name(isa) << " " << dtype_name(t) << " " << metric_name(m) << " dim " << dim;
      } else {
        ASSERT_NEAR(got[r], want[r], 1e-5 * term_scale(q, rows[r], m, t) + 1e-30)
            << isa_name(isa) << " " << dtype_name(t) << " " << metric_name(m) << " dim " << dim;
      }
      const float alone = fast->distance(rows[r]);
      ASSERT_EQ(std::memcmp(&alone, &got[r], 4), 0) << "one row and many differ, dim " << dim;
    }
  }
}

TEST(Kernels, EveryIsaAgreesWithTheScalarKernelOnRaggedSizesAndUnalignedRows) {
  std::mt19937 rng(7);
  for (size_t dim = 1; dim <= 300; ++dim) {
    for (DType t : kDTypes) {
      for (Metric m : kMetrics) {
        if (m == Metric::kHamming && t != DType::kBinary) continue;
        compare(rng, t, m, dim, dim % 3, true);
        if (t == DType::kI8 || t == DType::kU8) compare(rng, t, m, dim, dim % 5, false);
      }
    }
  }
}

TEST(Kernels, TheLargestDimensionKeepsIntegersExact) {
  std::mt19937 rng(8);
  for (DType t : kDTypes) {
    for (Metric m : kMetrics) {
      if (m == Metric::kHamming && t != DType::kBinary) continue;
      compare(rng, t, m, kMaxDimension, 1, true);
    }
  }
  for (const Isa isa : kAllIsas) {
    if (!isa_available(isa)) continue;
    const std::vector<float> zeros(kMaxDimension, 0.0F);
    const std::vector<std::byte> full(kMaxDimension, std::byte{255});
    auto q = prepare(zeros, Metric::kL2, DType::kU8, kMaxDimension, isa);
    ASSERT_TRUE(q.ok());
    EXPECT_EQ(q->distance(full.data()), 65025.0F * 65535.0F);  // beyond 32 bits
    const std::vector<float> low(kMaxDimension, -128.0F);
    const std::vector<std::byte> minus(kMaxDimension, std::byte{0x80});
    auto p = prepare(low, Metric::kInnerProduct, DType::kI8, kMaxDimension, isa);
    ASSERT_TRUE(p.ok());
    EXPECT_EQ(p->distance(minus.data()), -16384.0F * 65535.0F);
  }
}

TEST(Kernels, AStridedScanGivesTheBitsOfAListOfRows) {
  std::mt19937 rng(9);
  const size_t dim = 100;
  const size_t stride = 448;
  std::vector<std::byte> block(stride * 200);
  std::vector<const std::byte*> rows;
  for (size_t r = 0; r < 200; ++r) {
    ASSERT_TRUE(
        encode_row(random_vector(rng, DType::kF32, dim), DType::kF32, &block[r * stride]).ok());
    rows.push_back(&block[r * stride]);
  }
  auto q = prepare(random_vector(rng, DType::kF32, dim), Metric::kCosine, DType::kF32, dim);
  ASSERT_TRUE(q.ok());
  std::vector<float> a(200);
  std::vector<float> b(200);
  q->distances(rows.data(), 200, a.data());
  q->distances_strided(block.data(), stride, 200, b.data());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), 800), 0);
}

#if !defined(__wasm__)
TEST(Kernels, NothingPastTheRowIsRead) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* map = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(map, MAP_FAILED);
  auto* const edge = static_cast<std::byte*>(map) + page;
  ASSERT_EQ(mprotect(edge, page, PROT_NONE), 0);
  std::mt19937 rng(10);
  for (size_t dim = 1; dim <= 200; ++dim) {
    for (DType t : kDTypes) {
      for (Metric m : {Metric::kL2, Metric::kCosine}) {
        const std::byte* row = edge - vector_bytes(t, dim);
        for (bool whole : {true, false}) {
          std::vector<float> v = random_vector(rng, t, dim);
          if (!whole) v[0] += 0.5F;
          for (Isa isa : fast_isas()) {
            auto q = prepare(v, m, t, dim, isa);
            ASSERT_TRUE(q.ok());
            (void)q->distance(row);
          }
        }
      }
    }
  }
  munmap(map, 2 * page);
}
#endif

TEST(Kernels, CosineIsOneWhenEitherNormIsZeroAndNeverBelowZero) {
  std::mt19937 rng(11);
  for (const Isa isa : kAllIsas) {
    if (!isa_available(isa)) continue;
    for (DType t : kDTypes) {
      const size_t dim = 77;
      const std::vector<float> zero(dim, 0.0F);
      std::vector<float> v = random_vector(rng, t, dim);
      v[5] = 1;
      std::vector<std::byte> zero_row(vector_bytes(t, dim));
      std::vector<std::byte> row(vector_bytes(t, dim));
      ASSERT_TRUE(encode_row(v, t, row.data()).ok());
      auto qz = prepare(zero, Metric::kCosine, t, dim, isa);
      auto qv = prepare(v, Metric::kCosine, t, dim, isa);
      auto qr = prepare_row(row.data(), Metric::kCosine, t, dim, isa);
      ASSERT_TRUE(qz.ok() && qv.ok() && qr.ok());
      EXPECT_EQ(qz->distance(row.data()), 1.0F);
      EXPECT_EQ(qz->distance(zero_row.data()), 1.0F);
      EXPECT_EQ(qv->distance(zero_row.data()), 1.0F);
      EXPECT_GE(qr->distance(row.data()), 0.0F);
      EXPECT_NEAR(qr->distance(row.data()), 0.0F, 1e-6);
    }
  }
}

TEST(Kernels, CosineOfTinyAndHugeVectorsIsThatOfTheirDirections) {
  for (const Isa isa : kAllIsas) {
    if (!isa_available(isa)) continue;
    for (float a : {1e-30F, 1e-22F, 1e-3F, 1e12F, 1e25F}) {
      for (float b : {1e-30F, 1e-20F, 1.0F, 1e19F, 1e30F}) {
        std::vector<float> q(40, 0.0F);
        std::vector<float> x(40, 0.0F);
        q[3] = a;
        x[3] = b;
        x[7] = b;
        auto p = prepare(q, Metric::kCosine, DType::kF32, 40, isa);
        ASSERT_TRUE(p.ok());
        EXPECT_NEAR(p->distance(reinterpret_cast<const std::byte*>(x.data())), 1 - std::sqrt(0.5F),
                    1e-6)
            << isa_name(isa) << " " << a << " " << b;
      }
    }
  }
}

TEST(Kernels, NanAndInfinityInARowGiveWhatTheScalarKernelGives) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (Isa isa : fast_isas()) {
    for (Metric m : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
      for (float bad : {nan, inf, -inf, 3e38F, -3e38F}) {
        for (size_t at : {0, 17, 49}) {
          std::vector<float> x(50, 0.5F);
          x[at] = bad;
          const std::vector<float> q(50, 2.0F);
          auto fast = prepare(q, m, DType::kF32, 50, isa);
          auto spec = prepare(q, m, DType::kF32, 50, Isa::kScalar);
          ASSERT_TRUE(fast.ok() && spec.ok());
          const auto* row = reinterpret_cast<const std::byte*>(x.data());
          const float a = fast->distance(row);
          const float b = spec->distance(row);
          EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << a << " " << b;
        }
      }
    }
  }
}

TEST(Kernels, BitsPastTheDimensionOfABinaryRowDoNotCount) {
  for (const Isa isa : kAllIsas) {
    if (!isa_available(isa)) continue;
    const std::vector<float> q(13, 0.0F);
    const std::byte row[2] = {std::byte{0x01}, std::byte{0xFF}};
    auto p = prepare(q, Metric::kHamming, DType::kBinary, 13, isa);
    ASSERT_TRUE(p.ok());
    EXPECT_EQ(p->distance(row), 6.0F);
  }
}

TEST(Kernels, WhatCannotBeComparedIsRefusedWithItsReason) {
  const std::vector<float> v(8, 1.0F);
  EXPECT_EQ(prepare(v, Metric::kHamming, DType::kF32, 8).error().code, ErrorCode::kWrongMetric);
  EXPECT_EQ(prepare(v, Metric::kL2, DType::kF32, 9).error().code, ErrorCode::kWrongDimension);
  EXPECT_EQ(prepare({}, Metric::kL2, DType::kF32, 0).error().code, ErrorCode::kWrongDimension);
  EXPECT_EQ(prepare(v, Metric::kL2, DType::kPQ, 8).error().code, ErrorCode::kUnsupported);
  std::vector<float> bad = v;
  bad[6] = std::numeric_limits<float>::infinity();
  const auto r = prepare(bad, Metric::kL2, DType::kF32, 8);
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, ErrorCode::kNotFinite);
  EXPECT_NE(r.error().message.find("dimension 6"), std::string::npos);
}

TEST(Kernels, AQueryOfWholeNumbersInRangeUsesIntegersAndOthersDoNot) {
  std::vector<float> v(8, 3.0F);
  EXPECT_TRUE(prepare(v, Metric::kL2, DType::kU8, 8)->is_integer());
  v[2] = 3.5F;
  EXPECT_FALSE(prepare(v, Metric::kL2, DType::kU8, 8)->is_integer());
  v[2] = 256;
  EXPECT_FALSE(prepare(v, Metric::kL2, DType::kU8, 8)->is_integer());
  v[2] = -1;
  EXPECT_FALSE(prepare(v, Metric::kL2, DType::kU8, 8)->is_integer());
  EXPECT_TRUE(prepare(v, Metric::kL2, DType::kI8, 8)->is_integer());
}

TEST(Kernels, RowsGatheredByIdGiveTheBitsOfAListOfRows) {
  std::mt19937 rng(13);
  for (const size_t dim : {17, 384}) {
    const size_t stride = 2 * dim + 6;
    std::vector<std::byte> block(stride * 150);
    for (size_t r = 0; r < 150; ++r) {
      ASSERT_TRUE(
          encode_row(random_vector(rng, DType::kF16, dim), DType::kF16, &block[r * stride]).ok());
    }
    std::vector<uint32_t> ids(101);
    std::vector<const std::byte*> rows;
    for (uint32_t& id : ids) {
      id = static_cast<uint32_t>(rng() % 150);
      rows.push_back(&block[id * stride]);
    }
    auto q = prepare(random_vector(rng, DType::kF16, dim), Metric::kL2, DType::kF16, dim);
    ASSERT_TRUE(q.ok());
    std::vector<float> a(101);
    std::vector<float> b(101);
    q->distances(rows.data(), 101, a.data());
    q->distances_gathered(block.data(), stride, ids.data(), 101, b.data());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), 404), 0);
  }
}

TEST(Isas, TheBestOneIsAvailableAndEachIncludesScalarAndItself) {
  EXPECT_TRUE(isa_available(best_isa()));
  for (const Isa isa : kAllIsas) {
    EXPECT_TRUE(isa_includes(isa, isa));
    EXPECT_TRUE(isa_includes(isa, Isa::kScalar));
    Isa parsed = Isa::kBest;
    EXPECT_TRUE(parse_isa(isa_name(isa), parsed));
    EXPECT_EQ(parsed, isa);
  }
  EXPECT_TRUE(isa_includes(Isa::kAvx512Fp16, Isa::kAvx2));
  EXPECT_FALSE(isa_includes(Isa::kAvx512, Isa::kAvx512Vbmi));
  EXPECT_FALSE(isa_includes(Isa::kNeon, Isa::kAvx2));
  Isa untouched = Isa::kNeon;
  EXPECT_FALSE(parse_isa("sse9", untouched));
  EXPECT_EQ(untouched, Isa::kNeon);
}

}  // namespace
}  // namespace rvf::kernels
