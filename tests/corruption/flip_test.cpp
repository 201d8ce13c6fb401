// One bit of a store file is another: whoever opens it is refused, or told that an earlier epoch
// was taken, or gets every answer right. Never a wrong answer, never a signal.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "corruption/judge.hpp"
#include "corruption/stopwatch.hpp"
#include "support/plant_bug.hpp"
#include "support/reliability_line.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {
namespace {

// Flips bits in the file itself, which no reader changes, and flips them back.
class Flipper {
 public:
  explicit Flipper(const RichStore& store) : store_(store) {
    file_ = std::move(*store.fs->open(store.path, io::OpenMode::kReadWrite));
  }
  Verdict judge_with(uint64_t bit, const JudgeOptions& options) {
    flip(bit);
    Verdict v = judge(store_, store_.fs, options);
    flip(bit);
    return v;
  }

 private:
  void flip(uint64_t bit) {
    std::byte b = store_.bytes[bit / 8];
    flipped_ = !flipped_;
    if (flipped_) b ^= std::byte(1U << bit % 8);
    ASSERT_TRUE(file_->write(bit / 8, std::span(&b, 1)).ok());
  }
  const RichStore& store_;
  std::unique_ptr<io::File> file_;
  bool flipped_ = false;
};

// Every `stride`-th bit; the file is opened for writing every third time.
Tally flip(const RichStore& store, uint64_t first, uint64_t stride, const JudgeOptions& options) {
  Flipper flipper(store);
  Tally tally;
  for (uint64_t bit = first; bit < store.bytes.size() * 8; bit += stride) {
    JudgeOptions o = options;
    o.writable = tally.images % 3 == 2;
    o.verify = tally.images % 16 == 0;
    tally.add(flipper.judge_with(bit, o), "bit " + std::to_string(bit));
    if (::testing::Test::HasFatalFailure()) break;
  }
  return tally;
}

TEST(Flips, TheStoreUnderTestHoldsAllThatStoresHold) {
  ASSERT_GE(rich().bytes.size(), 64U << 10);
  std::set<int> types;
  for (const Place& p : places_of(rich().bytes)) types.insert(p.type);
  for (const int type : {0x01, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0D, 0x33, 0xF3}) {
    EXPECT_TRUE(types.contains(type)) << "no segment of type " << type;
  }
  std::set<int> of_graph;
  for (const Place& p : places_of(graph().bytes)) of_graph.insert(p.type);
  EXPECT_TRUE(of_graph.contains(0x02) && of_graph.contains(0xF4));
  EXPECT_EQ(judge(rich(), rich().fs, {}).kind, Verdict::kHarmless);
  EXPECT_EQ(judge(graph(), graph().fs, {}).kind, Verdict::kHarmless);
}

TEST(Flips, NoBitOfASmallStoreMakesItAnswerWrongly) {
  const Stopwatch watch;
  const uint64_t seed = number_from_env("RVF_SEED", 3);
  const uint64_t stride = number_from_env("RVF_FLIP_STRIDE", long_form() ? 1 : 13);
  const Tally tally = flip(rich(), seed % stride, stride, {});
  print_reliability("bit flips", tally.images, tally.wrong(), seed, watch.seconds(), tally.text());
  EXPECT_EQ(tally.wrong(), 0U) << tally.first_wrong;
}

TEST(Flips, NoBitOfAGraphMakesASmallStoreAnswerWrongly) {
  const Stopwatch watch;
  const uint64_t seed = number_from_env("RVF_SEED", 3);
  const uint64_t stride = long_form() ? 997 : 49999;
  const Tally tally = flip(graph(), seed % stride, stride, {});
  print_reliability("bit flips, graph", tally.images, tally.wrong(), seed, watch.seconds(),
                    tally.text());
  EXPECT_EQ(tally.wrong(), 0U) << tally.first_wrong;
}

// Of a large store hashes are checked by verify() alone: it has to find what answers wrongly.
TEST(Flips, VerifyFindsWhatOpeningALargeStoreDoesNot) {
  const Stopwatch watch;
  const uint64_t seed = number_from_env("RVF_SEED", 3);
  JudgeOptions large;
  large.verify_at_open = 0;
  const Tally small = flip(rich(), seed % 127, long_form() ? 7 : 127, large);
  const Tally of_graph = flip(graph(), seed, long_form() ? 2003 : 99991, large);
  print_reliability("bit flips, not hashed at open", small.images + of_graph.images,
                    small.wrong() + of_graph.wrong(), seed, watch.seconds(),
                    small.text() + "; graph: " + of_graph.text());
  EXPECT_EQ(small.wrong(), 0U) << small.first_wrong;
  EXPECT_EQ(of_graph.wrong(), 0U) << of_graph.first_wrong;
}

// A library that makes this mistake has to fail the flips of the segments of one type.
void expect_caught(PlantedBug bug, const char* name, std::initializer_list<uint8_t> types,
                   uint64_t stride) {
  const Stopwatch watch;
  (void)rich();  // made without the mistake
  const PlantBug planted(bug);
  Flipper flipper(rich());
  Tally tally;
  auto places = places_of(rich().bytes);
  std::reverse(places.begin(), places.end());  // what counts lies at the end
  for (const Place& p : places) {
    if (std::find(types.begin(), types.end(), p.type) == types.end()) continue;
    for (uint64_t bit = p.offset * 8; bit < p.end * 8 && tally.wrong() == 0; bit += stride) {
      tally.add(flipper.judge_with(bit, {.verify = false}), "bit " + std::to_string(bit));
    }
  }
  print_reliability(std::string("planted: ") + name, 1, tally.wrong() == 0, 0, watch.seconds(),
                    tally.first_wrong);
  EXPECT_GT(tally.wrong(), 0U) << tally.text();
}

TEST(Flips, ALibraryThatIgnoresTheHashesOfPayloadsIsCaught) {
  expect_caught(PlantedBug::kIgnorePayloadHash, "payload hash ignored", {0x01}, 61);
}
TEST(Flips, ALibraryThatIgnoresTheHashOfAManifestIsCaught) {
  expect_caught(PlantedBug::kIgnoreManifestHash, "manifest hash ignored", {0x05}, 5);
}
TEST(Flips, ALibraryThatUsesDamagedMetadataIsCaught) {
  expect_caught(PlantedBug::kUseDamagedParts, "metadata hash ignored", {0x07, 0x0D}, 61);
}

}  // namespace
}  // namespace rvf::testing
