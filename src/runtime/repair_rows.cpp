#include "runtime/repair_rows.hpp"

#include <algorithm>
#include <cstring>

#include "runtime/part_cache.hpp"
#include "types/planted_bug.hpp"
#include "wire/checksum.hpp"

namespace rvf::runtime {
namespace {

bool is_dead(std::span<const uint64_t> dead, uint64_t row) {
  return std::binary_search(dead.begin(), dead.end(), row);
}

uint64_t dead_between(std::span<const uint64_t> dead, uint64_t begin, uint64_t end) {
  return static_cast<uint64_t>(std::lower_bound(dead.begin(), dead.end(), end) -
                               std::lower_bound(dead.begin(), dead.end(), begin));
}

}  // namespace

void RepairRows::set_shape(DType dtype, uint32_t dimension, Metric metric) {
  dtype_ = dtype;
  dimension_ = dimension;
  metric_ = metric;
}

CreateOptions RepairRows::shape() const {
  CreateOptions c;
  c.dimension = dimension_;
  c.dtype = dtype_;
  c.metric = metric_;
  if (metric_ == Metric::kHamming && dtype_ != DType::kBinary) c.metric = Metric::kL2;
  if (!table_) return c;
  for (const meta::SchemaField& f : table_->schema().fields()) {
    if (f.field.name == kKeyField) {
      c.ids = IdKind::kTexts;
    } else {
      c.fields.push_back(f.field);
    }
  }
  return c;
}

void RepairRows::add_quantizer(uint64_t segment_id, uint8_t tier, wire::ByteSpan payload) {
  auto quantizer = TierQuantizer::from_payload(payload);
  if (!quantizer || quantizer->code == nullptr) return;
  if (dimension_ != 0 && quantizer->code->dim() != dimension_) return;
  quantizers_[segment_id] = {std::move(quantizer->code), tier};
}

void RepairRows::take(uint64_t row, uint64_t id, const std::byte* vector) {
  const auto [at, is_new] = row_of_.try_emplace(id, row);
  if (!is_new) {
    live_.erase(at->second);
    at->second = row;
  }
  live_[row] = {id, vector};
}

// Blocks of a damaged segment that are whole in themselves, and the whole units of others.
uint64_t RepairRows::take_blocks(const wire::DirEntry& entry, const wire::RowMapEntry& rows,
                                 wire::ByteSpan payload, std::span<const uint64_t> dead) {
  const auto blocks = wire::parse_vec(payload, false);
  if (!blocks || entry.payload_length != payload.size()) return 0;
  const std::vector<wire::BlockUnits> units = wire::check_units(payload, *blocks);
  uint64_t row = rows.first_row;
  uint64_t taken = 0;
  for (size_t n = 0; n < blocks->size(); ++n) {
    const wire::VecBlock& b = (*blocks)[n];
    const uint64_t first = row;
    row += b.count;
    if (row - rows.first_row > rows.rows) break;
    const bool whole = wire::crc32c(b.checked) == b.crc || planted(PlantedBug::kRepairUnverified);
    if (!whole && (units.empty() || !units[n].ids_are_whole)) continue;
    auto block = VecSegment::open_block(entry, b, dtype_, dimension_, quantizers_);
    if (!block) continue;
    for (uint32_t i = 0; i < b.count; ++i) {
      if (!whole && !units[n].whole[i / wire::kUnitRows]) continue;
      const uint64_t id = b.ids.at(i);
      if (is_dead(dead, first + i) || id < rows.min_id || id > rows.max_id) continue;
      take(first + i, id, block->row(i));
      ++taken;
    }
    if (block->lazy != nullptr) decoded_.push_back(std::move(block->lazy));
  }
  return taken;
}

void RepairRows::add_vectors(const wire::DirEntry& entry, const wire::RowMapEntry& rows,
                             wire::ByteSpan payload, bool whole, std::span<const uint64_t> dead,
                             RepairReport& report) {
  next_row_ = std::max(next_row_, rows.first_row + rows.rows);
  const uint64_t live = rows.rows - dead_between(dead, rows.first_row, rows.first_row + rows.rows);
  uint64_t taken = 0;
  std::string reason = "its vectors fail their hash";
  if (whole) {
    auto segment = VecSegment::load(entry, rows, payload, dtype_, dimension_, quantizers_);
    if (segment) {
      for (const VecSegment::Block& b : (*segment)->blocks()) {
        for (uint32_t i = 0; i < b.wire.count; ++i) {
          if (is_dead(dead, b.first_row + i)) continue;
          take(b.first_row + i, b.wire.ids.at(i), b.row(i));
          ++taken;
        }
      }
      segments_.push_back(std::move(*segment));
    } else {
      reason = segment.error().message;
    }
  } else {
    taken = take_blocks(entry, rows, payload, dead);
    if (taken > 0) reason += "; what is whole in it was saved";
    if (entry.shard != 0) reason = "it lies in a shard, which a repair does not read";
  }
  if (whole && taken == live) return;
  report.vectors_lost += live - taken;
  report.lost.push_back({entry.segment_id, static_cast<uint8_t>(entry.type), entry.offset,
                         entry.payload_length, live - taken, rows.min_id, rows.max_id, reason});
}

bool RepairRows::add_later_vectors(const wire::DirEntry& entry, wire::ByteSpan payload,
                                   RepairReport& report) {
  const auto blocks = wire::parse_vec(payload, true);
  if (!blocks || blocks->empty()) return false;
  if (dimension_ == 0) {
    dimension_ = blocks->front().dim;
    // Codes do not say what they stand for; rows as they are come first in every store but a tiered
    // one.
    const auto rows = std::find_if(blocks->begin(), blocks->end(), [](const wire::VecBlock& b) {
      return b.row_major && !b.is_row_codes();
    });
    dtype_ = rows == blocks->end() ? DType::kF32 : rows->dtype;
  }
  wire::RowMapEntry rows{entry.segment_id, next_row_, 0, 0, ~uint64_t{0}};
  for (const wire::VecBlock& b : *blocks) rows.rows += b.count;
  const size_t lost = report.lost.size();
  add_vectors(entry, rows, payload, true, {}, report);
  return report.lost.size() == lost;
}

Status RepairRows::add_metadata(uint64_t segment_id, wire::ByteSpan payload) {
  RVF_ASSIGN(meta::Part part, meta::Part::open(segment_id, payload));
  for (const wire::MetaColumnView& c : part.columns()) {
    const auto known = std::find_if(schema_.begin(), schema_.end(),
                                    [&](const auto& e) { return e.field_id == c.id(); });
    if (known != schema_.end()) continue;
    wire::SchemaEntry entry;
    entry.field_id = c.id();
    entry.type = c.type();
    entry.name = std::string(c.name());
    schema_.push_back(std::move(entry));
  }
  parts_.push_back(std::make_shared<const meta::Part>(std::move(part)));
  return {};
}

void RepairRows::apply(const wire::Journal& journal) {
  const auto remove = [&](uint64_t id) {
    const auto at = row_of_.find(id);
    if (at == row_of_.end()) return;
    live_.erase(at->second);
    row_of_.erase(at);
  };
  for (const wire::JournalEntry& e : journal.entries) {
    if (const auto* one = std::get_if<wire::JournalDelete>(&e)) remove(one->id);
    if (const auto* list = std::get_if<wire::JournalDeleteList>(&e)) {
      for (const uint64_t id : list->ids) remove(id);
    }
    if (const auto* range = std::get_if<wire::JournalDeleteRange>(&e)) {
      std::vector<uint64_t> ids;
      for (auto at = row_of_.lower_bound(range->first);
           at != row_of_.end() && at->first < range->end; ++at) {
        ids.push_back(at->first);
      }
      for (const uint64_t id : ids) remove(id);
    }
  }
}

Status RepairRows::finish(RepairReport& report) {
  if (schema_.empty()) return {};
  std::sort(schema_.begin(), schema_.end(),
            [](const auto& a, const auto& b) { return a.field_id < b.field_id; });
  RVF_ASSIGN(meta::Schema schema, schema_of(schema_));
  // Parts that claim rows of another, or rows that are not there, came from another time.
  std::vector<std::shared_ptr<const meta::Part>> fitting;
  std::sort(parts_.begin(), parts_.end(),
            [](const auto& a, const auto& b) { return a->segment_id() > b->segment_id(); });
  std::map<uint64_t, uint64_t> covered;  // first row and the row after the last
  for (const auto& part : parts_) {
    const uint64_t end =
        part->is_update() ? part->explicit_rows().back() + 1 : part->first_row() + part->rows();
    bool fits = end <= next_row_;
    if (fits && !part->is_update()) {
      const auto after = covered.lower_bound(part->first_row());
      fits = (after == covered.end() || after->first >= end) &&
             (after == covered.begin() || std::prev(after)->second <= part->first_row());
      if (fits) covered[part->first_row()] = end;
    }
    if (fits) {
      fitting.push_back(part);
    } else {
      report.notes.push_back("the fields of segment " + std::to_string(part->segment_id()) +
                             " belong to no vector that is there");
    }
  }
  RVF_ASSIGN(table_, meta::Table::make(std::move(schema), std::move(fitting), next_row_));
  return {};
}

Status RepairRows::write_batch(Store& store,
                               std::span<const std::pair<const uint64_t, Row>* const> rows,
                               bool keyed, std::span<const Attachment> attachments) const {
  const size_t bytes = vector_bytes(dtype_, dimension_);
  std::vector<std::byte> vectors(rows.size() * bytes);
  std::vector<uint64_t> ids;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(vectors.data() + i * bytes, rows[i]->second.vector, bytes);
    ids.push_back(rows[i]->second.id);
  }
  std::vector<std::string> keys;
  std::vector<Column> columns;
  if (table_) {
    for (const meta::SchemaField& f : table_->schema().fields()) {
      meta::FieldReader reader(*table_, f);
      Column column{f.field.name, f.field.type, {}};
      for (const auto* row : rows) column.values.push_back(reader.value(row->first));
      if (f.field.name != kKeyField) {
        columns.push_back(std::move(column));
      } else if (keyed) {
        for (const Value& v : column.values) keys.push_back(std::get<std::string>(v));
      }
    }
  }
  WriteBatch batch;
  batch.vectors = {vectors.data(), dtype_, rows.size(), dimension_};
  batch.ids = ids;
  batch.keys = keys;
  batch.columns = columns;
  batch.attach = attachments;
  auto written = store.write(batch);
  return written ? Status() : Status(std::move(written).error());
}

Status RepairRows::write(Store& store, std::span<const Attachment> attachments,
                         const std::function<bool()>& go_on) const {
  constexpr size_t kBatch = 65536;
  const meta::SchemaField* key = table_ ? table_->schema().find(kKeyField) : nullptr;
  const auto is_keyed = [&](uint64_t row) {
    return key != nullptr && std::holds_alternative<std::string>(table_->value(row, key->id));
  };
  std::vector<const std::pair<const uint64_t, Row>*> rows;
  bool keyed = false;
  const auto flush = [&]() -> Status {
    if (rows.empty() && attachments.empty()) return {};
    if (!go_on()) return Error(ErrorCode::kCancelled, "the repair was stopped");
    RVF_TRY(write_batch(store, rows, keyed, attachments));
    rows.clear();
    attachments = {};
    return {};
  };
  // A batch has string ids for all of its vectors or for none.
  for (const auto& row : live_) {
    const bool now = is_keyed(row.first);
    if (now != keyed || rows.size() == kBatch) RVF_TRY(flush());
    keyed = now;
    rows.push_back(&row);
  }
  return flush();
}

}  // namespace rvf::runtime
