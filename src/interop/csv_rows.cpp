// Numbers in text, one row a line. The separator (tab, semicolon, comma or blanks) is taken from
// the first line; a first line of names is a header; a column named "id" holds ids.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <string_view>

#include "interop/csv_text.hpp"
#include "interop/json_values.hpp"
#include "interop/readers.hpp"
#include "interop/vector_text.hpp"

namespace rvf::interop {
namespace {

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_number(std::string_view text) {
  float v = 0;
  return read_number(trim_blanks(text), v) != NumberRead::kText;
}

// Whether a first line is a header. Names and numbers together are a row that has lost its header, but
// for what pandas writes of unnamed columns: 0, 1, 2, ...
enum class FirstLine { kRow, kHeader, kUnclear };

FirstLine first_line(const std::vector<CsvField>& fields, const std::string& id_field) {
  size_t numbers = 0;
  bool counted = true;
  bool named = false;
  for (const CsvField& f : fields) {
    if (is_number(f.text)) {
      counted = counted && f.text == std::to_string(numbers);
      ++numbers;
    } else {
      named = named || !(f.text.empty() || lower(f.text) == "id" || f.text == id_field);
    }
  }
  if (numbers == 0) return FirstLine::kHeader;
  if (numbers == fields.size()) return FirstLine::kRow;
  return counted && !named ? FirstLine::kHeader : FirstLine::kUnclear;
}

// The name without the number at its end, and that number.
struct Numbered {
  std::string_view stem;
  uint64_t number = 0;
  bool any = false;
};

Numbered split_number(std::string_view name) {
  size_t at = name.size();
  while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9') --at;
  Numbered n{name.substr(0, at)};
  const auto digits = name.substr(at);
  n.any =
      std::from_chars(digits.data(), digits.data() + digits.size(), n.number).ec == std::errc() &&
      !digits.empty();
  return n;
}

// Header names that are the components of one vector: the longest run of v0, v1, v2, ...; none
// when no two columns follow each other like that, or two runs are equally long (x1, x2, y1, y2).
// `first` and `last` are positions, both included.
struct Run {
  size_t first = 0;
  size_t last = 0;
  bool any = false;
};

Run numbered_run(const std::vector<std::string>& names, const std::string& stem) {
  Run best;
  std::vector<size_t> numbered;  // columns
  size_t start = 0;
  Numbered before;
  for (size_t i = 0; i < names.size(); ++i) {
    Numbered now = split_number(names[i]);
    now.any = now.any && (stem.empty() || now.stem == stem);
    if (now.any) numbered.push_back(i);
    const bool follows = i > 0 && now.any && before.any && now.stem == before.stem &&
                         now.number == before.number + 1;
    if (!follows) start = i;
    const size_t length = i - start;
    const size_t longest = best.last - best.first;
    if (length > longest) {
      best = {start, i, true};
    } else if (length > 0 && length == longest) {
      best.any = false;
    }
    before = now;
  }
  // v0 alone is a vector of one dimension.
  if (numbered.size() == 1 && split_number(names[numbered[0]]).number == 0) {
    best = {numbered[0], numbered[0], true};
  }
  return best;
}

class CsvReader final : public VectorReader {
 public:
  CsvReader(std::unique_ptr<ByteSource> source, const ReadOptions& options)
      : source_(std::move(source)), csv_(*source_), options_(options), ids_(options.ids) {}

  Status start() {
    RVF_ASSIGN(const bool any, csv_.next(fields_));
    if (!any) return source_->error(ErrorCode::kBadArgument, "the file holds no rows");
    columns_ = fields_.size();
    uses_.assign(columns_, Use::kComponent);
    switch (first_line(fields_, options_.id_field)) {
      case FirstLine::kHeader: RVF_TRY(take_header()); break;
      case FirstLine::kRow: RVF_TRY(without_header()); break;
      case FirstLine::kUnclear:
        return fault(
            ErrorCode::kCorrupt,
            "names and numbers in the first line; a header has names alone (id, v0, v1), and "
            "without one there are numbers alone");
    }
    auto dim = static_cast<size_t>(std::count(uses_.begin(), uses_.end(), Use::kComponent));
    if (vector_column_) {
      RVF_TRY(take_vector(fields_[*vector_column_]));
      dim = values_.size();
    }
    if (dim == 0 || dim > kMaxDimension) {
      return fault(ErrorCode::kWrongDimension, fmt::format("{} columns of numbers{}", dim, hint()));
    }
    info_ = {DType::kF32, static_cast<uint32_t>(dim), std::nullopt, Format::kCsv,
             source_->compressed()};
    return {};
  }

