#include "quant/scalar.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace rvf::quant {
namespace {

std::vector<float> random_rows(size_t rows, size_t dimension) {
  std::mt19937_64 rng(42);
  std::normal_distribution<float> normal;
  std::vector<float> out(rows * dimension);
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = normal(rng) * static_cast<float>(1 + i % dimension) + static_cast<float>(i % 7);
  }
  return out;
}

// Largest error of any value, as a share of its dimension's range.
double worst_error(const ScalarQuantizer& q, std::span<const float> rows) {
  const size_t dimension = q.dimension();
  std::vector<uint8_t> code(q.code_bytes());
  std::vector<float> back(dimension);
  double worst = 0;
  for (size_t row = 0; row < rows.size(); row += dimension) {
    q.encode(rows.subspan(row, dimension), code);
    q.decode(code, back);
    for (size_t d = 0; d < dimension; ++d) {
      const double range = double{q.model().max[d]} - q.model().min[d];
      if (range > 0) worst = std::max(worst, std::abs(double{rows[row + d]} - back[d]) / range);
    }
  }
  return worst;
}

TEST(ScalarQuantizer, ErrorIsAtMostHalfALevel) {
  for (const size_t dimension : {1U, 3U, 128U}) {
    const auto rows = random_rows(500, dimension);
    EXPECT_LT(worst_error(*ScalarQuantizer::train(rows, dimension, 8), rows), 0.5 / 255 * 1.001);
    EXPECT_LT(worst_error(*ScalarQuantizer::train(rows, dimension, 4), rows), 0.5 / 15 * 1.001);
  }
}

TEST(ScalarQuantizer, EndsOfTheRangeAreExactAndOutsideIsClamped) {
  const float rows[] = {-1, 10, 3, 20};
  for (const unsigned bits : {8U, 4U}) {
    const auto q = ScalarQuantizer::train(rows, 2, bits);
    std::vector<uint8_t> code(q->code_bytes());
    std::vector<float> back(2);
    q->encode(std::vector<float>{-100, 100}, code);
    q->decode(code, back);
    EXPECT_FLOAT_EQ(back[0], -1);
    EXPECT_FLOAT_EQ(back[1], 20);
    q->encode(std::vector<float>{std::numeric_limits<float>::quiet_NaN(),
                                 std::numeric_limits<float>::infinity()},
              code);
    q->decode(code, back);
    EXPECT_FLOAT_EQ(back[0], -1);
    EXPECT_FLOAT_EQ(back[1], 20);
  }
}

TEST(ScalarQuantizer, CodesAreTwosComplementAroundTheMiddle) {
  const float rows[] = {0, 255};
  const auto q = ScalarQuantizer::train(rows, 1, 8);
  uint8_t code = 0;
  q->encode(std::vector<float>{0}, {&code, 1});
  EXPECT_EQ(static_cast<int8_t>(code), -128);
  q->encode(std::vector<float>{255}, {&code, 1});
  EXPECT_EQ(static_cast<int8_t>(code), 127);
  q->encode(std::vector<float>{128.4F}, {&code, 1});
  EXPECT_EQ(static_cast<int8_t>(code), 0);
}

TEST(ScalarQuantizer, AConstantDimensionComesBackExactly) {
  const float rows[] = {5, 1e-44F, 5, 2e-44F};
  for (const unsigned bits : {8U, 4U}) {
    const auto q = ScalarQuantizer::train(rows, 2, bits);
    ASSERT_TRUE(q);
    std::vector<uint8_t> code(q->code_bytes());
    std::vector<float> back(2);
    q->encode(std::span(rows).first(2), code);
    q->decode(code, back);
    EXPECT_EQ(back[0], 5);
    EXPECT_NEAR(back[1], 1e-44F, 2e-44);
  }
}

TEST(ScalarQuantizer, BadInputIsNamed) {
  const float inf = std::numeric_limits<float>::infinity();
  const float max = std::numeric_limits<float>::max();
  EXPECT_EQ(ScalarQuantizer::train(std::vector<float>{1, inf}, 2, 8).error().code,
            ErrorCode::kNotFinite);
  EXPECT_EQ(ScalarQuantizer::train(std::vector<float>{-max, max}, 1, 8).error().code,
            ErrorCode::kOutOfRange);
  EXPECT_EQ(ScalarQuantizer::train(std::vector<float>{1, 2, 3}, 2, 8).error().code,
            ErrorCode::kBadArgument);
  EXPECT_EQ(ScalarQuantizer::train(std::vector<float>{1}, 1, 5).error().code,
            ErrorCode::kBadArgument);
  EXPECT_EQ(ScalarQuantizer::from_wire({.bits = 8, .min = {2}, .max = {1}}).error().code,
            ErrorCode::kOutOfRange);
}

TEST(ScalarQuantizer, SurvivesTheFile) {
  const auto rows = random_rows(50, 17);
  const auto q = ScalarQuantizer::train(rows, 17, 4);
  const auto quant =
      wire::decode_quant(wire::encode_quant({.tier = 1, .dimension = 17, .model = q->model()}));
  ASSERT_TRUE(quant);
  const auto back = ScalarQuantizer::from_wire(std::get<wire::ScalarQuant>(quant->model));
  std::vector<uint8_t> a(q->code_bytes());
  std::vector<uint8_t> b(q->code_bytes());
  q->encode(std::span(rows).first(17), a);
  back->encode(std::span(rows).first(17), b);
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace rvf::quant
