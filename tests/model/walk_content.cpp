#include "model/walk_content.hpp"

#include <algorithm>
#include <cmath>

namespace rvf::testing {
namespace {

constexpr const char* kTags[] = {"red", "green", "blue", "a longer tag", "x", "it's"};
constexpr int64_t kYears = 24;
constexpr int64_t kLongAgo = 1000;  // ns since 1970
constexpr int64_t kFarAway = 4'000'000'000'000'000'000;

float distance_of(std::span<const float> a, std::span<const float> b, Metric metric) {
  double l2 = 0;
  double dot = 0;
  double aa = 0;
  double bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    l2 += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    dot += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  if (metric == Metric::kL2) return static_cast<float>(l2);
  if (metric == Metric::kInnerProduct) return static_cast<float>(-dot);
  return aa == 0 || bb == 0 ? 1.0F : static_cast<float>(1 - dot / std::sqrt(aa * bb));
}

// Sums of whole numbers are exact; a cosine is not.
float tolerance(Metric metric) { return metric == Metric::kCosine ? 2e-6F : 0.0F; }

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::vector<float> random_values(WalkRandom& random, size_t count, uint32_t dimension) {
  const uint64_t range = dimension > 8 ? 17 : 5;
  std::vector<float> v(count * dimension);
  for (float& x : v) {
    x = static_cast<float>(random.below(range)) - static_cast<float>(range / 2);
  }
  return v;
}

NewRows random_rows(WalkRandom& random, size_t count, uint32_t dimension, bool fields) {
  NewRows out;
  out.values = random_values(random, count, dimension);
  out.rows.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const auto at = out.values.begin() + static_cast<std::ptrdiff_t>(i * dimension);
    out.rows[i].values.assign(at, at + dimension);
  }
  if (!fields || random.one_in(8)) return out;
  out.columns.push_back({"year", FieldType::kI64, std::vector<Value>(count)});
  out.columns.push_back({"tag", FieldType::kString, std::vector<Value>(count)});
  out.columns.push_back({kExpiryField, FieldType::kTimestamp, std::vector<Value>(count)});
  for (size_t i = 0; i < count; ++i) {
    WalkRow& row = out.rows[i];
    if (!random.one_in(8)) row.year = static_cast<int64_t>(random.below(kYears)) - 4;
    if (!random.one_in(6)) row.tag = kTags[random.below(std::size(kTags))];
    row.expired = random.one_in(60);
    if (row.year) out.columns[0].values[i] = *row.year;
    if (row.tag) out.columns[1].values[i] = *row.tag;
    if (row.expired) {
      out.columns[2].values[i] = kLongAgo;
    } else if (random.one_in(4)) {
      out.columns[2].values[i] = kFarAway;
    }
  }
  return out;
}

WalkFilter random_filter(WalkRandom& random) {
  const int64_t a = static_cast<int64_t>(random.below(kYears)) - 4;
  const int64_t b = a + static_cast<int64_t>(random.below(6));
  const std::string tag = kTags[random.below(std::size(kTags))];
  const std::string low = std::to_string(a);
  const std::string high = std::to_string(b);
  switch (random.below(6)) {
    case 0: return {"year < " + low, [a](const WalkRow& r) { return r.year && *r.year < a; }};
    case 1:
      return {"tag = " + quoted(tag) + " and year >= " + low,
              [a, tag](const WalkRow& r) { return r.tag == tag && r.year && *r.year >= a; }};
    case 2:
      return {"year is null or tag in ('red', " + quoted(tag) + ")",
              [tag](const WalkRow& r) { return !r.year || r.tag == "red" || r.tag == tag; }};
    case 3:
      return {"not year between " + low + " and " + high,
              [a, b](const WalkRow& r) { return !r.year || *r.year < a || *r.year > b; }};
    case 4: return {"tag != " + quoted(tag), [tag](const WalkRow& r) { return r.tag != tag; }};
    default:
      return {"year = " + low + " or tag starts with 'b'",
              [a](const WalkRow& r) { return r.year == a || (r.tag && r.tag->front() == 'b'); }};
  }
}

uint64_t visible_rows(const Content& content) {
  uint64_t n = 0;
  for (const auto& [id, row] : content) n += row.expired ? 0 : 1;
  return n;
}

std::vector<Neighbor> nearest(const Content& content, std::span<const float> query, Metric metric,
                              size_t k, const WalkFilter* filter) {
  std::vector<Neighbor> all;
  all.reserve(content.size());
  for (const auto& [id, row] : content) {
    if (row.expired || (filter != nullptr && !filter->holds(row))) continue;
    all.push_back({id, distance_of(row.values, query, metric)});
  }
  k = std::min(k, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(k), all.end(),
                    [](const Neighbor& a, const Neighbor& b) {
                      return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
                    });
  all.resize(k);
  return all;
}

std::string check_hits(const Content& content, std::span<const float> query, Metric metric,
                       const std::vector<Neighbor>& all, const std::vector<Neighbor>& hits,
                       bool exact, const WalkFilter* filter, uint64_t& found) {
  const float slack = tolerance(metric);
  if (exact && hits.size() != all.size()) {
    return std::to_string(hits.size()) + " results instead of " + std::to_string(all.size());
  }
  if (hits.size() > all.size()) return "more results than there are rows";
  for (size_t i = 0; i < hits.size(); ++i) {
    const std::string id = std::to_string(hits[i].id);
    const auto row = content.find(hits[i].id);
    if (row == content.end()) return "a query found the id " + id + ", which is not there";
    if (row->second.expired) return "a query found the id " + id + ", which has expired";
    if (filter != nullptr && !filter->holds(row->second)) {
      return "the id " + id + " does not match " + filter->text;
    }
    const float own = distance_of(row->second.values, query, metric);
    if (std::fabs(own - hits[i].distance) > slack) return "the distance of id " + id + " is wrong";
    if (i > 0 && hits[i].distance < hits[i - 1].distance) return "results are out of order";
    for (size_t j = 0; j < i; ++j) {
      if (hits[j].id == hits[i].id) return "the id " + id + " was found twice";
    }
    if (exact && std::fabs(hits[i].distance - all[i].distance) > slack) {
      return "result " + std::to_string(i) + " is not among the nearest";
    }
    if (exact && slack == 0 && hits[i].id != all[i].id) return "equal distances, wrong id " + id;
    if (!all.empty() && hits[i].distance <= all.back().distance + slack) ++found;
  }
  return {};
}

std::string compare(const Content& content, const Snapshot& snapshot, bool fields, bool keys) {
  std::vector<uint64_t> ids;
  for (const auto& [id, row] : content) {
    if (!row.expired) ids.push_back(id);
  }
  const std::vector<uint64_t> there = *snapshot.ids();
  if (there != ids) {
    return std::to_string(there.size()) + " ids are there and " + std::to_string(ids.size()) +
           " should be, or others";
  }
  if (*snapshot.size() != ids.size()) return "the snapshot counts its vectors wrongly";
  std::vector<Value> years;
  std::vector<Value> tags;
  if (fields) {
    auto y = snapshot.values(ids, "year");
    auto t = snapshot.values(ids, "tag");
    if (!y || !t) return "fields cannot be read: " + (y ? t : y).error().message;
    years = std::move(*y);
    tags = std::move(*t);
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    const WalkRow& row = content.at(ids[i]);
    const auto values = snapshot.get(ids[i]);
    const std::string id = std::to_string(ids[i]);
    if (!values || *values != row.values) return "the vector of id " + id + " is wrong or gone";
    if (fields && years[i] != (row.year ? Value(*row.year) : Value())) {
      return "the year of id " + id + " is wrong";
    }
    if (fields && tags[i] != (row.tag ? Value(*row.tag) : Value())) {
      return "the tag of id " + id + " is wrong";
    }
    if (keys && *snapshot.key(ids[i]) != row.key) return "the string id of id " + id + " is wrong";
  }
  return {};
}

}  // namespace rvf::testing
