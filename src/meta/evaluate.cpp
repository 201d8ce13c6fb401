#include "meta/evaluate.hpp"

#include <algorithm>

#include "meta/text_predicate.hpp"

namespace rvf::meta {
namespace {

using wire::MetaColumnView;
using Form = MetaColumnView::Form;

// An index entry sets one bit at random; a scan reads columns in order. Below this share of the
// rows the index is the faster way.
constexpr uint64_t kIndexShare = 32;

bool is_number(FieldType t) noexcept {
  return t == FieldType::kI64 || t == FieldType::kU64 || t == FieldType::kF64 ||
         t == FieldType::kTimestamp;
}

class PartEvaluation {
 public:
  PartEvaluation(const Part* part, uint64_t first_row, uint32_t rows, const RowIds& ids,
                 EvaluateNotes* notes)
      : part_(part), first_row_(first_row), rows_(rows), ids_(ids), notes_(notes) {}

  Status run(const Filter& f, Bits& out) {
    switch (f.op) {
      case FilterOp::kAll: ones(out); return {};
      case FilterOp::kNone: out.assign(words_of(rows_), 0); return {};
      case FilterOp::kNot:
        RVF_TRY(run(f.children[0], out));
        invert(out);
        return {};
      case FilterOp::kAnd: return combine(f, out, true);
      case FilterOp::kOr: return combine(f, out, false);
      default: break;
    }
    out.assign(words_of(rows_), 0);
    if (f.field == kIdField) return compare_ids(f, out);
    const MetaColumnView* column = part_ == nullptr ? nullptr : part_->column(f.field);
    if (f.op == FilterOp::kIsNull) {
      is_null(column, out);
      return {};
    }
    if (f.op == FilterOp::kNe) {
      Filter equal = f;
      equal.op = FilterOp::kEq;
      RVF_TRY(compare(equal, f, column, out));
      invert(out);
      return {};
    }
    return compare(f, f, column, out);
  }

 private:
  void ones(Bits& out) const {
    out.assign(words_of(rows_), ~uint64_t{0});
    clear_tail(out, rows_);
  }
  void invert(Bits& out) const {
    for (uint64_t& w : out) w = ~w;
    clear_tail(out, rows_);
  }
  void note(const Filter& f, const char* means) const {
    if (notes_ != nullptr) notes_->add(&f, means);
  }

  Status combine(const Filter& f, Bits& out, bool all) {
    RVF_TRY(run(f.children[0], out));
    Bits next;
    for (size_t i = 1; i < f.children.size(); ++i) {
      // Nothing can come back in, nothing can be added any more.
      const bool decided = std::all_of(out.begin(), out.end(), [&](uint64_t w) { return w == 0; });
      if (decided && all) return {};
      RVF_TRY(run(f.children[i], next));
      for (size_t w = 0; w < out.size(); ++w) out[w] = all ? out[w] & next[w] : out[w] | next[w];
    }
    return {};
  }

  Status compare_ids(const Filter& f, Bits& out) {
    if (f.op == FilterOp::kIsNull) return {};
    if (f.op == FilterOp::kNe) {
      Filter equal = f;
      equal.op = FilterOp::kEq;
      RVF_TRY(compare_ids(equal, out));
      invert(out);
      return {};
    }
    std::vector<uint64_t> ids(rows_);
    if (rows_ > 0) ids_(first_row_, rows_, ids.data());
    scan_unsigned(std::as_bytes(std::span(ids)), 8, rows_, intervals_of(f, FieldType::kU64), out);
    note(f, "by ids");
    return {};
  }

  void is_null(const MetaColumnView* column, Bits& out) const {
    if (column == nullptr) return ones(out);
    if (column->has_nulls()) {
      std::memcpy(out.data(), column->nulls().data(), column->nulls().size());
      clear_tail(out, rows_);
    }
  }

  // `origin` is the comparison as the notes know it.
  Status compare(const Filter& f, const Filter& origin, const MetaColumnView* column, Bits& out) {
    if (column == nullptr) return {};
    if (is_number(column->type())) {
      compare_numbers(f, origin, *column, out);
    } else if (column->type() == FieldType::kBool) {
      compare_bools(f, origin, *column, out);
    } else {
      RVF_TRY(compare_texts(f, origin, *column, out));
    }
    if (column->has_nulls()) {
      const wire::ByteSpan nulls = column->nulls();
      for (size_t w = 0; w < out.size(); ++w) {
        uint64_t null_word = 0;
        std::memcpy(&null_word, nulls.data() + w * 8, std::min<size_t>(8, nulls.size() - w * 8));
        out[w] &= ~null_word;
      }
    }
    clear_tail(out, rows_);
    return {};
  }

