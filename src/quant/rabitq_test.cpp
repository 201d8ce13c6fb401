#include "quant/rabitq.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "quant/kmeans.hpp"
#include "quant/test_data.hpp"

namespace rvf::quant {
namespace {

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};

double exact(Metric metric, const float* a, const float* b, size_t dim) {
  double dot = 0, a2 = 0, b2 = 0, l2 = 0;
  for (size_t i = 0; i < dim; ++i) {
    dot += double{a[i]} * b[i];
    a2 += double{a[i]} * a[i];
    b2 += double{b[i]} * b[i];
    l2 += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  }
  if (metric == Metric::kL2) return l2;
  if (metric == Metric::kInnerProduct) return -dot;
  return a2 > 0 && b2 > 0 ? 1 - dot / std::sqrt(a2 * b2) : 1;
}

struct Trial {
  double error;
  double deviation;
};

// The error of one pair's estimate under many rotations.
std::vector<Trial> trials(Metric metric, unsigned bits, const std::vector<float>& vector,
                          const std::vector<float>& query, const std::vector<float>& centroids,
                          size_t rotations) {
  const size_t dim = vector.size();
  const double truth = exact(metric, vector.data(), query.data(), dim);
  std::vector<Trial> out;
  RaBitQ::Scratch scratch;
  for (size_t seed = 0; seed < rotations; ++seed) {
    const auto q = RaBitQ::make(metric, bits, centroids, dim, seed * 7919);
    std::vector<uint8_t> code(q->code_bytes());
    const uint32_t c = q->nearest_centroid(vector.data(), scratch);
    const auto factors = q->encode(vector.data(), c, code.data(), scratch);
    const Estimate e = q->prepare(query)->estimate(code.data(), factors, c);
    out.push_back({e.distance - truth, e.error});
  }
  return out;
}

double root_mean_square(const std::vector<Trial>& all) {
  double sum = 0;
  for (const Trial& t : all) sum += t.error * t.error;
  return std::sqrt(sum / static_cast<double>(all.size()));
}

TEST(RaBitQCode, PacksEveryNumberOfBits) {
  std::mt19937_64 rng(1);
  for (unsigned bits = 1; bits <= 8; ++bits) {
    std::vector<uint8_t> levels(48);
    for (uint8_t& l : levels) l = static_cast<uint8_t>(rng() & ((1U << bits) - 1));
    std::vector<uint8_t> packed(packed_bytes(48, bits));
    pack_levels(levels.data(), 48, bits, packed.data());
    std::vector<uint8_t> back(48);
    unpack_levels(packed.data(), 48, bits, back.data());
    EXPECT_EQ(back, levels);
    const auto values = gaussian(48, 1, bits);
    const float dot = dot_levels(levels.data(), values.data(), 48);
    EXPECT_EQ(dot_packed(packed.data(), values.data(), 48, bits), dot);
    EXPECT_EQ(packed[0] & ((1U << bits) - 1), levels[0]);
  }
}

TEST(RaBitQ, EstimatesAreUnbiased) {
  const auto centroids = gaussian(3, 70, 1);
  const auto vector = gaussian(1, 70, 2);
  auto query = gaussian(1, 70, 3);
  for (size_t i = 0; i < query.size(); ++i) query[i] = 0.5F * query[i] + 0.7F * vector[i];
  for (const Metric metric : kMetrics) {
    for (const unsigned bits : {1U, 2U, 4U}) {
      const auto all = trials(metric, bits, vector, query, centroids, 2000);
      double mean = 0;
      for (const Trial& t : all) mean += t.error / 2000;
      EXPECT_LT(std::abs(mean), 3 * root_mean_square(all) / std::sqrt(2000.0))
          << metric_name(metric) << ", " << bits << " bits";
    }
  }
}

TEST(RaBitQ, ErrorsStayWithinTheBoundAsOftenAsItSays) {
  for (const Metric metric : kMetrics) {
    auto centroids = gaussian(3, 100, 1);
    if (metric == Metric::kCosine) {
      for (float& x : centroids) x /= 10;  // among the vectors of length 1
    }
    for (const unsigned bits : {1U, 3U, 8U}) {
      size_t beyond2 = 0;
      size_t beyond3 = 0;
      double of_bound = 0;
      for (uint64_t pair = 0; pair < 10; ++pair) {
        for (const Trial& t : trials(metric, bits, gaussian(1, 100, pair + 50),
                                     gaussian(1, 100, pair + 90), centroids, 200)) {
          beyond2 += std::abs(t.error) > 1.9 * t.deviation;
          beyond3 += std::abs(t.error) > 3 * t.deviation;
          of_bound += std::abs(t.error) / t.deviation / 2000;
        }
      }
      EXPECT_LE(beyond2, 2000 * 0.06 + 3 * 11) << metric_name(metric) << ", " << bits;
      EXPECT_LE(beyond3, 2000 * 0.003 + 3 * 3) << metric_name(metric) << ", " << bits;
      EXPECT_GT(of_bound, 0.5) << metric_name(metric) << ", " << bits << ": a loose bound";
    }
  }
}

TEST(RaBitQ, EachBitAboutHalvesTheError) {
  const auto centroids = gaussian(1, 128, 1);
  const auto vector = gaussian(1, 128, 2);
  const auto query = gaussian(1, 128, 3);
  double before = 0;
  for (unsigned bits = 1; bits <= 8; ++bits) {
    const double error = root_mean_square(trials(Metric::kL2, bits, vector, query, centroids, 300));
    if (bits > 1) {
      EXPECT_LT(error, 0.62 * before) << bits;
      EXPECT_GT(error, 0.35 * before) << bits;
    }
    before = error;
  }
}

// Gao and Long: the expected cosine of a vector and its signs is about 0.8.
TEST(RaBitQ, OneBitKeepsFourFifthsOfTheDirection) {
  const std::vector<float> origin(256, 0.0F);
  const auto vector = gaussian(1, 256, 5);
  const double norm2 = exact(Metric::kL2, vector.data(), origin.data(), 256);
  double cosine = 0;
  RaBitQ::Scratch scratch;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const auto q = RaBitQ::make(Metric::kL2, 1, origin, 256, seed);
    std::vector<uint8_t> code(q->code_bytes());
    const auto factors = q->encode(vector.data(), 0, code.data(), scratch);
    EXPECT_NEAR(factors.add, norm2, 1e-4 * norm2) << "the rotation keeps the length";
    cosine += std::sqrt(norm2) / (-factors.scale / 2 * std::sqrt(256.0 / 4)) / 200;
  }
  EXPECT_NEAR(cosine, 0.798, 0.01);
}

