#include "text_store/text_store.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace rvf::text_store {
namespace {

namespace fs = std::filesystem;

class TextStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/rvf-text-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    root_ = name;
    fs::create_directories(root_ / "docs");
  }
  void TearDown() override { fs::remove_all(root_); }
  void put(const std::string& name, const std::string& content) const {
    std::ofstream(root_ / "docs" / name) << content;
  }
  std::string store() const { return (root_ / "t.rvf").string(); }
  std::string docs() const { return (root_ / "docs").string(); }

  fs::path root_;
};

TEST(Catalog, ComesBackFromItsBytesAndRefusesCutOnes) {
  Catalog c;
  c.looked_ns = 99;
  c.files.push_back({"/a/b.txt", 10, -5, 0, 77, 3, 2});
  c.files.push_back({"/z", 1ULL << 40, 1'700'000'000'000'000'000, 8, ~0ULL, 1ULL << 50, 1});
  const wire::Bytes bytes = encode_catalog(c);
  const auto back = decode_catalog(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, c);
  for (size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(decode_catalog(wire::ByteSpan(bytes).first(n)).ok()) << n;
  }
}

TEST_F(TextStoreTest, WordsFindThePassageThatHoldsThem) {
  put("whales.txt", "Whales are mammals that live in the sea and breathe air.\n");
  put("birds.txt", "Many birds migrate south when the days get shorter.\n");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok()) << t.error().message;
  auto added = t->add({docs()});
  ASSERT_TRUE(added.ok()) << added.error().message;
  EXPECT_EQ(added->files_added, 2U);
  auto hits = t->search("mammal breathing in the sea", 5);
  ASSERT_TRUE(hits.ok()) << hits.error().message;
  ASSERT_FALSE(hits->empty());
  EXPECT_NE(hits->front().passage.path.find("whales.txt"), std::string::npos);
  EXPECT_EQ(hits->front().passage.first_line, 1U);
  EXPECT_TRUE(t->search("zebra", 5).ok());
}

TEST_F(TextStoreTest, TheSameTextInManyFilesIsShownOnce) {
  for (int i = 0; i < 6; ++i)
    put("copy" + std::to_string(i) + ".txt", "Permission is hereby granted to everyone.\n");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  ASSERT_TRUE(t->add({docs()}).ok());
  auto hits = t->search("permission granted", 3);
  ASSERT_TRUE(hits.ok());
  ASSERT_EQ(hits->size(), 1U);
  EXPECT_EQ(hits->front().duplicates, 5U);
}

// So many that there is a graph over them, whose segments must not be taken for the collection's.
TEST_F(TextStoreTest, ACollectionWithAGraphIsOpenedAgain) {
  constexpr int kSections = 4200;
  std::ostringstream text;
  for (int i = 0; i < kSections; ++i) {
    text << "# Section " << i << "\n\nThe number of this one is unique" << i << ".";
    for (int w = 0; w < 45; ++w) text << " word" << (i * 31 + w * w * 17) % 911;
    text << "\n\n";
  }
  put("long.md", text.str());
  {
    auto t = TextStore::create(store());
    ASSERT_TRUE(t.ok()) << t.error().message;
    auto added = t->add({docs()});
    ASSERT_TRUE(added.ok()) << added.error().message;
    ASSERT_GT(added->passages_added, 4096U);
    ASSERT_TRUE(t->store().build_index().ok());
    ASSERT_EQ(t->store().status().search_layout, SearchLayout::kFused);
    ASSERT_EQ(t->store().status().index_kind, "graph");
  }
  auto again = TextStore::open(store());
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->files(), 1U);
  EXPECT_EQ(again->store().status().index_kind, "graph");
  auto hits = again->search("unique777", 1);
  ASSERT_TRUE(hits.ok()) << hits.error().message;
  ASSERT_EQ(hits->size(), 1U);
  EXPECT_NE(hits->front().passage.text.find("unique777"), std::string::npos);
  auto unchanged = again->add({docs()});
  ASSERT_TRUE(unchanged.ok()) << unchanged.error().message;
  EXPECT_EQ(unchanged->files_unchanged, 1U);
}

TEST_F(TextStoreTest, ManyCommitsAreMergedAndDeadPassagesStayGone) {
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  for (int i = 0; i < 12; ++i) {
    put("note.txt", "Version number" + std::to_string(i) + " of the only note here.\n");
    auto r = t->add({docs()});
    ASSERT_TRUE(r.ok()) << r.error().message;
    EXPECT_EQ(r->files_changed + r->files_added, 1U);
  }
  EXPECT_EQ(t->store().status().vectors, 1U);
  auto hits = t->search("version note", 10);
  ASSERT_TRUE(hits.ok()) << hits.error().message;
  ASSERT_EQ(hits->size(), 1U);
  EXPECT_NE(hits->front().passage.text.find("number11"), std::string::npos);
  size_t indexes = 0;
  for (const SegmentInfo& s : std::vector(*t->store().snapshot()->segments()))
    indexes += s.type == 0x0D;
  EXPECT_LE(indexes, 9U);
}

