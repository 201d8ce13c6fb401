// Crashing while recovering from a crash: what a crash left is opened, written to and compacted,
// and at every change of that it crashes again. Recovering twice gives what recovering once gives.
#include <gtest/gtest.h>

#include <string>

#include "crash/crash_run.hpp"
#include "crash/crash_workloads.hpp"
#include "support/plant_bug.hpp"

namespace rvf::testing {
namespace {

struct Points {
  uint64_t outer = 0;  // crashes whose recovery was crashed
  uint64_t inner = 0;  // changes that recoveries made
};

// Opens what a crash left as the next process does, writes to it and compacts it.
std::unique_ptr<Life> recover(const Image& left, const Shown& found, uint64_t seed) {
  auto fs = std::make_shared<TraceFileSystem>(left);
  auto life = std::make_unique<Life>(fs, seed);
  life->begin_with(found);
  life->open();
  if (!life->problem().empty()) return life;
  // A compaction that was interrupted goes on here.
  life->call(life->store().compact());
  life->ingest(2);
  life->close();
  return life;
}

void crash_again(const Life& recovery, uint64_t power_images, Figure& figure, Points& points,
                 const std::string& where) {
  const auto& events = recovery.fs().events();
  for (size_t n = 0; n <= events.size(); ++n, ++points.inner) {
    const auto check = [&](const Image& image, size_t events_done, bool power_lost) {
      CheckOptions options;
      options.power_lost = power_lost;
      options.believe_large_stores = figure.runs % 2 == 0;
      figure.count(check_image(image, recovery, events_done, options),
                   [&] { return where + ", then event " + std::to_string(n) + " of recovery"; });
    };
    check(killed_after(recovery.fs(), n), n, false);
    const bool write = n > 0 && events[n - 1].kind == TraceEvent::Kind::kWrite;
    if (write) {
      check(killed_after(recovery.fs(), n, events[n - 1].bytes.size() / 2 + n % 64), n - 1, false);
    }
    const PowerLoss power(recovery.fs(), n, n % 2 == 0 ? 512 : 4096);
    std::mt19937_64 random(figure.seed + n);
    for (uint64_t i = 0; i < power_images && power.units() > 0; ++i) {
      check(i % 2 == 0 ? power.random_subset(random) : power.damaged(random), n, true);
    }
  }
}

// Every change of the workload's life is a crash that is recovered from.
void crash_recoveries(const CrashWorkload& w, uint64_t power_images, Figure& figure,
                      Points& points) {
  const auto life = live(w, figure.seed);
  const auto& events = life->fs().events();
  for (size_t n = 1; n <= events.size(); ++n) {
    std::mt19937_64 random(figure.seed * 7 + n);
    const bool write = events[n - 1].kind == TraceEvent::Kind::kWrite;
    const PowerLoss power(life->fs(), n, 512);
    for (int kind = 0; kind < 3; ++kind) {
      if ((kind == 1 && !write) || (kind == 2 && power.units() == 0)) continue;
      const size_t done = kind == 1 ? n - 1 : n;
      const Image left = kind == 0 ? killed_after(life->fs(), n)
                         : kind == 1
                             ? killed_after(life->fs(), n, random() % events[n - 1].bytes.size())
                             : power.random_subset(random);
      const std::string where = "RVF_WORKLOAD='" + w.name + "', event " + std::to_string(n) +
                                ", kind " + std::to_string(kind);
      Shown found;
      CheckOptions options;
      options.power_lost = kind == 2;
      options.found = &found;
      const std::string problem = check_image(left, *life, done, options);
      figure.count(problem, [&] { return where; });
      if (!left.contains(kStorePath) || !problem.empty()) continue;  // before create() was done
      const auto recovery = recover(left, found, figure.seed + n);
      figure.count(recovery->problem(), [&] { return where + ", recovery fails"; });
      if (recovery->problem().empty()) {
        crash_again(*recovery, power_images, figure, points, where);
      }
      ++points.outer;
    }
  }
}

TEST(CrashRecovery, ACrashAtEveryChangeOfARecoveryLosesNothing) {
  Figure figure;
  Points points;
  size_t workloads = 0;
  for (const CrashWorkload& w : crash_workloads()) {
    // A recovery of thousands of rows makes its graph anew.
    if (w.large && !long_form()) continue;
    crash_recoveries(w, w.large ? 0 : long_form() ? 8 : 1, figure, points);
    ++workloads;
  }
  figure.print("crash during recovery and compaction",
               std::to_string(workloads) + " workloads, " + std::to_string(points.outer) +
                   " crashes, " + std::to_string(points.inner) + " points of their recovery, all");
  EXPECT_EQ(figure.failures, 0U) << figure.explain();
}

TEST(CrashRecovery, MistakesPlantedInTheLibraryAreFound) {
  const std::pair<PlantedBug, const char*> bugs[] = {
      {PlantedBug::kSkipManifestSync, "recovery: no barrier after the manifest"},
      {PlantedBug::kRenameBeforeWhole, "recovery: compacted file renamed too early"},
  };
  for (const auto& [bug, name] : bugs) {
    Figure figure;
    Points points;
    for (const CrashWorkload& w : crash_workloads()) {
      if (w.large || figure.failures > 0) continue;
      // The first life is right; only its recovery makes the mistake.
      const auto life = live(w, figure.seed);
      const PlantBug planted(bug);
      const size_t n = life->fs().size() / 2;
      const Image left = killed_after(life->fs(), n);
      Shown found;
      CheckOptions options;
      options.found = &found;
      if (!check_image(left, *life, n, options).empty() || !left.contains(kStorePath)) continue;
      const auto recovery = recover(left, found, figure.seed);
      crash_again(*recovery, 4, figure, points, w.name);
    }
    const bool caught = figure.failures > 0;
    EXPECT_TRUE(caught) << name << " is not found in " << figure.runs << " images";
    print_reliability(std::string("planted: ") + name, 1, caught ? 0 : 1, figure.seed, 0,
                      "found within " + std::to_string(figure.runs) + " images");
  }
}

}  // namespace
}  // namespace rvf::testing