TEST(RaBitQ, AVectorThatIsItsCentroidIsExact) {
  const auto centroids = gaussian(4, 33, 1);
  const auto query = gaussian(1, 33, 2);
  RaBitQ::Scratch scratch;
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
    for (const unsigned bits : {1U, 5U}) {
      const auto q = RaBitQ::make(metric, bits, centroids, 33, 9);
      std::vector<uint8_t> code(q->code_bytes());
      const float* vector = centroids.data() + 2 * 33;
      EXPECT_EQ(q->nearest_centroid(vector, scratch), 2U);
      const auto factors = q->encode(vector, 2, code.data(), scratch);
      const Estimate e = q->prepare(query)->estimate(code.data(), factors, 2);
      EXPECT_NEAR(e.distance, exact(metric, vector, query.data(), 33), 1e-4);
      EXPECT_EQ(e.error, 0);
      std::vector<float> back(33);
      q->decode(code.data(), factors, 2, back.data(), scratch);
      for (size_t i = 0; i < 33; ++i) EXPECT_NEAR(back[i], vector[i], 1e-5);
    }
  }
}

TEST(RaBitQ, AVectorOfZerosHasCosineDistanceOne) {
  const auto q = RaBitQ::make(Metric::kCosine, 8, gaussian(1, 20, 1), 20, 1);
  RaBitQ::Scratch scratch;
  std::vector<uint8_t> code(q->code_bytes());
  const std::vector<float> zeros(20);
  const auto factors = q->encode(zeros.data(), 0, code.data(), scratch);
  const Estimate e = q->prepare(gaussian(1, 20, 2))->estimate(code.data(), factors, 0);
  EXPECT_NEAR(e.distance, 1, 5 * e.error);
  const Estimate zero = q->prepare(zeros)->estimate(code.data(), factors, 0);
  EXPECT_NEAR(zero.distance, 1, 5 * zero.error);
}

