#include "quant/product.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "kernels/kernels.hpp"
#include "quant/binary.hpp"
#include "quant/residual.hpp"
#include "quant/test_data.hpp"

namespace rvf::quant {
namespace {

double squared(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t j = 0; j < dim; ++j) sum += (double{a[j]} - b[j]) * (double{a[j]} - b[j]);
  return sum;
}

// Mean squared error of decoded rows, as a share of the mean squared length.
double lost(const ProductQuantizer& q, const std::vector<float>& rows) {
  const size_t n = rows.size() / q.dim();
  std::vector<uint8_t> codes(n * q.code_bytes());
  q.encode(rows, codes.data());
  std::vector<float> back(rows.size());
  for (size_t i = 0; i < n; ++i) {
    q.decode(codes.data() + i * q.code_bytes(), back.data() + i * q.dim());
  }
  const std::vector<float> zeros(rows.size());
  return squared(back.data(), rows.data(), rows.size()) /
         squared(zeros.data(), rows.data(), rows.size());
}

TEST(ProductQuantizer, MoreCodesAndCentroidsLoseLess) {
  const auto rows = gaussian(3000, 32, 1);
  const auto few = ProductQuantizer::train(rows, 32, {.subspaces = 8, .centroids = 16});
  const auto many = ProductQuantizer::train(rows, 32, {.subspaces = 8, .centroids = 256});
  const auto fine = ProductQuantizer::train(rows, 32, {.subspaces = 16, .centroids = 256});
  EXPECT_LT(lost(*few, rows), 0.45);
  EXPECT_LT(lost(*many, rows), 0.6 * lost(*few, rows));
  EXPECT_LT(lost(*fine, rows), 0.3 * lost(*many, rows));
}

TEST(ProductQuantizer, TablesGiveTheDistanceOfTheDecodedVector) {
  for (const size_t dim : {10U, 24U}) {
    const auto rows = gaussian(500, dim, 2);
    const auto q = ProductQuantizer::train(rows, dim, {.subspaces = 4, .centroids = 32});
    ASSERT_TRUE(q) << q.error().message;
    std::vector<uint8_t> codes(500 * q->code_bytes());
    q->encode(rows, codes.data());
    const auto query = gaussian(1, dim, 3);
    const auto l2 = q->prepare(query, Metric::kL2);
    const auto ip = q->prepare(query, Metric::kInnerProduct);
    const auto cosine = q->prepare(query, Metric::kCosine);
    std::vector<float> back(dim);
    for (size_t i = 0; i < 500; ++i) {
      const uint8_t* code = codes.data() + i * q->code_bytes();
      q->decode(code, back.data());
      EXPECT_NEAR(l2->distance(code), squared(query.data(), back.data(), dim), 1e-4);
      double dot = 0;
      for (size_t j = 0; j < dim; ++j) dot += double{query[j]} * back[j];
      EXPECT_NEAR(ip->distance(code), -dot, 1e-4);
      EXPECT_NEAR(cosine->distance(code), 1 - dot, 1e-4);
    }
  }
}

TEST(ProductQuantizer, ByteTablesKeepWithinTheErrorThatTheyState) {
  const auto rows = gaussian(1000, 64, 2);
  const auto q = ProductQuantizer::train(rows, 64, {.subspaces = 16, .centroids = 64});
  std::vector<uint8_t> codes(1000 * q->code_bytes());
  q->encode(rows, codes.data());
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
    const auto tables = q->prepare(gaussian(1, 64, 3), metric);
    const ByteTables bytes = tables->to_bytes();
    double worst = 0;
    for (size_t i = 0; i < 1000; ++i) {
      const uint8_t* code = codes.data() + i * q->code_bytes();
      uint32_t sum = 0;
      for (size_t m = 0; m < 16; ++m) sum += bytes.entries[m * 64 + code[m]];
      const double rounded = double{bytes.rounding.bias} + double{bytes.rounding.step} * sum;
      worst = std::max(worst, std::abs(rounded - double{tables->distance(code)}));
    }
    EXPECT_LE(worst, bytes.rounding.error + 1e-4);
    EXPECT_GT(worst, 0.2 * bytes.rounding.error);
    EXPECT_LE(bytes.rounding.error, 16 * 0.5F * bytes.rounding.step * 1.01F);
  }
}

TEST(ProductQuantizer, FewAndEqualRowsAreStoredExactly) {
  const auto few = gaussian(5, 12, 1);
  const auto q = ProductQuantizer::train(few, 12, {.subspaces = 3});
  ASSERT_TRUE(q);
  EXPECT_EQ(q->model().centroids, 256);
  EXPECT_LT(lost(*q, few), 1e-12);
  const std::vector<float> equal(40 * 12, 3.0F);
  const auto tables = ProductQuantizer::train(equal, 12, {.subspaces = 3})
                          ->prepare(std::span(equal).first(12), Metric::kL2);
  EXPECT_LT(tables->to_bytes().rounding.error, 1e-5);
}