  void compare_numbers(const Filter& f, const Filter& origin, const MetaColumnView& column,
                       Bits& out) {
    const std::vector<Interval> keys = intervals_of(f, column.type());
    if (keys.empty()) return note(origin, "not possible");
    if (!column.range()) return note(origin, "by value range");
    const Interval range{key_of(column.range()->min, column.type()),
                         key_of(column.range()->max, column.type())};
    const bool apart = std::none_of(keys.begin(), keys.end(), [&](const Interval& i) {
      return i.low <= range.high && i.high >= range.low;
    });
    if (apart) return note(origin, "by value range");
    const bool covered = std::any_of(keys.begin(), keys.end(), [&](const Interval& i) {
      return i.low <= range.low && i.high >= range.high;
    });
    // NaN lies outside the range and in no interval; only plain doubles can be NaN.
    if (covered && !(column.type() == FieldType::kF64 && column.form() == Form::kWide)) {
      ones(out);
      return note(origin, "by value range");
    }
    if (by_range_index(f, keys, out)) return note(origin, "by range index");
    if (column.form() == Form::kPacked) {
      scan_unsigned(column.data(), column.packing().width, rows_,
                    offset_intervals(keys, column.packing(), column.type()), out);
    } else {
      scan_wide(column.data(), column.type(), rows_, keys, out);
    }
    note(origin, "scanned");
  }

  bool by_range_index(const Filter& f, const std::vector<Interval>& keys, Bits& out) const {
    const wire::RangeIndexView* index = part_->range_index(f.field);
    if (index == nullptr) return false;
    uint64_t entries = 0;
    for (const Interval& k : keys) {
      const auto [first, last] = index->find(k.low, k.high);
      entries += last - first;
    }
    if (entries > rows_ / kIndexShare) return false;
    for (const Interval& k : keys) {
      const auto [first, last] = index->find(k.low, k.high);
      for (uint64_t i = first; i < last; ++i) {
        if (index->row(i) < rows_) set_bit(out, index->row(i));
      }
    }
    return true;
  }

  void compare_bools(const Filter& f, const Filter& origin, const MetaColumnView& column,
                     Bits& out) const {
    bool admits[2] = {false, false};
    for (const Value& v : f.values) {
      if (const auto* b = std::get_if<bool>(&v)) admits[*b ? 1 : 0] = true;
    }
    note(origin, "scanned");
    if (admits[0] && admits[1]) return ones(out);
    if (!admits[0] && !admits[1]) return;
    std::memcpy(out.data(), column.data().data(), column.data().size());
    clear_tail(out, rows_);
    if (admits[0]) invert(out);
  }

  Status compare_texts(const Filter& f, const Filter& origin, const MetaColumnView& column,
                       Bits& out) {
    const TextPredicate test(f);
    if (f.op == FilterOp::kMatch) {
      RVF_ASSIGN(const bool done, by_words(f, test, out));
      if (done) {
        note(origin, "by word index");
        return {};
      }
    }
    const bool equality = f.op == FilterOp::kEq || f.op == FilterOp::kIn;
    const bool element = column.type() == FieldType::kStringList && f.op == FilterOp::kContains;
    if (equality || element) {
      RVF_ASSIGN(const bool done, by_value_index(f, column, out));
      if (done) return note(origin, "by value index"), Status();
    }
    note(origin, "scanned");
    switch (column.form()) {
      case Form::kTable:
        meta::scan_rows(rows_, out, [&](uint32_t row) { return test(column.table()[row]); });
        return {};
      case Form::kBlocks: return scan_blocks(column, test, out);
      case Form::kCoded:
        scan_codes(column.data(), column.code_width(), rows_, admitted(column, f, test), out);
        return {};
      case Form::kLists: scan_lists(column, admitted(column, f, test), out); return {};
      default: return {};
    }
  }

  static std::vector<uint8_t> admitted(const MetaColumnView& column, const Filter& f,
                                       const TextPredicate& test) {
    std::vector<uint8_t> out(column.table().size());
    const bool element = column.form() == Form::kLists && f.op == FilterOp::kContains;
    const auto* wanted = element ? std::get_if<std::string>(&f.values[0]) : nullptr;
    for (uint32_t i = 0; i < column.table().size(); ++i) {
      const std::string_view s = column.table()[i];
      out[i] = wanted != nullptr ? s == *wanted : test(s);
    }
    return out;
  }

  void scan_lists(const MetaColumnView& column, const std::vector<uint8_t>& admits,
                  Bits& out) const {
    meta::scan_rows(rows_, out, [&](uint32_t row) {
      const MetaColumnView::Span s = column.list(row);
      for (uint32_t i = s.begin; i < s.end; ++i) {
        const uint32_t code = column.code(i);
        if (code < admits.size() && admits[code] != 0) return true;
      }
      return false;
    });
  }

  Status scan_blocks(const MetaColumnView& column, const TextPredicate& test, Bits& out) const {
    const wire::TextBlocksView& blocks = column.blocks();
    for (uint32_t b = 0; b < blocks.blocks(); ++b) {
      RVF_ASSIGN(const wire::StringTable table, blocks.block(b));
      const uint64_t first = uint64_t{b} * blocks.rows_per_block();
      for (size_t i = 0; i < table.size(); ++i) {
        if (test(table[i])) set_bit(out, first + i);
      }
    }
    return {};
  }

