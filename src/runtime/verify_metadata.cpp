#include "runtime/verify_metadata.hpp"

#include <map>
#include <string>
#include <unordered_map>

#include "meta/intervals.hpp"
#include "wire/metaidx_codec.hpp"

namespace rvf::runtime {
namespace {

class MetadataVerifier {
 public:
  MetadataVerifier(const Snapshot::Impl& snapshot, std::vector<Error>& problems)
      : snapshot_(snapshot), problems_(problems) {}

  void run(const meta::Table& table) {
    for (const auto& part : table.base()) parts_[part->segment_id()] = part.get();
    for (const auto& part : table.updates()) parts_[part->segment_id()] = part.get();
    for (const wire::DirEntry& entry : snapshot_.directory) {
      if (!is_own_metadata(entry)) continue;
      const auto payload = snapshot_.state.payload(entry);
      if (!payload) continue;  // told by whoever checked the segment
      Status s = entry.type == SegmentType::kMeta ? check_part(*payload) : check_index(*payload);
      if (!s) problem(s.error(), entry);
    }
    check_keys(table);
  }

 private:
  void problem(Error e, const wire::DirEntry& entry) {
    e.segment_id = entry.segment_id;
    e.file_offset = entry.offset;
    problems_.push_back(std::move(e));
  }

  static Status check_part(wire::ByteSpan payload) {
    if (auto meta = wire::decode_meta(payload); !meta) return std::move(meta).error();
    return {};
  }

  Status check_index(wire::ByteSpan payload) const {
    wire::ByteReader in(payload);
    RVF_ASSIGN(const wire::MetaIndexHeader header, wire::read_meta_index_header(in));
    const auto owner = parts_.find(header.meta_segment);
    if (owner == parts_.end()) {
      return Error(ErrorCode::kBadMetadata, "a METAIDX of a META that is not there");
    }
    if (header.kind == wire::MetaIndexKind::kInverted) {
      RVF_ASSIGN(const auto words, wire::InvertedView::open(payload));
      return words.verify();
    }
    const wire::MetaColumnView* column = owner->second->column(header.field);
    if (column == nullptr) {
      return Error(ErrorCode::kBadMetadata, "a METAIDX of a column that is not there");
    }
    return header.kind == wire::MetaIndexKind::kRange ? check_range(payload, *column)
                                                      : check_bitmap(payload, *column);
  }

  static Status wrong_row(uint64_t row) {
    return Error(ErrorCode::kBadMetadata,
                 "a METAIDX says another value of row " + std::to_string(row) + " than its META");
  }

  static Status check_range(wire::ByteSpan payload, const wire::MetaColumnView& column) {
    RVF_ASSIGN(const wire::RangeIndex index, wire::decode_range_index(payload));
    const bool text = column.type() == FieldType::kString || column.type() == FieldType::kBytes;
    if (index.rows.size() + index.null_rows.size() != column.rows()) {
      return Error(ErrorCode::kBadMetadata, "a METAIDX does not hold every row of its META");
    }
    meta::ColumnReader reader(column);
    for (size_t i = 0; i < index.rows.size(); ++i) {
      const uint32_t row = index.rows[i];
      if (row >= column.rows() || column.is_null(row)) return wrong_row(row);
      const uint64_t key =
          text ? wire::sort_key(reader.text(row)) : meta::key_of(column.bits(row), column.type());
      if (key != index.keys[i]) return wrong_row(row);
    }
    return {};
  }

  static Status check_bitmap(wire::ByteSpan payload, const wire::MetaColumnView& column) {
    uint64_t entries = column.rows();
    if (column.form() == wire::MetaColumnView::Form::kLists) entries += column.data().size();
    RVF_ASSIGN(const wire::BitmapIndex index, wire::decode_bitmap_index(payload, entries));
    // From value to rows as the column has it.
    std::map<std::string, std::vector<uint64_t>> expected;
    for (uint32_t row = 0; row < column.rows(); ++row) {
      const Value value = column.value(row);
      const auto* list = std::get_if<std::vector<std::string>>(&value);
      const auto add = [&](const Value& v) {
        std::vector<uint64_t>& rows = expected[wire::meta_value_key(v)];
        if (rows.empty() || rows.back() != row) rows.push_back(row);
      };
      if (list != nullptr) {
        for (const std::string& s : *list) add(s);
      } else if (!std::holds_alternative<std::monostate>(value)) {
        add(value);
      }
    }
    if (expected.size() != index.keys.size()) {
      return Error(ErrorCode::kBadMetadata, "a METAIDX has other values than its META");
    }
    for (size_t i = 0; i < index.keys.size(); ++i) {
      const auto at = expected.find(std::string(index.keys[i]));
      if (at == expected.end() || at->second != index.rows[i]) {
        return Error(ErrorCode::kBadMetadata, "a METAIDX has other rows for a value than its META");
      }
    }
    return {};
  }

  void check_keys(const meta::Table& table) {
    const meta::SchemaField* field = table.schema().find(kKeyField);
    if (field == nullptr) return;
    std::unordered_map<std::string, uint64_t> rows;
    meta::FieldReader reader(table, *field);
    for (uint64_t row = 0; row < table.rows(); ++row) {
      if (snapshot_.state.dead.test(row)) continue;
      const Value v = reader.value(row);
      const auto* key = std::get_if<std::string>(&v);
      if (key != nullptr && !rows.try_emplace(*key, row).second) {
        problems_.push_back(
            Error(ErrorCode::kCorrupt, "the string id '" + *key + "' is live twice"));
        return;
      }
    }
  }

  const Snapshot::Impl& snapshot_;
  std::vector<Error>& problems_;
  std::map<uint64_t, const meta::Part*> parts_;
};

}  // namespace

void verify_metadata(const Snapshot::Impl& snapshot, bool deep, std::vector<Error>& problems) {
  const auto table = snapshot.table();
  if (!table) {
    problems.push_back(table.error());
  } else if (deep) {
    MetadataVerifier(snapshot, problems).run(**table);
  }
}

}  // namespace rvf::runtime