TEST_F(TextStoreTest, PassagesAreRowsWithFieldsThatTheStoreKnows) {
  put("whales.md", "# Whales\n\nWhales are mammals that live in the sea and breathe air.\n");
  put("birds.txt", "Many birds migrate over the sea when the days get shorter.\n");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok()) << t.error().message;
  ASSERT_TRUE(t->add({docs()}).ok());
  const Snapshot s = *t->store().snapshot();
  const std::string whales = docs() + "/whales.md";
  EXPECT_EQ(*s.count("path = '" + whales + "' and title = 'Whales' and heading = 'Whales'"), 1U);
  EXPECT_EQ(*s.count("heading is null and first_line = 1 and last_line = 1"), 1U);
  EXPECT_EQ(*s.count("text match 'sea' and mtime > '2020-01-01'"), 2U);
  EXPECT_EQ(*s.count("size = " + std::to_string(fs::file_size(whales))), 1U);
  HybridOptions words;
  words.words = "whale";
  words.text_field = "heading";
  EXPECT_EQ(s.hybrid({}, words)->hits.size(), 1U);
}

TEST_F(TextStoreTest, AFilterRestrictsTheRanking) {
  for (int i = 0; i < 30; ++i) {
    put("a" + std::to_string(i) + ".txt",
        "The sea and the whales, part " + std::to_string(i) + ".\n");
  }
  put("b.txt", "Nothing here but one word: sea.\n");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  ASSERT_TRUE(t->add({docs()}).ok());
  const auto all = t->search("whales of the sea", 5);
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(all->size(), 5U);
  const auto only = t->search("whales of the sea", 5, "path starts with '" + docs() + "/b'");
  ASSERT_TRUE(only.ok()) << only.error().message;
  ASSERT_EQ(only->size(), 1U);
  EXPECT_EQ(only->front().passage.path, docs() + "/b.txt");
  EXPECT_EQ(t->search("sea", 5, "no such = 1").error().code, ErrorCode::kBadFilter);
  EXPECT_TRUE(t->search("sea", 5, "size > 100000")->empty());
}

TEST_F(TextStoreTest, AFileWithANewTimeButTheSameTextKeepsItsPassages) {
  put("a.txt", "The whale is a mammal.\n");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  ASSERT_TRUE(t->add({docs()}).ok());
  const auto before = t->search("whale", 1);
  fs::last_write_time(docs() + "/a.txt", fs::file_time_type::clock::now() + std::chrono::hours(1));
  const auto again = t->add({docs()});
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->files_unchanged, 1U);
  const auto after = t->search("whale", 1);
  ASSERT_TRUE(after.ok()) << after.error().message;
  ASSERT_EQ(after->size(), 1U);
  EXPECT_EQ(after->front().id, before->front().id);
  EXPECT_GT(after->front().passage.mtime_ns, before->front().passage.mtime_ns);
  ASSERT_TRUE(t->store().compact());
  auto reopened = TextStore::open_readonly(store());
  ASSERT_TRUE(reopened.ok()) << reopened.error().message;
  EXPECT_EQ(reopened->search("whale", 1)->front().passage.mtime_ns,
            after->front().passage.mtime_ns);
}

TEST_F(TextStoreTest, ACollectionInAnEarlierLayoutSaysWhatToDo) {
  CreateOptions c;
  c.dimension = 4;
  c.application = "rvf-text 1";
  ASSERT_TRUE(Store::create(store(), c).ok());
  const auto t = TextStore::open(store());
  ASSERT_FALSE(t.ok());
  EXPECT_EQ(t.error().code, ErrorCode::kBadMetadata);
  EXPECT_NE(t.error().message.find("`rvf text add` into a new file"), std::string::npos);
}

TEST_F(TextStoreTest, AFolderIsItselfWhateverNameLeadsToIt) {
  fs::create_directories(root_ / "docs" / "sub");
  put("a.txt", "One walrus.\n");
  put("sub/b.txt", "Two okapi.\n");
  fs::create_directory_symlink(root_ / "docs", root_ / "link");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  ASSERT_EQ(t->add({docs()})->files_added, 2U);
  for (const std::string& name :
       {docs() + "/", docs() + "/./sub/..", (root_ / "link").string(), docs() + "//"}) {
    const auto again = t->add({name});
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->files_unchanged, 2U) << name;
    EXPECT_EQ(again->files_added + again->files_removed, 0U) << name;
  }
  const auto nested = t->add({docs() + "/sub", docs(), docs() + "/a.txt"});
  ASSERT_TRUE(nested.ok()) << nested.error().message;
  EXPECT_EQ(nested->files_unchanged, 2U);
  EXPECT_EQ(t->store().status().vectors, 2U);
  const auto hits = t->search("walrus", 1);
  EXPECT_EQ(hits->front().passage.path, fs::canonical(docs()).string() + "/a.txt");
}

