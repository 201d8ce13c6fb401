#include "runtime/word_indexes.hpp"

#include "meta/build.hpp"

namespace rvf::runtime {

Result<WordIndexes> WordIndexes::open(const Snapshot& snapshot, const std::string& field) {
  const auto& impl = SnapshotAccess::of(snapshot);
  RVF_ASSIGN(const meta::SchemaField* found, impl->field(field));
  if (found->field.type != FieldType::kString) {
    return Error(ErrorCode::kBadArgument, "'" + field + "' is not a string field");
  }
  RVF_ASSIGN(WordIndexes words, open(*impl, *found));
  words.keep_ = impl;
  return words;
}

Result<WordIndexes> WordIndexes::open(const Snapshot::Impl& snapshot,
                                      const meta::SchemaField& field) {
  WordIndexes words;
  RVF_ASSIGN(words.table_, snapshot.table());
  words.field_ = field.id;
  for (const auto& part : words.table_->base()) RVF_TRY(words.add(*part, field));
  for (const auto& part : words.table_->updates()) RVF_TRY(words.add(*part, field));
  return words;
}

Status WordIndexes::add(const meta::Part& part, const meta::SchemaField& field) {
  const wire::MetaColumnView* column = part.column(field.id);
  if (column == nullptr) return {};
  if (const wire::InvertedView* view = part.words(field.id)) {
    views_.push_back(*view);
  } else {
    RVF_ASSIGN(wire::Bytes made, meta::build_word_index(part, *column));
    made_.push_back(std::move(made));  // the bytes stay where they are when the list grows
    RVF_ASSIGN(auto opened, wire::InvertedView::open(made_.back()));
    views_.push_back(std::move(opened));
  }
  owners_.push_back(&part);
  return {};
}

Result<SnapshotRows> SnapshotRows::open(const Snapshot& snapshot, std::string_view filter) {
  SnapshotRows rows;
  rows.impl_ = SnapshotAccess::of(snapshot);
  RVF_ASSIGN(rows.dead_, rows.impl_->dead());
  if (filter.find_first_not_of(" \t\r\n") != std::string_view::npos) {
    RVF_ASSIGN(rows.selected_, rows.impl_->select(filter));
  }
  return rows;
}

}  // namespace rvf::runtime
