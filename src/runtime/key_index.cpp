#include "runtime/key_index.hpp"

#include <bit>
#include <mutex>

#include "wire/metaidx_codec.hpp"

namespace rvf::runtime {

std::vector<std::optional<uint64_t>> KeyIndex::find_all(const LiveState& state,
                                                        const meta::Table& table,
                                                        std::span<const std::string_view> keys) {
  std::vector<std::optional<uint64_t>> out(keys.size());
  const meta::SchemaField* field = table.schema().find(kKeyField);
  if (field == nullptr) return out;
  {
    std::unique_lock lock(mutex_);
    learn(table, field->id);
  }
  std::shared_lock lock(mutex_);
  if (slots_.empty()) return out;
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < keys.size(); ++i) {
    const uint64_t hash = wire::sort_key(keys[i]);
    for (size_t at = hash & mask; slots_[at].row != kFree && !out[i]; at = (at + 1) & mask) {
      const uint64_t row = slots_[at].row;
      if (slots_[at].hash != hash || row >= table.rows() || state.dead.test(row)) continue;
      const meta::Part* part = table.holder(row, field->id);
      const wire::MetaColumnView* column = part == nullptr ? nullptr : part->column(field->id);
      if (column == nullptr) continue;
      if (meta::ColumnReader(*column).text(*part->position_of(row)) == keys[i]) out[i] = row;
    }
  }
  return out;
}

void KeyIndex::learn(const meta::Table& table, uint16_t field) {
  for (const auto& part : table.base()) {
    if (part->first_row() < known_rows_) continue;
    const uint64_t rows_after = part->first_row() + part->rows();
    const wire::MetaColumnView* column = part->column(field);
    if (column == nullptr) {
      known_rows_ = rows_after;
      continue;
    }
    reserve(part->rows());
    if (const wire::RangeIndexView* index = part->range_index(field)) {
      for (uint64_t i = 0; i < index->size(); ++i) {
        if (index->row(i) < part->rows()) insert(index->key(i), part->first_row() + index->row(i));
      }
      known_rows_ = rows_after;
      continue;
    }
    meta::ColumnReader reader(*column);
    for (uint32_t i = 0; i < part->rows(); ++i) {
      if (!column->is_null(i)) insert(wire::sort_key(reader.text(i)), part->first_row() + i);
    }
    known_rows_ = rows_after;  // last: what stops in between is learnt again, and twice is no harm
  }
}

void KeyIndex::insert(uint64_t hash, uint64_t row) {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].row != kFree) at = (at + 1) & mask;
  slots_[at] = {hash, row};
  ++used_;
}

void KeyIndex::reserve(size_t more) {
  const size_t needed = std::bit_ceil((used_ + more) * 2 + 16);
  if (needed <= slots_.size()) return;
  std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(needed));
  used_ = 0;
  for (const Slot& s : old) {
    if (s.row != kFree) insert(s.hash, s.row);
  }
}

}  // namespace rvf::runtime
