#include "quant/rabitq_rows.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "quant/grouped_centroids.hpp"
#include "quant/row_code.hpp"

namespace rvf::quant {
namespace {

std::vector<float> normal_rows(size_t rows, size_t dim, uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(rows * dim);
  for (float& v : out) v = normal(rng);
  return out;
}

wire::RaBitQ model_of(std::vector<float> centroids, size_t dim, uint8_t bits) {
  return {.rounds = 4,
          .bits = bits,
          .rotation = wire::RotationKind::kAlternatingHadamard,
          .seed = 7,
          .padded_dimension = static_cast<uint32_t>(Rotation::padded_of(dim)),
          .centroids = std::move(centroids)};
}

TEST(RaBitQRows, ADecodedRowIsNearTheVector) {
  for (const size_t dim : {1U, 19U, 40U, 128U}) {
    for (const uint8_t bits : {uint8_t{4}, uint8_t{8}}) {
      const std::vector<float> centroids = normal_rows(5, dim, 1);
      const auto q = RaBitQRows::from_wire(model_of(centroids, dim, bits), dim);
      ASSERT_TRUE(q.ok()) << q.error().message;
      auto scratch = q->make_scratch();
      std::vector<uint8_t> row(q->row_bytes());
      std::vector<float> back(dim);
      const std::vector<float> rows = normal_rows(50, dim, 2);
      double error = 0;
      double residual = 0;
      for (size_t i = 0; i < 50; ++i) {
        const float* v = rows.data() + i * dim;
        q->encode(v, static_cast<uint32_t>(i % 5), scratch, row.data());
        ASSERT_TRUE(q->is_whole(row.data()));
        q->decode(row.data(), scratch, back.data());
        for (size_t d = 0; d < dim; ++d) {
          const double c = centroids[i % 5 * dim + d];
          error += (back[d] - v[d]) * (back[d] - v[d]);
          residual += (v[d] - c) * (v[d] - c);
        }
      }
      EXPECT_LT(error, residual * (bits == 4 ? 0.02 : 0.0002)) << dim << " " << int{bits};
    }
  }
}

TEST(RaBitQRows, AVectorThatIsItsCentroidComesBackExactly) {
  const std::vector<float> centroids = normal_rows(3, 24, 1);
  const auto q = RaBitQRows::from_wire(model_of(centroids, 24, 4), 24);
  ASSERT_TRUE(q.ok());
  auto scratch = q->make_scratch();
  std::vector<uint8_t> row(q->row_bytes());
  std::vector<float> back(24);
  q->encode(centroids.data() + 24, 1, scratch, row.data());
  q->decode(row.data(), scratch, back.data());
  EXPECT_TRUE(std::equal(back.begin(), back.end(), centroids.begin() + 24));
}

TEST(RaBitQRows, BadFactorsDecodeToZerosAndAreNotWhole) {
  const std::vector<float> centroids = normal_rows(3, 24, 1);
  const auto q = RaBitQRows::from_wire(model_of(centroids, 24, 4), 24);
  ASSERT_TRUE(q.ok());
  auto scratch = q->make_scratch();
  std::vector<float> back(24);
  const auto check = [&](float step, uint16_t centroid) {
    std::vector<uint8_t> row(q->row_bytes(), 0x77);
    std::memcpy(row.data() + q->code_bytes(), &step, 4);
    std::memcpy(row.data() + q->code_bytes() + 4, &centroid, 2);
    EXPECT_FALSE(q->is_whole(row.data()));
    q->decode(row.data(), scratch, back.data());
    for (const float v : back) EXPECT_EQ(v, 0.0F);
  };
  check(1, 3);
  check(1, 65535);
  check(-1, 0);
  check(std::numeric_limits<float>::quiet_NaN(), 0);
  check(std::numeric_limits<float>::infinity(), 0);
}

TEST(RaBitQRows, ModelsThatCodeNoRowsAreUnsupported) {
  const std::vector<float> centroids = normal_rows(3, 24, 1);
  for (const uint8_t bits : {uint8_t{1}, uint8_t{5}, uint8_t{9}}) {
    const auto q = RaBitQRows::from_wire(model_of(centroids, 24, bits), 24);
    ASSERT_FALSE(q.ok());
    EXPECT_EQ(q.error().code, ErrorCode::kUnsupported);
  }
  wire::RaBitQ other = model_of(centroids, 24, 4);
  other.rotation = wire::RotationKind::kNone;
  EXPECT_FALSE(RaBitQRows::from_wire(other, 24).ok());
  std::vector<float> nan = centroids;
  nan[5] = std::numeric_limits<float>::quiet_NaN();
  const auto q = RaBitQRows::from_wire(model_of(nan, 24, 4), 24);
  ASSERT_FALSE(q.ok());
  EXPECT_EQ(q.error().code, ErrorCode::kNotFinite);
}

TEST(GroupedCentroids, NearlyAlwaysFindTheNearest) {
  constexpr size_t kDim = 16;
  const std::vector<float> rows = normal_rows(20000, kDim, 3);
  const auto centroids = train_grouped_centroids(rows, kDim, 600, 5, nullptr);
  ASSERT_TRUE(centroids.ok());
  EXPECT_GT(centroids->size() / kDim, 500U);
  EXPECT_LE(centroids->size() / kDim, 600U);
  const auto grouped = GroupedCentroids::make(*centroids, kDim);
  ASSERT_TRUE(grouped.ok());
  const CentroidTable all(*centroids, kDim);
  auto scratch = grouped->make_scratch();
  size_t same = 0;
  for (size_t i = 0; i < 500; ++i) {
    uint32_t want = 0;
    float least = 0;
    float distance2 = 0;
    all.nearest(rows.data() + i * kDim, kDim, 1, &want, &least);
    const uint32_t got = grouped->nearest(rows.data() + i * kDim, scratch, &distance2);
    same += got == want;
    EXPECT_GE(distance2, least);
  }
  EXPECT_GE(same, 400U);
}

}  // namespace
}  // namespace rvf::quant
