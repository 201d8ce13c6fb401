// Metadata of a snapshot: reading fields, filters, counting.
#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "runtime/snapshot_impl.hpp"
#include "runtime/writer.hpp"

namespace rvf {

namespace {

constexpr size_t kRememberedSelections = 16;

// A line for every comparison of the filter, in the order written.
void collect_steps(const meta::Filter& filter, const meta::Schema& schema,
                   const meta::EvaluateNotes& notes, std::vector<std::string>& out) {
  for (const meta::Filter& child : filter.children) collect_steps(child, schema, notes, out);
  if (!filter.children.empty()) return;
  std::string line = meta::filter_text(filter, schema);
  const std::string how = notes.of(&filter);
  if (!how.empty()) line += ": " + how;
  out.push_back(std::move(line));
}

// Either, of a shared object that the snapshot itself holds.
Snapshot::Impl::Dead borrowed(const index::DeadRows& dead) {
  return {std::shared_ptr<void>(), &dead};
}

}  // namespace

Result<const meta::Table*> Snapshot::Impl::table() const {
  std::lock_guard guard(meta_mutex_);
  // An error is not remembered: a read that failed once may succeed the next time.
  if (!table_) {
    RVF_ASSIGN(meta::Table made, parts->table(state, directory, *schema));
    table_ = std::move(made);
  }
  return &*table_;
}

Result<Snapshot::Impl::Dead> Snapshot::Impl::dead() const {
  const meta::SchemaField* field = schema->find(kExpiryField);
  if (field == nullptr) return borrowed(state.dead);
  RVF_ASSIGN(const meta::Table* t, table());
  std::lock_guard guard(meta_mutex_);
  if (!expiry_) {
    runtime::Expiry found;
    for (uint64_t row = 0; row < state.rows.size(); ++row) {
      if (state.dead.test(row)) continue;
      const Value v = t->value(row, field->id);
      if (const auto* time = std::get_if<int64_t>(&v)) found.times.emplace_back(*time, row);
    }
    std::sort(found.times.begin(), found.times.end());
    found.dead = borrowed(state.dead);
    expiry_ = std::move(found);
  }
  const auto now = static_cast<int64_t>(runtime::now_ns());
  size_t passed = expiry_->passed;
  while (passed < expiry_->times.size() && expiry_->times[passed].first <= now) ++passed;
  if (passed != expiry_->passed) {
    auto more = std::make_shared<index::DeadRows>(*expiry_->dead);
    for (size_t i = expiry_->passed; i < passed; ++i) more->set(expiry_->times[i].second);
    expiry_->passed = passed;
    expiry_->dead = std::move(more);
  }
  return expiry_->dead;
}

meta::RowIds Snapshot::Impl::row_ids() const {
  return [this](uint64_t first, uint32_t rows, uint64_t* out) {
    for (uint32_t i = 0; i < rows; ++i) out[i] = state.id_of(first + i);
  };
}

Result<meta::Filter> Snapshot::Impl::parse(std::string_view filter) const {
  return meta::parse_filter(filter, *schema);
}

Result<Snapshot::Impl::Selected> Snapshot::Impl::select(std::string_view filter) const {
  RVF_ASSIGN(const Dead now_dead, dead());
  {
    std::lock_guard guard(meta_mutex_);
    for (const Remembered& r : selections_) {
      if (r.filter == filter && r.dead == now_dead) return r.selected;
    }
  }
  const auto started = std::chrono::steady_clock::now();
  auto made = std::make_shared<runtime::Selection>();
  RVF_ASSIGN(made->filter, parse(filter));
  RVF_ASSIGN(const meta::Table* t, table());
  meta::EvaluateNotes notes;
  RVF_ASSIGN(meta::Bits bits, t->evaluate(made->filter, row_ids(), &notes));
  if (!now_dead->empty()) {
    for (size_t w = 0; w < bits.size(); ++w) bits[w] &= ~now_dead->word(w);
  }
  made->rows = index::RowBitmap::from_words(bits);
  collect_steps(made->filter, *schema, notes, made->steps);
  made->micros =
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - started).count();
  std::lock_guard guard(meta_mutex_);
  if (selections_.size() == kRememberedSelections) selections_.erase(selections_.begin());
  selections_.push_back({std::string(filter), now_dead, made});
  return Selected(std::move(made));
}

Result<const meta::SchemaField*> Snapshot::Impl::field(const std::string& name) const {
  const meta::SchemaField* found = schema->find(name);
  if (found != nullptr && found->id != meta::kIdField) return found;
  return Error(ErrorCode::kBadArgument,
               "there is no field '" + name + "'; the fields are " + schema->names());
}

std::vector<Field> Snapshot::fields() const {
  std::vector<Field> out;
  for (const meta::SchemaField& f : impl_->schema->fields()) {
    if (f.field.name.front() != '_') out.push_back(f.field);
  }
  return out;
}

