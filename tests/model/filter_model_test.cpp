// Filters from their text to their rows, against filter_model.hpp: random stores of all field
// types, changed in every way there is, and random expressions about them.
// RVF_TEST_SEED repeats a run, RVF_TEST_EXPRESSIONS sets its length.
#include <algorithm>
#include <map>
#include <set>

#include "../api/store_fixture.hpp"
#include "filter_model.hpp"
#include "meta/filter.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {
namespace {

constexpr uint32_t kDim = 3;
constexpr size_t kSteps = 12;

struct Planned {
  const char* name;
  FieldType first;
  FieldType later;  // from the middle of the test on
  uint8_t indexed;
};
constexpr Planned kPlan[] = {
    {"e", FieldType::kEnum, FieldType::kString, kIndexValues},
    {"s", FieldType::kString, FieldType::kString, kIndexValues | kIndexWords},
    {"t", FieldType::kString, FieldType::kString, kIndexWords},
    {"plain", FieldType::kString, FieldType::kString, kIndexNone},
    {"b", FieldType::kBytes, FieldType::kBytes, kIndexValues},
    {"i", FieldType::kI64, FieldType::kF64, kIndexValues},
    {"j", FieldType::kI64, FieldType::kI64, kIndexValues},
    {"u", FieldType::kU64, FieldType::kU64, kIndexValues},
    {"v", FieldType::kU64, FieldType::kF64, kIndexNone},
    {"f", FieldType::kF64, FieldType::kF64, kIndexValues},
    {"o", FieldType::kBool, FieldType::kBool, kIndexValues},
    {"w", FieldType::kTimestamp, FieldType::kTimestamp, kIndexValues},
    {"l", FieldType::kStringList, FieldType::kStringList, kIndexValues},
    {"late", FieldType::kI64, FieldType::kI64, kIndexNone},
};

constexpr const char* kMeans[] = {"scanned",       "by value range", "by range index",
                                  "by word index", "by value index", "by ids"};

// A row for the library's own evaluation of single rows.
class RowOfModel final : public meta::RowValues {
 public:
  RowOfModel(const ModelRow& row, const std::map<uint16_t, size_t>& columns)
      : row_(row), columns_(columns) {}
  Value value(uint16_t field) const override {
    if (field == meta::kIdField) return row_.id;
    return row_.values[columns_.at(field)];
  }

 private:
  const ModelRow& row_;
  const std::map<uint16_t, size_t>& columns_;
};

class FilterWalk {
 public:
  FilterWalk(uint64_t seed, bool large) : seed_(seed), large_(large), random_(seed) {
    for (const Planned& p : kPlan) fields_.push_back({p.name, p.first, false});
    CreateOptions c;
    c.dimension = kDim;
    options_.file_system = io::memory_file_system();
    store_ = std::make_unique<Store>(std::move(*Store::create("s.rvf", c, options_)));
  }

  void run(size_t expressions, std::set<std::string>& means) {
    means_ = &means;
    for (size_t step = 0; step < kSteps; ++step) {
      step_ = step;
      change();
      if (::testing::Test::HasFatalFailure()) return;
      check(expressions / kSteps + 1);
      if (::testing::Test::HasFailure()) return;
    }
  }

 private:
  std::string where(const std::string& text) const {
    return "seed " + std::to_string(seed_) + (large_ ? " (large)" : "") + " step " +
           std::to_string(step_) + ": " + text;
  }
  ModelRow* find(uint64_t id) {
    const auto at = std::lower_bound(rows_.begin(), rows_.end(), id,
                                     [](const ModelRow& r, uint64_t v) { return r.id < v; });
    return at == rows_.end() || at->id != id ? nullptr : &*at;
  }

  void change() {
    if (step_ == 0) return ingest(large_ ? 4100 + random_.below(2000) : 1 + random_.below(150));
    if (step_ == kSteps / 2) return index();
    switch (random_.below(10)) {
      case 0: return compact();
      case 1: return reopen();
      case 2: return remove();
      case 3: return remove_where();
      case 4:
      case 5: return update();
      default: return ingest(1 + random_.below(120));
    }
  }