TEST(ProductQuantizer, TheExecutorChangesNothing) {
  const auto rows = gaussian(5000, 24, 1);
  const auto pool = make_thread_pool(3);
  const auto alone = ProductQuantizer::train(rows, 24, {.subspaces = 6});
  const auto shared = ProductQuantizer::train(rows, 24, {.subspaces = 6, .executor = pool.get()});
  EXPECT_EQ(alone->model(), shared->model());
  std::vector<uint8_t> a(5000 * 6);
  std::vector<uint8_t> b(5000 * 6);
  alone->encode(rows, a.data());
  alone->encode(rows, b.data(), pool.get());
  EXPECT_EQ(a, b);
}

TEST(ProductQuantizer, NamesBadInput) {
  const auto rows = gaussian(20, 10, 1);
  const auto code = [](const auto& result) { return result.error().code; };
  const auto bad = ProductQuantizer::train(rows, 10, {.subspaces = 6});
  EXPECT_EQ(code(bad), ErrorCode::kBadArgument);
  EXPECT_NE(bad.error().message.find("; 5 do"), std::string::npos) << bad.error().message;
  EXPECT_EQ(code(ProductQuantizer::train(rows, 10, {.subspaces = 11})), ErrorCode::kBadArgument);
  EXPECT_EQ(code(ProductQuantizer::train(rows, 10, {.subspaces = 5, .centroids = 257})),
            ErrorCode::kBadArgument);
  EXPECT_EQ(code(ProductQuantizer::from_wire({}, 10)), ErrorCode::kBadArgument);
  const auto q = ProductQuantizer::train(rows, 10, {.subspaces = 5});
  EXPECT_EQ(code(q->prepare(rows, Metric::kL2)), ErrorCode::kWrongDimension);
  EXPECT_EQ(code(q->prepare(std::span(rows).first(10), Metric::kHamming)), ErrorCode::kWrongMetric);
}

TEST(ResidualQuantizer, LosesLessThanAProductAloneOnClusters) {
  const auto rows = clustered(3000, 32, 20, 0.2F, 1);
  const auto plain = ProductQuantizer::train(rows, 32, {.subspaces = 4});
  const auto q = ResidualQuantizer::train(rows, 32, 20, {.subspaces = 4});
  ASSERT_TRUE(q);
  std::vector<uint32_t> coarse(3000);
  std::vector<uint8_t> codes(3000 * q->code_bytes());
  q->encode(rows, coarse.data(), codes.data());
  std::vector<float> back(rows.size());
  const auto query = gaussian(1, 32, 2);
  for (size_t i = 0; i < 3000; ++i) {
    q->decode(coarse[i], codes.data() + i * 4, back.data() + i * 32);
    if (i % 500 == 0) {
      EXPECT_NEAR(q->prepare(query, coarse[i])->distance(codes.data() + i * 4),
                  squared(query.data(), back.data() + i * 32, 32), 1e-4);
    }
  }
  const std::vector<float> zeros(rows.size());
  EXPECT_LT(squared(back.data(), rows.data(), rows.size()) /
                squared(zeros.data(), rows.data(), rows.size()),
            0.75 * lost(*plain, rows));
}

TEST(BinaryQuantizer, CutsEachDimensionAtItsMean) {
  const std::vector<float> rows{1, 10, -5, 3, 20, -5};
  const auto q = BinaryQuantizer::train(rows, 3);
  EXPECT_EQ(q->model().threshold, (std::vector<float>{2, 15, -5}));
  uint8_t code = 0xFF;
  q->encode(rows.data() + 3, &code);
  EXPECT_EQ(code, 0b011);
  q->encode(rows.data(), &code);
  EXPECT_EQ(code, 0);
  EXPECT_EQ(BinaryQuantizer::from_wire({}).error().code, ErrorCode::kBadArgument);
}

TEST(Quantizers, SurviveTheFileWithTheSameCodes) {
  const auto rows = gaussian(600, 22, 1);
  const auto through = [](wire::Quant quant) {
    quant.dimension = 22;
    return wire::decode_quant(wire::encode_quant(quant))->model;
  };
  const auto product = ProductQuantizer::train(rows, 22, {.subspaces = 8, .centroids = 16});
  const auto residual = ResidualQuantizer::train(rows, 22, 7, {.subspaces = 8, .centroids = 50});
  const auto binary = BinaryQuantizer::train(rows, 22);
  const auto product2 = ProductQuantizer::from_wire(
      std::get<wire::ProductQuant>(through({.model = product->model()})), 22);
  const auto residual2 = ResidualQuantizer::from_wire(
      std::get<wire::ResidualQuant>(through({.model = residual->to_wire()})), 22);
  const auto binary2 =
      BinaryQuantizer::from_wire(std::get<wire::BinaryQuant>(through({.model = binary->model()})));

  std::vector<uint8_t> a(600 * 8);
  std::vector<uint8_t> b(600 * 8);
  product->encode(rows, a.data());
  product2->encode(rows, b.data());
  EXPECT_EQ(a, b);
  EXPECT_EQ(product->prepare(std::span(rows).first(22), Metric::kL2)->distance(a.data()),
            product2->prepare(std::span(rows).first(22), Metric::kL2)->distance(b.data()));
  std::vector<uint32_t> ca(600);
  std::vector<uint32_t> cb(600);
  residual->encode(rows, ca.data(), a.data());
  residual2->encode(rows, cb.data(), b.data());
  EXPECT_EQ(a, b);
  EXPECT_EQ(ca, cb);
  binary->encode(rows.data(), a.data());
  binary2->encode(rows.data(), b.data());
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace rvf::quant