  Result<size_t> read(size_t max_rows, VectorChunk& out) override {
    try {
      return read_rows(max_rows, out);
    } catch (const std::bad_alloc&) {
      return source_->error(ErrorCode::kOutOfMemory, "no memory for its rows");
    }
  }

 private:
  enum class Use : uint8_t { kComponent, kId, kVector, kExtra, kOtherId };

  Status without_header() {
    if (options_.id_required || !options_.vector_field.empty()) {
      return fault(ErrorCode::kBadArgument,
                   fmt::format("no header line, and so no column named \"{}\"",
                               options_.id_required ? options_.id_field : options_.vector_field));
    }
    pending_ = true;
    return {};
  }

  // The first row tells what is a component where names do not: see ReadOptions::want_extra.
  Status take_header() {
    for (const CsvField& f : fields_) names_.emplace_back(trim_blanks(f.text));
    RVF_TRY(names_are_different());
    RVF_TRY(find_ids());
    RVF_ASSIGN(pending_, csv_.next(fields_));
    if (!pending_) return fault(ErrorCode::kBadArgument, "a header, and no rows");
    const Run run = numbered_run(names_, {});
    RVF_TRY(find_vector(run));
    if (vector_column_) {
      for (size_t i = 0; i < columns_; ++i) {
        if (uses_[i] == Use::kComponent) uses_[i] = Use::kExtra;
      }
      uses_[*vector_column_] = Use::kVector;
    } else if (!options_.vector_field.empty()) {
      choose_components(numbered_run(names_, options_.vector_field));
    } else if (options_.want_extra) {
      choose_components(run);
    }
    return {};
  }

  void choose_components(const Run& run) {
    for (size_t i = 0; i < columns_; ++i) {
      if (uses_[i] != Use::kComponent) continue;
      const auto& fields = options_.fields;
      const bool is_field = std::find(fields.begin(), fields.end(), names_[i]) != fields.end();
      const bool component = run.any
                                 ? i >= run.first && i <= run.last
                                 : !is_field && (i >= fields_.size() || is_number(fields_[i].text));
      if (!component) uses_[i] = Use::kExtra;
    }
  }

  Status names_are_different() const {
    std::vector<std::string> sorted = names_;
    std::sort(sorted.begin(), sorted.end());
    for (size_t i = 1; i < sorted.size(); ++i) {
      if (sorted[i] == sorted[i - 1] && !sorted[i].empty()) {
        return fault(ErrorCode::kBadArgument,
                     fmt::format("two columns are named \"{}\"", sorted[i].substr(0, 40)));
      }
    }
    return {};
  }

  Status find_ids() {
    const auto named = [&](auto is) { return std::find_if(names_.begin(), names_.end(), is); };
    const auto usual = [](const std::string& n) { return lower(n) == "id"; };
    for (size_t i = 0; i < columns_; ++i) {
      if (usual(names_[i])) uses_[i] = Use::kOtherId;
    }
    auto at = named([&](const std::string& n) { return n == options_.id_field; });
    if (at == names_.end() && options_.id_required) {
      return fault(ErrorCode::kBadArgument,
                   fmt::format("no column is named \"{}\"", options_.id_field));
    }
    if (at == names_.end()) at = named(usual);
    if (at == names_.end()) return {};
    id_column_ = static_cast<size_t>(at - names_.begin());
    uses_[*id_column_] = Use::kId;
    if (options_.ids != IdKind::kUndecided) return {};
    RVF_ASSIGN(const IdKind kind, kind_of_ids(*source_, *id_column_));
    ids_ = IdColumn(kind);
    return {};
  }

  // A column that holds whole vectors.
  Status find_vector(const Run& run) {
    for (size_t i = 0; i < columns_ && i < fields_.size(); ++i) {
      const bool chosen = names_[i] == options_.vector_field;
      const bool likely = options_.vector_field.empty() && is_vector_name(lower(names_[i])) &&
                          fields_[i].text.starts_with('[');
      if (uses_[i] != Use::kComponent || (!chosen && !likely)) continue;
      if (vector_column_) return two_vectors(names_[*vector_column_], names_[i]);
      vector_column_ = i;
    }
    if (options_.vector_field.empty()) {
      if (vector_column_ && run.any) return two_vectors(names_[*vector_column_], names_[run.first]);
      return {};
    }
    if (!vector_column_ && !numbered_run(names_, options_.vector_field).any) {
      return fault(ErrorCode::kBadArgument,
                   fmt::format("no column is named \"{0}\", and none are {0}0 {0}1 ...",
                               options_.vector_field));
    }
    return {};
  }

  Status two_vectors(const std::string& a, const std::string& b) const {
    return fault(ErrorCode::kBadArgument,
                 fmt::format("the columns \"{}\" and \"{}\" both hold vectors; --vector-field says "
                             "which to take",
                             a, b));
  }