TEST(RaBitQ, DataFarFromTheOriginLosesNothing) {
  auto near = clustered(200, 64, 4, 0.3F, 1);
  auto far = near;
  for (float& x : far) x = x * 100 + 5000;
  RaBitQ::Scratch scratch;
  double errors[2] = {};
  for (const bool is_far : {false, true}) {
    const auto& rows = is_far ? far : near;
    const auto centroids = train_kmeans(rows, 64, {.centroids = 4});
    const auto q = RaBitQ::make(Metric::kL2, 4, centroids->centroids, 64, 3);
    const auto query = q->prepare(std::span(rows).first(64));
    std::vector<uint8_t> code(q->code_bytes());
    for (size_t i = 1; i < 200; ++i) {
      const float* row = rows.data() + i * 64;
      const uint32_t c = q->nearest_centroid(row, scratch);
      const auto factors = q->encode(row, c, code.data(), scratch);
      const double truth = exact(Metric::kL2, row, rows.data(), 64);
      errors[is_far ? 1 : 0] +=
          std::abs(query->estimate(code.data(), factors, c).distance - truth) / truth / 199;
    }
  }
  EXPECT_LT(errors[0], 0.02);
  EXPECT_LT(errors[1], 1.2 * errors[0]);
}

TEST(RaBitQ, DecodedVectorsAreNearAndEachBitHelps) {
  const auto rows = gaussian(50, 48, 4);
  const auto centroids = gaussian(5, 48, 5);
  RaBitQ::Scratch scratch;
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
    double before = 1;
    for (unsigned bits = 1; bits <= 8; ++bits) {
      const auto q = RaBitQ::make(metric, bits, centroids, 48, 6);
      std::vector<uint8_t> code(q->code_bytes());
      std::vector<float> back(48);
      double lost = 0;
      for (size_t i = 0; i < 50; ++i) {
        const float* row = rows.data() + i * 48;
        const uint32_t c = q->nearest_centroid(row, scratch);
        const auto factors = q->encode(row, c, code.data(), scratch);
        q->decode(code.data(), factors, c, back.data(), scratch);
        lost += exact(Metric::kL2, back.data(), row, 48) /
                exact(Metric::kL2, centroids.data() + c * 48, row, 48) / 50;
      }
      EXPECT_LT(lost, 0.45 * before) << bits;
      before = lost;
    }
    EXPECT_LT(before, 1e-4);
  }
}

TEST(RaBitQ, SidesAreCertainOnlyBeyondTheDoubt) {
  EXPECT_EQ(side_of({.distance = 10, .error = 1}, 13, 2), Side::kBelow);
  EXPECT_EQ(side_of({.distance = 10, .error = 1}, 11, 2), Side::kUnknown);
  EXPECT_EQ(side_of({.distance = 10, .error = 1}, 7, 2), Side::kAbove);
  EXPECT_EQ(side_of({.distance = std::numeric_limits<float>::quiet_NaN(), .error = 1}, 7),
            Side::kUnknown);
}

