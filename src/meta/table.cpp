#include "meta/table.hpp"

#include <algorithm>
#include <set>

namespace rvf::meta {
namespace {

class RowOfTable final : public RowValues {
 public:
  RowOfTable(const Table& table, uint64_t row, const RowIds& ids)
      : table_(table), row_(row), ids_(ids) {}
  Value value(uint16_t field) const override {
    if (field != kIdField) return table_.value(row_, field);
    uint64_t id = 0;
    ids_(row_, 1, &id);
    return id;
  }

 private:
  const Table& table_;
  uint64_t row_;
  const RowIds& ids_;
};

// out[first ...] |= bits
void merge_at(Bits& out, uint64_t first, const Bits& bits) noexcept {
  const uint64_t shift = first % 64;
  size_t w = static_cast<size_t>(first / 64);
  for (const uint64_t word : bits) {
    if (w >= out.size()) return;
    out[w] |= word << shift;
    ++w;
    if (shift != 0 && w < out.size()) out[w] |= word >> (64 - shift);
  }
}

void fields_of(const Filter& filter, std::set<uint16_t>& out) {
  for (const Filter& child : filter.children) fields_of(child, out);
  if (filter.children.empty()) out.insert(filter.field);
}

}  // namespace

Result<Table> Table::make(Schema schema, std::vector<std::shared_ptr<const Part>> parts,
                          uint64_t rows) {
  Table t;
  t.schema_ = std::move(schema);
  t.rows_ = rows;
  for (auto& part : parts) (part->is_update() ? t.updates_ : t.base_).push_back(std::move(part));
  std::sort(t.base_.begin(), t.base_.end(),
            [](const auto& a, const auto& b) { return a->first_row() < b->first_row(); });
  std::sort(t.updates_.begin(), t.updates_.end(),
            [](const auto& a, const auto& b) { return a->segment_id() < b->segment_id(); });
  uint64_t next = 0;
  for (const auto& part : t.base_) {
    if (part->first_row() < next || part->first_row() + part->rows() > rows) {
      return Error(ErrorCode::kBadMetadata,
                   "the metadata of segment " + std::to_string(part->segment_id()) +
                       " belongs to rows that are not its own",
                   part->segment_id());
    }
    next = part->first_row() + part->rows();
  }
  for (const auto& part : t.updates_) {
    if (part->explicit_rows().back() >= rows) {
      return Error(ErrorCode::kBadMetadata, "a metadata update names a row that does not exist",
                   part->segment_id());
    }
  }
  return t;
}

const Part* Table::base_of(uint64_t row) const noexcept {
  const auto after = std::upper_bound(base_.begin(), base_.end(), row,
                                      [](uint64_t r, const auto& p) { return r < p->first_row(); });
  if (after == base_.begin()) return nullptr;
  const Part* part = (after - 1)->get();
  return part->position_of(row) ? part : nullptr;
}

const Part* Table::holder(uint64_t row, uint16_t field) const noexcept {
  for (auto it = updates_.rbegin(); it != updates_.rend(); ++it) {
    if ((*it)->column(field) != nullptr && (*it)->position_of(row)) return it->get();
  }
  return base_of(row);
}

Value Table::value(uint64_t row, uint16_t field) const {
  const Part* part = holder(row, field);
  const wire::MetaColumnView* column = part == nullptr ? nullptr : part->column(field);
  const SchemaField* known = schema_.find(field);
  if (column == nullptr || known == nullptr) return std::monostate{};
  return widen(column->value(*part->position_of(row)), known->field.type);
}

bool Table::matches(const Filter& filter, uint64_t row, const RowIds& ids) const {
  return meta::matches(filter, schema_, RowOfTable(*this, row, ids));
}

Result<Bits> Table::evaluate(const Filter& filter, const RowIds& ids, EvaluateNotes* notes) const {
  Bits out;
  Bits part_bits;
  const auto put = [&](uint64_t first) {
    if (first == 0) {  // most stores have one part
      out = std::move(part_bits);
      out.resize(words_of(rows_));
    } else {
      merge_at(out, first, part_bits);
    }
  };
  constexpr uint64_t kBareRows = 1 << 20;
  const auto bare = [&](uint64_t begin, uint64_t end) -> Status {
    for (uint64_t row = begin; row < end; row += kBareRows) {
      const auto n = static_cast<uint32_t>(std::min(kBareRows, end - row));
      RVF_TRY(evaluate_bare(filter, row, n, ids, part_bits));
      put(row);
    }
    return {};
  };
  uint64_t next = 0;
  for (const auto& part : base_) {
    RVF_TRY(bare(next, part->first_row()));
    RVF_TRY(evaluate_part(filter, *part, ids, part_bits, notes));
    put(part->first_row());
    next = part->first_row() + part->rows();
  }
  RVF_TRY(bare(next, rows_));
  std::set<uint16_t> fields;
  fields_of(filter, fields);
  for (const auto& part : updates_) {
    const bool concerned = std::any_of(fields.begin(), fields.end(), [&](uint16_t field) {
      return part->column(field) != nullptr;
    });
    if (!concerned) continue;
    for (const uint64_t row : part->explicit_rows()) {
      const bool now = matches(filter, row, ids);
      if (now) {
        set_bit(out, row);
      } else {
        out[row / 64] &= ~(uint64_t{1} << (row % 64));
      }
    }
  }
  return out;
}

bool Table::is_expensive(const Filter& filter) const {
  return std::any_of(base_.begin(), base_.end(),
                     [&](const auto& part) { return meta::is_expensive(filter, *part); });
}

Value FieldReader::value(uint64_t row) {
  const Part* part = table_.holder(row, field_.id);
  const wire::MetaColumnView* column = part == nullptr ? nullptr : part->column(field_.id);
  if (column == nullptr) return std::monostate{};
  auto reader = readers_.try_emplace(part, *column).first;
  return widen(reader->second.value(*part->position_of(row)), field_.field.type);
}

}  // namespace rvf::meta
