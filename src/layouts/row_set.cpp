#include "layouts/row_set.hpp"

#include <algorithm>

#include "types/limits.hpp"

namespace rvf::layouts {

Status RowSet::add(ByteSpan rows, uint64_t count, Budget& budget) {
  RVF_TRY(budget.take(count, sizeof(Row), "list of rows"));
  const size_t bytes = 8 + size_t{dimension_} * 4;
  rows_.reserve(rows_.size() + static_cast<size_t>(count));
  for (uint64_t i = 0; i < count; ++i) {
    const std::byte* p = rows.data() + i * bytes;
    Row row{0, rows_.size(), p + 8};
    std::memcpy(&row.id, p, 8);
    rows_.push_back(row);
  }
  return {};
}

Status RowSet::move_into(ForeignStore& store, const std::vector<uint64_t>& deleted,
                         Budget& budget) {
  const auto by_id = [](const Row& a, const Row& b) {
    return a.id != b.id ? a.id < b.id : a.order < b.order;
  };
  if (!std::is_sorted(rows_.begin(), rows_.end(), by_id)) {
    std::sort(rows_.begin(), rows_.end(), by_id);
  }
  size_t live = 0;
  auto next_deleted = deleted.begin();
  for (size_t i = 0; i < rows_.size(); ++i) {
    const uint64_t id = rows_[i].id;
    if (i + 1 < rows_.size() && rows_[i + 1].id == id) continue;
    while (next_deleted != deleted.end() && *next_deleted < id) ++next_deleted;
    if (next_deleted != deleted.end() && *next_deleted == id) continue;
    if (id == kNoId) {
      store.notes.emplace_back(
          "the vector of id 18446744073709551615 is left out: the id is reserved");
      continue;
    }
    rows_[live++] = rows_[i];
  }
  rows_.resize(live);
  RVF_TRY(budget.take(live, 8 + uint64_t{dimension_} * 4, "vectors"));
  store.ids.resize(live);
  store.vectors.resize(live * dimension_);
  for (size_t i = 0; i < live; ++i) {
    store.ids[i] = rows_[i].id;
    if (dimension_ > 0) {
      std::memcpy(store.vectors.data() + i * dimension_, rows_[i].values, size_t{dimension_} * 4);
    }
  }
  rows_.clear();
  return {};
}

}  // namespace rvf::layouts