  // What becomes f64 later may hold no whole number that an f64 does not.
  static void keep_exact(Column& column) {
    constexpr int64_t kMost = int64_t{1} << 53;
    for (Value& v : column.values) {
      if (auto* i = std::get_if<int64_t>(&v)) *i %= kMost;
      if (auto* u = std::get_if<uint64_t>(&v)) *u %= uint64_t{kMost};
    }
  }

  // Some fields of a batch; from the middle on mostly of their later types.
  std::vector<Column> columns(size_t n) {
    std::vector<Column> out;
    for (size_t f = 0; f < fields_.size(); ++f) {
      const Planned& p = kPlan[f];
      if (random_.one_in(5) || (step_ < 3 && std::string(p.name) == "late")) continue;
      const FieldType type = step_ > kSteps / 2 && !random_.one_in(4) ? p.later : p.first;
      out.push_back({p.name, type, random_.column(type, n)});
      if (p.later == FieldType::kF64) keep_exact(out.back());
      fields_[f].known = true;
      if (type == p.later) fields_[f].type = type;
    }
    return out;
  }
  void put(const std::vector<Column>& columns, size_t i, ModelRow& row) {
    for (const Column& c : columns) {
      for (size_t f = 0; f < fields_.size(); ++f) {
        if (fields_[f].name == c.name) row.values[f] = c.values[i];
      }
    }
  }

  void ingest(size_t n) {
    std::vector<uint64_t> ids;
    while (ids.size() < n) {
      const bool again = !rows_.empty() && random_.one_in(3);
      const uint64_t id = again ? rows_[random_.below(rows_.size())].id : random_.below(1'000'000);
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    }
    std::vector<float> vectors(n * kDim);
    for (float& x : vectors) x = static_cast<float>(random_.below(40));
    const std::vector<Column> c = columns(n);
    WriteBatch batch;
    batch.vectors = Vectors::from_f32(vectors, kDim);
    batch.ids = ids;
    batch.columns = c;
    ASSERT_RVF_OK(store_->write(batch));
    for (size_t i = 0; i < n; ++i) {
      ModelRow row{ids[i], std::vector<Value>(fields_.size()), {}};
      row.vector.assign(vectors.begin() + static_cast<std::ptrdiff_t>(i * kDim),
                        vectors.begin() + static_cast<std::ptrdiff_t>((i + 1) * kDim));
      put(c, i, row);
      if (ModelRow* old = find(ids[i])) {
        *old = std::move(row);
      } else {
        rows_.insert(std::upper_bound(rows_.begin(), rows_.end(), row,
                                      [](const auto& a, const auto& b) { return a.id < b.id; }),
                     std::move(row));
      }
    }
  }
  std::vector<uint64_t> some_ids(size_t most) {
    std::vector<uint64_t> ids;
    for (const ModelRow& r : rows_) {
      if (ids.size() < most && random_.one_in(5)) ids.push_back(r.id);
    }
    return ids;
  }
  void remove() {
    const std::vector<uint64_t> ids = some_ids(rows_.size() / 4);
    ASSERT_RVF_OK(store_->remove(ids));
    for (const uint64_t id : ids) rows_.erase(rows_.begin() + (find(id) - rows_.data()));
  }
  void remove_where() {
    const Expression e = random_.expression(fields_, rows_, 2);
    const auto matching = [&](const ModelRow& r) { return holds(e, fields_, r); };
    const auto n = std::count_if(rows_.begin(), rows_.end(), matching);
    if (static_cast<size_t>(n) > rows_.size() / 2) return;
    const std::string text = text_of(e, fields_);
    const auto report = store_->remove_where(text);
    ASSERT_TRUE(report.ok()) << where(text) << report.error().message;
    ASSERT_EQ(report->deleted, static_cast<uint64_t>(n)) << where(text);
    std::erase_if(rows_, matching);
  }
  void update() {
    const std::vector<uint64_t> ids = some_ids(60);
    if (ids.empty()) return;
    const std::vector<Column> c = columns(ids.size());
    const auto report = store_->update_metadata(ids, c);
    ASSERT_RVF_OK(report);
    for (size_t i = 0; i < ids.size(); ++i) put(c, i, *find(ids[i]));
  }
  void index() {
    std::vector<Field> defined;
    for (size_t f = 0; f < fields_.size(); ++f) {
      defined.push_back({kPlan[f].name, fields_[f].type, kPlan[f].indexed});
      fields_[f].known = true;
    }
    ASSERT_RVF_OK(store_->define_fields(defined));
    if (large_) {
      ingest(4200);  // gets its indexes at once
      ASSERT_RVF_OK(store_->build_index());
    }
  }
  void compact() {
    CompactOptions o;
    o.rebuild_index = random_.one_in(2);
    ASSERT_RVF_OK(store_->compact(o));
    const auto report = store_->verify({.deep = true});
    ASSERT_RVF_OK(report);
    ASSERT_TRUE(report->problems.empty()) << where(report->problems.front().message);
  }
  void reopen() {
    ASSERT_RVF_OK(store_->close());
    auto s = Store::open("s.rvf", options_);
    ASSERT_RVF_OK(s);
    *store_ = std::move(*s);
  }

