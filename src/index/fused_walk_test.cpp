// The walk's arithmetic is the same on every instruction set, and close to real distances.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "exec/inline_executor.hpp"
#include "index/fused_build.hpp"
#include "index/fused_searcher.hpp"
#include "index/test_data.hpp"

namespace rvf::index {
namespace {

struct Built {
  TestSet set;
  std::unique_ptr<FusedSpace> space;
  std::unique_ptr<RowCodes> codes;
  std::unique_ptr<FusedGraph> graph;
};

Built build(size_t rows, size_t dim, size_t clusters, Metric metric = Metric::kL2) {
  Built b{make_set(rows, dim, clusters), nullptr, nullptr, nullptr};
  InlineExecutor executor;
  const GraphInput input = b.set.input(metric, rows);
  b.space = std::make_unique<FusedSpace>(std::move(*FusedSpace::fit(input, 7)));
  b.codes = std::make_unique<RowCodes>(std::move(*RowCodes::make(*b.space, input, executor)));
  b.graph = std::make_unique<FusedGraph>(
      std::move(*FusedGraph::make(*b.space, *b.codes, static_cast<uint32_t>(rows), 7, 1 << 20)));
  GraphParams params;
  FusedBuilder builder(*b.codes, *b.space, *b.graph, params, executor);
  std::vector<uint32_t> all;
  for (uint32_t i = 0; i < rows; ++i) all.push_back(i);
  EXPECT_TRUE(builder.add(all, [](double) { return Status(); }).ok());
  builder.connect();
  return b;
}

std::vector<float> placed(const FusedSpace& space, std::vector<float> q) {
  std::vector<float> out(space.layout().padded);
  space.place(q, true, out.data());
  return out;
}

TEST(FusedWalk, EveryInstructionSetComparesTheSameNodesAndGetsTheSameBits) {
  for (const size_t dim : {3U, 17U, 64U, 200U, 800U, 2100U}) {
    const Built b = build(dim > 1000 ? 300 : 900, dim, 5);
    for (const uint32_t width : {1U, 10U, 33U, 200U}) {
      for (size_t q = 0; q < 5; ++q) {
        const auto z = placed(*b.space, b.set.queries[q]);
        FusedSearcher reference(kernels::Isa::kScalar);
        reference.start(b.graph->blocks(), z.data(), width, 4096);
        while (!reference.run(3)) {
        }
        ASSERT_GT(reference.trace().size(), 0U);
        for (const kernels::Isa isa : kernels::kAllIsas) {
          if (!kernels::isa_available(isa)) continue;
          FusedSearcher other(isa);
          other.start(b.graph->blocks(), z.data(), width, 4096);
          other.run(~uint64_t{0});
          ASSERT_EQ(std::vector(other.trace().begin(), other.trace().end()),
                    std::vector(reference.trace().begin(), reference.trace().end()))
              << kernels::isa_name(isa) << " dim " << dim << " width " << width;
          ASSERT_EQ(std::vector(other.near().begin(), other.near().end()),
                    std::vector(reference.near().begin(), reference.near().end()));
        }
      }
    }
  }
}

TEST(FusedWalk, EveryInstructionSetEncodesTheSameBlocks) {
  std::mt19937 rng(4);
  for (const uint32_t padded : {16U, 48U, 384U, 1008U}) {
    std::vector<std::vector<int8_t>> rows(kFusedDegree + 1, std::vector<int8_t>(padded));
    for (auto& row : rows) {
      for (int8_t& v : row) v = static_cast<int8_t>(rng() % 255 - 127);
    }
    rows[5] = rows[0];  // a copy of the centre
    const int8_t* neighbours[kFusedDegree];
    float scales[kFusedDegree];
    for (uint32_t i = 0; i < kFusedDegree; ++i) {
      neighbours[i] = rows[i + 1].data();
      scales[i] = i == 4 ? 0.01F : 0.005F + 0.001F * static_cast<float>(i);
    }
    for (const uint32_t count : {0U, 1U, 20U, 32U}) {
      std::vector<uint8_t> want(4 * padded, 0xAA);
      FusedDifference want_out[kFusedDegree];
      kFusedScalar.encode(rows[0].data(), 0.01F, neighbours, scales, count, padded, want.data(),
                          want_out);
      for (const kernels::Isa isa : kernels::kAllIsas) {
        if (!kernels::isa_available(isa)) continue;
        std::vector<uint8_t> got(4 * padded, 0x55);
        FusedDifference out[kFusedDegree];
        fused_kernels(isa).encode(rows[0].data(), 0.01F, neighbours, scales, count, padded,
                                  got.data(), out);
        EXPECT_EQ(got, want) << kernels::isa_name(isa);
        for (uint32_t i = 0; i < count; ++i) {
          EXPECT_EQ(out[i].square, want_out[i].square);
          EXPECT_EQ(out[i].absolute, want_out[i].absolute);
          EXPECT_EQ(out[i].signs_by_centre, want_out[i].signs_by_centre);
        }
      }
    }
  }
}

TEST(FusedWalk, RefinedDistancesAreThoseOfTheVectorsWithinTheErrorOfBytes) {
  for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
    const Built b = build(800, 96, 6, metric);
    for (size_t q = 0; q < 10; ++q) {
      const auto z = placed(*b.space, b.set.queries[q]);
      FusedSearcher searcher;
      searcher.start(b.graph->blocks(), z.data(), 50, 4096);
      searcher.run(~uint64_t{0});
      for (const uint64_t key : searcher.trace()) {
        std::vector<float> row(96);
        ASSERT_TRUE(
            kernels::decode_row(b.set.table[FusedSearcher::node_of(key)], b.set.dtype, row).ok());
        std::vector<float> r(b.space->layout().padded);
        b.space->place(row, false, r.data());
        double real = 0;
        double size = 0;
        for (size_t i = 0; i < r.size(); ++i) {
          real += (static_cast<double>(r[i]) - z[i]) * (static_cast<double>(r[i]) - z[i]);
          size += std::fabs(static_cast<double>(r[i]) * z[i]) + static_cast<double>(z[i]) * z[i];
        }
        EXPECT_NEAR(FusedSearcher::distance_of(key), real, 0.01 * (size + real) + 1e-3);
      }
    }
  }
}

TEST(FusedWalk, EstimatesAreUnbiasedOverManyNeighbours) {
  const Built b = build(1500, 128, 0);
  const FusedBlocks blocks = b.graph->blocks();
  const FusedLayout& l = blocks.layout;
  double error = 0;
  double spread = 0;
  size_t n = 0;
  for (size_t q = 0; q < 20; ++q) {
    const auto z = placed(*b.space, b.set.queries[q]);
    std::vector<uint8_t> table(4 * l.padded + 64);
    auto* aligned = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(table.data()) + 63) &
                                               ~uintptr_t{63});
    std::vector<int8_t> high(l.vector_bytes);
    std::vector<int8_t> low(l.vector_bytes);
    FusedQuery query;
    kFusedScalar.prepare(z.data(), l, aligned, high.data(), low.data(), query);
    for (uint32_t node = 0; node < 200; ++node) {
      const std::byte* block = blocks.block(node);
      for (uint32_t i = 0; i < b.graph->neighbours(node).size(); ++i) {
        const uint32_t other = b.graph->neighbours(node)[i];
        double centre = 0;
        double real = 0;
        uint32_t sum = 0;
        for (uint32_t d = 0; d < l.padded; ++d) {
          const double c = b.codes->scale(node) * b.codes->code(node)[d];
          const double o = b.codes->scale(other) * b.codes->code(other)[d];
          centre += (c - z[d]) * (c - z[d]);
          real += (o - z[d]) * (o - z[d]);
        }
        const auto* codes = reinterpret_cast<const uint8_t*>(block) + l.codes;
        for (uint32_t t = 0; t < l.padded / 4; ++t) {
          const uint8_t byte = codes[16 * t + i % 16];
          sum += aligned[16 * t + (i < 16 ? byte & 15 : byte >> 4)];
        }
        uint16_t add;
        uint16_t mul;
        std::memcpy(&add, block + l.add + 2 * i, 2);
        std::memcpy(&mul, block + l.mul + 2 * i, 2);
        const double estimate = centre + kernels::f16_to_f32(add) +
                                kernels::f16_to_f32(mul) *
                                    (query.code_base + query.code_step * static_cast<float>(sum));
        error += estimate - real;
        spread += (estimate - real) * (estimate - real);
        ++n;
      }
    }
  }
  const double mean = error / static_cast<double>(n);
  const double deviation = std::sqrt(spread / static_cast<double>(n));
  // Neighbours of one query share its error in part: far fewer than n are independent.
  EXPECT_LT(std::fabs(mean), 4 * deviation / std::sqrt(static_cast<double>(n) / 50));
  EXPECT_LT(deviation, 16);  // squared distances between rows are about 128
}

}  // namespace
}  // namespace rvf::index
