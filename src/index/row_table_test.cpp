#include "index/row_table.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

#include "index/row_bitmap.hpp"

namespace rvf::index {
namespace {

TEST(RowTable, EveryRowIsFoundWhateverTheLengthsOfTheRuns) {
  std::mt19937 rng(3);
  std::vector<std::byte> memory(1 << 22);
  for (const uint64_t longest : {1U, 3U, 300U, 5000U}) {
    RowTable table;
    std::vector<const std::byte*> want;
    for (int run = 0; run < 400; ++run) {
      const uint64_t count = rng() % longest + 1;
      const size_t stride = (rng() % 3 + 1) * 64;
      const size_t start = rng() % (memory.size() - count * stride);
      ASSERT_TRUE(table.append_run({table.size(), count, &memory[start], stride}).ok());
      for (uint64_t i = 0; i < count; ++i) want.push_back(&memory[start + i * stride]);
    }
    ASSERT_EQ(table.size(), want.size());
    for (uint64_t row = 0; row < want.size(); ++row) ASSERT_EQ(table[row], want[row]);
    uint64_t next = 5;
    table.for_each_piece(5, want.size() - 3,
                         [&](const std::byte* first, size_t stride, uint64_t row, uint64_t n) {
                           ASSERT_EQ(row, next);
                           for (uint64_t i = 0; i < n; ++i)
                             ASSERT_EQ(first + i * stride, want[row + i]);
                           next = row + n;
                         });
    EXPECT_EQ(next, want.size() - 3);
  }
}

TEST(RowTable, AppendingToACopyLeavesTheOriginalAsItWas) {
  std::vector<std::byte> memory(4096);
  RowTable a;
  ASSERT_TRUE(a.append_run({0, 1, &memory[0], 64}).ok());
  ASSERT_TRUE(a.append_run({1, 1, &memory[640], 64}).ok());
  RowTable b = a;
  RowTable c = a;
  ASSERT_TRUE(b.append_run({2, 1, &memory[128], 64}).ok());
  ASSERT_TRUE(c.append_run({2, 1, &memory[256], 64}).ok());
  EXPECT_EQ(a.size(), 2u);
  EXPECT_EQ(b[2], &memory[128]);
  EXPECT_EQ(c[2], &memory[256]);
  EXPECT_EQ(a[1], &memory[640]);
}

TEST(RowTable, ARunThatLeavesAGapIsRefused) {
  RowTable table;
  std::byte row[64];
  EXPECT_EQ(table.append_run({1, 1, row, 64}).error().code, ErrorCode::kBadArgument);
}

class CountingSource final : public RowSource {
 public:
  void make(const std::byte* row) const noexcept override { asked.push_back(row); }
  mutable std::vector<const std::byte*> asked;
};

TEST(RowTable, RowsWithASourceAreMadeWhenALookupAsksForThem) {
  std::vector<std::byte> there(1000 * 8);
  std::vector<std::byte> lazy(1000 * 8);
  const CountingSource source;
  RowTable table;
  ASSERT_TRUE(table.append_run({0, 300, there.data(), 8}).ok());
  ASSERT_TRUE(table.append_run({300, 500, lazy.data(), 8, &source}).ok());
  ASSERT_TRUE(table.append_run({800, 100, lazy.data() + 500 * 8, 8, &source}).ok());
  ASSERT_TRUE(table.append_run({900, 100, there.data() + 300 * 8, 8}).ok());
  EXPECT_EQ(table[299], there.data() + 299 * 8);
  EXPECT_EQ(table[950], there.data() + 350 * 8);
  EXPECT_TRUE(source.asked.empty());
  for (const uint64_t row : {300U, 511U, 512U, 700U, 800U, 899U}) {
    EXPECT_EQ(table[row], lazy.data() + (row - 300) * 8);
    ASSERT_FALSE(source.asked.empty());
    EXPECT_EQ(source.asked.back(), table[row]);
  }
  source.asked.clear();
  uint64_t seen = 0;
  table.for_each_piece(0, 1000, [&](const std::byte*, size_t, uint64_t, uint64_t n) { seen += n; });
  EXPECT_EQ(seen, 1000U);
  EXPECT_EQ(source.asked.size(), 600U);
}

TEST(RowBitmap, ItBehavesLikeASetAndCopiesAreIndependent) {
  std::mt19937 rng(4);
  RowBitmap map;
  std::set<uint64_t> model;
  for (int i = 0; i < 5000; ++i) {
    const uint64_t row = rng() % 200000;
    if (rng() % 3 == 0) {
      map.reset(row);
      model.erase(row);
    } else {
      map.set(row);
      model.insert(row);
    }
  }
  const RowBitmap before = map;
  const std::set<uint64_t> model_before = model;
  map.set(199999);
  model.insert(199999);
  map.reset(*model_before.begin());
  model.erase(*model_before.begin());
  const auto check = [](const RowBitmap& m, const std::set<uint64_t>& want) {
    std::set<uint64_t> got;
    m.for_each(0, UINT64_MAX, [&](uint64_t r) { got.insert(r); });
    EXPECT_EQ(got, want);
    EXPECT_EQ(m.count(), want.size());
    EXPECT_EQ(m.count_range(1000, 70001), static_cast<uint64_t>(std::distance(
                                              want.lower_bound(1000), want.lower_bound(70001))));
  };
  check(map, model);
  check(before, model_before);
  EXPECT_FALSE(map.test(uint64_t{1} << 60));
}

}  // namespace
}  // namespace rvf::index
