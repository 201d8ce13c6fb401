#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "exec/inline_executor.hpp"
#include "rvf/executor.hpp"

namespace rvf {
namespace {

void expect_each_once(Executor& executor, uint64_t n, uint64_t grain) {
  std::vector<std::atomic<int>> hits(n);
  std::atomic<bool> bad{false};
  executor.parallel_for(n, grain, [&](size_t worker, uint64_t begin, uint64_t end) {
    if (worker >= executor.width() || begin >= end || end > n || end - begin > grain) bad = true;
    for (uint64_t i = begin; i < end; ++i) hits[i]++;
  });
  EXPECT_FALSE(bad);
  for (const auto& h : hits) EXPECT_EQ(h.load(), 1);
}

TEST(Exec, EveryIndexIsVisitedExactlyOnceInChunksNoLargerThanTheGrain) {
  for (size_t threads : {1, 2, 5}) {
    const auto pool = make_thread_pool(threads);
    for (uint64_t n : {0, 1, 7, 1000, 4096}) {
      for (uint64_t grain : {1, 3, 64, 5000}) expect_each_once(*pool, n, grain);
    }
  }
}

TEST(Exec, APoolOfZeroThreadsTakesOneACoreAndAtLeastOne) {
  EXPECT_GE(make_thread_pool(0)->width(), 1u);
  EXPECT_EQ(make_thread_pool(3)->width(), 3u);
  EXPECT_EQ(make_thread_pool(1)->width(), 1u);
}

TEST(Exec, AWorkerIndexIsUsedByOneThreadAtATime) {
  const auto pool = make_thread_pool(4);
  std::vector<std::atomic<int>> inside(pool->width());
  std::atomic<bool> clash{false};
  pool->parallel_for(2000, 1, [&](size_t worker, uint64_t, uint64_t) {
    if (inside[worker].fetch_add(1) != 0) clash = true;
    std::this_thread::yield();
    inside[worker].fetch_sub(1);
  });
  EXPECT_FALSE(clash);
}

TEST(Exec, CallersFromSeveralThreadsTakeTurns) {
  const auto pool = make_thread_pool(3);
  std::atomic<uint64_t> sum{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        pool->parallel_for(100, 7, [&](size_t, uint64_t b, uint64_t e) { sum += e - b; });
      }
    });
  }
  for (std::thread& t : callers) t.join();
  EXPECT_EQ(sum.load(), 4u * 50u * 100u);
}

}  // namespace
}  // namespace rvf
