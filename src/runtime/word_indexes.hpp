// The word indexes of one string field of a snapshot, and its rows: what a ranking by words needs.
// Documents of the views are row numbers. A part that was written before the field was indexed gets
// an index in memory.
// Ownership: WordIndexes and SnapshotRows of a Snapshot keep it alive; those of an Impl borrow it.
// Thread-safety: immutable. Errors: kBadArgument for a field that is no string field, kBadFilter,
// those of damaged metadata.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "runtime/snapshot_impl.hpp"
#include "wire/metaidx_inverted.hpp"

namespace rvf::runtime {

struct SnapshotAccess {
  static const std::shared_ptr<const Snapshot::Impl>& of(const Snapshot& snapshot) noexcept {
    return snapshot.impl_;
  }
};

class WordIndexes {
 public:
  static Result<WordIndexes> open(const Snapshot& snapshot, const std::string& field);
  static Result<WordIndexes> open(const Snapshot::Impl& snapshot, const meta::SchemaField& field);

  std::span<const wire::InvertedView> views() const noexcept { return views_; }
  // Whether the text that views()[view] knows of the row is still the row's text.
  bool is_current(size_t view, uint64_t row) const noexcept {
    return table_->holder(row, field_) == owners_[view];
  }

 private:
  Status add(const meta::Part& part, const meta::SchemaField& field);

  std::shared_ptr<const Snapshot::Impl> keep_;
  const meta::Table* table_ = nullptr;
  uint16_t field_ = 0;
  std::vector<wire::InvertedView> views_;
  std::vector<const meta::Part*> owners_;
  std::vector<wire::Bytes> made_;
};

class SnapshotRows {
 public:
  // The live rows that pass the filter; an empty one takes all.
  static Result<SnapshotRows> open(const Snapshot& snapshot, std::string_view filter);

  bool test(uint64_t row) const noexcept {
    return row < impl_->state.rows.size() && !dead_->test(row) &&
           (selected_ == nullptr || selected_->rows.test(row));
  }
  uint64_t id_of(uint64_t row) const { return impl_->state.id_of(row); }
  Result<uint64_t> row_of(uint64_t id) const { return impl_->find_row(id); }  // kNotFound

 private:
  std::shared_ptr<const Snapshot::Impl> impl_;
  Snapshot::Impl::Dead dead_;
  Snapshot::Impl::Selected selected_;
};

}  // namespace rvf::runtime
