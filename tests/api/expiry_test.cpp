// Expiry from snapshot to snapshot: what passes between commits, what updates put off, what older
// snapshots still see.
#include <chrono>
#include <map>
#include <random>
#include <thread>

#include "store_fixture.hpp"

namespace rvf {
namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}
constexpr int64_t kSecond = 1'000'000'000;

class ExpiryTest : public StoreTest {
 protected:
  static Status write(Store& s, std::vector<uint64_t> ids, std::vector<Value> times) {
    const std::vector<float> v = gaussian(ids.size(), 2, ids.empty() ? 0 : ids[0]);
    const Column expiry{kExpiryField, FieldType::kTimestamp, std::move(times)};
    WriteBatch b;
    b.vectors = Vectors::from_f32(v, 2);
    b.ids = ids;
    b.columns = std::span(&expiry, 1);
    auto w = s.write(b);
    return w ? Status() : Status(w.error());
  }
  static Status put_off(Store& s, uint64_t id, Value time) {
    const Column expiry{kExpiryField, FieldType::kTimestamp, {std::move(time)}};
    auto w = s.update_metadata(std::span(&id, 1), std::span(&expiry, 1));
    return w ? Status() : Status(w.error());
  }
};

TEST_F(ExpiryTest, EveryHistoryOfTimesAndUpdatesLeavesWhatAFreshOpenShows) {
  std::mt19937_64 random(5);
  Store s = make(2);
  std::map<uint64_t, std::optional<int64_t>> model;
  for (int step = 0; step < 300; ++step) {
    const int64_t now = now_ns();
    const auto pick = [&]() -> Value {
      const auto r = random() % 4;
      if (r == 0) return Value{};
      return r == 1 ? now - kSecond : now + 3600 * kSecond;  // passed, far
    };
    const uint64_t id = random() % 60;
    const Value time = pick();
    const auto* at = std::get_if<int64_t>(&time);
    const bool there = model.contains(id) && !(model[id] && *model[id] <= now);
    if (random() % 3 != 0) {
      ASSERT_RVF_OK(write(s, {id}, {time}));
      model[id] = at != nullptr ? std::optional(*at) : std::nullopt;
    } else if (there) {
      // A value is not cleared by null in an update of one field: it is null then.
      ASSERT_RVF_OK(put_off(s, id, time));
      model[id] = at != nullptr ? std::optional(*at) : std::nullopt;
    } else {
      EXPECT_RVF_ERROR(put_off(s, id, now + kSecond), kNotFound);
    }
    std::vector<uint64_t> expected;
    for (const auto& [i, t] : model) {
      if (!t || *t > now) expected.push_back(i);
    }
    EXPECT_EQ(*s.snapshot()->ids(), expected) << step;
    if (step % 40 == 39) reopen(s);
    if (step % 100 == 99) ASSERT_RVF_OK(s.compact());
  }
}

TEST_F(ExpiryTest, ATimeThatPassesBetweenQueriesTakesItsVectorsAlong) {
  Store s = make(2);
  ASSERT_RVF_OK(write(s, {1, 2, 3}, {now_ns() + kSecond / 5, now_ns() + 3600 * kSecond, Value{}}));
  const Snapshot held = *s.snapshot();
  EXPECT_EQ(*held.size(), 3U);
  ASSERT_RVF_OK(put_off(s, 1, now_ns() + 3600 * kSecond));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(*held.size(), 2U);  // of its time
  EXPECT_EQ(*s.snapshot()->size(), 3U);
  ASSERT_RVF_OK(write(s, {9}, {Value{}}));
  EXPECT_EQ(*s.snapshot()->size(), 4U);
  EXPECT_EQ(*held.size(), 2U);
}

TEST_F(ExpiryTest, AnOlderSnapshotShowsWhatALaterCommitDeleted) {
  Store s = make(2);
  ASSERT_RVF_OK(write(s, {1, 2}, {now_ns() + kSecond / 5, Value{}}));
  const Snapshot held = *s.snapshot();
  ASSERT_RVF_OK(s.remove(std::vector<uint64_t>{1}));
  EXPECT_EQ(*s.snapshot()->size(), 1U);
  EXPECT_TRUE(*held.contains(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_FALSE(*held.contains(1));
}

TEST_F(ExpiryTest, WhatHasExpiredCountsAsNotThereWhereItIsDeletedOrReplaced) {
  Store s = make(2);
  ASSERT_RVF_OK(write(s, {1, 2}, {Value(int64_t{5}), Value(int64_t{5})}));
  EXPECT_EQ(s.remove(std::vector<uint64_t>{1})->deleted, 0U);
  const std::vector<float> v = gaussian(1, 2, 1);
  EXPECT_EQ(s.ingest(Vectors::from_f32(v, 2), std::vector<uint64_t>{2})->replaced, 0U);
  EXPECT_EQ(*s.snapshot()->ids(), std::vector<uint64_t>{2});
}

}  // namespace
}  // namespace rvf
