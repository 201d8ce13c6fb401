// Random operations on a store and on a std::map: both have to agree after each of them.
#include <algorithm>
#include <cmath>
#include <deque>
#include <random>
#include <string>

#include "../api/store_fixture.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {
namespace {

constexpr uint32_t kDim = 6;
const std::string kPath = "s.rvf";

class Walk {
 public:
  Walk(uint64_t seed, Metric metric) : random_(seed) {
    CreateOptions c;
    c.dimension = kDim;
    c.metric = metric;
    options_.file_system = io::memory_file_system();
    store_ = std::make_unique<Store>(std::move(*Store::create(kPath, c, options_)));
    metric_ = metric;
    remember_epoch();
  }

  void step() {
    switch (random_() % 32) {
      case 0: return compact();
      case 1: return reopen();
      case 2: return rollback();
      case 3: return keep_snapshot();
      case 4: return check_snapshots();
      case 5: return commit();
      case 6: return model_.size() > 1500 ? shrink() : remove_range();
      case 7:
      case 8:
      case 9:
      case 10: return remove();
      case 11:
      case 12:
      case 13:
      case 14: return ingest_with_ids();
      case 15:
      case 16: return ingest();
      case 17: return bad_input();
      case 18:
      case 19:
      case 20:
      case 21:
      case 22: return get();
      default: return query();
    }
  }

  void check_all() {
    ASSERT_EQ(difference(model_, content_of(*store_->snapshot())), "");
    auto report = store_->verify({.deep = true});
    ASSERT_RVF_OK(report);
    EXPECT_TRUE(report->problems.empty()) << report->problems.front().message;
  }

 private:
  uint64_t any_id() {
    if (model_.empty() || random_() % 8 == 0) return random_() % 2000;
    auto it = model_.lower_bound(random_() % (model_.rbegin()->first + 1));
    return it == model_.end() ? model_.begin()->first : it->first;
  }
  // From a small grid, so that equal distances occur.
  std::vector<float> vectors(size_t n) {
    std::vector<float> v(n * kDim);
    for (float& x : v) x = static_cast<float>(random_() % 5) - 2.0F;
    return v;
  }
  void remember_epoch() {
    const uint32_t epoch = store_->status().epoch;
    if (options_.durability != Durability::kNone) epochs_[epoch] = model_;
    if (epochs_.size() > 40) epochs_.erase(epochs_.begin());
  }
  void put(std::span<const uint64_t> ids, const std::vector<float>& v) {
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto at = v.begin() + static_cast<std::ptrdiff_t>(i * kDim);
      model_[ids[i]].assign(at, at + kDim);
    }
  }

  void ingest() {
    const size_t n = random_() % 50 == 0 ? 200 : 1 + random_() % 6;
    const auto v = vectors(n);
    auto r = store_->ingest(Vectors::from_f32(v, kDim));
    ASSERT_RVF_OK(r);
    std::vector<uint64_t> ids(n);
    for (size_t i = 0; i < n; ++i) {
      ids[i] = r->first_id + i;
      EXPECT_FALSE(model_.contains(ids[i]));
    }
    put(ids, v);
    remember_epoch();
  }

  void ingest_with_ids() {
    std::vector<uint64_t> ids(1 + random_() % 5);
    for (uint64_t& id : ids) id = any_id();
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    std::shuffle(ids.begin(), ids.end(), random_);
    const auto v = vectors(ids.size());
    uint64_t replaced = 0;
    for (const uint64_t id : ids) replaced += model_.count(id);
    WriteBatch batch;
    batch.vectors = Vectors::from_f32(v, kDim);
    batch.ids = ids;
    std::vector<uint64_t> gone;
    if (random_() % 3 == 0) gone = {any_id(), any_id()};
    batch.delete_ids = gone;
    auto r = store_->write(batch);
    ASSERT_RVF_OK(r);
    EXPECT_EQ(r->replaced, replaced);
    for (const uint64_t id : gone) model_.erase(id);
    put(ids, v);
    remember_epoch();
  }

  void remove() {
    std::vector<uint64_t> ids(1 + random_() % 4);
    for (uint64_t& id : ids) id = any_id();
    uint64_t expected = 0;
    auto r = store_->remove(ids);
    ASSERT_RVF_OK(r);
    for (const uint64_t id : ids) expected += model_.erase(id);
    EXPECT_EQ(r->deleted, expected);
    remember_epoch();
  }

  void remove_range() {
    const uint64_t first = any_id();
    const uint64_t last = first + random_() % 20;
    auto r = store_->remove_range(first, last);
    ASSERT_RVF_OK(r);
    const auto begin = model_.lower_bound(first);
    const auto end = model_.upper_bound(last);
    EXPECT_EQ(r->deleted, static_cast<uint64_t>(std::distance(begin, end)));
    model_.erase(begin, end);
    remember_epoch();
  }

  // Keeps a long run from drowning in rows.
  void shrink() {
    const uint64_t last = any_id();
    ASSERT_RVF_OK(store_->remove_range(0, last));
    model_.erase(model_.begin(), model_.upper_bound(last));
    EXPECT_EQ(store_->status().vectors, model_.size());
    remember_epoch();
  }

