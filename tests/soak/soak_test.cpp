// A store in use for RVF_SOAK_SECONDS (20; the long form an hour, and as long as one likes): memory
// and open files stay, the file is at most twice its live bytes, recall does not fall.
#include <gtest/gtest.h>

#include <filesystem>

#include "soak/soak_run.hpp"
#include "support/plant_bug.hpp"
#include "support/reliability_form.hpp"
#include "support/reliability_line.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {
namespace {

constexpr uint64_t kSeed = 20261121;

class SoakTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "rvf-soak-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // `sign` is what the violation has to say.
  void expect_caught(PlantedBug bug, const char* sign, const char* name) {
    const Stopwatch watch;
    const PlantBug plant(bug);
    const auto found = violations(soak({folder_ + "/planted.rvf", 4, kSeed, 1000, 5}));
    std::string all;
    for (const std::string& f : found) all += f + "\n";
    EXPECT_NE(all.find(sign), std::string::npos) << all << name << " was not found";
    std::printf("%s", all.c_str());
    print_reliability(std::string("planted: ") + name, 1,
                      all.find(sign) == std::string::npos ? 1 : 0, kSeed, watch.seconds(), "");
  }

  std::string folder_;
};

TEST_F(SoakTest, MemoryFilesAndRecallStayWhileRowsComeAndGo) {
  const uint64_t seed = number_from_env("RVF_SEED", kSeed);
  const auto seconds =
      static_cast<double>(number_from_env("RVF_SOAK_SECONDS", is_long_form() ? 3600 : 20));
  const Stopwatch watch;
  const SoakReport r = soak({.path = folder_ + "/s.rvf", .seconds = seconds, .seed = seed});
  const auto wrong = violations(r);
  for (const std::string& w : wrong) ADD_FAILURE() << w << " (RVF_SEED=" << seed << ")";
  char detail[240];
  std::snprintf(
      detail, sizeof(detail),
      "operations; compactions %llu, reopens %llu; resident %llu to %llu MiB, files %llu to %llu, "
      "file at most %.2f x live, recall %.4f to %.4f",
      static_cast<unsigned long long>(r.compactions), static_cast<unsigned long long>(r.reopens),
      static_cast<unsigned long long>(r.resident_begin >> 20),
      static_cast<unsigned long long>(r.resident_end >> 20),
      static_cast<unsigned long long>(r.files_begin), static_cast<unsigned long long>(r.files_end),
      r.worst_file, r.recall_begin, r.recall_end);
  print_reliability("soak", r.operations, wrong.size(), seed, watch.seconds(), detail);
}

TEST_F(SoakTest, FilesThatAreNeverClosedAreFound) {
  expect_caught(PlantedBug::kLeakFile, "open files grew", "files are never closed");
}

TEST_F(SoakTest, ACompactionThatReclaimsNothingIsFound) {
  expect_caught(PlantedBug::kKeepOldFile, "times its live bytes", "a compaction reclaims nothing");
}

}  // namespace
}  // namespace rvf::testing
