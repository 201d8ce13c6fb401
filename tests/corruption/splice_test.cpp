// A store file that was cut, or put together from pieces that are whole in themselves: an error, or
// an epoch that was, with a report of it.
#include <gtest/gtest.h>

#include <set>

#include "corruption/judge.hpp"
#include "corruption/stopwatch.hpp"
#include "support/plant_bug.hpp"
#include "support/reliability_line.hpp"
#include "support/store_model.hpp"
#include "types/limits.hpp"

namespace rvf::testing {
namespace {

using Bytes = std::vector<std::byte>;

// The file in every order of opening.
void judge_bytes(const RichStore& store, const Bytes& bytes, const std::string& where,
                 Tally& tally) {
  for (const bool writable : {false, true}) {
    auto fs = io::memory_file_system();
    put_bytes(*fs, store.path, bytes);
    tally.add(judge(store, fs, {.writable = writable, .verify = false}), where);
  }
}

Bytes part(const Bytes& bytes, uint64_t begin, uint64_t end) {
  return {bytes.begin() + static_cast<ptrdiff_t>(begin),
          bytes.begin() + static_cast<ptrdiff_t>(end)};
}
void append(Bytes& out, const Bytes& bytes, uint64_t begin, uint64_t end) {
  out.insert(out.end(), bytes.begin() + static_cast<ptrdiff_t>(begin),
             bytes.begin() + static_cast<ptrdiff_t>(end));
}
std::string name_of(const Place& p) {
  return "segment " + std::to_string(p.segment_id) + " at " + std::to_string(p.offset);
}

void report(const char* figure, const Tally& tally, const Stopwatch& watch) {
  print_reliability(figure, tally.images, tally.wrong(), 0, watch.seconds(), tally.text());
  EXPECT_EQ(tally.wrong(), 0U) << tally.first_wrong;
}

TEST(Splice, AStoreCutAtAnyLengthIsRefusedOrSaysWhichEpochItIs) {
  const Stopwatch watch;
  const Bytes& whole = rich().bytes;
  auto fs = io::memory_file_system();
  put_bytes(*fs, rich().path, whole);
  auto file = std::move(*fs->open(rich().path, io::OpenMode::kReadWrite));
  std::set<uint64_t> ends;
  for (const Place& p : places_of(whole)) {
    if (p.type == 0x05) ends.insert(p.end);
  }
  Tally tally;
  const uint64_t step = long_form() ? 1 : 29;
  for (uint64_t size = whole.size() - 1; size > step; size -= step) {
    ASSERT_TRUE(file->truncate(size).ok());
    // Where a commit ended the file is what it was then, and says so without a word.
    const bool once_was = ends.contains(size);
    Verdict v =
        judge(rich(), fs,
              {.writable = tally.images % 2 == 1, .verify = false, .as_it_once_was = once_was});
    if (v.kind == Verdict::kHarmless) v = {Verdict::kWrong, "a cut goes unnoticed", false};
    tally.add(v, "length " + std::to_string(size));
  }
  report("truncation", tally, watch);
}

TEST(Splice, AStoreWithZerosOrGarbageFromAnyPlaceOnIsRefusedOrSaysWhichEpochItIs) {
  const Stopwatch watch;
  Tally tally;
  const uint64_t step = long_form() ? 64 : 64 * 29;
  for (uint64_t from = 0; from < rich().bytes.size(); from += step) {
    for (const std::byte junk : {std::byte{0}, std::byte{0xFF}, std::byte{0x53}}) {
      Bytes bytes = rich().bytes;
      std::fill(bytes.begin() + static_cast<ptrdiff_t>(from),
                bytes.begin() + static_cast<ptrdiff_t>(std::min(bytes.size(), from + 4096)), junk);
      judge_bytes(rich(), bytes, "junk at " + std::to_string(from), tally);
    }
  }
  report("splice: zeroed and garbled pages", tally, watch);
}

// Both segments as they are, each in the place of the other; what lies between moves if their
// lengths differ.
Bytes swapped(const Bytes& bytes, const Place& a, const Place& b) {
  Bytes out = part(bytes, 0, a.offset);
  append(out, bytes, b.offset, b.end);
  append(out, bytes, a.end, b.offset);
  append(out, bytes, a.offset, a.end);
  append(out, bytes, b.end, bytes.size());
  return out;
}

Tally swap_all(const RichStore& store, size_t step) {
  Tally tally;
  const auto places = places_of(store.bytes);
  for (size_t i = 0; i < places.size(); ++i) {
    for (size_t j = i + 1; j < places.size(); j += step) {
      judge_bytes(store, swapped(store.bytes, places[i], places[j]),
                  name_of(places[i]) + " swapped with " + name_of(places[j]), tally);
    }
  }
  return tally;
}

TEST(Splice, AnyTwoSegmentsSwapped) {
  const Stopwatch watch;
  report("splice: segments swapped", swap_all(rich(), 1), watch);
}

TEST(Splice, AnySegmentInTheMiddleOfOrInPlaceOfAnyOther) {
  const Stopwatch watch;
  Tally tally;
  const auto places = places_of(rich().bytes);
  for (const Place& a : places) {
    for (const Place& b : places) {
      const Bytes& whole = rich().bytes;
      Bytes inserted = part(whole, 0, b.offset);
      append(inserted, whole, a.offset, a.end);
      append(inserted, whole, b.offset, whole.size());
      judge_bytes(rich(), inserted, name_of(a) + " inserted before " + name_of(b), tally);
      if (a.offset == b.offset) continue;
      Bytes over = whole;
      std::copy(whole.begin() + static_cast<ptrdiff_t>(a.offset),
                whole.begin() +
                    static_cast<ptrdiff_t>(std::min(a.end, a.offset + whole.size() - b.offset)),
                over.begin() + static_cast<ptrdiff_t>(b.offset));
      judge_bytes(rich(), over, name_of(a) + " over " + name_of(b), tally);
    }
  }
  report("splice: segments duplicated", tally, watch);
}

TEST(Splice, OldManifestsAndRootsAppended) {
  const Stopwatch watch;
  Tally tally;
  const Bytes& whole = rich().bytes;
  for (const Place& p : places_of(whole)) {
    Bytes bytes = whole;
    append(bytes, whole, p.offset, p.end);
    judge_bytes(rich(), bytes, name_of(p) + " appended", tally);
    if (p.type != 0x05) continue;
    bytes = whole;
    append(bytes, whole, p.end - kRootSize, p.end);
    judge_bytes(rich(), bytes, "the root of " + name_of(p) + " appended", tally);
    bytes = whole;
    std::copy(whole.begin() + static_cast<ptrdiff_t>(p.end - kRootSize),
              whole.begin() + static_cast<ptrdiff_t>(p.end), bytes.end() - kRootSize);
    judge_bytes(rich(), bytes, "the root of " + name_of(p) + " over the last", tally);
  }
  report("splice: old manifests and roots appended", tally, watch);
}

TEST(Splice, TwoStoresInOneFile) {
  const Stopwatch watch;
  Tally tally;
  const RichStore graph = make_graph_store();
  Bytes both = rich().bytes;
  append(both, graph.bytes, 0, graph.bytes.size());
  judge_bytes(rich(), both, "another store behind", tally);
  Bytes twice = rich().bytes;
  append(twice, rich().bytes, 0, rich().bytes.size());
  judge_bytes(rich(), twice, "itself behind", tally);
  // The other store is moved by the length of this one, so nothing of it is where it says.
  Bytes behind = graph.bytes;
  append(behind, rich().bytes, 0, rich().bytes.size());
  judge_bytes(graph, behind, "this store behind the other", tally);
  report("splice: two stores in one file", tally, watch);
}

TEST(Splice, ALibraryThatTakesAnySegmentForTheOneNamedIsCaught) {
  const Stopwatch watch;
  (void)rich();
  const PlantBug bug(PlantedBug::kIgnoreDirectory);
  const Tally tally = swap_all(rich(), 1);
  print_reliability("planted: directory ignored", 1, tally.wrong() == 0, 0, watch.seconds(),
                    tally.first_wrong);
  EXPECT_GT(tally.wrong(), 0U) << tally.text();
}

}  // namespace
}  // namespace rvf::testing
