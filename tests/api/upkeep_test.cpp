// A row costs a row: the index and the file are brought in shape when that pays, and only then.
#include <algorithm>

#include "store_fixture.hpp"

namespace rvf {
namespace {

class UpkeepTest : public StoreTest {
 protected:
  static constexpr size_t kDim = 24;

  static void add(Store& s, size_t rows, uint64_t seed) {
    const std::vector<float> v = gaussian(rows, kDim, seed);
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(v, kDim)));
  }
  Store open_manual() {
    OpenOptions o = in_memory();
    o.index_policy = IndexPolicy::kManual;
    return std::move(*Store::open("s.rvf", o));
  }
};

TEST_F(UpkeepTest, FewNewRowsWaitOutsideTheIndexAndManyAreTakenIn) {
  (void)make(kDim);
  Store s = open_manual();
  add(s, 1000, 1);
  EXPECT_FALSE(s.upkeep()->indexed);
  add(s, 7000, 2);
  EXPECT_TRUE(s.upkeep()->indexed);
  for (uint64_t i = 0; i < 20; ++i) {
    add(s, 1, 100 + i);
    EXPECT_FALSE(s.upkeep()->indexed);
  }
  EXPECT_EQ(s.status().indexed_rows, 8000U);
  add(s, 1000, 3);
  EXPECT_TRUE(s.upkeep()->indexed);
  EXPECT_EQ(s.status().indexed_rows, 9020U);
}

TEST_F(UpkeepTest, SingleRowsByManyWritersKeepTheFileInBounds) {
  {
    Store s = make(kDim);
  }
  {
    Store s = open_manual();
    add(s, 6000, 1);
    ASSERT_RVF_OK(s.upkeep());
  }
  uint64_t largest = 0;
  for (uint64_t i = 0; i < 1500; ++i) {
    Store s = open_manual();
    add(s, 1, 10 + i);
    ASSERT_RVF_OK(s.upkeep());
    largest = std::max(largest, s.status().file_bytes);
  }
  Store s = open_manual();
  EXPECT_EQ(s.status().vectors, 7500U);
  EXPECT_LE(largest, 2 * s.status().live_bytes + (5U << 20));
}

TEST_F(UpkeepTest, AFileThatIsMostlyDeadIsCompactedUnlessThatIsRefused) {
  {
    Store s = make(kDim);
  }
  Store s = open_manual();
  for (uint64_t i = 0; i < 4; ++i) {
    const std::vector<float> v = gaussian(20000, kDim, i);
    std::vector<uint64_t> ids(20000);
    for (size_t n = 0; n < ids.size(); ++n) ids[n] = n;
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(v, kDim), ids));
  }
  UpkeepOptions leave;
  leave.compact = leave.index = false;
  EXPECT_FALSE(s.upkeep(leave)->compacted);
  leave.compact = true;
  const auto done = s.upkeep(leave);
  ASSERT_RVF_OK(done);
  EXPECT_TRUE(done->compacted);
  EXPECT_LT(done->bytes_after, done->bytes_before / 2);
  EXPECT_EQ(s.status().vectors, 20000U);
}

}  // namespace
}  // namespace rvf
