// Rows that are kept as codes are decoded by whoever asks first: many threads at once, each row once.
// Meant for ThreadSanitizer.
#include <thread>

#include "../api/store_fixture.hpp"

namespace rvf {
namespace {

constexpr uint32_t kDim = 32;
constexpr uint64_t kRows = 1499;  // prime, so that any step leads through all rows
constexpr uint64_t kThreads = 4;

class LazyRowsTest : public StoreTest {
 protected:
  // Every row, in an order of the thread's own, with a query now and then.
  static std::vector<std::vector<float>> read_all(const Snapshot& snapshot, uint64_t thread) {
    std::vector<std::vector<float>> rows(kRows);
    for (uint64_t i = 0; i < kRows; ++i) {
      const uint64_t id = i * (2 * thread + 1) % kRows;
      auto row = snapshot.get(id);
      if (row) rows[id] = std::move(*row);
      if (i % 100 == thread) {
        EXPECT_TRUE(snapshot.query(rows[id], {.k = 3}).ok());
      }
    }
    return rows;
  }
};

TEST_F(LazyRowsTest, ThreadsThatAskAtOnceSeeTheSameRows) {
  CreateOptions c;
  c.dimension = kDim;
  c.storage = Storage::kRaBitQ4;
  auto made = Store::create("s.rvf", c, in_memory());
  ASSERT_RVF_OK(made);
  const std::vector<float> values = gaussian(kRows, kDim, 1);
  ASSERT_RVF_OK(made->ingest(Vectors::from_f32(values, kDim)));
  ASSERT_RVF_OK(made->compact());
  Store s = std::move(*made);
  reopen(s);
  const Snapshot snapshot = *s.snapshot();
  ASSERT_EQ(s.status().decoded_rows, 0U);
  std::vector<std::vector<std::vector<float>>> seen(kThreads);
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] { seen[t] = read_all(snapshot, t); });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(s.status().decoded_rows, kRows);
  for (uint64_t i = 0; i < kRows; ++i) {
    const std::vector<float> row = *snapshot.get(i);
    for (uint64_t t = 0; t < kThreads; ++t) {
      EXPECT_EQ(seen[t][i], row) << "row " << i << ", thread " << t;
    }
  }
}

}  // namespace
}  // namespace rvf