  void check(size_t expressions) {
    const auto snapshot = store_->snapshot();
    ASSERT_RVF_OK(snapshot);
    meta::Schema schema;
    std::map<uint16_t, size_t> columns;
    for (const Field& f : snapshot->fields()) {
      const auto number = schema.merge(f);
      ASSERT_RVF_OK(number);
      for (size_t i = 0; i < fields_.size(); ++i) {
        if (fields_[i].name != f.name) continue;
        columns[*number] = i;
        ASSERT_EQ(fields_[i].type, f.type) << where(f.name);
      }
    }
    for (size_t n = 0; n < expressions && !::testing::Test::HasFailure(); ++n) {
      const Expression e = random_.expression(fields_, rows_, static_cast<int>(random_.below(7)));
      const std::string text = text_of(e, fields_);
      check_one(*snapshot, e, text);
      check_rows(schema, columns, e, text);
      if (n % 16 == 0) check_queries(*snapshot, text);
    }
  }

  void check_one(const Snapshot& snapshot, const Expression& e, const std::string& text) {
    matching_.clear();
    for (const ModelRow& r : rows_) {
      if (holds(e, fields_, r)) matching_.push_back(r.id);
    }
    const auto count = snapshot.count(text);
    ASSERT_TRUE(count.ok()) << where(text) << "\n" << count.error().message;
    ScanOptions o;
    o.filter = text;
    o.limit = SIZE_MAX;
    const auto page = snapshot.scan(o);
    ASSERT_TRUE(page.ok()) << where(text) << "\n" << page.error().message;
    EXPECT_EQ(*count, matching_.size()) << where(text);
    if (page->ids == matching_) return;
    std::vector<uint64_t> apart;
    std::set_symmetric_difference(page->ids.begin(), page->ids.end(), matching_.begin(),
                                  matching_.end(), std::back_inserter(apart));
    FAIL() << where(text) << "\nthe first row of " << apart.size() << " that differ is "
           << row_text(apart[0]) << ", which should "
           << (std::binary_search(matching_.begin(), matching_.end(), apart[0]) ? "" : "not ")
           << "match";
  }

  // The library's evaluation of single rows, of some rows.
  void check_rows(const meta::Schema& schema, const std::map<uint16_t, size_t>& columns,
                  const Expression& e, const std::string& text) {
    const auto filter = meta::parse_filter(text, schema);
    ASSERT_TRUE(filter.ok()) << where(text);
    for (size_t i = 0; i < 6 && !rows_.empty(); ++i) {
      const ModelRow& row = rows_[random_.below(rows_.size())];
      ASSERT_EQ(meta::matches(*filter, schema, RowOfModel(row, columns)), holds(e, fields_, row))
          << where(text) << "\n"
          << row_text(row.id);
    }
  }