  // All words must occur: the shortest list of postings is taken first.
  Result<bool> by_words(const Filter& f, const TextPredicate& test, Bits& out) const {
    const wire::InvertedView* words = part_->words(f.field);
    if (words == nullptr) return false;
    if (test.words().empty()) return true;
    std::vector<wire::InvertedTerm> terms;
    for (const std::string& word : test.words()) {
      RVF_ASSIGN(const auto term, words->find(word));
      if (!term) return true;
      terms.push_back(*term);
    }
    Bits left;
    Bits now;
    for (const wire::InvertedTerm& term : terms) {
      now.assign(words_of(rows_), 0);
      wire::PostingCursor cursor = words->postings(term);
      wire::InvertedPosting posting;
      while (cursor.next(posting)) {
        const uint64_t position = words->doc(posting.ordinal).id - first_row_;
        if (position < rows_) set_bit(now, position);
      }
      if (cursor.failed()) return Error(ErrorCode::kCorrupt, "a word index is damaged");
      if (left.empty()) {
        left = now;
      } else {
        for (size_t w = 0; w < left.size(); ++w) left[w] &= now[w];
      }
    }
    out = std::move(left);
    return true;
  }

  Result<bool> by_value_index(const Filter& f, const MetaColumnView& column, Bits& out) const {
    if (const wire::BitmapIndexView* index = part_->bitmap_index(f.field)) {
      uint64_t bytes = 0;
      for (const Value& v : f.values) {
        RVF_ASSIGN(const uint64_t set, index->set_bytes(v));
        bytes += set;
      }
      // Codes are compared by the vector; lists are walked one by one.
      const uint64_t rows_a_byte = column.form() == Form::kLists ? 1 : kIndexShare;
      if (bytes * rows_a_byte > rows_) return false;
      for (const Value& v : f.values) {
        RVF_ASSIGN(const auto rows, index->find(v, rows_));
        for (const uint64_t row : rows) {
          if (row < rows_) set_bit(out, row);
        }
      }
      return true;
    }
    const wire::RangeIndexView* index = part_->range_index(f.field);
    if (index == nullptr || f.values.size() > rows_ / kIndexShare) return false;
    ColumnReader reader(column);
    const TextPredicate test(f);
    for (const Value& v : f.values) {
      uint64_t key = 0;
      if (const auto* s = std::get_if<std::string>(&v)) key = wire::sort_key(std::string_view(*s));
      if (const auto* b = std::get_if<std::vector<std::byte>>(&v)) {
        key = wire::sort_key(std::string_view(reinterpret_cast<const char*>(b->data()), b->size()));
      }
      const auto [first, last] = index->find(key, key);
      for (uint64_t i = first; i < last; ++i) {
        const uint32_t row = index->row(i);
        if (row < rows_ && test(reader.text(row))) set_bit(out, row);
      }
    }
    return true;
  }

  const Part* part_;
  uint64_t first_row_;
  uint32_t rows_;
  const RowIds& ids_;
  EvaluateNotes* notes_;
};

}  // namespace

std::string EvaluateNotes::of(const Filter* comparison) const {
  const auto at = counts_.find(comparison);
  if (at == counts_.end()) return {};
  std::string out;
  for (const auto& [means, count] : at->second) {
    out += (out.empty() ? "" : ", ") + std::to_string(count) + " part" + (count == 1 ? " " : "s ") +
           means;
  }
  return out;
}

Status evaluate_part(const Filter& filter, const Part& part, const RowIds& ids, Bits& out,
                     EvaluateNotes* notes) {
  return PartEvaluation(&part, part.first_row(), part.rows(), ids, notes).run(filter, out);
}

Status evaluate_bare(const Filter& filter, uint64_t first_row, uint32_t rows, const RowIds& ids,
                     Bits& out) {
  return PartEvaluation(nullptr, first_row, rows, ids, nullptr).run(filter, out);
}

bool is_expensive(const Filter& filter, const Part& part) {
  for (const Filter& child : filter.children) {
    if (is_expensive(child, part)) return true;
  }
  if (!filter.children.empty() || filter.op == FilterOp::kIsNull) return false;
  const MetaColumnView* column = part.column(filter.field);
  if (column == nullptr || (column->form() != Form::kTable && column->form() != Form::kBlocks)) {
    return false;
  }
  if (filter.op == FilterOp::kMatch && part.words(filter.field) != nullptr) return false;
  const bool equality =
      filter.op == FilterOp::kEq || filter.op == FilterOp::kNe || filter.op == FilterOp::kIn;
  return !(equality && part.range_index(filter.field) != nullptr);
}

}  // namespace rvf::meta
