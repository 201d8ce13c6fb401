#include "runtime/expiry.hpp"

#include <algorithm>

namespace rvf::runtime {
namespace {

const int64_t* time_of(const Value& v) noexcept { return std::get_if<int64_t>(&v); }

bool has_expired(const meta::Table& table, uint64_t row, uint16_t field, int64_t now) {
  const Value v = table.value(row, field);
  const int64_t* time = time_of(v);
  return time != nullptr && *time <= now;
}

ExpiryRun::const_iterator first_after(const ExpiryRun& run, int64_t time) {
  return std::upper_bound(run.begin(), run.end(), time,
                          [](int64_t t, const auto& e) { return t < e.first; });
}

void add_run(ExpiryRun run, Expiry& out) {
  if (run.empty()) return;
  std::sort(run.begin(), run.end());
  auto runs = out.runs;  // memory may run out on the way
  while (!runs.empty() && runs.back()->size() < 2 * run.size()) {
    ExpiryRun both;
    both.reserve(run.size() + runs.back()->size());
    std::merge(run.begin(), run.end(), runs.back()->begin(), runs.back()->end(),
               std::back_inserter(both));
    run = std::move(both);
    runs.pop_back();
  }
  runs.push_back(std::make_shared<const ExpiryRun>(std::move(run)));
  out.runs = std::move(runs);
}

uint64_t newest_update_of(const meta::Table& table) noexcept {
  return table.updates().empty() ? 0 : table.updates().back()->segment_id();
}

// Takes in the rows and updates of `table` that `e` does not know; dead rows too, which may live in
// an older snapshot.
void extend(const meta::Table& table, const meta::SchemaField& field, Expiry& e) {
  ExpiryRun run;
  meta::FieldReader reader(table, field);
  for (uint64_t row = e.rows; row < table.rows(); ++row) {
    const Value v = reader.value(row);
    const int64_t* time = time_of(v);
    if (time == nullptr) continue;
    run.emplace_back(*time, row);
    if (*time <= e.until) e.expired.set(row);
  }
  for (auto part = table.updates().rbegin(); part != table.updates().rend(); ++part) {
    if ((*part)->segment_id() <= e.newest_update) break;
    if ((*part)->column(field.id) == nullptr) continue;
    for (const uint64_t row : (*part)->explicit_rows()) {
      const Value v = reader.value(row);
      if (const int64_t* time = time_of(v)) run.emplace_back(*time, row);
      has_expired(table, row, field.id, e.until) ? e.expired.set(row) : e.expired.reset(row);
    }
  }
  add_run(std::move(run), e);
  e.rows = table.rows();
  e.newest_update = newest_update_of(table);
}

}  // namespace

bool Expiry::advance(int64_t now, const meta::Table& table, uint16_t field) {
  if (now <= until) return false;
  const uint64_t before = expired.count();
  for (const auto& run : runs) {
    for (auto at = first_after(*run, until); at != run->end() && at->first <= now; ++at) {
      if (at->second < table.rows() && has_expired(table, at->second, field, now)) {
        expired.set(at->second);
      }
    }
  }
  until = now;
  return expired.count() != before;
}

Expiry ExpiryCache::start(const meta::Table& table, const meta::SchemaField& field) {
  {
    std::lock_guard lock(mutex_);
    if (newest_.rows <= table.rows() && newest_.newest_update <= newest_update_of(table)) {
      extend(table, field, newest_);
      return newest_;
    }
  }
  // A snapshot from before what is known now.
  Expiry own;
  extend(table, field, own);
  return own;
}

void ExpiryCache::keep(const Expiry& reached) {
  std::lock_guard lock(mutex_);
  if (reached.rows != newest_.rows || reached.newest_update != newest_.newest_update) return;
  if (reached.until <= newest_.until) return;
  newest_.expired = reached.expired;
  newest_.until = reached.until;
}

}  // namespace rvf::runtime