Result<Record> Snapshot::record(uint64_t id) const {
  return impl_->answer([&]() -> Result<Record> {
    RVF_ASSIGN(const uint64_t row, impl_->find_row(id));
    RVF_ASSIGN(const meta::Table* t, impl_->table());
    Record out;
    for (const meta::SchemaField& f : impl_->schema->fields()) {
      Value v = t->value(row, f.id);
      if (!std::holds_alternative<std::monostate>(v)) out.emplace_back(f.field.name, std::move(v));
    }
    return out;
  });
}

Result<std::vector<Value>> Snapshot::values(std::span<const uint64_t> ids,
                                            const std::string& field) const {
  return impl_->answer([&]() -> Result<std::vector<Value>> {
    RVF_ASSIGN(const meta::SchemaField* f, impl_->field(field));
    RVF_ASSIGN(const meta::Table* t, impl_->table());
    std::vector<std::optional<uint64_t>> rows;
    impl_->ids->find_all(impl_->state, ids, rows);
    RVF_ASSIGN(const Impl::Dead dead, impl_->dead());
    meta::FieldReader reader(*t, *f);
    std::vector<Value> out(ids.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] && !dead->test(*rows[i])) out[i] = reader.value(*rows[i]);
    }
    return out;
  });
}

bool Snapshot::has_keys() const noexcept { return impl_->schema->find(kKeyField) != nullptr; }

std::optional<std::string> Snapshot::key(uint64_t id) const {
  const meta::SchemaField* field = impl_->schema->find(kKeyField);
  const auto row = impl_->find_row(id);
  const auto t = impl_->table();
  if (field == nullptr || !row || !t) return std::nullopt;
  const Value v = (*t)->value(*row, field->id);
  const auto* text = std::get_if<std::string>(&v);
  return text == nullptr ? std::nullopt : std::optional(*text);
}

Result<uint64_t> Snapshot::id_of(std::string_view key) const {
  return impl_->answer([&]() -> Result<uint64_t> {
    RVF_ASSIGN(const meta::Table* t, impl_->table());
    RVF_ASSIGN(const Impl::Dead dead, impl_->dead());
    const auto rows = impl_->keys->find_all(impl_->state, *t, std::span(&key, 1));
    if (!rows[0] || dead->test(*rows[0])) {
      return Error(ErrorCode::kNotFound, "no vector has the id '" + std::string(key) + "'");
    }
    return impl_->state.id_of(*rows[0]);
  });
}

Result<uint64_t> Snapshot::count(std::string_view filter) const {
  return impl_->answer([&]() -> Result<uint64_t> {
    RVF_ASSIGN(const Impl::Selected selected, impl_->select(filter));
    return selected->rows.count();
  });
}

Result<ScanPage> Snapshot::scan(const ScanOptions& options) const {
  return impl_->answer([&]() -> Result<ScanPage> {
    RVF_ASSIGN(const Impl::Selected selected, impl_->select(options.filter));
    std::vector<uint64_t> ids;
    selected->rows.for_each(0, impl_->state.rows.size(), [&](uint64_t row) {
      const uint64_t id = impl_->state.id_of(row);
      if (!options.after || id > *options.after) ids.push_back(id);
    });
    ScanPage page;
    const size_t n = std::min(options.limit, ids.size());
    std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(n), ids.end());
    if (n < ids.size() && n > 0) page.next = ids[n - 1];
    ids.resize(n);
    page.ids = std::move(ids);
    return page;
  });
}

Result<std::vector<ValueCount>> Snapshot::count_by(const std::string& field,
                                                   std::string_view filter, size_t limit) const {
  return impl_->answer([&]() -> Result<std::vector<ValueCount>> {
    RVF_ASSIGN(const meta::SchemaField* f, impl_->field(field));
    RVF_ASSIGN(const meta::Table* t, impl_->table());
    RVF_ASSIGN(const Impl::Selected selected, impl_->select(filter));
    std::map<std::string, ValueCount> counts;
    const auto add = [&](const Value& v) {
      const auto [at, is_new] = counts.try_emplace(wire::meta_value_key(v), ValueCount{v, 0});
      ++at->second.count;
    };
    meta::FieldReader reader(*t, *f);
    selected->rows.for_each(0, impl_->state.rows.size(), [&](uint64_t row) {
      const Value v = reader.value(row);
      const auto* list = std::get_if<std::vector<std::string>>(&v);
      if (list == nullptr) return add(v);
      for (const std::string& s : *list) add(s);
    });
    // Most frequent first; equally frequent ones by their encoded value.
    std::vector<std::pair<const std::string, ValueCount>*> order;
    for (auto& entry : counts) order.push_back(&entry);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
      if (a->second.count != b->second.count) return a->second.count > b->second.count;
      return a->first < b->first;
    });
    std::vector<ValueCount> out;
    for (auto* entry : order) {
      if (out.size() < limit) out.push_back(std::move(entry->second));
    }
    return out;
  });
}

Result<HybridResult> Snapshot::hybrid(std::span<const float> vector,
                                      const HybridOptions& options) const {
  return impl_->answer([&]() -> Result<HybridResult> { return impl_->hybrid(vector, options); });
}

}  // namespace rvf
