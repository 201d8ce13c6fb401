// Of a store in which any one segment is damaged, `repair` saves exactly the rest.
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "../api/store_fixture.hpp"
#include "corruption/stopwatch.hpp"
#include "rvf/repair.hpp"
#include "support/plant_bug.hpp"
#include "support/reliability_line.hpp"
#include "support/rich_store.hpp"
#include "support/store_model.hpp"
#include "types/limits.hpp"

namespace rvf::testing {
namespace {

using Bytes = std::vector<std::byte>;

struct Repaired {
  Result<RepairReport> report = Error(ErrorCode::kOk, "");
  std::shared_ptr<io::FileSystem> fs = io::memory_file_system();
  std::optional<Store> store;
};

Repaired repaired(const Bytes& bytes) {
  Repaired r;
  put_bytes(*r.fs, "old.rvf", bytes);
  RepairOptions o;
  o.file_system = r.fs;
  r.report = repair("old.rvf", "new.rvf", o);
  if (bytes_of(*r.fs, "old.rvf") != bytes) {
    r.report = Error(ErrorCode::kCorrupt, "the old file was written to");
  }
  if (!r.report || r.report->outcome == RepairOutcome::kNothing) return r;
  OpenOptions open;
  open.file_system = r.fs;
  auto store = Store::open("new.rvf", open);
  if (store) r.store.emplace(std::move(*store));
  return r;
}

struct Content {
  std::map<uint64_t, std::vector<std::byte>> vectors;
  std::map<uint64_t, Record> records;
  std::multiset<std::string> attachments;
};

Content content(const Store& store) {
  Content c;
  const auto s = store.snapshot();
  EXPECT_TRUE(s->for_each([&](uint64_t id, std::span<const std::byte> v) {
    c.vectors[id].assign(v.begin(), v.end());
    return true;
  }));
  for (const auto& [id, v] : c.vectors) c.records[id] = *s->record(id);
  for (const SegmentInfo& i : std::vector(*s->segments())) {
    if (i.type != 0xF3 && i.type != 0x33) continue;
    const auto payload = s->payload(i.segment_id);
    c.attachments.emplace(reinterpret_cast<const char*>(payload->data()), payload->size());
  }
  return c;
}

struct Live {
  SegmentInfo info;
  std::set<uint64_t> ids;  // of a VEC, live ones
};

// The segments of the undamaged store, and whose vectors lie in which.
std::vector<Live> live_segments(Content& whole) {
  OpenOptions o;
  o.file_system = rich().fs;
  const auto store = Store::open_readonly(rich().path, o);
  whole = content(*store);
  std::vector<Live> out;
  const auto s = store->snapshot();
  std::vector<uint64_t> in_order;
  EXPECT_TRUE(s->for_each([&](uint64_t id, std::span<const std::byte>) {
    in_order.push_back(id);
    return true;
  }));
  for (const SegmentInfo& i : std::vector(*s->segments())) out.push_back({i, {}});
  return out;
}

// Empty, or what is not as it should be once the segment is damaged.
std::string check(const Live& segment, const Content& whole, const Repaired& r) {
  if (!r.report) return r.report.error().message;
  const RepairReport& report = *r.report;
  const uint8_t type = segment.info.type;
  const bool carries = type == 0x01 || type == 0x07 || type == 0xF3 || type == 0x33 || type == 0x06;
  if (!r.store) return "nothing was saved";
  if (carries != (report.outcome == RepairOutcome::kPartial)) {
    return std::string("the outcome is ") + repair_outcome_name(report.outcome);
  }
  const auto verified = r.store->verify({.deep = true});
  if (!verified || !verified->problems.empty()) return "the new store is damaged";
  const Content saved = content(*r.store);
  if (saved.vectors.size() + report.vectors_lost != whole.vectors.size()) {
    return "the count of lost vectors is wrong";
  }
  if (saved.vectors.size() != report.vectors) return "the count of vectors is wrong";
  if (type != 0x01 && type != 0x06 && saved.vectors != whole.vectors) return "vectors differ";
  for (const auto& [id, v] : saved.vectors) {
    const auto was = whole.vectors.find(id);
    if (was == whole.vectors.end()) return "a vector that was not there: " + std::to_string(id);
    if (was->second != v) return "another vector of " + std::to_string(id);
    if (saved.records.at(id) != whole.records.at(id) && type != 0x07) {
      return "other fields of " + std::to_string(id);
    }
  }
  if (type == 0x07 && saved.records == whole.records) return "lost fields are still there";
  if (carries) {
    bool told = false;
    for (const LostSegment& l : report.lost) told |= l.segment_id == segment.info.segment_id;
    if (!told) return "the lost segment is not named";
  }
  const size_t lost = type == 0xF3 || type == 0x33 ? 1 : 0;
  if (saved.attachments.size() + lost != whole.attachments.size()) return "attachments differ";
  return {};
}

using Damage = std::function<void(Bytes&, const SegmentInfo&)>;

const std::vector<std::pair<const char*, Damage>>& damages() {
  static const std::vector<std::pair<const char*, Damage>> all = {
      {"a bit",
       [](Bytes& b, const SegmentInfo& s) {
         b[s.offset + kSegmentHeaderSize + s.payload_bytes / 2] ^= std::byte{4};
       }},
      {"the payload zeroed",
       [](Bytes& b, const SegmentInfo& s) {
         const auto at = b.begin() + static_cast<ptrdiff_t>(s.offset + kSegmentHeaderSize);
         std::fill(at, at + static_cast<ptrdiff_t>(s.payload_bytes), std::byte{0});
       }},
      {"all of it overwritten", [](Bytes& b, const SegmentInfo& s) {
         const auto at = b.begin() + static_cast<ptrdiff_t>(s.offset);
         std::fill(at, at + static_cast<ptrdiff_t>(kSegmentHeaderSize + s.payload_bytes),
                   std::byte{0x53});
       }}};
  return all;
}

std::pair<uint64_t, uint64_t> damage_each(std::string& first) {
  Content whole;
  uint64_t runs = 0;
  uint64_t failures = 0;
  for (const Live& segment : live_segments(whole)) {
    for (const auto& [name, damage] : damages()) {
      Bytes bytes = rich().bytes;
      damage(bytes, segment.info);
      const std::string problem = check(segment, whole, repaired(bytes));
      ++runs;
      if (problem.empty() || failures++ > 0) continue;
      first = std::string(name) + " of segment " + std::to_string(segment.info.segment_id) +
              ", type " + std::to_string(segment.info.type) + ": " + problem;
    }
  }
  return {runs, failures};
}

TEST(Repair, OfAnUndamagedStoreIsWhole) {
  Content whole;
  (void)live_segments(whole);
  const Repaired r = repaired(rich().bytes);
  ASSERT_RVF_OK(r.report);
  EXPECT_EQ(r.report->outcome, RepairOutcome::kWhole);
  ASSERT_TRUE(r.store.has_value());
  const Content saved = content(*r.store);
  EXPECT_EQ(saved.vectors, whole.vectors);
  EXPECT_EQ(saved.records, whole.records);
  EXPECT_EQ(saved.attachments, whole.attachments);
  EXPECT_EQ(r.store->status().application, "an application's settings");
  EXPECT_EQ(r.store->snapshot()->fields().size(), 6U);
}

TEST(Repair, OfAnySegmentDamagedSavesExactlyTheRest) {
  const Stopwatch watch;
  std::string first;
  const auto [runs, failures] = damage_each(first);
  print_reliability("repair", runs, failures, 0, watch.seconds(), "each segment, three ways");
  EXPECT_EQ(failures, 0U) << first;
}

TEST(Repair, ARepairThatBelievesDamagedSegmentsIsCaught) {
  const Stopwatch watch;
  (void)rich();
  std::string first;
  uint64_t failures = 0;
  {
    const PlantBug bug(PlantedBug::kRepairUnverified);
    failures = damage_each(first).second;
  }
  print_reliability("planted: repair unverified", 1, failures == 0, 0, watch.seconds(), first);
  EXPECT_GT(failures, 0U);
}

// The bytes without these manifests, newest first.
Bytes without_manifests(size_t count) {
  Bytes bytes = rich().bytes;
  auto places = places_of(bytes);
  for (auto p = places.rbegin(); p != places.rend() && count > 0; ++p) {
    if (p->type != 0x05) continue;
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(p->offset),
              bytes.begin() + static_cast<ptrdiff_t>(p->end), std::byte{0});
    --count;
  }
  return bytes;
}

TEST(Repair, WithoutTheNewestDirectoriesTheirSegmentsAreFound) {
  Content whole;
  (void)live_segments(whole);
  for (const size_t count : {size_t{1}, size_t{2}, size_t{3}, size_t{4}}) {
    const Repaired r = repaired(without_manifests(count));
    ASSERT_RVF_OK(r.report);
    ASSERT_TRUE(r.store.has_value());
    EXPECT_TRUE(r.report->has_directory);
    const Content saved = content(*r.store);
    EXPECT_EQ(saved.vectors, whole.vectors) << count;
    EXPECT_EQ(saved.records, whole.records) << count;
    EXPECT_EQ(saved.attachments, whole.attachments) << count;
    EXPECT_EQ(r.report->outcome, RepairOutcome::kPartial);
  }
}

TEST(Repair, WithoutAnyDirectoryVectorsFieldsAndDeletionsAreFound) {
  Content whole;
  (void)live_segments(whole);
  const Repaired r = repaired(without_manifests(1000));
  ASSERT_RVF_OK(r.report);
  ASSERT_TRUE(r.store.has_value());
  EXPECT_FALSE(r.report->has_directory);
  const Content saved = content(*r.store);
  EXPECT_EQ(saved.vectors, whole.vectors);
  EXPECT_EQ(saved.records, whole.records);
}

TEST(Repair, ATornEndIsLeftOut) {
  Bytes bytes = rich().bytes;
  bytes.resize(bytes.size() - 100);
  const Repaired r = repaired(bytes);
  ASSERT_RVF_OK(r.report);
  EXPECT_EQ(r.report->outcome, RepairOutcome::kPartial);
  EXPECT_TRUE(r.store.has_value());
}

TEST(Repair, NothingIsLeftOfAFileOfHeadersAlone) {
  Bytes bytes = rich().bytes;
  for (const Place& p : places_of(rich().bytes)) {
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(p.offset + kSegmentHeaderSize),
              bytes.begin() + static_cast<ptrdiff_t>(p.end), std::byte{0});
  }
  const Repaired r = repaired(bytes);
  ASSERT_RVF_OK(r.report);
  EXPECT_EQ(r.report->outcome, RepairOutcome::kNothing);
  EXPECT_FALSE(r.report->lost.empty());
  EXPECT_FALSE(*r.fs->exists("new.rvf"));
  EXPECT_FALSE(*r.fs->exists("new.rvf.repairing"));
}

TEST(Repair, RefusesWhatIsNoStoreAndWhatIsThereAlready) {
  auto fs = io::memory_file_system();
  RepairOptions o;
  o.file_system = fs;
  EXPECT_RVF_ERROR(repair("none.rvf", "new.rvf", o), kNoSuchFile);
  put_bytes(*fs, "text", Bytes(5000, std::byte{'x'}));
  EXPECT_RVF_ERROR(repair("text", "new.rvf", o), kNotAStore);
  put_bytes(*fs, "old.rvf", rich().bytes);
  EXPECT_RVF_ERROR(repair("old.rvf", "text", o), kAlreadyExists);
  EXPECT_RVF_ERROR(repair("old.rvf", "old.rvf", o), kAlreadyExists);
}

}  // namespace
}  // namespace rvf::testing