  Status take_vector(const CsvField& field) {
    if (auto s = read_vector(field.text, values_); !s) {
      return fault(s.error().code,
                   fmt::format("{}: {}", column(*vector_column_), s.error().message));
    }
    return {};
  }

  // Why there may be no numbers.
  const char* hint() const {
    const bool comma = std::any_of(fields_.begin(), fields_.end(),
                                   [](const CsvField& f) { return has_decimal_comma(f.text); });
    return comma ? "; decimal commas? numbers are written with a point, 1.5" : "";
  }

  Result<size_t> read_rows(size_t max_rows, VectorChunk& out) {
    out.clear();
    out.dtype = DType::kF32;
    out.dim = info_.dim;
    out.first_row = row_;
    while (out.count < max_rows && (out.count == 0 || out.bytes.size() < kMaxChunkBytes)) {
      if (!pending_) {
        RVF_ASSIGN(const bool any, csv_.next(fields_));
        if (!any) break;
      }
      pending_ = false;
      RVF_TRY(append_row(out));
    }
    ids_.give(out.ids, out.string_ids);
    row_ += out.count;
    return out.count;
  }

  Status append_row(VectorChunk& out) {
    if (fields_.size() != columns_) {
      return fault(ErrorCode::kWrongDimension,
                   fmt::format("{} fields, the first line has {}", fields_.size(), columns_));
    }
    values_.clear();
    std::string extra(1, '{');
    for (size_t i = 0; i < columns_; ++i) {
      switch (uses_[i]) {
        case Use::kId:
          if (auto s = ids_.add_written(fields_[i].text); !s) {
            return fault(s.error().code, s.error().message);
          }
          break;
        case Use::kVector:
        case Use::kOtherId: break;
        case Use::kExtra: RVF_TRY(append_extra(i, extra)); break;
        case Use::kComponent: RVF_TRY(append_component(i)); break;
      }
    }
    if (vector_column_) RVF_TRY(take_vector(fields_[*vector_column_]));
    if (values_.size() != info_.dim) {
      return fault(ErrorCode::kWrongDimension,
                   fmt::format("{} elements, the first row has {}", values_.size(), info_.dim));
    }
    const auto* raw = reinterpret_cast<const std::byte*>(values_.data());
    out.bytes.insert(out.bytes.end(), raw, raw + values_.size() * 4);
    if (options_.want_extra) out.extra.push_back(std::move(extra) + '}');
    ++out.count;
    return {};
  }

  // Every value as a text: csv does not say more, and what it means shows over many rows.
  Status append_extra(size_t i, std::string& extra) const {
    const CsvField& f = fields_[i];
    if (f.text.empty() && !f.quoted) return {};
    if (!simdjson::validate_utf8(f.text) || !simdjson::validate_utf8(names_[i])) {
      return fault(ErrorCode::kCorrupt, fmt::format("column {} is no UTF-8", i + 1));
    }
    if (extra.size() > 1) extra += ',';
    append_json_text(extra, names_[i]);
    extra += ':';
    append_json_text(extra, f.text);
    return {};
  }

  Status append_component(size_t i) {
    const std::string_view text = trim_blanks(fields_[i].text);
    float v = 0;
    const NumberRead read = read_number(text, v);
    if (read != NumberRead::kNumber) {
      const Error e = number_fault(read, text);
      return fault(e.code, fmt::format("{}: {}", column(i), e.message));
    }
    values_.push_back(v);
    return {};
  }

  std::string column(size_t i) const {
    return names_.empty() ? fmt::format("column {}", i + 1)
                          : fmt::format("column {} ({})", i + 1, names_[i].substr(0, 40));
  }

  Error fault(ErrorCode code, const std::string& what) const { return csv_.error(code, what); }

  std::unique_ptr<ByteSource> source_;
  CsvText csv_;
  std::vector<CsvField> fields_;
  std::vector<std::string> names_;
  std::vector<Use> uses_;
  ReadOptions options_;
  IdColumn ids_;
  std::optional<size_t> id_column_, vector_column_;
  std::vector<float> values_;
  size_t columns_ = 0;
  uint64_t row_ = 0;
  bool pending_ = false;  // fields_ holds the first row, read to find the columns
};

}  // namespace

Result<std::unique_ptr<VectorReader>> open_csv(std::unique_ptr<ByteSource> source,
                                               const ReadOptions& options) {
  auto reader = std::make_unique<CsvReader>(std::move(source), options);
  RVF_TRY(reader->start());
  return std::unique_ptr<VectorReader>(std::move(reader));
}

}  // namespace rvf::interop
