#include "kernels/range_scan.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace rvf::kernels {
namespace {

TEST(RangeScan, EveryInstructionSetFindsWhatALoopFinds) {
  std::mt19937_64 rng(11);
  for (const unsigned width : {1U, 2U, 4U, 8U}) {
    const uint64_t mask = width == 8 ? ~0ULL : (1ULL << (8 * width)) - 1;
    for (size_t rows = 0; rows < 300; rows += 1 + rng() % 7) {
      for (const size_t misaligned : {0U, 1U, 3U}) {
        std::vector<std::byte> data(rows * width + misaligned);
        for (std::byte& b : data) b = std::byte(rng() % 4 == 0 ? rng() : rng() % 3);
        const uint64_t low = rng() & mask;
        const uint64_t span = (rng() % 2 == 0 ? rng() : rng() % 300) & mask;
        std::vector<uint64_t> expected((rows + 63) / 64);
        for (size_t i = 0; i < rows; ++i) {
          uint64_t v = 0;
          std::memcpy(&v, data.data() + misaligned + i * width, width);
          if (((v - low) & mask) <= span) expected[i / 64] |= uint64_t{1} << (i % 64);
        }
        for (const Isa isa : kAllIsas) {
          if (!isa_available(isa)) continue;
          std::vector<uint64_t> got((rows + 63) / 64);
          range_scan(width, isa)(data.data() + misaligned, rows, low, span, got.data());
          EXPECT_EQ(got, expected) << width << " bytes, " << rows << " rows, " << isa_name(isa);
        }
      }
    }
  }
}

}  // namespace
}  // namespace rvf::kernels
