// What a disk may hold after a crash at any moment of a store's life: each image has to open with
// everything that was acknowledged as durable, and with nothing half done.
#include <gtest/gtest.h>

#include <string>

#include "crash/crash_run.hpp"
#include "crash/crash_workloads.hpp"
#include "support/plant_bug.hpp"

namespace rvf::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSlow = true;  // the same workloads, fewer images of each
#else
constexpr bool kSlow = false;
#endif

std::string at_event(const CrashWorkload& w, size_t event, const std::string& what) {
  return "RVF_WORKLOAD='" + w.name + "', event " + std::to_string(event) + ", " + what;
}

// The process dies: an image for every prefix, and for the last write's every `step`-th byte.
void check_prefixes(const CrashWorkload& w, uint64_t step, Figure& figure, bool stop_at_first) {
  const auto life = live(w, figure.seed);
  const auto& events = life->fs().events();
  for (size_t n = 1; n <= events.size(); ++n) {
    const bool write = events[n - 1].kind == TraceEvent::Kind::kWrite;
    const uint64_t length = write ? events[n - 1].bytes.size() : 0;
    // A large store takes milliseconds an image, so of its long writes only some cuts.
    const uint64_t stride = w.large ? std::max<uint64_t>(step, length / 4 + 1) : step;
    CheckOptions options;
    for (uint64_t cut = 0; cut < length; cut += stride) {
      options.believe_large_stores = figure.runs % 2 == 0;
      options.compact = !w.large && figure.runs % 8 == 0;
      figure.count(check_image(killed_after(life->fs(), n, cut), *life, n - 1, options),
                   [&] { return at_event(w, n, "cut at byte " + std::to_string(cut)); });
      if (stop_at_first && figure.failures > 0) return;
    }
    for (const bool believe : {false, true}) {
      options.believe_large_stores = options.compact = believe;
      figure.count(check_image(killed_after(life->fs(), n), *life, n, options),
                   [&] { return at_event(w, n, "whole"); });
    }
    if (stop_at_first && figure.failures > 0) return;
  }
}

struct PowerForm {
  size_t exhaustive_units = 10;  // every subset of up to so many
  size_t samples = 16;  // of the subsets otherwise, and of the damaged images always
};

// The power fails after every event: subsets of what no barrier covered, and damaged sectors.
void check_power(const CrashWorkload& w, const PowerForm& form, DiskLie lie, Figure& figure,
                 bool stop_at_first) {
  const auto life = live(w, figure.seed, lie);
  for (size_t n = 1; n <= life->fs().size(); ++n) {
    for (const uint64_t sector : {uint64_t{512}, uint64_t{4096}}) {
      const PowerLoss power(life->fs(), n, sector);
      std::mt19937_64 random(figure.seed * 31 + n * 2 + sector);
      size_t image = 0;
      const auto check = [&](const Image& on_disk) {
        CheckOptions options;
        options.power_lost = true;
        options.believe_large_stores = figure.runs % 2 == 0;
        options.compact = !w.large && figure.runs % 8 == 0;
        figure.count(check_image(on_disk, *life, n, options), [&] {
          return at_event(w, n, std::to_string(sector) + "-byte sectors, image ") +
                 std::to_string(image);
        });
        ++image;
        return stop_at_first && figure.failures > 0;
      };
      const size_t samples = w.large ? 1 : form.samples;
      if (!w.large && power.units() <= form.exhaustive_units) {
        for (uint64_t mask = 0; mask < uint64_t{1} << power.units(); ++mask) {
          if (check(power.subset(mask))) return;
        }
      } else {
        for (size_t i = 0; i < samples; ++i) {
          if (check(power.random_subset(random))) return;
        }
      }
      // Where nothing is uncertain there is nothing to damage.
      for (size_t i = 0; i < samples && power.units() > 0; ++i) {
        if (check(power.damaged(random))) return;
      }
    }
  }
}

TEST(CrashImage, EveryPrefixOfTheWritesAndEveryCutOfTheLastOneOpens) {
  Figure figure;
  const auto workloads = crash_workloads();
  for (const CrashWorkload& w : workloads) {
    check_prefixes(w, long_form() ? 1 : kSlow ? 61 : 17, figure, false);
    ASSERT_FALSE(HasFailure());
  }
  figure.print("write-trace prefixes", std::to_string(workloads.size()) + " workloads");
  EXPECT_EQ(figure.failures, 0U) << figure.explain();
}

TEST(CrashImage, AnyMixtureOfUnsyncedSectorsOpensWithEverythingThatWasDurable) {
  Figure figure;
  PowerForm form;
  form.exhaustive_units = kSlow ? 4 : 10;
  form.samples = static_cast<size_t>(number_from_env("RVF_CRASH_IMAGES", long_form() ? 100
                                                                         : kSlow     ? 10
                                                                                     : 50));
  const auto workloads = crash_workloads();
  for (const CrashWorkload& w : workloads) {
    check_power(w, form, DiskLie::kNone, figure, false);
    ASSERT_FALSE(HasFailure());
  }
  figure.print("reordering between fsyncs",
               std::to_string(workloads.size()) + " workloads, sectors of 512 and 4096 bytes");
  EXPECT_EQ(figure.failures, 0U) << figure.explain();
}

// Both kinds of image, until one breaks the promise.
void expect_found(const std::string& name, DiskLie lie) {
  Figure figure;
  for (const CrashWorkload& w : crash_workloads()) {
    if (w.large || figure.failures > 0) continue;
    if (lie == DiskLie::kNone) check_prefixes(w, 1021, figure, true);
    if (figure.failures == 0) check_power(w, {4, 6}, lie, figure, true);
  }
  const bool caught = figure.failures > 0;
  EXPECT_TRUE(caught) << name << " is not found in " << figure.runs << " images";
  print_reliability("planted: " + name, 1, caught ? 0 : 1, figure.seed, 0,
                    "found in image " + std::to_string(figure.runs));
}

TEST(CrashImage, ADiskThatOnlyClaimsToSyncIsFoundOut) {
  expect_found("disk drops barriers", DiskLie::kDropsBarriers);
  expect_found("disk reorders across a barrier", DiskLie::kBarriersLag);
}

TEST(CrashImage, MistakesPlantedInTheLibraryAreFound) {
  const std::pair<PlantedBug, const char*> bugs[] = {
      {PlantedBug::kSkipDataSync, "no barrier before the manifest"},
      {PlantedBug::kSkipManifestSync, "no barrier after the manifest"},
      {PlantedBug::kManifestBeforeData, "manifest written before its data"},
      {PlantedBug::kIgnorePayloadHash, "recovery ignores payload hashes"},
      {PlantedBug::kSkipParentSync, "compaction does not sync the folder"},
  };
  for (const auto& [bug, name] : bugs) {
    const PlantBug planted(bug);
    expect_found(name, DiskLie::kNone);
  }
}

}  // namespace
}  // namespace rvf::testing
