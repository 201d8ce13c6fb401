#include "quant/rotation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <span>

namespace rvf::quant {
namespace {

constexpr size_t kDims[] = {1,   2,   3,   7,   15,  16,  17,  31,  48,   64,   100,  127,
                            128, 144, 200, 256, 300, 384, 511, 768, 1000, 1024, 1536, 4000};

std::vector<float> random_vector(size_t dim, uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<float> normal;
  std::vector<float> v(dim);
  for (float& x : v) x = normal(rng);
  return v;
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

std::vector<float> rotated(const Rotation& r, const std::vector<float>& v) {
  std::vector<float> out(r.padded());
  r.apply(v.data(), out.data());
  return out;
}

TEST(Rotation, KeepsNormsAndInnerProductsInEveryDimension) {
  for (const size_t dim : kDims) {
    const auto r = Rotation::make(dim, 7);
    const auto a = random_vector(dim, 1);
    const auto b = random_vector(dim, 2);
    const auto ra = rotated(r, a);
    const auto rb = rotated(r, b);
    const double size = std::sqrt(dot(a, a) * dot(b, b));
    EXPECT_NEAR(dot(ra, ra) / dot(a, a), 1, 1e-5) << dim;
    EXPECT_NEAR(dot(ra, rb), dot(a, b), 1e-5 * size) << dim;
  }
}

TEST(Rotation, IsUndoneByItsInverse) {
  for (const size_t dim : kDims) {
    const auto r = Rotation::make(dim, 11);
    const auto a = random_vector(dim, 3);
    auto back = rotated(r, a);
    r.invert(back.data(), back.data());
    const double norm = std::sqrt(dot(a, a));
    for (size_t i = 0; i < r.padded(); ++i) {
      EXPECT_NEAR(back[i], i < dim ? a[i] : 0, 1e-5 * norm) << dim << " at " << i;
    }
  }
}

TEST(Rotation, GivesTheSameBitsOnEveryInstructionSet) {
  for (const size_t dim : kDims) {
    const auto v = random_vector(dim, 5);
    const auto scalar = Rotation::make(dim, 9, 4, kernels::Isa::kScalar);
    const auto expected = rotated(scalar, v);
    std::vector<float> back(scalar.padded());
    scalar.invert(expected.data(), back.data());
    for (const auto isa : {kernels::Isa::kAvx2, kernels::Isa::kAvx512}) {
      if (!kernels::isa_available(isa)) continue;
      const auto r = Rotation::make(dim, 9, 4, isa);
      std::vector<float> out(r.padded() + 1);
      r.apply(v.data(), out.data() + 1);  // not aligned
      EXPECT_EQ(std::memcmp(out.data() + 1, expected.data(), r.padded() * 4), 0) << dim;
      r.invert(out.data() + 1, out.data() + 1);
      EXPECT_EQ(std::memcmp(out.data() + 1, back.data(), r.padded() * 4), 0) << dim;
    }
  }
}

// A file names a rotation by its seed: these values may never change.
TEST(Rotation, IsTheOneThatTheFormatDescribes) {
  const auto r = Rotation::make(40, 42);
  std::vector<float> v(40);
  for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i + 1);
  const auto out = rotated(r, v);
  EXPECT_EQ(out[0], 0x1.73491ap+4F);
  EXPECT_EQ(out[1], 0x1.8880f2p+3F);
  EXPECT_EQ(out[47], 0x1.7ff172p+5F);
}

// Where the window is little more than half of the vector, one that misses it every other round
// keeps a quarter.
TEST(Rotation, SpreadsASingleCoordinate) {
  for (const size_t dim : {128U, 384U, 784U, 1000U}) {
    const auto r = Rotation::make(dim, 5);
    std::vector<float> v(dim);
    for (const size_t at : {size_t{0}, dim / 2, dim - 1}) {
      v.assign(dim, 0);
      v[at] = 1;
      float largest = 0;
      for (const float x : rotated(r, v)) largest = std::max(largest, std::abs(x));
      EXPECT_LT(largest, std::max(0.3F, 6 / std::sqrt(static_cast<float>(dim))))
          << dim << " at " << at;
    }
  }
}

TEST(Rotation, DependsOnItsSeedAndNothingElse) {
  const auto v = random_vector(100, 1);
  EXPECT_EQ(rotated(Rotation::make(100, 3), v), rotated(Rotation::make(100, 3), v));
  EXPECT_NE(rotated(Rotation::make(100, 3), v), rotated(Rotation::make(100, 4), v));
}

TEST(Rotation, WithoutRoundsCopies) {
  const auto v = random_vector(20, 1);
  const auto out = rotated(Rotation::make(20, 1, 0), v);
  EXPECT_TRUE(std::equal(v.begin(), v.end(), out.begin()));
  EXPECT_EQ(out[20], 0);
}

}  // namespace
}  // namespace rvf::quant
