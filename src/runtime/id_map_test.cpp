#include "runtime/id_map.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <unordered_map>

namespace rvf::runtime {
namespace {

TEST(IdMap, RunsAndSingleIdsInAnyOrderAgreeWithAHashMap) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    IdMap map;
    std::unordered_map<uint64_t, uint64_t> expected;
    uint64_t row = 0;
    for (int i = 0; i < 300; ++i) {
      std::vector<uint64_t> ids(1 + random() % (i % 10 == 0 ? 200 : 5));
      const uint64_t space = uint64_t{1} << (6 + random() % 10);
      if (random() % 2 == 0) {
        std::iota(ids.begin(), ids.end(), random() % space);
      } else {
        for (uint64_t& id : ids) id = random() % space;
      }
      map.add(ids, row);
      for (const uint64_t id : ids) expected[id] = row++;
    }
    for (uint64_t id = 0; id < 70000; ++id) {
      const auto found = map.find(id);
      const auto it = expected.find(id);
      ASSERT_EQ(found.has_value(), it != expected.end()) << "id " << id;
      if (found) {
        ASSERT_EQ(*found, it->second) << "id " << id;
      }
    }
  }
}

TEST(IdMap, TheLargestIdsAreFound) {
  IdMap map;
  const uint64_t last = ~uint64_t{0} - 1;
  map.add_run(last - 99, 100, 0);
  map.add(std::vector<uint64_t>{5, last}, 100);
  EXPECT_EQ(map.find(last), 101U);
  EXPECT_EQ(map.find(last - 1), 98U);
  EXPECT_EQ(map.find(5), 100U);
  EXPECT_FALSE(map.find(6).has_value());
}

}  // namespace
}  // namespace rvf::runtime
