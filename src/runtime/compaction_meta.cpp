// Metadata in a compaction: values are gathered in the output's row order, updates go into the base
// parts, and the indexes that the schema asks for are written for all rows.
#include <algorithm>
#include <string>

#include "runtime/compaction.hpp"

namespace rvf::runtime {

Status Compaction::copy_metadata() {
  if (source_head_.schema.empty()) return {};
  // A damaged value must not get a fresh, valid checksum.
  for (const wire::DirEntry& e : source_->directory) {
    if (is_own_metadata(e) && e.type == SegmentType::kMeta) {
      RVF_TRY(source_->state.verified_segment(e));
    }
  }
  if (report_.resumed) {
    // What an interrupted run had written is made anew: parts carry no mark of being complete.
    writer_->begin_batch();
    for (const auto& [id, entry] : writer_->log().directory()) {
      if (is_own_metadata(entry)) writer_->batch().removed.push_back(id);
    }
    RVF_TRY(checkpoint(plan_.order.size(), false));
  }
  const auto order = std::span<const uint64_t>(plan_.order);
  for (uint64_t at = 0; at < order.size(); at += kMaxPartRows) {
    writer_->begin_batch();
    Status done =
        append_metadata(*source_, order.subspan(at, std::min(kMaxPartRows, order.size() - at)), at);
    if (done) done = checkpoint(plan_.order.size(), false);
    if (!done) {
      writer_->abandon_batch();
      return done;
    }
    RVF_TRY(report_progress(at));
  }
  return {};
}

Status Compaction::append_metadata(const Snapshot::Impl& from, std::span<const uint64_t> rows,
                                   uint64_t first_row) {
  RVF_ASSIGN(const meta::Table* table, from.table());
  meta::PartColumns columns;
  for (const meta::SchemaField& field : table->schema().fields()) {
    meta::FieldReader reader(*table, field);
    meta::PartColumns::Field out{field.id, {}};
    out.values.reserve(rows.size());
    bool any = false;
    for (const uint64_t row : rows) {
      out.values.push_back(reader.value(row));
      any = any || !std::holds_alternative<std::monostate>(out.values.back());
    }
    if (any) columns.fields.push_back(std::move(out));
  }
  if (columns.fields.empty()) return {};
  uint64_t low = UINT64_MAX;
  uint64_t high = 0;
  for (const uint64_t row : rows) {
    low = std::min(low, from.state.id_of(row));
    high = std::max(high, from.state.id_of(row));
  }
  RVF_ASSIGN(const wire::Bytes payload,
             meta::encode_base_part(table->schema(), columns, first_row,
                                    static_cast<uint32_t>(rows.size()), low, high));
  return append_part(*writer_, table->schema(), payload);
}

Status Compaction::catch_up_metadata(std::span<const uint64_t> newer, uint64_t first_row) {
  RVF_ASSIGN(const auto now, store_.snapshot_impl());
  writer_->head().schema = schema_entries(*now->schema);
  for (uint64_t at = 0; at < newer.size(); at += kMaxPartRows) {
    const auto rows = newer.subspan(at, std::min(kMaxPartRows, newer.size() - at));
    RVF_TRY(append_metadata(*now, rows, first_row + at));
  }
  RVF_ASSIGN(const meta::Table* table, now->table());
  std::vector<std::pair<uint64_t, uint64_t>> places;  // source row and output row, ascending
  for (const auto& part : table->updates()) {
    if (source_->entry(part->segment_id())) continue;
    if (places.empty()) {
      for (uint64_t i = 0; i < plan_.order.size(); ++i) places.emplace_back(plan_.order[i], i);
      std::sort(places.begin(), places.end());
    }
    std::vector<std::pair<uint64_t, uint32_t>> moved;  // output row, position in the part
    for (uint32_t i = 0; i < part->rows(); ++i) {
      const std::pair<uint64_t, uint64_t> wanted(part->explicit_rows()[i], 0);
      const auto at = std::lower_bound(places.begin(), places.end(), wanted);
      if (at != places.end() && at->first == wanted.first) moved.emplace_back(at->second, i);
    }
    if (moved.empty()) continue;
    std::sort(moved.begin(), moved.end());
    std::vector<uint64_t> rows;
    meta::PartColumns columns;
    for (const auto& [row, position] : moved) rows.push_back(row);
    for (const wire::MetaColumnView& column : part->columns()) {
      const meta::SchemaField* field = table->schema().find(column.id());
      if (field == nullptr) continue;
      meta::ColumnReader reader(column);
      meta::PartColumns::Field out{field->id, {}};
      for (const auto& [row, position] : moved) {
        out.values.push_back(meta::widen(reader.value(position), field->field.type));
      }
      columns.fields.push_back(std::move(out));
    }
    RVF_ASSIGN(const wire::Bytes payload, meta::encode_update_part(table->schema(), columns, rows));
    RVF_TRY(append_part(*writer_, table->schema(), payload));
  }
  return {};
}

}  // namespace rvf::runtime
