// Metadata of a snapshot: reading fields, filters, counting.
#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "runtime/id_walk.hpp"
#include "runtime/snapshot_impl.hpp"
#include "runtime/writer.hpp"
#include "types/id_text.hpp"

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
  if (field == nullptr) return runtime::borrowed(state.dead);
  RVF_ASSIGN(const meta::Table* t, table());
  std::lock_guard guard(meta_mutex_);
  if (!expiry_) expiry_ = expiries->start(*t, *field);
  const bool more = expiry_->advance(static_cast<int64_t>(runtime::now_ns()), *t, field->id);
  if (more || gone_ == nullptr) {
    auto both = std::make_shared<index::DeadRows>(state.dead);
    both->add(expiry_->expired);
    gone_ = std::move(both);
    expiries->keep(*expiry_);
  }
  return gone_;
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
  if (found != nullptr) return found;
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
    RVF_ASSIGN(const uint64_t row, impl_->find_row(impl_->outside(id)));
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
    const std::vector<std::optional<uint64_t>> rows = impl_->rows_of(ids);
    RVF_ASSIGN(const Impl::Dead dead, impl_->dead());
    Impl::RowValues values(*impl_, *t, *f);
    std::vector<Value> out(ids.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] && !dead->test(*rows[i])) out[i] = values.of(*rows[i]);
    }
    return out;
  });
}

IdKind Snapshot::id_kind() const noexcept { return impl_->id_kind; }
bool Snapshot::has_keys() const noexcept { return id_kind() == IdKind::kTexts; }

std::vector<std::optional<uint64_t>> Snapshot::Impl::rows_of(std::span<const uint64_t> from) const {
  std::vector<std::optional<uint64_t>> rows;
  if (id_kind != IdKind::kTexts) {
    ids->find_all(state, from, rows);
    return rows;
  }
  std::vector<uint64_t> inside;
  inside.reserve(from.size());
  for (const uint64_t id : from) inside.push_back(outside(id));
  ids->find_all(state, inside, rows);
  return rows;
}

Result<std::vector<std::optional<uint64_t>>> Snapshot::Impl::rows_of_keys(
    std::span<const std::string_view> wanted) const {
  RVF_ASSIGN(const meta::Table* t, table());
  auto rows = keys->find_all(state, *t, wanted);
  const meta::SchemaField* field = schema->find(kKeyField);
  for (size_t i = 0; i < wanted.size() && field != nullptr; ++i) {
    // A row without a text that an earlier version let in: its text is its number.
    const auto number = rows[i] ? std::nullopt : number_id(wanted[i]);
    const auto row = number ? ids->find(state, *number) : std::nullopt;
    if (row && std::holds_alternative<std::monostate>(t->value(*row, field->id))) rows[i] = row;
  }
  return rows;
}

Result<std::vector<std::string>> Snapshot::Impl::keys_of_rows(
    std::span<const uint64_t> rows) const {
  const meta::SchemaField* field = schema->find(kKeyField);
  if (field == nullptr) {
    return Error(ErrorCode::kWrongIdKind, "the ids of this store are numbers");
  }
  RVF_ASSIGN(const meta::Table* t, table());
  meta::FieldReader reader(*t, *field);
  std::vector<std::string> out;
  out.reserve(rows.size());
  for (const uint64_t row : rows) {
    Value v = reader.value(row);
    auto* text = std::get_if<std::string>(&v);
    out.push_back(text != nullptr ? std::move(*text) : std::to_string(state.id_of(row)));
  }
  return out;
}

Result<std::string> Snapshot::key(uint64_t id) const {
  RVF_ASSIGN(auto keys, keys_of(std::span(&id, 1)));
  return std::move(keys.front());
}

Result<std::vector<std::string>> Snapshot::keys_of(std::span<const uint64_t> ids) const {
  return impl_->answer([&]() -> Result<std::vector<std::string>> {
    RVF_ASSIGN(const Impl::Dead dead, impl_->dead());
    std::vector<uint64_t> rows;
    rows.reserve(ids.size());
    for (const auto& row : impl_->rows_of(ids)) {
      if (!row || dead->test(*row)) {
        return Error(ErrorCode::kNotFound, "there is no such vector in the store");
      }
      rows.push_back(*row);
    }
    return impl_->keys_of_rows(rows);
  });
}

Result<uint64_t> Snapshot::id_of(std::string_view key) const {
  return impl_->answer([&]() -> Result<uint64_t> {
    RVF_ASSIGN(const Impl::Dead dead, impl_->dead());
    RVF_ASSIGN(const auto rows, impl_->rows_of_keys(std::span(&key, 1)));
    if (!rows[0] || dead->test(*rows[0])) {
      return Error(ErrorCode::kNotFound, "no vector has the id '" + std::string(key) + "'");
    }
    return impl_->outside(impl_->state.id_of(*rows[0]));
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
    ScanPage page;
    const uint64_t after = options.after ? impl_->outside(*options.after) : kNoId;
    if (options.limit == 0 || (options.after && after == kNoId)) return page;
    runtime::IdWalk walk(impl_->state, options.after ? after + 1 : 0);
    while (const auto step = walk.next()) {
      if (!selected->rows.test(step->row)) continue;
      if (page.ids.size() == options.limit) {
        page.next = page.ids.back();
        break;
      }
      page.ids.push_back(impl_->outside(step->id));
    }
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
    Impl::RowValues values(*impl_, *t, *f);
    selected->rows.for_each(0, impl_->state.rows.size(), [&](uint64_t row) {
      const Value v = values.of(row);
      const auto* list = std::get_if<std::vector<std::string>>(&v);
      if (list == nullptr) return add(v);
      // A vector is one, however often its list has a value.
      for (auto s = list->begin(); s != list->end(); ++s) {
        if (std::find(list->begin(), s, *s) == s) add(*s);
      }
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