TEST(RaBitQ, SurvivesTheFileWithTheSameCodesAndEstimates) {
  const auto rows = gaussian(40, 90, 1);
  const auto centroids = train_kmeans(rows, 90, {.centroids = 6});
  for (const Metric metric : kMetrics) {
    const auto q = RaBitQ::make(metric, 5, centroids->centroids, 90, 0xFEDCBA9876543210);
    const auto quant =
        wire::decode_quant(wire::encode_quant({.tier = 2, .dimension = 90, .model = q->to_wire()}));
    ASSERT_TRUE(quant) << quant.error().message;
    const auto back = RaBitQ::from_wire(std::get<wire::RaBitQ>(quant->model), 90, metric);
    ASSERT_TRUE(back);
    RaBitQ::Scratch scratch;
    const auto query = gaussian(1, 90, 7);
    std::vector<uint8_t> a(q->code_bytes());
    std::vector<uint8_t> b(q->code_bytes());
    for (size_t i = 0; i < 40; ++i) {
      const float* row = rows.data() + i * 90;
      const uint32_t c = q->nearest_centroid(row, scratch);
      EXPECT_EQ(back->nearest_centroid(row, scratch), c);
      const auto fa = q->encode(row, c, a.data(), scratch);
      const auto fb = back->encode(row, c, b.data(), scratch);
      EXPECT_EQ(a, b);
      EXPECT_EQ(fa, fb);
      EXPECT_EQ(q->prepare(query)->estimate(a.data(), fa, c).distance,
                back->prepare(query)->estimate(b.data(), fb, c).distance);
    }
  }
}

// Files hold these codes: a machine or compiler that makes others would not find rows again.
TEST(RaBitQ, MakesTheSameCodesOnEveryMachine) {
  constexpr size_t kDim = 50;
  std::vector<float> rows(20 * kDim);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i] = static_cast<float>(static_cast<double>(i * 2654435761U % 1000) / 7.0);
  }
  const auto hash = [&](unsigned bits) {
    const auto q = RaBitQ::make(Metric::kL2, bits, std::span(rows).first(2 * kDim), kDim, 77);
    RaBitQ::Scratch scratch;
    std::vector<uint8_t> code(q->code_bytes());
    uint64_t h = 1469598103934665603;  // FNV-1a
    const auto mix = [&](uint64_t x) { h = (h ^ x) * 1099511628211; };
    for (size_t i = 0; i < 20; ++i) {
      const float* row = rows.data() + i * kDim;
      const auto f = q->encode(row, q->nearest_centroid(row, scratch), code.data(), scratch);
      for (const uint8_t byte : code) mix(byte);
      for (const float x : {f.add, f.scale, f.error}) mix(std::bit_cast<uint32_t>(x));
    }
    return h;
  };
  EXPECT_EQ(hash(1), 0x3A2A78CB57A71552U);
  EXPECT_EQ(hash(4), 0xF7C16989604B23F4U);
  EXPECT_EQ(hash(7), 0xC17611A0F85C7EFBU);
}

TEST(RaBitQ, NamesBadInput) {
  const std::vector<float> centroids(4);
  const auto code = [](const auto& result) { return result.error().code; };
  EXPECT_EQ(code(RaBitQ::make(Metric::kL2, 0, centroids, 4, 1)), ErrorCode::kBadArgument);
  EXPECT_EQ(code(RaBitQ::make(Metric::kL2, 9, centroids, 4, 1)), ErrorCode::kBadArgument);
  EXPECT_EQ(code(RaBitQ::make(Metric::kL2, 1, centroids, 3, 1)), ErrorCode::kBadArgument);
  EXPECT_EQ(code(RaBitQ::make(Metric::kL2, 1, {}, 3, 1)), ErrorCode::kBadArgument);
  EXPECT_EQ(code(RaBitQ::make(Metric::kHamming, 1, centroids, 4, 1)), ErrorCode::kWrongMetric);
  const auto q = RaBitQ::make(Metric::kL2, 1, centroids, 4, 1);
  EXPECT_EQ(code(q->prepare(std::vector<float>(3))), ErrorCode::kWrongDimension);
  EXPECT_EQ(code(q->prepare(std::vector<float>{1, 2, 3, std::nanf("")})), ErrorCode::kNotFinite);
  wire::RaBitQ foreign = q->to_wire();
  foreign.rotation = wire::RotationKind::kHadamardRounds;
  EXPECT_EQ(code(RaBitQ::from_wire(foreign, 4, Metric::kL2)), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace rvf::quant
