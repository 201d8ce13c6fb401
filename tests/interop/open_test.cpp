// Every file that another RVF program wrote opens, with the vectors that an independent decoder
// found in it, and answers as that program did.
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "interop_data.hpp"

namespace rvf::interop_test {
namespace {

Result<Store> open(const fs::path& path) { return Store::open_readonly(path.string()); }

TEST_F(Interop, EveryFileOpensWithTheVectorsThatAnIndependentDecoderFound) {
  const auto files = all_files();
  size_t checked = 0;
  for (const char* part : {"samples", "reference"}) {
    for (const auto& [key, known] :
         simdjson::dom::object(load(data_folder() / part / "INDEX.json"))) {
      const std::string name(key);
      const auto file = files.find(name);
      ASSERT_NE(file, files.end()) << name;
      auto store = open(file->second);
      ASSERT_TRUE(store.ok()) << name << ": " << store.error().message;
      const auto snapshot = store->snapshot();
      ASSERT_TRUE(snapshot.ok());
      std::vector<uint64_t> ids = *snapshot->ids();
      // The decoder saw only a branch's own vectors; the test of branches counts the others.
      if (name.find("_cow_child") != std::string::npos) ids = {49, 50, 51};
      EXPECT_EQ(ids.size(), uint64_t(known["live_count"])) << name;
      EXPECT_EQ(digest_of(*snapshot, ids), std::string_view(known["live_sha256"])) << name;
      EXPECT_FALSE(store->status().writable);
      ++checked;
      if (known["manifest"].error() != simdjson::SUCCESS) continue;  // of a wire container
      EXPECT_EQ(store->status().layout, "runtime") << name;
      EXPECT_EQ(snapshot->dimension(), uint64_t(known["manifest"]["dim"])) << name;
      EXPECT_EQ(static_cast<uint64_t>(snapshot->metric()), uint64_t(known["manifest"]["metric"]))
          << name;
    }
  }
  EXPECT_GE(checked, 69U);
  RecordProperty("files", static_cast<int>(checked));
}

// Neighbours by (distance, id): the oldest engine leaves the order of ties open.
void expect_same(const QueryResult& ours, const simdjson::dom::element& theirs,
                 const std::string& what) {
  const simdjson::dom::array hits = theirs;
  ASSERT_EQ(ours.neighbors.size(), hits.size()) << what;
  std::vector<double> distances;
  for (const simdjson::dom::element hit : hits) distances.push_back(double(hit.at(1)));
  std::sort(distances.begin(), distances.end());
  for (size_t i = 0; i < distances.size(); ++i) {
    EXPECT_NEAR(ours.neighbors[i].distance, distances[i],
                1e-5 * std::max(1.0, std::abs(distances[i])))
        << what << ", neighbour " << i;
  }
  // Ids agree where no tie at the end of the list leaves a choice.
  for (const simdjson::dom::element hit : hits) {
    if (double(hit.at(1)) >= distances.back() - 1e-5) continue;
    const uint64_t id = uint64_t(hit.at(0));
    EXPECT_TRUE(std::any_of(ours.neighbors.begin(), ours.neighbors.end(),
                            [&](const Neighbor& n) { return n.id == id; }))
        << what << ", id " << id;
  }
}

std::vector<float> vector_of(const simdjson::dom::element& e) {
  std::vector<float> v;
  for (const simdjson::dom::element x : simdjson::dom::array(e)) v.push_back(float(double(x)));
  return v;
}

TEST_F(Interop, QueriesGiveTheNeighboursThatThePublishedEnginesGave) {
  size_t compared = 0;
  for (const std::string generation : {"g1", "g2"}) {
    const fs::path folder = reference(generation);
    for (const auto& [key, known] :
         simdjson::dom::object(load(folder / (generation + "_expected.json")))) {
      simdjson::dom::array queries;
      if (!known.is_object() || known["queries"].get(queries) != simdjson::SUCCESS) continue;
      const std::string name(key);
      std::string stem = generation + "_" + (name == "branch" ? "cow_child" : name);
      if (name == "indexed") stem += "_2000x16";
      const fs::path file = folder / (stem + ".rvf");
      ASSERT_TRUE(fs::exists(file)) << file;
      auto store = open(file);
      ASSERT_TRUE(store.ok()) << store.error().message;
      // The oldest engine forgets the metric when it closes a store.
      const bool forgotten = store->status().metric == Metric::kL2 &&
                             std::string_view(known["metricReported"]) != "l2";
      simdjson::dom::element after;
      if (forgotten) {
        ASSERT_EQ(generation, "g1");
        ASSERT_EQ(known["afterReopen"]["hits"].get(after), simdjson::SUCCESS);
      }
      size_t number = 0;
      for (const simdjson::dom::element q : queries) {
        const std::string what = file.filename().string() + ", query " + std::to_string(number);
        QueryOptions options;
        options.k = static_cast<uint32_t>(uint64_t(q["k"]));
        const auto ours = store->query(vector_of(q["q"]), options);
        ASSERT_TRUE(ours.ok()) << what << ours.error().message;
        if (forgotten) {
          if (number == 0) expect_same(*ours, after, what);
        } else if (name == "indexed") {
          // Theirs is approximate; the exact neighbours are known beside it.
          size_t at = 0;
          for (const simdjson::dom::element id :
               simdjson::dom::array(known["bruteForceIds"].at(number))) {
            EXPECT_EQ(ours->neighbors.at(at++).id, uint64_t(id)) << what;
          }
        } else {
          expect_same(*ours, q["hits"], what);
        }
        ++number;
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, 39U);
  RecordProperty("queries", static_cast<int>(compared));
}

TEST_F(Interop, MetadataIsThatOfTheNewestGeneration) {
  auto store = open(reference("g3/g3_metadata.rvf"));
  ASSERT_TRUE(store.ok()) << store.error().message;
  const auto snapshot = store->snapshot();
  EXPECT_EQ(*snapshot->ids(), (std::vector<uint64_t>{2, 3, 4, 5}));
  for (const uint64_t id : {2, 3, 4}) EXPECT_EQ(*snapshot->record(id), Record{}) << id;
  const Record want = {{"field.0", std::string("gamma")}, {"field.1", uint64_t{43}}};
  EXPECT_EQ(*snapshot->record(5), want);
  EXPECT_EQ(*snapshot->count("field.1 > 40"), 1U);
  // An earlier state of the same file: before the vector of id 1 went.
  const wire::Bytes bytes = read_file(reference("g3/g3_metadata.rvf"));
  const fs::path early = folder_ / "early.rvf";
  write_file(early, wire::ByteSpan(bytes).first(1068));
  auto first = open(early);
  ASSERT_TRUE(first.ok()) << first.error().message;
  const Record alpha = {
      {"field.0", std::string("alpha")},
      {"field.1", uint64_t{42}},
      {"field.2", int64_t{-7}},
      {"field.3", 2.5},
      {"field.4", true},
      {"field.5", std::vector<std::byte>{std::byte{1}, std::byte{2}, std::byte{3}}}};
  EXPECT_EQ(*first->snapshot()->record(1), alpha);
  EXPECT_EQ(*first->snapshot()->record(2), (Record{{"field.0", std::string("beta")}}));
}

TEST_F(Interop, StringIdsOfTheSidecarAreTheStoresOwn) {
  auto store = open(reference("sdk/sdk_string_ids.rvf"));
  ASSERT_TRUE(store.ok()) << store.error().message;
  const auto snapshot = store->snapshot();
  EXPECT_TRUE(snapshot->has_keys());
  EXPECT_EQ(*snapshot->key(testing::stored_id(*snapshot, 1)), "doc-a");
  EXPECT_EQ(*snapshot->key(testing::stored_id(*snapshot, 3)), "uuid-c");
  EXPECT_EQ(testing::stored_id(*snapshot, *snapshot->id_of("doc-d")), 4U);
  EXPECT_FALSE(snapshot->id_of("doc-b").ok());

  const fs::path alone = folder_ / "alone.rvf";
  fs::copy_file(reference("sdk/sdk_string_ids.rvf"), alone);
  EXPECT_FALSE(open(alone)->snapshot()->has_keys());
  write_file(alone.string() + ".idmap.json", wire::as_bytes("{\"idToLabel\":"));
  auto damaged = open(alone);
  ASSERT_TRUE(damaged.ok());
  EXPECT_FALSE(damaged->snapshot()->has_keys());
  EXPECT_EQ(damaged->status().notes.size(), 1U);
}

TEST_F(Interop, EmbeddedProgramsAndWitnessesComeAlong) {
  auto store = open(reference("g3/g3_container.rvf"));
  ASSERT_TRUE(store.ok()) << store.error().message;
  const auto snapshot = store->snapshot();
  const wire::Bytes file = read_file(reference("g3/g3_container.rvf"));
  std::vector<uint8_t> types;
  for (const SegmentInfo& s : std::vector(*snapshot->segments())) {
    if (s.type < 0x0E) continue;
    types.push_back(s.type);
    const auto payload = snapshot->payload(s.segment_id);
    ASSERT_TRUE(payload.ok());
    // Byte for byte; the witness stands inside of an envelope.
    if (s.type == 0xF0) continue;
    EXPECT_NE(std::search(file.begin(), file.end(), payload->begin(), payload->end()), file.end());
  }
  EXPECT_EQ(types, (std::vector<uint8_t>{0x0E, 0x0F, 0x10, 0x11, 0xF0}));
}

TEST_F(Interop, ABranchShowsWhatItSharesWithItsParent) {
  for (const std::string generation : {"g2", "g3"}) {
    const fs::path child = reference(generation) / (generation + "_cow_child.rvf");
    auto store = open(child);
    ASSERT_TRUE(store.ok()) << store.error().message;
    auto parent = open(reference(generation) / (generation + "_cow_parent.rvf"));
    ASSERT_TRUE(parent.ok());
    std::vector<uint64_t> want = {1};
    for (uint64_t id = 4; id <= 51; ++id) want.push_back(id);
    EXPECT_EQ(*store->snapshot()->ids(), want);
    EXPECT_EQ(*store->get(7), *parent->get(7));
    EXPECT_NE(*store->get(49), *parent->get(49));
  }
}

TEST_F(Interop, ABranchWhoseParentIsGoneOrChangedSaysSo) {
  const fs::path child = folder_ / "g2_cow_child.rvf";
  const fs::path parent = folder_ / "g2_cow_parent.rvf";
  fs::copy_file(reference("g2/g2_cow_child.rvf"), child);
  EXPECT_EQ(open(child).error().code, ErrorCode::kParentNotFound);
  wire::Bytes bytes = read_file(reference("g2/g2_cow_parent.rvf"));
  write_file(parent, bytes);
  EXPECT_TRUE(open(child).ok());
  bytes.push_back(std::byte{1});
  write_file(parent, bytes);
  EXPECT_EQ(open(child).error().code, ErrorCode::kParentHash);
}

TEST_F(Interop, TheWasmExportOpens) {
  auto store = open(reference("wasm/wasm019_export_cosine_3x4.rvf"));
  ASSERT_TRUE(store.ok()) << store.error().message;
  EXPECT_EQ(store->status().layout, "wasm");
  EXPECT_EQ(*store->snapshot()->ids(), (std::vector<uint64_t>{10, 20, 30}));
  EXPECT_EQ(*store->get(10), (std::vector<float>{1, 0, 0, 0}));
  EXPECT_EQ(*store->get(30), (std::vector<float>{0, 0, 3, 4}));
}

TEST_F(Interop, WireContainersOpenWhereverTheirRootStands) {
  std::string digest;
  for (const char* name : {"wire_as_built", "wire_populated_root", "wire_aligned_root"}) {
    auto store = open(reference(std::string("wire/") + name + ".rvf"));
    ASSERT_TRUE(store.ok()) << name << ": " << store.error().message;
    EXPECT_EQ(store->status().layout, "wire");
    const auto snapshot = store->snapshot();
    std::vector<uint64_t> want;
    for (uint64_t id = 10; id <= 607; id += 3) want.push_back(id);
    EXPECT_EQ(*snapshot->ids(), want);
    EXPECT_EQ(snapshot->dimension(), 4U);
    const std::string d = digest_of(*snapshot, want);
    EXPECT_TRUE(digest.empty() || d == digest) << name;
    digest = d;
    for (const uint64_t id : want) {
      const auto v = store->get(id);
      ASSERT_TRUE(v.ok());
      for (size_t j = 0; j < 4; ++j) {
        EXPECT_EQ(v->at(j), static_cast<float>((id * 31 + j * 17) % 101) / 16 - 3) << name << id;
      }
    }
  }
}

TEST_F(Interop, BytesOfAnotherLayoutMakeAStoreToRead) {
  auto store = Store::from_bytes(read_file(reference("g2/g2_cosine.rvf")));
  ASSERT_TRUE(store.ok()) << store.error().message;
  EXPECT_EQ(store->status().layout, "runtime");
  EXPECT_EQ(store->status().vectors, 100U);
  EXPECT_FALSE(store->status().writable);
  EXPECT_EQ(store->remove(std::vector<uint64_t>{1}).error().code, ErrorCode::kReadOnly);
}

TEST_F(Interop, WritingToAFileOfAnotherLayoutNamesTheCommandThatConvertsIt) {
  const fs::path copy = folder_ / "store.rvf";
  for (const char* name : {"g1/g1_l2.rvf", "g2/g2_cosine.rvf", "g3/g3_metadata.rvf",
                           "wasm/wasm019_export_cosine_3x4.rvf", "wire/wire_as_built.rvf",
                           "wire/wire_aligned_root.rvf"}) {
    fs::copy_file(reference(name), copy, fs::copy_options::overwrite_existing);
    const wire::Bytes before = read_file(copy);
    const auto store = Store::open(copy.string());
    ASSERT_FALSE(store.ok()) << name;
    EXPECT_EQ(store.error().code, ErrorCode::kConvertNeeded) << name;
    EXPECT_NE(store.error().message.find("rvf convert"), std::string::npos);
    EXPECT_EQ(read_file(copy), before);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1) << name;
  }
}

TEST_F(Interop, ADamagedVectorSegmentIsNotOpenedAndADamagedManifestIsTold) {
  const fs::path copy = folder_ / "store.rvf";
  wire::Bytes bytes = read_file(reference("g2/g2_overwrite.rvf"));
  bytes[162 + 64 + 100] ^= std::byte{1};  // inside of the first vectors
  write_file(copy, bytes);
  EXPECT_EQ(open(copy).error().code, ErrorCode::kBadChecksum);

  bytes = read_file(reference("g2/g2_overwrite.rvf"));
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t manifest = text.rfind(std::string("SFVR\x01\x05", 6));
  ASSERT_NE(manifest, std::string::npos);
  bytes[manifest + 64 + 4] ^= std::byte{1};  // its dimension
  write_file(copy, bytes);
  auto store = open(copy);
  ASSERT_TRUE(store.ok()) << store.error().message;
  ASSERT_FALSE(store->status().notes.empty());
  EXPECT_NE(store->status().notes[0].find("fails its hash"), std::string::npos);
  EXPECT_EQ(store->status().vectors, 20U);
}

TEST_F(Interop, NoFileCutAnywhereDoesHarm) {
  const fs::path copy = folder_ / "store.rvf";
  for (const char* name : {"g3/g3_metadata.rvf", "g2/g2_kernel_ebpf.rvf", "wire/wire_as_built.rvf",
                           "wasm/wasm019_export_cosine_3x4.rvf"}) {
    const wire::Bytes bytes = read_file(reference(name));
    for (size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 300) {
      write_file(copy, wire::ByteSpan(bytes).first(length));
      const auto store = open(copy);
      EXPECT_TRUE(store.ok() || !store.error().message.empty());
    }
  }
}

}  // namespace
}  // namespace rvf::interop_test