TEST_F(TextStoreTest, AFolderGivenTwiceAtOnceIsTakenOnce) {
  fs::create_directories(root_ / "docs" / "sub");
  put("sub/b.txt", "Two okapi.\n");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  EXPECT_EQ(t->add({docs() + "/sub", docs(), docs() + "/sub/b.txt"})->files_added, 1U);
  EXPECT_EQ(t->store().status().vectors, 1U);
}

TEST_F(TextStoreTest, AnEmptyFolderLosesItsFilesOnlyWhereThatIsAllowed) {
  put("a.txt", "One walrus.\n");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  ASSERT_TRUE(t->add({docs()}).ok());
  fs::remove(docs() + "/a.txt");
  EXPECT_EQ(t->add({docs()}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(t->store().status().vectors, 1U);
  fs::remove(docs());
  EXPECT_EQ(t->add({docs()}).error().code, ErrorCode::kNoSuchFile);
  EXPECT_EQ(t->store().status().vectors, 1U);
  AddOptions allowed;
  allowed.allow_empty = true;
  const auto r = t->add({docs()}, allowed);
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ(r->files_removed, 1U);
  EXPECT_EQ(t->store().status().vectors, 0U);
}

// What lies where a disk should be mounted is older than the files of that disk.
TEST_F(TextStoreTest, AFolderThatNobodyEmptiedKeepsItsFiles) {
  fs::create_directories(root_ / "docs" / "disk");
  put("a.txt", "One walrus.\n");
  put("disk/b.txt", "Two okapi.\n");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  ASSERT_TRUE(t->add({docs()}).ok());
  const fs::path disk = root_ / "docs" / "disk";
  fs::rename(disk, root_ / "elsewhere");
  fs::create_directories(disk);
  fs::last_write_time(disk, fs::file_time_type::clock::now() - std::chrono::hours(1));
  const auto kept = t->add({docs()});
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  EXPECT_EQ(kept->files_kept, 1U);
  ASSERT_EQ(kept->skipped.size(), 1U);
  EXPECT_EQ(kept->skipped[0].as, text::LeftOutAs::kUnreadable);
  EXPECT_EQ(t->store().status().vectors, 2U);
  fs::last_write_time(disk, fs::file_time_type::clock::now() + std::chrono::seconds(1));
  EXPECT_EQ(t->add({docs()})->files_removed, 1U);
}

TEST_F(TextStoreTest, AChangeThatLeavesSizeAndTimeAloneIsSeen) {
  put("a.txt", "The walrus.\n");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  ASSERT_TRUE(t->add({docs()}).ok());
  const auto time = fs::last_write_time(docs() + "/a.txt");
  put("a.txt", "The ocelot.\n");
  fs::last_write_time(docs() + "/a.txt", time);
  EXPECT_EQ(t->add({docs()})->files_changed, 1U);
  EXPECT_EQ(t->search("ocelot", 1)->size(), 1U);
}

TEST_F(TextStoreTest, WhatIsNoTextAnyMoreIsDroppedAndWhatCannotBeReadIsKept) {
  for (const char* name : {"stays.txt", "binary.txt", "empty.txt", "big.txt", "gone.txt"}) {
    put(name, std::string("A walrus in ") + name + ".\n");
  }
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  ASSERT_EQ(t->add({docs()})->files_added, 5U);
  put("binary.txt", std::string("\0\1\2", 3));
  put("empty.txt", "");
  put("big.txt", std::string(1000, 'x'));
  fs::remove(docs() + "/gone.txt");
  fs::create_symlink("nowhere", docs() + "/gone.txt");
  AddOptions small;
  small.read.max_bytes = 999;
  const auto r = t->add({docs()}, small);
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ(r->files_removed, 2U);
  EXPECT_EQ(r->files_kept, 2U);
  EXPECT_EQ(r->files_unchanged, 1U);
  EXPECT_EQ(r->skipped.size(), 4U);
  EXPECT_EQ(t->store().status().vectors, 3U);
}

TEST_F(TextStoreTest, AnEncodingThatIsAskedForIsUsedForUnchangedFilesToo) {
  put("a.txt", "caf\xC3\xA9\n");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  ASSERT_TRUE(t->add({docs()}).ok());
  AddOptions latin;
  latin.read.encoding = unicode::Encoding::kWindows1252;
  EXPECT_EQ(t->add({docs()}, latin)->files_changed, 1U);
  EXPECT_EQ(t->search("cafã", 1)->size(), 1U);
}

// Wherever it comes, also between learning weights and the commit that would keep them.
TEST_F(TextStoreTest, AStopLeavesTheStoreAsItsLastCommit) {
  for (int i = 0; i < 20; ++i) put("a" + std::to_string(i) + ".txt", "A walrus.\n");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  for (int last = 1; last <= 22; ++last) {
    int calls = 0;
    const Progress stop = [&](uint64_t, uint64_t) { return ++calls < last; };
    AddOptions options;
    options.files_progress = &stop;
    EXPECT_EQ(t->add({docs()}, options).error().code, ErrorCode::kCancelled) << last;
    EXPECT_EQ(t->store().status().vectors, 0U);
  }
  EXPECT_EQ(t->add({docs()})->files_added, 20U);
  EXPECT_EQ(TextStore::open_readonly(store())->search("walrus", 1)->size(), 1U);
}

TEST_F(TextStoreTest, PassagesThatSomebodyDeletedStayDeletedUntilTheirFileChanges) {
  put("a.txt", "A walrus.\n");
  put("b.txt", "An okapi.\n");
  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  ASSERT_TRUE(t->add({docs()}).ok());
  ASSERT_TRUE(t->store().remove_where("path contains 'a.txt'").ok());
  fs::last_write_time(docs() + "/a.txt", fs::file_time_type::clock::now() + std::chrono::hours(1));
  const auto touched = t->add({docs()});
  ASSERT_TRUE(touched.ok()) << touched.error().message;
  EXPECT_EQ(touched->files_unchanged, 2U);
  EXPECT_EQ(t->store().status().vectors, 1U);
  put("a.txt", "Another walrus.\n");
  EXPECT_EQ(t->add({docs()})->files_changed, 1U);
  EXPECT_EQ(t->store().status().vectors, 2U);
}

// The MEDLARS collection through the whole path: files, passages, store, search. Plain BM25 has
// 0.670.
TEST_F(TextStoreTest, MedlarsIsRankedAbovePlainBm25) {
  const fs::path data = fs::path(RVF_SHARED_DATA) / "data/text/med";
  if (!fs::exists(data / "MED.ALL")) GTEST_SKIP() << "skipped: no data";
  const auto read_sections = [](const fs::path& path) {
    std::map<int, std::string> sections;
    std::ifstream in(path);
    std::string line;
    int id = 0;
    while (std::getline(in, line)) {
      if (line.starts_with(".I")) {
        id = std::stoi(line.substr(2));
      } else if (!line.starts_with(".W")) {
        sections[id] += line + "\n";
      }
    }
    return sections;
  };
  for (const auto& [id, text] : read_sections(data / "MED.ALL"))
    put(std::to_string(id) + ".txt", text);
  std::map<int, std::set<std::string>> relevant;
  std::ifstream judgements(data / "MED.REL");
  int query = 0, zero = 0, document = 0, one = 0;
  while (judgements >> query >> zero >> document >> one)
    relevant[query].insert(std::to_string(document) + ".txt");

  auto t = TextStore::create(store());
  ASSERT_TRUE(t.ok());
  ASSERT_TRUE(t->add({docs()}).ok());
  double total = 0;
  const auto queries = read_sections(data / "MED.QRY");
  for (const auto& [id, words] : queries) {
    auto hits = t->search(words, 40);
    ASSERT_TRUE(hits.ok()) << hits.error().message;
    std::vector<std::string> files;  // a file ranks where its best passage does
    for (const SearchHit& h : *hits) {
      const std::string name = fs::path(h.passage.path).filename().string();
      if (std::find(files.begin(), files.end(), name) == files.end()) files.push_back(name);
    }
    double gain = 0, ideal = 0;
    for (size_t i = 0; i < 10; ++i) {
      if (i < files.size() && relevant[id].contains(files[i]))
        gain += 1 / std::log2(2.0 + static_cast<double>(i));
      if (i < relevant[id].size()) ideal += 1 / std::log2(2.0 + static_cast<double>(i));
    }
    total += ideal > 0 ? gain / ideal : 0;
  }
  const double ndcg = total / static_cast<double>(queries.size());
  RecordProperty("ndcg", std::to_string(ndcg));
  std::printf("MEDLARS nDCG@10 through the store: %.4f\n", ndcg);
  EXPECT_GT(ndcg, 0.67);
}

}  // namespace
}  // namespace rvf::text_store
