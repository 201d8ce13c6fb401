// Random operations on a store and on a std::map: both have to agree after each of them. What
// counts as an operation: a row written, deleted or updated, a query, a read, a compaction, ...
#include <gtest/gtest.h>

#include "model/store_walk.hpp"
#include "support/plant_bug.hpp"
#include "support/reliability_form.hpp"
#include "support/reliability_line.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {
namespace {

constexpr uint64_t kSeed = 20261121;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kShortOperations = 200'000;
#else
constexpr uint64_t kShortOperations = 1'000'000;
#endif
constexpr double kLeastRecall = 0.9;

std::vector<WalkShape> shapes(uint64_t seed) {
  std::vector<WalkShape> all;
  all.push_back({.name = "plain l2", .seed = seed});
  all.push_back({.name = "inner products of f16",
                 .seed = seed + 1,
                 .metric = Metric::kInnerProduct,
                 .dtype = DType::kF16});
  all.push_back({.name = "fields", .seed = seed + 2, .fields = true});
  all.push_back({.name = "string ids and fields",
                 .seed = seed + 3,
                 .dtype = DType::kI8,
                 .fields = true,
                 .keys = true});
  all.push_back({.name = "cosine", .seed = seed + 4, .metric = Metric::kCosine});
  all.push_back({.name = "a graph that grows",
                 .seed = seed + 5,
                 .dimension = 16,
                 .fields = true,
                 .graph = true});
  return all;
}

TEST(StoreModel, RandomOperationsAgreeWithAMap) {
  const uint64_t seed = number_from_env("RVF_SEED", kSeed);
  const uint64_t operations =
      number_from_env("RVF_MODEL_OPS", is_long_form() ? 20 * kShortOperations : kShortOperations);
  const auto all = shapes(seed);
  for (const WalkShape& shape : all) {
    const Stopwatch watch;
    const WalkOutcome out = run_walk(shape, operations / all.size() + 1);
    const WalkCounts& c = out.counts;
    const double recall = c.wanted == 0 ? 1 : double(c.found) / double(c.wanted);
    bool failed = !out.problem.empty();
    if (failed) {
      ADD_FAILURE() << shape.name << ", RVF_SEED=" << seed << ", step " << out.steps << ": "
                    << out.problem << "\n"
                    << shrink_walk(shape, out.steps, std::chrono::seconds(30));
    }
    if (shape.graph && (recall < kLeastRecall || (c.wanted == 0 && c.operations() > 30'000))) {
      failed = true;
      ADD_FAILURE() << "recall through the graph is " << recall;
    }
    const auto n = [](uint64_t x) { return static_cast<unsigned long long>(x); };
    char detail[240];
    std::snprintf(detail, sizeof(detail),
                  "rows written %llu, deleted %llu, updated %llu; queries %llu, reads %llu; "
                  "compactions %llu, reopens %llu, rollbacks %llu; at most %llu rows; recall %.4f",
                  n(c.written), n(c.deleted), n(c.updated), n(c.queries), n(c.reads),
                  n(c.compactions), n(c.reopens), n(c.rollbacks), n(c.most_rows), recall);
    print_reliability("model: " + shape.name, c.operations(), failed ? 1 : 0, seed, watch.seconds(),
                      detail);
  }
}

// A mistake in the library has to be found by walks of a few thousand operations.
void expect_caught(PlantedBug bug, const char* name) {
  const Stopwatch watch;
  std::string caught;
  {
    const PlantBug plant(bug);
    for (const WalkShape& shape : shapes(kSeed)) {
      if (shape.graph) continue;
      const WalkOutcome out = run_walk(shape, 5000);
      if (!out.problem.empty() && caught.empty()) caught = shape.name + ": " + out.problem;
    }
  }
  EXPECT_NE(caught, "") << name << " was not found";
  print_reliability(std::string("planted: ") + name, 1, caught.empty() ? 1 : 0, kSeed,
                    watch.seconds(), "");
  std::printf("%s\n", caught.c_str());
}

TEST(StoreModel, AForgottenDeletionIsFound) {
  expect_caught(PlantedBug::kForgetDeletion, "a deletion is forgotten");
}
TEST(StoreModel, AForgottenUpsertIsFound) {
  expect_caught(PlantedBug::kForgetUpsert, "a replaced row stays");
}
TEST(StoreModel, AStaleSnapshotIsFound) {
  expect_caught(PlantedBug::kStaleSnapshot, "a snapshot is stale");
}
TEST(StoreModel, IdsThatLeadToTheRowsOfBeforeACompactionAreFound) {
  expect_caught(PlantedBug::kKeepIdsAfterCompaction, "ids lead to rows of before a compaction");
}

TEST(StoreModel, AFailureIsMadeShortAndComesAgain) {
  const PlantBug plant(PlantedBug::kForgetDeletion);
  const WalkShape shape = shapes(kSeed).front();
  const WalkOutcome out = run_walk(shape, 5000);
  ASSERT_NE(out.problem, "");
  const std::string text = shrink_walk(shape, out.steps, std::chrono::seconds(5));
  EXPECT_NE(text.find("steps are enough"), std::string::npos) << text;
  EXPECT_NE(text.find("remove"), std::string::npos) << text;
}

}  // namespace
}  // namespace rvf::testing