  void bad_input() {
    const auto v = vectors(2);
    const std::vector<uint64_t> twice = {5, 5};
    EXPECT_FALSE(store_->ingest(Vectors::from_f32(v, kDim), twice).ok());
    EXPECT_FALSE(store_->ingest(Vectors::from_f32(v, kDim - 1)).ok());
    auto nan = v;
    nan.back() = NAN;
    EXPECT_FALSE(store_->ingest(Vectors::from_f32(nan, kDim)).ok());
  }

  void get() {
    const uint64_t id = any_id();
    const auto expected = model_.find(id);
    const auto found = store_->get(id);
    ASSERT_EQ(found.ok(), expected != model_.end()) << "id " << id;
    if (found.ok()) {
      EXPECT_EQ(*found, expected->second);
    }
    EXPECT_EQ(store_->status().vectors, model_.size());
  }

  float distance(const std::vector<float>& a, std::span<const float> q) const {
    double l2 = 0;
    double dot = 0;
    for (size_t i = 0; i < kDim; ++i) {
      l2 += (double{a[i]} - q[i]) * (double{a[i]} - q[i]);
      dot += double{a[i]} * q[i];
    }
    return static_cast<float>(metric_ == Metric::kL2 ? l2 : -dot);  // small integers: exact
  }

  void query() {
    const auto q = vectors(1);
    QueryOptions o;
    o.k = 1 + static_cast<uint32_t>(random_() % 12);
    o.exact = random_() % 2 == 0;
    auto found = store_->query(q, o);
    ASSERT_RVF_OK(found);
    std::vector<Neighbor> all;
    for (const auto& [id, v] : model_) all.push_back({id, distance(v, q)});
    const size_t k = std::min<size_t>(o.k, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(k), all.end(),
                      [](const Neighbor& a, const Neighbor& b) {
                        return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
                      });
    all.resize(k);
    // Too few rows for a graph: every answer is exact.
    ASSERT_EQ(found->neighbors, all);
  }

  void compact() {
    CompactOptions o;
    o.rebuild_index = random_() % 2 == 0;
    auto r = store_->compact(o);
    ASSERT_RVF_OK(r);
    EXPECT_EQ(store_->status().deleted, 0U);
    epochs_.clear();  // the history begins anew
    remember_epoch();
    check_all();
  }

  void reopen() {
    ASSERT_RVF_OK(store_->close());
    const Durability modes[] = {Durability::kSync, Durability::kFlush, Durability::kNone};
    options_.durability = modes[random_() % 3];
    auto s = Store::open(kPath, options_);
    ASSERT_RVF_OK(s);
    *store_ = std::move(*s);
    EXPECT_FALSE(store_->status().recovery.recovered);
    epochs_[store_->status().epoch] = model_;
    check_all();
  }

  void commit() {
    ASSERT_RVF_OK(store_->commit());
    epochs_[store_->status().epoch] = model_;
  }

  void rollback() {
    commit();
    if (random_() % 4 != 0 || epochs_.empty()) return;
    auto it = epochs_.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(random_() % epochs_.size()));
    const Model target = it->second;
    ASSERT_RVF_OK(store_->rollback(it->first));
    model_ = target;
    remember_epoch();
    epochs_[store_->status().epoch] = model_;
    check_all();
  }

  void keep_snapshot() {
    auto s = store_->snapshot();
    ASSERT_RVF_OK(s);
    kept_.emplace_back(std::move(*s), model_);
    if (kept_.size() > 5) kept_.pop_front();
  }

  void check_snapshots() {
    for (const auto& [snapshot, model] : kept_) {
      ASSERT_EQ(difference(model, content_of(snapshot)), "");
      for (int i = 0; i < 5; ++i) {
        const uint64_t id = any_id();
        const auto expected = model.find(id);
        const auto found = snapshot.get(id);
        ASSERT_EQ(found.ok(), expected != model.end()) << "id " << id;
        if (found.ok()) {
          EXPECT_EQ(*found, expected->second);
        }
      }
    }
  }

  std::mt19937_64 random_;
  Metric metric_;
  OpenOptions options_;
  std::unique_ptr<Store> store_;
  Model model_;
  std::map<uint32_t, Model> epochs_;
  std::deque<std::pair<Snapshot, Model>> kept_;
};

TEST(StoreModel, RandomOperationsAgreeWithAMap) {
  const uint64_t operations = number_from_env("RVF_MODEL_OPS", 20000);
  constexpr uint64_t kRuns = 8;
  for (uint64_t r = 0; r < kRuns; ++r) {
    Walk run(20261121 + r, r % 2 == 0 ? Metric::kL2 : Metric::kInnerProduct);
    for (uint64_t i = 0; i < operations / kRuns; ++i) {
      SCOPED_TRACE("run " + std::to_string(r) + ", operation " + std::to_string(i));
      run.step();
      if (::testing::Test::HasFailure()) return;
    }
    run.check_all();
  }
  std::printf("model: operations=%llu\n", static_cast<unsigned long long>(operations));
}

}  // namespace
}  // namespace rvf::testing
