#include "model/store_walk.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "io/file.hpp"

namespace rvf::testing {
namespace {

const std::string kPath = "s.rvf";
constexpr size_t kRememberedEpochs = 12;
constexpr size_t kKeptSnapshots = 4;
constexpr uint64_t kGraphRows = 6000;

}  // namespace

StoreWalk::StoreWalk(WalkShape shape) : shape_(std::move(shape)) {
  CreateOptions c;
  c.dimension = shape_.dimension;
  c.metric = shape_.metric;
  c.dtype = shape_.dtype;
  c.graph_m = 8;
  c.ef_construction = 40;
  if (shape_.fields) {
    c.fields = {{"year", FieldType::kI64, kIndexValues}, {"tag", FieldType::kString, kIndexNone}};
  }
  options_.file_system = io::memory_file_system();
  options_.index_policy = shape_.graph ? IndexPolicy::kAuto : IndexPolicy::kManual;
  auto made = Store::create(kPath, c, options_);
  if (!ok(made, "create")) return;
  store_ = std::make_unique<Store>(std::move(*made));
  remember_epoch(true);
}

void StoreWalk::fail(std::string what) {
  if (problem_.empty()) problem_ = (trail_.empty() ? "" : std::string(trail_.back()) + ": ") + what;
}

template <class T>
bool StoreWalk::ok(const T& result, const char* what) {
  if (!result.ok()) fail(std::string(what) + " failed: " + result.error().message);
  return result.ok();
}

bool StoreWalk::same(uint64_t expected, uint64_t found, const char* what) {
  if (expected != found) {
    fail(std::to_string(found) + " " + what + " instead of " + std::to_string(expected));
  }
  return expected == found;
}

bool StoreWalk::step(uint64_t n) {
  random_ = WalkRandom(splitmix64(shape_.seed * kSplitmixStep + n));
  if (shape_.graph && model_.size() < kGraphRows) {
    write();
  } else if (model_.size() > most_rows()) {
    remove_range();
  } else {
    const uint64_t what = below(shape_.graph ? 400 : 100);
    if (what < 1)
      compact();
    else if (what < 3)
      reopen();
    else if (what < 5)
      rollback();
    else if (what < 8)
      keep_snapshot();
    else if (what < 10)
      check_snapshots();
    else if (what < 12)
      build_index();
    else if (what < 14)
      bad_input();
    else if (what < 16)
      remove_range();
    else if (what < 31)
      write();
    else if (what < 36)
      remove();
    else if (what < 38)
      shape_.fields ? remove_where() : remove();
    else if (what < 46)
      shape_.fields ? update() : write();
    else if (what < 62)
      read();
    else
      query();
  }
  return problem_.empty();
}

bool StoreWalk::check_all() {
  said("check of everything");
  auto snapshot = store_->snapshot();
  if (!ok(snapshot, "snapshot")) return false;
  const std::string differs = compare(model_, *snapshot, shape_.fields, shape_.keys);
  if (!differs.empty()) fail(differs);
  auto report = store_->verify({.deep = true});
  if (ok(report, "verify") && !report->problems.empty()) fail(report->problems.front().message);
  return problem_.empty();
}

uint64_t StoreWalk::any_id() {
  if (model_.empty() || random_.one_in(8)) return below(3000);
  const auto it = model_.lower_bound(below(model_.rbegin()->first + 1));
  return it == model_.end() ? model_.begin()->first : it->first;
}

std::vector<uint64_t> StoreWalk::some_ids(size_t n) {
  std::vector<uint64_t> ids(n);
  for (uint64_t& id : ids) id = any_id();
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::shuffle(ids.begin(), ids.end(), random_);
  return ids;
}

// A copy of the content costs more than most commits, so only some epochs are remembered.
void StoreWalk::remember_epoch(bool durable) {
  if (options_.durability == Durability::kNone && !durable) return;
  if (!durable && !random_.one_in(8)) return;
  epochs_[store_->status().epoch] = std::make_shared<const Content>(model_);
  if (epochs_.size() > kRememberedEpochs) epochs_.erase(epochs_.begin());
}

void StoreWalk::put(std::span<const uint64_t> ids, const NewRows& rows) {
  for (size_t i = 0; i < ids.size(); ++i) model_[ids[i]] = rows.rows[i];
  counts_.written += ids.size();
}

bool StoreWalk::shown(uint64_t id) const {
  const auto at = model_.find(id);
  return at != model_.end() && !at->second.expired;
}

void StoreWalk::write() {
  if (shape_.keys) return write_keys();
  said("write");
  const size_t n = shape_.graph && model_.size() < kGraphRows ? 500 : 1 + below(12);
  std::vector<uint64_t> ids;
  if (!random_.one_in(3)) ids = some_ids(n);
  const NewRows rows =
      random_rows(random_, ids.empty() ? n : ids.size(), shape_.dimension, shape_.fields);
  std::vector<uint64_t> gone;
  if (!ids.empty() && random_.one_in(3)) gone = {any_id(), any_id()};
  uint64_t replaced = 0;
  for (const uint64_t id : ids) replaced += shown(id) ? 1 : 0;
  WriteBatch batch;
  batch.vectors = Vectors::from_f32(rows.values, shape_.dimension);
  batch.ids = ids;
  batch.columns = rows.columns;
  batch.delete_ids = gone;
  const auto done = store_->write(batch);
  if (!ok(done, "write") || !same(replaced, done->replaced, "rows were replaced")) return;
  for (const uint64_t id : gone) {
    counts_.deleted += shown(id) ? 1 : 0;
    model_.erase(id);
  }
  counts_.most_rows = std::max<uint64_t>(counts_.most_rows, model_.size() + n);
  if (ids.empty()) {
    for (size_t i = 0; i < n; ++i) {
      ids.push_back(done->first_id + i);
      if (model_.contains(ids.back())) fail("an id was given out that exists");
    }
  }
  put(ids, rows);
  remember_epoch(false);
}

void StoreWalk::write_keys() {
  said("write by string id");
  std::unordered_set<std::string> chosen;
  const size_t n = 1 + below(10);
  while (chosen.size() < n) chosen.insert("key/" + std::to_string(below(2500)));
  std::vector<std::string> keys(chosen.begin(), chosen.end());
  std::sort(keys.begin(), keys.end());
  std::map<std::string, uint64_t> known;
  for (const auto& [id, row] : model_) known[row.key] = id;
  NewRows rows = random_rows(random_, n, shape_.dimension, shape_.fields);
  WriteBatch batch;
  batch.vectors = Vectors::from_f32(rows.values, shape_.dimension);
  batch.keys = keys;
  batch.columns = rows.columns;
  std::vector<std::string> gone;
  if (random_.one_in(3)) gone = {"key/" + std::to_string(below(2500)), "never there"};
  batch.delete_keys = gone;
  uint64_t next_id = store_->status().next_id;
  const auto done = store_->write(batch);
  if (!ok(done, "write")) return;
  for (const std::string& key : gone) {
    const auto at = known.find(key);
    if (at != known.end()) model_.erase(at->second);
    counts_.deleted += at != known.end() ? 1 : 0;
  }
  const auto snapshot = store_->snapshot();
  std::vector<uint64_t> ids(n);
  for (size_t i = 0; i < n; ++i) {
    rows.rows[i].key = keys[i];
    const auto at = known.find(keys[i]);
    // A handle, which is no number that anybody may have written.
    ids[i] = at != known.end() ? at->second : next_id++ ^ (uint64_t{1} << 63);
    if (at == known.end() && model_.contains(ids[i])) fail("an id was given out that exists");
    if (rows.rows[i].expired) continue;
    const auto id = snapshot->id_of(keys[i]);
    if (!ok(id, "id_of") || !same(ids[i], *id, "is the id of a string id")) return;
  }
  counts_.most_rows = std::max<uint64_t>(counts_.most_rows, model_.size() + n);
  put(ids, rows);
  remember_epoch(false);
}

void StoreWalk::remove() {
  said("remove");
  std::vector<uint64_t> ids(1 + below(5));
  for (uint64_t& id : ids) id = any_id();
  std::vector<std::string> keys;
  for (const uint64_t id : ids) {
    if (shape_.keys && model_.contains(id)) keys.push_back(model_.at(id).key);
  }
  if (shape_.keys && store_->status().id_kind == IdKind::kTexts && store_->remove(ids).ok()) {
    return fail("a number deleted a text id");
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const auto done = shape_.keys ? store_->remove(keys) : store_->remove(ids);
  if (!ok(done, "remove")) return;
  uint64_t expected = 0;
  for (const uint64_t id : ids) {
    expected += shown(id) ? 1 : 0;
    model_.erase(id);
  }
  counts_.deleted += expected;
  same(expected, done->deleted, "rows were deleted");
  remember_epoch(false);
}

void StoreWalk::remove_where() {
  said("remove where");
  WalkFilter f = random_filter(random_);
  // A filter alone takes most rows; together with a year and a tag it takes few.
  const WalkFilter g = random_filter(random_);
  const WalkFilter h = random_filter(random_);
  f.text = "(" + f.text + ") and (" + g.text + ") and (" + h.text + ")";
  const auto done = store_->remove_where(f.text);
  if (!ok(done, "remove_where")) return;
  const uint64_t expected = std::erase_if(model_, [&](const auto& entry) {
    const WalkRow& r = entry.second;
    return !r.expired && f.holds(r) && g.holds(r) && h.holds(r);
  });
  counts_.deleted += expected;
  same(expected, done->deleted, "rows were deleted by the filter");
  remember_epoch(false);
}

void StoreWalk::remove_range() {
  said("remove range");
  const uint64_t first = any_id();
  const uint64_t last = first + below(model_.size() > most_rows() ? 2000 : 12);
  const auto done = store_->remove_range(first, last);
  if (shape_.keys) {
    if (done.ok() && !model_.empty()) fail("a range of numbers was deleted from text ids");
    return;
  }
  if (!ok(done, "remove_range")) return;
  uint64_t expected = 0;
  std::erase_if(model_, [&](const auto& entry) {
    if (entry.first < first || entry.first > last) return false;
    expected += entry.second.expired ? 0 : 1;
    return true;
  });
  counts_.deleted += expected;
  same(expected, done->deleted, "rows of the range were deleted");
  remember_epoch(false);
}

void StoreWalk::update() {
  said("update");
  std::vector<uint64_t> ids = some_ids(1 + below(20));
  const bool unknown = random_.one_in(20);
  std::erase_if(ids, [&](uint64_t id) { return !(unknown && !shape_.keys) && !shown(id); });
  if (ids.empty()) return;
  const bool year = random_.one_in(2);
  Column column{year ? "year" : "tag", year ? FieldType::kI64 : FieldType::kString, {}};
  std::vector<WalkRow> values(ids.size());
  for (WalkRow& v : values) {
    if (!random_.one_in(5)) v.year = static_cast<int64_t>(below(24)) - 4;
    if (!random_.one_in(5)) v.tag = random_.one_in(2) ? "blue" : "an updated tag";
    column.values.push_back(year ? (v.year ? Value(*v.year) : Value())
                                 : (v.tag ? Value(*v.tag) : Value()));
  }
  std::vector<std::string> keys;
  for (const uint64_t id : ids) {
    if (shape_.keys) keys.push_back(model_.at(id).key);
  }
  const auto done = shape_.keys ? store_->update_metadata(keys, std::span(&column, 1))
                                : store_->update_metadata(ids, std::span(&column, 1));
  if (std::any_of(ids.begin(), ids.end(), [&](uint64_t id) { return !shown(id); })) {
    if (done.ok()) fail("fields of an id that does not exist were set");
    return;
  }
  if (!ok(done, "update_metadata") || !same(ids.size(), done->updated, "rows were updated")) return;
  for (size_t i = 0; i < ids.size(); ++i) {
    WalkRow& row = model_[ids[i]];
    if (year) row.year = values[i].year;
    if (!year) row.tag = values[i].tag;
  }
  counts_.updated += ids.size();
  remember_epoch(false);
}

void StoreWalk::query() {
  said("query");
  const auto q = random_values(random_, 1, shape_.dimension);
  QueryOptions o;
  o.k = 1 + static_cast<uint32_t>(below(12));
  o.exact = random_.one_in(4);
  std::optional<WalkFilter> filter;
  if (shape_.fields && random_.one_in(3)) filter = random_filter(random_);
  if (filter) o.filter = filter->text;
  const auto found = store_->query(q, o);
  ++counts_.queries;
  if (!ok(found, "query")) return;
  const WalkFilter* f = filter ? &*filter : nullptr;
  const auto all = nearest(model_, q, shape_.metric, o.k, f);
  uint64_t good = 0;
  const std::string wrong =
      check_hits(model_, q, shape_.metric, all, found->neighbors, found->exact, f, good);
  if (!wrong.empty()) fail(wrong);
  if (!shape_.graph && !found->exact) fail("an answer without a graph is not exact");
  if (found->exact) return;
  counts_.found += std::min<uint64_t>(good, all.size());
  counts_.wanted += all.size();
}

void StoreWalk::read() {
  said("read");
  const uint64_t id = any_id();
  const auto row = model_.find(id);
  const bool there = row != model_.end() && !row->second.expired;
  const auto snapshot = store_->snapshot();
  ++counts_.reads;
  if (!ok(snapshot, "snapshot")) return;
  const auto values = snapshot->get(id);
  if (values.ok() != there)
    return fail("id " + std::to_string(id) + (there ? " is lost" : " is back"));
  if (there && *values != row->second.values) fail("the vector of an id is wrong");
  if (*snapshot->contains(id) != there) fail("contains() disagrees with get()");
  if (store_->status().vectors != visible_rows(model_)) fail("the status counts its rows wrongly");
  if (there && shape_.keys) {
    const auto back = snapshot->id_of(row->second.key);
    if (!back || *back != id) fail("a string id leads elsewhere");
  }
  if (!shape_.fields) return;
  const uint64_t ids[] = {id};
  const auto year = snapshot->values(ids, "year");
  const Value expected = there && row->second.year ? Value(*row->second.year) : Value();
  if (ok(year, "values") && year->front() != expected) fail("the year of an id is wrong");
  if (!random_.one_in(4)) return;
  const WalkFilter f = random_filter(random_);
  const auto count = snapshot->count(f.text);
  ++counts_.reads;
  if (!ok(count, "count")) return;
  const auto matching =
      static_cast<uint64_t>(std::count_if(model_.begin(), model_.end(), [&](const auto& e) {
        return !e.second.expired && f.holds(e.second);
      }));
  same(matching, *count, "rows match the filter");
}

void StoreWalk::bad_input() {
  said("bad input");
  const auto v = random_values(random_, 2, shape_.dimension);
  const uint64_t twice[] = {5, 5};
  auto nan = v;
  nan.back() = NAN;
  if (store_->ingest(Vectors::from_f32(v, shape_.dimension), twice).ok() ||
      store_->ingest(Vectors::from_f32(v, shape_.dimension - 1)).ok() ||
      store_->ingest(Vectors::from_f32(nan, shape_.dimension)).ok()) {
    fail("bad input was taken");
  }
}

void StoreWalk::compact() {
  said("compact");
  CompactOptions o;
  o.rebuild_index = shape_.graph || random_.one_in(2);
  const auto done = store_->compact(o);
  ++counts_.compactions;
  if (!ok(done, "compact")) return;
  std::erase_if(model_, [](const auto& entry) { return entry.second.expired; });
  if (store_->status().deleted != 0) fail("dead rows are left");
  epochs_.clear();  // the history begins anew
  remember_epoch(true);
  check_all();
}

void StoreWalk::reopen() {
  said("reopen");
  if (!ok(store_->close(), "close")) return;
  const Durability modes[] = {Durability::kSync, Durability::kFlush, Durability::kNone};
  options_.durability = modes[below(3)];
  auto opened = Store::open(kPath, options_);
  ++counts_.reopens;
  if (!ok(opened, "open")) return;
  *store_ = std::move(*opened);
  if (store_->status().recovery.recovered) fail("a closed store recovers");
  remember_epoch(true);
  check_all();
}

void StoreWalk::rollback() {
  said("rollback");
  if (!ok(store_->commit(), "commit")) return;
  remember_epoch(true);
  if (!random_.one_in(3)) return;
  auto it = epochs_.begin();
  std::advance(it, static_cast<std::ptrdiff_t>(below(epochs_.size())));
  const Kept target = it->second;
  ++counts_.rollbacks;
  if (!ok(store_->rollback(it->first), "rollback")) return;
  model_ = *target;
  remember_epoch(true);
  check_all();
}

void StoreWalk::build_index() {
  said("build index");
  ++counts_.builds;
  ok(store_->build_index(), "build_index");
}

void StoreWalk::keep_snapshot() {
  said("keep snapshot");
  auto s = store_->snapshot();
  ++counts_.snapshots;
  if (!ok(s, "snapshot")) return;
  kept_.emplace_back(std::move(*s), std::make_shared<const Content>(model_));
  if (kept_.size() > kKeptSnapshots) kept_.pop_front();
}

void StoreWalk::check_snapshots() {
  said("check kept snapshots");
  for (const auto& [snapshot, content] : kept_) {
    const std::string differs = compare(*content, snapshot, shape_.fields, shape_.keys);
    if (!differs.empty()) return fail(differs);
    const auto q = random_values(random_, 1, shape_.dimension);
    const auto found = snapshot.query(q, {.k = 5, .exact = true});
    ++counts_.queries;
    if (!ok(found, "query")) return;
    uint64_t good = 0;
    const auto all = nearest(*content, q, shape_.metric, 5, nullptr);
    const std::string wrong =
        check_hits(*content, q, shape_.metric, all, found->neighbors, true, nullptr, good);
    if (!wrong.empty()) return fail(wrong);
  }
}

}  // namespace rvf::testing
