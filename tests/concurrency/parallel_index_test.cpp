// What runs on an executor's threads: building each kind of index, also the second time, and batches
// of queries, while others read. The outcome must be that of one thread. Meant for ThreadSanitizer.
#include <atomic>
#include <thread>

#include "../api/store_fixture.hpp"

namespace rvf {
namespace {

constexpr uint32_t kDim = 16;
constexpr uint64_t kRows = 4200;
constexpr uint64_t kMoreRows = 300;

class ParallelIndexTest : public ::testing::TestWithParam<SearchLayout> {
 protected:
  // The answers of a store that was built, extended and compacted by `threads` threads.
  std::vector<QueryResult> answers(size_t threads) {
    auto store = make_store(make_thread_pool(threads));
    EXPECT_TRUE(store.ok());
    add(*store, kRows, 1);
    EXPECT_TRUE(store->build_index().ok());
    std::atomic<bool> stop = false;
    std::atomic<uint64_t> problems = 0;
    std::thread reader([&] {
      const std::vector<float> query = gaussian(1, kDim, 9);
      while (!stop) {
        const auto found = store->query(query, {.k = 5});
        if (!found || found->neighbors.size() != 5) ++problems;
      }
    });
    add(*store, kMoreRows, 2);
    EXPECT_TRUE(store->build_index().ok());
    EXPECT_TRUE(store->compact().ok());
    EXPECT_EQ(store->status().indexed_rows, kRows + kMoreRows);
    const std::vector<float> queries = gaussian(40, kDim, 3);
    auto found = store->query_batch(Vectors::from_f32(queries, kDim), {.k = 10});
    stop = true;
    reader.join();
    EXPECT_EQ(problems, 0U);
    EXPECT_TRUE(found.ok());
    return found ? std::move(*found) : std::vector<QueryResult>();
  }

  static Result<Store> make_store(std::shared_ptr<Executor> executor) {
    OpenOptions o;
    o.file_system = io::memory_file_system();
    o.index_policy = IndexPolicy::kManual;
    o.executor = std::move(executor);
    CreateOptions c;
    c.dimension = kDim;
    c.search_layout = GetParam();
    return Store::create("s.rvf", c, o);
  }
  static void add(Store& store, uint64_t rows, uint64_t seed) {
    const std::vector<float> values = gaussian(rows, kDim, seed);
    EXPECT_TRUE(store.ingest(Vectors::from_f32(values, kDim)).ok());
  }
};

TEST_P(ParallelIndexTest, AnswersAreThoseOfOneThread) {
  const std::vector<QueryResult> many = answers(3);
  const std::vector<QueryResult> one = answers(1);
  ASSERT_EQ(many.size(), one.size());
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(many[i].neighbors, one[i].neighbors) << "query " << i;
  }
}

TEST_P(ParallelIndexTest, RowsBehindTheGraphAreFoundByManyThreads) {
  auto store = make_store(nullptr);
  ASSERT_TRUE(store.ok());
  add(*store, kRows, 1);
  ASSERT_TRUE(store->build_index().ok());
  add(*store, kRows, 2);
  const std::vector<float> queries = gaussian(40, kDim, 2);  // the first of the new rows
  std::atomic<uint64_t> missed = 0;
  std::vector<std::thread> readers;
  for (uint64_t t = 0; t < 3; ++t) {
    readers.emplace_back([&, t] {
      for (uint64_t i = 0; i < 40; ++i) {
        const uint64_t row = (i + 13 * t) % 40;
        const auto found = store->query(std::span(queries).subspan(row * kDim, kDim), {.k = 5});
        if (!found || found->neighbors.empty() || found->neighbors[0].id != kRows + row) ++missed;
      }
    });
  }
  add(*store, kMoreRows, 3);
  for (std::thread& r : readers) r.join();
  EXPECT_EQ(missed, 0U);
}

INSTANTIATE_TEST_SUITE_P(Layouts, ParallelIndexTest,
                         ::testing::Values(SearchLayout::kFused, SearchLayout::kStandard,
                                           SearchLayout::kPartitions),
                         [](const auto& of) { return search_layout_name(of.param); });

}  // namespace
}  // namespace rvf
