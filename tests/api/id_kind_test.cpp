// A store has ids of one kind, and the numbers behind text ids are nobody's to name.
#include <algorithm>
#include <limits>

#include "store_fixture.hpp"

namespace rvf {
namespace {

class IdKindTest : public StoreTest {
 protected:
  static constexpr size_t kDim = 2;
  static constexpr uint64_t kLastId = UINT64_MAX - 1;

  static Status add_numbers(Store& s, std::vector<uint64_t> ids) {
    const std::vector<float> v = gaussian(ids.size(), kDim, 1);
    auto w = s.ingest(Vectors::from_f32(v, kDim), ids);
    return w ? Status() : Status(w.error());
  }
  static Status add_texts(Store& s, std::vector<std::string> keys) {
    const std::vector<float> v = gaussian(keys.size(), kDim, 2);
    auto w = s.ingest(Vectors::from_f32(v, kDim), keys, {});
    return w ? Status() : Status(w.error());
  }
  Store make_kind(IdKind ids) {
    CreateOptions c;
    c.dimension = kDim;
    c.ids = ids;
    auto s = Store::create("s.rvf", c, in_memory());
    EXPECT_TRUE(s.ok());
    return std::move(*s);
  }
};

TEST_F(IdKindTest, TheFirstRowDecidesAndReopeningCompactionAndEmptyingKeepIt) {
  Store s = make(kDim);
  EXPECT_EQ(s.status().id_kind, IdKind::kUndecided);
  ASSERT_RVF_OK(add_numbers(s, {5, 6}));
  ASSERT_RVF_OK(s.remove(std::vector<uint64_t>{5, 6}));
  ASSERT_RVF_OK(s.compact());
  reopen(s);
  EXPECT_EQ(s.status().id_kind, IdKind::kNumbers);
  EXPECT_RVF_ERROR(add_texts(s, {"5"}), kWrongIdKind);
}

TEST_F(IdKindTest, WhatCreateWasToldHoldsForAnEmptyStore) {
  for (const IdKind kind : {IdKind::kNumbers, IdKind::kTexts}) {
    fs_ = io::memory_file_system();
    Store s = make_kind(kind);
    ASSERT_RVF_OK(s.compact());
    reopen(s);
    EXPECT_EQ(s.status().id_kind, kind);
    EXPECT_EQ(add_numbers(s, {1}).ok(), kind == IdKind::kNumbers);
    EXPECT_EQ(add_texts(s, {"a"}).ok(), kind == IdKind::kTexts);
  }
}

TEST_F(IdKindTest, NoWriteTakesANumberInAStoreOfTexts) {
  Store s = make(kDim);
  ASSERT_RVF_OK(add_texts(s, {"ant", "bee", "cat"}));
  const std::vector<float> v = gaussian(1, kDim, 3);
  const Column year{"year", FieldType::kI64, {Value(int64_t{1})}};
  for (const uint64_t n : {uint64_t{0}, uint64_t{1}, uint64_t{2}, uint64_t{99}}) {
    const std::vector<uint64_t> ids{n};
    EXPECT_RVF_ERROR(s.ingest(Vectors::from_f32(v, kDim), ids), kWrongIdKind);
    EXPECT_RVF_ERROR(s.remove(ids), kWrongIdKind);
    EXPECT_RVF_ERROR(s.remove_range(n, n + 5), kWrongIdKind);
    EXPECT_RVF_ERROR(s.update_metadata(ids, std::span(&year, 1)), kWrongIdKind);
  }
  EXPECT_RVF_ERROR(s.ingest(Vectors::from_f32(v, kDim)), kWrongIdKind);
  EXPECT_EQ(s.status().vectors, 3U);
}

TEST_F(IdKindTest, NoWriteTakesATextInAStoreOfNumbers) {
  Store s = make(kDim);
  ASSERT_RVF_OK(add_numbers(s, {1, 2}));
  const std::vector<std::string> keys{"2"};
  const Column year{"year", FieldType::kI64, {Value(int64_t{1})}};
  EXPECT_RVF_ERROR(add_texts(s, keys), kWrongIdKind);
  EXPECT_RVF_ERROR(s.remove(keys), kWrongIdKind);
  EXPECT_RVF_ERROR(s.update_metadata(keys, std::span(&year, 1)), kWrongIdKind);
  EXPECT_RVF_ERROR(s.snapshot()->key(1), kWrongIdKind);
  EXPECT_EQ(s.status().vectors, 2U);
}

TEST_F(IdKindTest, NoNumberThatSomebodyWroteLeadsToARowOfAStoreOfTexts) {
  Store s = make(kDim);
  ASSERT_RVF_OK(add_texts(s, {"0", "1", "zwei"}));
  const Snapshot snapshot = *s.snapshot();
  std::vector<float> raw(kDim);
  for (uint64_t n = 0; n < 100; ++n) {
    EXPECT_FALSE(*snapshot.contains(n));
    EXPECT_RVF_ERROR(snapshot.get(n), kNotFound);
    EXPECT_RVF_ERROR(snapshot.get_raw(n, std::as_writable_bytes(std::span(raw))), kNotFound);
    EXPECT_RVF_ERROR(snapshot.record(n), kNotFound);
    EXPECT_RVF_ERROR(snapshot.key(n), kNotFound);
  }
  EXPECT_RVF_ERROR(snapshot.count("id = 1"), kBadFilter);
  EXPECT_EQ(*snapshot.count("id = '1'"), 1U);
}

TEST_F(IdKindTest, HandlesOfQueriesScansAndListsNameTheirTexts) {
  Store s = make(kDim);
  std::vector<std::string> keys;
  for (size_t i = 0; i < 300; ++i) keys.push_back("k" + std::to_string(i * 7919 % 1000));
  ASSERT_RVF_OK(add_texts(s, keys));
  const Snapshot snapshot = *s.snapshot();
  const auto all = *snapshot.keys_of(*snapshot.ids());
  EXPECT_EQ(all, keys);  // in the order in which they came
  std::vector<std::string> scanned;
  ScanOptions page;
  page.limit = 7;
  for (bool more = true; more;) {
    const ScanPage found = *snapshot.scan(page);
    for (auto& key : std::vector(*snapshot.keys_of(found.ids))) scanned.push_back(key);
    more = found.next.has_value();
    page.after = found.next;
  }
  EXPECT_EQ(scanned, keys);
  for (size_t i = 0; i < keys.size(); i += 50) {
    const std::vector<float> v = *snapshot.get(*snapshot.id_of(keys[i]));
    const QueryResult found = *snapshot.query(v, {.k = 1});
    EXPECT_EQ(*snapshot.key(found.neighbors[0].id), keys[i]);
    EXPECT_EQ(
        std::get<std::string>((*snapshot.values(std::span(&found.neighbors[0].id, 1), "id"))[0]),
        keys[i]);
  }
}

TEST_F(IdKindTest, TextsAreUpdatedDeletedAndReplacedByTheirText) {
  Store s = make(kDim);
  ASSERT_RVF_OK(add_texts(s, {"a", "b", "c"}));
  const std::vector<std::string> b{"b"};
  const Column year{"year", FieldType::kI64, {Value(int64_t{7})}};
  ASSERT_RVF_OK(s.update_metadata(b, std::span(&year, 1)));
  EXPECT_EQ(*s.snapshot()->count("year = 7 and id = 'b'"), 1U);
  EXPECT_RVF_ERROR(s.update_metadata(std::vector<std::string>{"nobody"}, std::span(&year, 1)),
                   kNotFound);
  EXPECT_EQ(s.remove(b)->deleted, 1U);
  EXPECT_EQ(s.remove(b)->deleted, 0U);
  ASSERT_RVF_OK(add_texts(s, {"a"}));
  EXPECT_EQ(s.status().vectors, 2U);
}

TEST_F(IdKindTest, ARangeIsDeletedWhereverItsIdsLie) {
  Store s = make(kDim);
  ASSERT_RVF_OK(add_numbers(s, {10, 3, 700, 4}));
  ASSERT_RVF_OK(add_numbers(s, {5, 11, 701, kLastId}));
  EXPECT_EQ(s.remove_range(4, 11)->deleted, 4U);
  EXPECT_EQ(*s.snapshot()->ids(), (std::vector<uint64_t>{3, 700, 701, kLastId}));
  EXPECT_EQ(s.remove_range(12, 600)->deleted, 0U);
  EXPECT_RVF_ERROR(s.remove_range(9, 8), kBadArgument);
  EXPECT_EQ(s.remove_range(0, UINT64_MAX)->deleted, 4U);
  reopen(s);
  EXPECT_EQ(s.status().vectors, 0U);
}

}  // namespace
}  // namespace rvf
