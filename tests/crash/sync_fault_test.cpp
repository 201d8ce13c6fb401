// A barrier that fails, and a system that then drops what it could not write and calls it clean:
// nothing that was acknowledged before is lost, and nothing is acknowledged afterwards that a
// power loss could take.
#include <gtest/gtest.h>

#include <string>

#include "crash/crash_operations.hpp"
#include "crash/crash_run.hpp"
#include "crash/crash_workloads.hpp"
#include "support/plant_bug.hpp"

namespace rvf::testing {
namespace {

constexpr uint64_t kOperations = 9;

// Lets the n-th barrier fail while a store is written, goes on as far as the store lets it, and
// cuts the power at every change from then on. False where fewer barriers were reached.
bool fail_barrier(uint64_t n, const std::string& mode, uint64_t images, Figure& figure) {
  auto fs = std::make_shared<TraceFileSystem>();
  Life life(fs, figure.seed);
  CreateOptions create;
  create.dimension = kCrashDim;
  life.create(create);
  fs->fail_sync(n);
  size_t failed_at = 0;
  std::optional<Shown> perhaps;  // what the call would have left that failed
  for (uint64_t i = 0; i < kOperations; ++i) {
    const CrashOperation op = operation(mode, figure.seed + n, i);
    Shown expected = shown_of(*life.store().snapshot());
    if (run(op, life.store()).ok()) {
      life.acknowledged(Durability::kSync);
      continue;
    }
    if (perhaps) continue;  // poisoned by now, or the operation before had been refused as well
    run(op, expected.model);
    perhaps = expected;
    failed_at = fs->size();
  }
  if (!fs->sync_has_failed()) return false;
  (void)life.store().close();
  const auto where = [&](size_t event) {
    return mode + ", barrier " + std::to_string(n) + ", event " + std::to_string(event);
  };
  if (!perhaps) {
    figure.count("was not told of a barrier that failed", [&] { return where(0); });
    return true;
  }
  if (perhaps) life.may_become(*perhaps);
  for (size_t event = failed_at; event <= fs->size(); ++event) {
    const PowerLoss power(*fs, event, 512);
    std::mt19937_64 random(figure.seed + n * 1000 + event);
    for (uint64_t i = 0; i < images; ++i) {
      CheckOptions options;
      options.power_lost = true;
      const Image image = i == 0   ? power.subset(0)
                          : i == 1 ? killed_after(*fs, event)
                                   : power.random_subset(random);
      figure.count(check_image(image, life, event, options), [&] { return where(event); });
    }
  }
  return true;
}

uint64_t fail_every_barrier(uint64_t images, Figure& figure) {
  uint64_t barriers = 0;
  for (const char* mode : {"ingest", "single", "compact"}) {
    uint64_t n = 1;
    while (fail_barrier(n, mode, images, figure)) ++n;
    barriers += n - 1;
  }
  return barriers;
}

TEST(SyncFault, NothingAcknowledgedIsLostWhereABarrierFails) {
  Figure figure;
  const uint64_t barriers = fail_every_barrier(long_form() ? 200 : 12, figure);
  figure.print("failed fsync stays truthful",
               std::to_string(barriers) + " barriers failed, power cut after each");
  EXPECT_EQ(figure.failures, 0U) << figure.explain();
  EXPECT_GT(barriers, 30U);
}

TEST(SyncFault, AWriterThatGoesOnAfterAFailedBarrierIsFound) {
  Figure figure;
  const PlantBug planted(PlantedBug::kKeepPoisonedWriter);
  fail_every_barrier(4, figure);
  EXPECT_GT(figure.failures, 0U);
  print_reliability("planted: writer not poisoned by a failed fsync", 1, figure.failures == 0,
                    figure.seed, 0, std::to_string(figure.failures) + " violations");
}

}  // namespace
}  // namespace rvf::testing
