// Metadata through the public API: what goes in comes out, after reopening, updating, compacting.
#include <map>
#include <random>

#include "store_fixture.hpp"

namespace rvf {
namespace {

constexpr size_t kDim = 4;

struct Rows {
  std::vector<float> vectors;
  std::vector<Column> columns;
  Vectors view() const { return Vectors::from_f32(vectors, kDim); }
};

// Rows of every type; value i is made from i alone.
Rows make_rows(size_t first, size_t n) {
  Rows r;
  r.columns = {{"lang", FieldType::kEnum, {}},      {"year", FieldType::kI64, {}},
               {"price", FieldType::kF64, {}},      {"draft", FieldType::kBool, {}},
               {"title", FieldType::kString, {}},   {"tags", FieldType::kStringList, {}},
               {"seen", FieldType::kTimestamp, {}}, {"user", FieldType::kU64, {}},
               {"raw", FieldType::kBytes, {}}};
  for (size_t i = first; i < first + n; ++i) {
    for (size_t d = 0; d < kDim; ++d) r.vectors.push_back(static_cast<float>(i % 97 + d * i % 13));
    const bool null = i % 7 == 3;
    const auto put = [&](size_t c, Value v) {
      r.columns[c].values.push_back(null ? Value{} : std::move(v));
    };
    put(0, std::string(i % 3 == 0 ? "de" : i % 3 == 1 ? "en" : "fr"));
    put(1, static_cast<int64_t>(1990 + i % 40));
    put(2, static_cast<double>(i % 1000) / 100);
    put(3, i % 2 == 0);
    put(4, "the title of number " + std::to_string(i));
    put(5, std::vector<std::string>{"t" + std::to_string(i % 5), "all"});
    put(6, static_cast<int64_t>(i) * 1'000'000'000);
    put(7, uint64_t{1} << 63 | i);
    put(8, std::vector<std::byte>{std::byte(i), std::byte(i >> 8)});
  }
  return r;
}

class MetadataTest : public StoreTest {
 protected:
  static WriteReport add(Store& s, const Rows& r) {
    WriteBatch b;
    b.vectors = r.view();
    b.columns = r.columns;
    auto w = s.write(b);
    EXPECT_TRUE(w) << w.error().message;
    return w ? *w : WriteReport{};
  }
  static uint64_t count(Store& s, const std::string& filter) {
    auto n = s.snapshot()->count(filter);
    EXPECT_TRUE(n) << filter << ": " << n.error().message;
    return n ? *n : UINT64_MAX;
  }
};

void expect_rows(const Snapshot& s, const Rows& r, uint64_t first_id) {
  for (size_t i = 0; i < r.columns[0].values.size(); ++i) {
    const auto record = s.record(first_id + i);
    ASSERT_TRUE(record) << record.error().message;
    std::map<std::string, Value> got(record->begin(), record->end());
    for (const Column& c : r.columns) EXPECT_EQ(got[c.name], c.values[i]) << c.name << " " << i;
  }
}

TEST_F(MetadataTest, EveryTypeComesBackAfterReopeningAndCompaction) {
  const Rows a = make_rows(0, 5000);
  const Rows b = make_rows(5000, 300);
  {
    Store s = make(kDim);
    add(s, a);
    add(s, b);
    expect_rows(*s.snapshot(), a, 0);
  }
  Store s = reopen();
  expect_rows(*s.snapshot(), a, 0);
  expect_rows(*s.snapshot(), b, 5000);
  std::vector<Field> indexed;
  for (const Column& c : a.columns) {
    const bool text = c.type == FieldType::kString;
    indexed.push_back(
        {c.name, c.type, static_cast<uint8_t>(text ? kIndexValues | kIndexWords : kIndexValues)});
  }
  ASSERT_TRUE(s.define_fields(indexed));
  ASSERT_TRUE(s.compact());
  EXPECT_EQ(count(s, "seen = 77000000000 and user = 9223372036854775885 and raw = x'4d00'"), 1U);
  expect_rows(*s.snapshot(), a, 0);
  expect_rows(*s.snapshot(), b, 5000);
  const auto report = s.verify({.deep = true});
  ASSERT_TRUE(report);
  for (const Error& e : report->problems) ADD_FAILURE() << e.message;
}

TEST_F(MetadataTest, FiltersCountWhatTheRowsSay) {
  Store s = make(kDim);
  add(s, make_rows(0, 2000));
  add(s, make_rows(2000, 2000));
  // Fewer rows than make indexes worth while; compaction makes one part of more.
  add(s, make_rows(0, 200));
  ASSERT_TRUE(s.remove_range(4000, 4199));
  const auto check = [&] {
    EXPECT_EQ(count(s, ""), 4000U);
    EXPECT_EQ(count(s, "lang is null"), 571U);
    EXPECT_EQ(count(s, "lang is not null"), 3429U);
    uint64_t expected = 0;
    for (int i = 0; i < 4000; ++i) expected += i % 7 != 3 && i % 3 == 0 && 1990 + i % 40 >= 2020;
    EXPECT_EQ(count(s, "lang = 'de' and year >= 2020"), expected);
    EXPECT_EQ(count(s, "id in (1, 2, 3, 100000)"), 3U);
    expected = 0;
    for (int i = 0; i < 4000; ++i) expected += i % 7 != 3 && i % 5 == 2;
    EXPECT_EQ(count(s, "tags = 't2'"), expected);
    EXPECT_EQ(count(s, "title match 'number 18'"), 1U);
    expected = 0;
    for (int i = 0; i < 4000; ++i) {
      expected += i % 7 != 3 && std::to_string(i).substr(0, 2) == "17";
    }
    EXPECT_EQ(count(s, "title contains 'number 17'"), expected);
    expected = 0;
    for (int i = 0; i < 4000; ++i) {
      expected += i % 7 != 3 && i % 1000 >= 150 && i % 1000 <= 160 && i % 2 != 0;
    }
    // `draft` is null in some rows, and null is not true.
    EXPECT_EQ(count(s, "price between 1.5 and 1.6 and not draft"), expected);
  };
  check();
  const Field indexed[] = {{"year", FieldType::kI64, kIndexValues},
                           {"lang", FieldType::kEnum, kIndexValues},
                           {"title", FieldType::kString, kIndexWords | kIndexValues},
                           {"tags", FieldType::kStringList, kIndexValues}};
  ASSERT_TRUE(s.define_fields(indexed));
  check();
  add(s, make_rows(0, 10));
  ASSERT_TRUE(s.remove_range(4200, 4209));
  ASSERT_TRUE(s.compact());
  check();
  const auto report = s.verify({.deep = true});
  ASSERT_TRUE(report);
  for (const Error& e : report->problems) ADD_FAILURE() << e.message;
}

TEST_F(MetadataTest, StringIdsAreFoundReplacedAndDeleted) {
  Store s = make(kDim);
  const Rows r = make_rows(0, 3);
  const std::string keys[] = {"a", "b", "c"};
  WriteBatch b;
  b.vectors = r.view();
  b.keys = keys;
  b.columns = r.columns;
  ASSERT_TRUE(s.write(b));
  const uint64_t id = *s.snapshot()->id_of("b");
  EXPECT_EQ(*s.snapshot()->key(id), "b");
  const Rows again = make_rows(10, 1);
  const std::string just_b[] = {"b"};
  auto w = s.ingest(again.view(), just_b, again.columns);
  ASSERT_TRUE(w) << w.error().message;
  EXPECT_EQ(w->replaced, 1U);
  EXPECT_EQ(*s.snapshot()->id_of("b"), id);
  EXPECT_EQ(*s.snapshot()->size(), 3U);
  WriteBatch gone;
  gone.delete_keys = just_b;
  ASSERT_TRUE(s.write(gone));
  EXPECT_EQ(s.snapshot()->id_of("b").error().code, ErrorCode::kNotFound);
  w = s.ingest(again.view(), just_b, again.columns);
  ASSERT_TRUE(w);
  EXPECT_NE(*s.snapshot()->id_of("b"), id);
  EXPECT_EQ(count(s, "id = 'b'"), 1U);
  ASSERT_TRUE(s.compact());
  EXPECT_EQ(*s.snapshot()->key(*s.snapshot()->id_of("b")), "b");
  const std::string twice[] = {"x", "x"};
  EXPECT_EQ(s.ingest(make_rows(0, 2).view(), twice, {}).error().code, ErrorCode::kDuplicateId);
}

TEST_F(MetadataTest, UpdatesChangeFieldsAndNothingElse) {
  Store s = make(kDim);
  const Rows r = make_rows(0, 100);
  add(s, r);
  const auto before = *s.get(9);
  const uint64_t ids[] = {9, 5};
  const Column columns[] = {{"year", FieldType::kI64, {int64_t{1}, int64_t{2}}},
                            {"note", FieldType::kString, {std::string("nine"), Value{}}}};
  ASSERT_TRUE(s.update_metadata(ids, columns));
  const auto check = [&] {
    EXPECT_EQ(*s.get(9), before);
    EXPECT_EQ(count(s, "year = 1"), 1U);
    EXPECT_EQ(count(s, "year = 2 and id = 5"), 1U);
    EXPECT_EQ(count(s, "note = 'nine' and lang = 'de'"), 1U);
    EXPECT_EQ(count(s, "year < 1000"), 2U);
  };
  check();
  ASSERT_TRUE(s.compact());
  check();
  const uint64_t missing[] = {12345};
  const Column one[] = {{"year", FieldType::kI64, {int64_t{1}}}};
  EXPECT_EQ(s.update_metadata(missing, one).error().code, ErrorCode::kNotFound);
}

TEST_F(MetadataTest, DeletingByFilterAndScanningAgree) {
  Store s = make(kDim);
  add(s, make_rows(0, 1000));
  const uint64_t germans = count(s, "lang = 'de'");
  const auto w = s.remove_where("lang = 'de'");
  ASSERT_TRUE(w) << w.error().message;
  EXPECT_EQ(w->deleted, germans);
  EXPECT_EQ(*s.snapshot()->size(), 1000 - germans);
  std::vector<uint64_t> seen;
  ScanOptions o;
  o.filter = "not draft";
  o.limit = 37;
  while (true) {
    const auto page = s.snapshot()->scan(o);
    ASSERT_TRUE(page);
    seen.insert(seen.end(), page->ids.begin(), page->ids.end());
    if (!page->next) break;
    o.after = page->next;
  }
  EXPECT_EQ(seen.size(), count(s, "not draft"));
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(s.remove_where(" ").error().code, ErrorCode::kBadFilter);
}

TEST_F(MetadataTest, SchemaWidensAndRefusesWhatDoesNotFit) {
  Store s = make(kDim);
  const std::vector<float> v(kDim, 1.0F);
  const auto put = [&](Column c) {
    WriteBatch b;
    b.vectors = Vectors::from_f32(v, kDim);
    b.columns = std::span(&c, 1);
    return s.write(b);
  };
  ASSERT_TRUE(put({"x", FieldType::kI64, {int64_t{3}}}));
  ASSERT_TRUE(put({"x", FieldType::kF64, {2.5}}));
  EXPECT_EQ(count(s, "x > 2.6"), 1U);
  EXPECT_EQ(count(s, "x > 2"), 2U);
  EXPECT_EQ(std::get<double>((*s.snapshot()->record(0))[0].second), 3.0);
  const auto bad = put({"x", FieldType::kString, {std::string("three")}});
  EXPECT_EQ(bad.error().code, ErrorCode::kBadMetadata);
  EXPECT_NE(bad.error().message.find("'x' is f64"), std::string::npos) << bad.error().message;
  EXPECT_EQ(*s.snapshot()->size(), 2U);
  EXPECT_EQ(put({"x", FieldType::kF64, {2.5, 3.5}}).error().code, ErrorCode::kBadArgument);
}

TEST_F(MetadataTest, ExpiredVectorsAreGoneAndCompactionDropsThem) {
  Store s = make(kDim);
  const std::vector<float> v(kDim * 2, 1.0F);
  WriteBatch b;
  const Column expiry{kExpiryField, FieldType::kTimestamp, {int64_t{1'000'000'000}, Value{}}};
  b.vectors = Vectors::from_f32(v, kDim);
  b.columns = std::span(&expiry, 1);
  ASSERT_TRUE(s.write(b));
  EXPECT_EQ(*s.snapshot()->size(), 1U);
  EXPECT_FALSE(s.get(0));
  EXPECT_EQ(s.query(std::vector<float>(kDim, 1.0F))->neighbors.size(), 1U);
  const Column note{"note", FieldType::kString, {std::string("gone"), std::string("here")}};
  const std::vector<uint64_t> both = {0, 1};
  EXPECT_EQ(s.update_metadata(both, std::span(&note, 1)).error().code, ErrorCode::kNotFound);
  const Column here{"note", FieldType::kString, {std::string("here")}};
  ASSERT_TRUE(s.update_metadata(std::span(both).last(1), std::span(&here, 1)));
  const auto notes = s.snapshot()->values(both, "note");
  ASSERT_TRUE(notes) << notes.error().message;
  EXPECT_EQ(*notes, (std::vector<Value>{Value(), Value(std::string("here"))}));
  const auto report = s.compact();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->rows_dropped, 1U);
}

TEST_F(MetadataTest, FilteredQueriesReturnTheNearestThatMatch) {
  Store s = make(kDim);
  add(s, make_rows(0, 6000));
  ASSERT_TRUE(s.build_index());
  std::mt19937 rng(7);
  for (const char* filter : {"lang = 'de'", "year = 2001", "id < 5", "title contains '77'",
                             "price is null", "id = 99999"}) {
    const uint64_t matching = count(s, filter);
    for (int i = 0; i < 20; ++i) {
      std::vector<float> q(kDim);
      for (float& x : q) x = static_cast<float>(rng() % 100);
      QueryOptions exact{.k = 10, .exact = true, .filter = filter};
      const auto truth = s.query(q, exact);
      ASSERT_TRUE(truth) << truth.error().message;
      EXPECT_EQ(truth->neighbors.size(), std::min<uint64_t>(10, matching)) << filter;
      for (const auto strategy : {FilterStrategy::kAuto, FilterStrategy::kPre, FilterStrategy::kIn,
                                  FilterStrategy::kPost}) {
        QueryOptions o{.k = 10, .filter = filter, .strategy = strategy};
        const auto got = s.query(q, o);
        ASSERT_TRUE(got) << got.error().message;
        EXPECT_EQ(got->neighbors.size(), truth->neighbors.size()) << filter;
        for (const Neighbor& n : got->neighbors) {
          EXPECT_EQ(count(s, "(" + std::string(filter) + ") and id = " + std::to_string(n.id)), 1U);
        }
      }
    }
  }
  QueryOptions grouped{.k = 3, .group_by = "lang"};
  const auto groups = s.query(std::vector<float>(kDim, 5.0F), grouped);
  ASSERT_TRUE(groups) << groups.error().message;
  ASSERT_EQ(groups->neighbors.size(), 3U);
}

TEST_F(MetadataTest, HybridSearchFusesWordsAndVectors) {
  Store s = make(kDim);
  add(s, make_rows(0, 500));
  HybridOptions o;
  o.words = "number 123";
  o.text_field = "title";
  o.k = 5;
  const auto words = s.snapshot()->hybrid({}, o);
  ASSERT_TRUE(words) << words.error().message;
  ASSERT_FALSE(words->hits.empty());
  EXPECT_EQ(words->hits[0].id, 123U);
  for (const Fusion f : {Fusion::kReciprocalRank, Fusion::kWeighted}) {
    o.fusion = f;
    const auto both = s.snapshot()->hybrid(*s.get(123), o);
    ASSERT_TRUE(both);
    EXPECT_EQ(both->hits[0].id, 123U);
    EXPECT_TRUE(both->hits[0].distance.has_value());
  }
  o.filter = "lang = 'de'";
  const auto filtered = s.snapshot()->hybrid(*s.get(123), o);
  ASSERT_TRUE(filtered);
  for (const HybridHit& h : filtered->hits) {
    EXPECT_EQ(count(s, "lang = 'de' and id = " + std::to_string(h.id)), 1U);
  }
}

}  // namespace
}  // namespace rvf