  // After check_one: the rows that match are known.
  void check_queries(const Snapshot& snapshot, const std::string& text) {
    std::vector<float> q(kDim);
    for (float& x : q) x = static_cast<float>(random_.below(40));
    std::vector<Neighbor> truth;
    for (const uint64_t id : matching_) truth.push_back({id, distance(find(id)->vector, q)});
    std::sort(truth.begin(), truth.end(), [](const Neighbor& a, const Neighbor& b) {
      return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
    });
    QueryOptions o;
    o.filter = text;
    o.k = 1 + static_cast<uint32_t>(random_.below(20));
    truth.resize(std::min<size_t>(truth.size(), o.k));
    for (const FilterStrategy s : {FilterStrategy::kAuto, FilterStrategy::kPre, FilterStrategy::kIn,
                                   FilterStrategy::kPost}) {
      o.strategy = s;
      const auto found = snapshot.query(q, o);
      ASSERT_TRUE(found.ok()) << where(text) << "\n" << found.error().message;
      note_means(*found);
      const std::string with = where(text) + "\nwith " + filter_strategy_name(s);
      if (found->exact || s == FilterStrategy::kPre) {
        ASSERT_EQ(found->neighbors, truth) << with;
        continue;
      }
      ASSERT_EQ(found->neighbors.size(), truth.size()) << with;
      for (const Neighbor& n : found->neighbors) {
        ASSERT_TRUE(std::binary_search(matching_.begin(), matching_.end(), n.id)) << with << "\n"
                                                                                  << row_text(n.id);
        ASSERT_EQ(n.distance, distance(find(n.id)->vector, q)) << with;
      }
    }
  }

  // "scanned", "by range index", ...: what answered comparisons, and the strategies taken.
  void note_means(const QueryResult& found) {
    means_->insert(filter_strategy_name(found.plan.strategy));
    for (const std::string& step : found.plan.steps) {
      for (const char* means : kMeans) {
        if (step.find(means) != std::string::npos) means_->insert(means);
      }
    }
  }

  static float distance(const std::vector<float>& a, const std::vector<float>& b) {
    float sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
  }
  std::string row_text(uint64_t id) {
    const ModelRow* row = find(id);
    if (row == nullptr) return "a row that is gone, id " + std::to_string(id);
    std::string out = "id " + std::to_string(id);
    for (size_t f = 0; f < fields_.size(); ++f) {
      if (!std::holds_alternative<std::monostate>(row->values[f])) {
        out += ", " + fields_[f].name + " = " + ::testing::PrintToString(row->values[f]);
      }
    }
    return out;
  }

  uint64_t seed_;
  bool large_;
  size_t step_ = 0;
  std::set<std::string>* means_ = nullptr;
  Generator random_;
  OpenOptions options_;
  std::unique_ptr<Store> store_;
  std::vector<ModelField> fields_;
  std::vector<ModelRow> rows_;  // ascending by id
  std::vector<uint64_t> matching_;
};

TEST(FilterModel, RandomExpressionsFindTheRowsThatAnInterpreterFinds) {
  const uint64_t seed = number_from_env("RVF_TEST_SEED", 20261121);
  const uint64_t all = number_from_env("RVF_TEST_EXPRESSIONS", 100'000);
  constexpr uint64_t kStores = 40;
  std::set<std::string> means;
  for (uint64_t i = 0; i < kStores && !HasFailure(); ++i) {
    const bool large = i % 10 == 9;
    // A large store costs as much as many small ones.
    FilterWalk(seed + i, large).run(large ? all / 200 : all * 98 / 100 / 36, means);
  }
  if (all < 100'000 || HasFailure()) return;
  for (const char* m : kMeans) EXPECT_TRUE(means.contains(m)) << "nothing was answered " << m;
  for (const char* m : {"pre", "in", "post"}) EXPECT_TRUE(means.contains(m)) << m;
}

}  // namespace
}  // namespace rvf::testing
