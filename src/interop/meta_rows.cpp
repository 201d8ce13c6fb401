#include "interop/meta_rows.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <new>
#include <optional>

#include "interop/csv_text.hpp"
#include "interop/ids.hpp"
#include "interop/json_rows.hpp"
#include "interop/meta_columns.hpp"
#include "interop/npz.hpp"
#include "interop/readers.hpp"

namespace rvf::interop {
namespace {

// Columns times rows of a batch, most of which may be null.
constexpr size_t kCellsAtOnce = 4 << 20;
constexpr size_t kCellsOfChunk = 64 << 20;

struct StagedCell {
  size_t column;
  Cell cell;
};

// Rows become columns: a row is staged, and then taken into the batch or kept for the next.
class RowBuilder {
 public:
  explicit RowBuilder(const MetaOptions& options)
      : columns_(options.declared, options.known),
        id_field_(options.id_field),
        id_required_(options.id_required),
        ids_(options.ids) {}

  // Where all ids of a file were looked at beforehand.
  void set_id_kind(IdKind kind) { ids_ = IdColumn(kind); }

  void begin(MetaRows& out) {
    out.clear();
    columns_.begin();
    lines_.clear();
    bytes_ = 0;
  }

  // `text_only`: every value is a text that is to be read as in csv.
  Status stage_json(std::string& text, bool text_only) {
    clear();
    text_only_ = text_only;
    RVF_ASSIGN(const simdjson::dom::element row, json_.parse(text));
    simdjson::dom::object object;
    if (row.get(object) != simdjson::SUCCESS) {
      return Error(ErrorCode::kCorrupt, "not a JSON object; one a line is wanted");
    }
    name_.clear();
    return stage(object);
  }

  Status stage_csv(const std::vector<std::string>& names, const std::vector<CsvField>& fields) {
    clear();
    for (size_t i = 0; i < fields.size(); ++i) {
      const CsvField& f = fields[i];
      if (!simdjson::validate_utf8(f.text)) {
        return Error(ErrorCode::kCorrupt, fmt::format("field \"{}\" is no UTF-8", names[i]));
      }
      if (f.text.empty() && !f.quoted) continue;
      if (names[i] == id_field_) {
        id_ = Cell{Value(f.text), Looks::kText, true};
      } else {
        RVF_TRY(add(names[i], open_cell(f.text)));
      }
    }
    return {};
  }

  // False: the batch is full and the row stays staged for the next one.
  Result<bool> take(uint64_t line, size_t most_cells, MetaRows& out) {
    size_t fresh = 0;
    size_t bytes = 0;
    for (const StagedCell& s : staged_) {
      fresh += !columns_.has_values(s.column);
      if (const auto* text = std::get_if<std::string>(&s.cell.value)) bytes += text->size();
    }
    if (out.count > 0 && ((columns_.used() + fresh) * (out.count + 1) > most_cells ||
                          bytes_ + bytes > kMaxChunkBytes)) {
      return false;
    }
    bytes_ += bytes;
    RVF_TRY(put_id());
    for (StagedCell& s : staged_) {
      RVF_TRY(columns_.put(out.count, s.column, std::move(s.cell)));
    }
    lines_.push_back(line);
    ++out.count;
    return true;
  }

  // Fills out.columns. An error comes with the line of its row.
  struct Fault {
    uint64_t line;
    Error error;
  };
  std::optional<Fault> finish(MetaRows& out) {
    ids_.give(out.ids, out.keys);
    auto misfit = columns_.finish(out.count, out.columns);
    if (!misfit) return std::nullopt;
    return Fault{lines_[misfit->row], std::move(misfit->error)};
  }

 private:
  void clear() {
    staged_.clear();
    id_.reset();
    ++row_mark_;
  }

  static Cell open_cell(std::string_view text) {
    return {Value(std::string(text)), looks_of(text), true};
  }

  // Of two values for one field one would be lost, also where the other is null.
  Status add(std::string_view name, Cell cell) {
    RVF_ASSIGN(const size_t column, columns_.column(name));
    if (column >= marks_.size()) marks_.resize(column + 1);
    if (marks_[column] == row_mark_) {
      return Error(ErrorCode::kBadMetadata, fmt::format("the field \"{}\" is there twice", name));
    }
    marks_[column] = row_mark_;
    if (cell.looks != Looks::kNull) staged_.push_back({column, std::move(cell)});
    return {};
  }

  Status stage(simdjson::dom::object object) {
    const size_t prefix = name_.size();
    for (const simdjson::dom::key_value_pair field : object) {
      name_.resize(prefix);
      name_ += field.key;
      if (!id_field_.empty() && name_ == id_field_) {
        RVF_TRY(take_id(field.value));
        continue;
      }
      simdjson::dom::object inner;
      if (field.value.get(inner) == simdjson::SUCCESS &&
          columns_.fixed_type(name_) != FieldType::kString) {
        name_ += '.';
        // Every level makes the name longer, so this bounds the recursion too.
        if (name_.size() > 255) RVF_TRY(columns_.column(name_));
        RVF_TRY(stage(inner));
        continue;
      }
      RVF_TRY(add(name_, cell_of(field.value)));
    }
    name_.resize(prefix);
    return {};
  }

  Cell cell_of(simdjson::dom::element value) const {
    using Type = simdjson::dom::element_type;
    switch (value.type()) {
      case Type::BOOL: return {Value(bool(value)), Looks::kBool};
      case Type::INT64: return {Value(int64_t(value)), Looks::kInteger};
      case Type::UINT64: return {Value(uint64_t(value)), Looks::kLarge};
      case Type::DOUBLE: return {Value(double(value)), Looks::kReal};
      case Type::STRING: {
        const std::string_view text(value);
        if (text_only_) return open_cell(text);
        if (const auto digits = json_.huge(value)) {
          return {Value(std::string(*digits)), Looks::kHuge};
        }
        return {Value(std::string(text)), Looks::kText};
      }
      case Type::ARRAY: return array_cell(value);
      case Type::OBJECT: return {Value(json_.text_of(value)), Looks::kJson};
      default: return {};
    }
  }

  Cell array_cell(simdjson::dom::element value) const {
    std::vector<std::string> list;
    size_t bytes = 0;
    for (const simdjson::dom::element e : simdjson::dom::array(value)) {
      std::string_view item;
      if (e.get(item) != simdjson::SUCCESS || json_.huge(e)) {
        return {Value(json_.text_of(value)), Looks::kJson};
      }
      list.emplace_back(item);
      bytes += item.size() + kListItemBytes;
      if (bytes > kMaxMetaValue) break;  // put() refuses it
    }
    const Looks looks = list.empty() ? Looks::kEmptyList : Looks::kList;
    return {Value(std::move(list)), looks};
  }

  Status take_id(simdjson::dom::element value) {
    if (id_) {
      return Error(ErrorCode::kBadMetadata,
                   fmt::format("the field \"{}\" is there twice", id_field_));
    }
    id_ = cell_of(value);
    return {};
  }

  Status put_id() {
    const Cell id = id_.value_or(Cell{});
    if (id.looks == Looks::kNull) {
      if (!id_required_) return ids_.add_none();
      return Error(ErrorCode::kBadMetadata, fmt::format("no \"{}\" in it", id_field_));
    }
    if (const auto* text = std::get_if<std::string>(&id.value); text && id.looks == Looks::kText) {
      return id.open ? ids_.add_written(*text) : ids_.add_text(*text);
    }
    if (id.open) return ids_.add_written(*std::get_if<std::string>(&id.value));
    if (const auto* whole = std::get_if<int64_t>(&id.value); whole != nullptr && *whole >= 0) {
      return ids_.add_number(static_cast<uint64_t>(*whole));
    }
    if (const auto* large = std::get_if<uint64_t>(&id.value)) return ids_.add_number(*large);
    return Error(
        ErrorCode::kOutOfRange,
        fmt::format("\"{}\" is neither a whole number from 0 to 2^64-2 nor a text", id_field_));
  }

  MetaColumns columns_;
  std::string id_field_;
  bool id_required_;
  IdColumn ids_;
  bool text_only_ = false;
  JsonText json_;
  std::string name_;
  std::vector<StagedCell> staged_;
  std::vector<uint64_t> lines_;
  size_t bytes_ = 0;
  std::optional<Cell> id_;  // of the staged row
  std::vector<uint64_t> marks_;  // by column: the last row that had it
  uint64_t row_mark_ = 0;
};

class RowReader : public MetaRowReader {
 public:
  RowReader(std::unique_ptr<ByteSource> source, const MetaOptions& options)
      : source_(std::move(source)), builder_(options) {}

  Result<size_t> read(size_t max_rows, MetaRows& out) override {
    try {
      return read_rows(max_rows, out);
    } catch (const std::bad_alloc&) {
      return source_->error(ErrorCode::kOutOfMemory, "no memory for its rows");
    }
  }

 protected:
  // Stages the next row; false at the end. Errors name file and line.
  virtual Result<bool> stage_next() = 0;

  Error at_line(uint64_t line, const Error& e) const {
    return source_->error(e.code, fmt::format("line {}: {}", line, e.message));
  }

  std::unique_ptr<ByteSource> source_;
  RowBuilder builder_;
  uint64_t line_ = 0;  // of the staged row

 private:
  Result<size_t> read_rows(size_t max_rows, MetaRows& out) {
    builder_.begin(out);
    out.first_row = row_;
    while (out.count < max_rows) {
      if (!staged_) {
        RVF_ASSIGN(staged_, stage_next());
        if (!staged_) break;
      }
      const auto taken = builder_.take(line_, kCellsAtOnce, out);
      if (!taken.ok()) return at_line(line_, taken.error());
      if (!*taken) break;
      staged_ = false;
    }
    if (auto fault = builder_.finish(out)) return at_line(fault->line, fault->error);
    row_ += out.count;
    return out.count;
  }

  bool staged_ = false;
  uint64_t row_ = 0;
};

class JsonlMetaReader final : public RowReader {
 public:
  JsonlMetaReader(std::unique_ptr<ByteSource> source, const MetaOptions& options)
      : RowReader(std::move(source), options), rows_(*source_) {}

 private:
  Result<bool> stage_next() override {
    RVF_ASSIGN(const bool any, rows_.next(text_));
    if (!any) return false;
    line_ = rows_.line();
    if (const auto s = builder_.stage_json(text_, false); !s) return at_line(line_, s.error());
    return true;
  }

  JsonRows rows_;
  std::string text_;
};

class CsvMetaReader final : public RowReader {
 public:
  CsvMetaReader(std::unique_ptr<ByteSource> source, const MetaOptions& options)
      : RowReader(std::move(source), options), csv_(*source_) {}

  Status start(const MetaOptions& options) {
    RVF_ASSIGN(const bool any, csv_.next(fields_));
    if (!any) return source_->error(ErrorCode::kBadArgument, "the file holds no rows");
    for (const CsvField& f : fields_) {
      names_.emplace_back(trim_blanks(f.text));
      if (names_.back().empty() || !simdjson::validate_utf8(names_.back())) {
        return csv_.error(ErrorCode::kBadArgument,
                          fmt::format("column {} has no name (the first line must be a header of "
                                      "field names in UTF-8)",
                                      names_.size()));
      }
    }
    std::vector<std::string> sorted = names_;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) {
      return csv_.error(ErrorCode::kBadArgument,
                        fmt::format("two columns are named \"{}\"", twice->substr(0, 40)));
    }
    const auto id = std::find(names_.begin(), names_.end(), options.id_field);
    if (options.ids != IdKind::kUndecided || id == names_.end()) return {};
    RVF_ASSIGN(const IdKind kind, kind_of_ids(*source_, static_cast<size_t>(id - names_.begin())));
    builder_.set_id_kind(kind);
    return {};
  }

 private:
  Result<bool> stage_next() override {
    RVF_ASSIGN(const bool any, csv_.next(fields_));
    if (!any) return false;
    line_ = csv_.line();
    if (fields_.size() != names_.size()) {
      return csv_.error(ErrorCode::kCorrupt,
                        fmt::format("{} fields, the header has {}", fields_.size(), names_.size()));
    }
    if (const auto s = builder_.stage_csv(names_, fields_); !s) return at_line(line_, s.error());
    return true;
  }

  CsvText csv_;
  std::vector<std::string> names_;
  std::vector<CsvField> fields_;
};

Result<char> first_character(ByteSource& source) {
  constexpr size_t kLook = 4096;
  RVF_ASSIGN(const wire::ByteSpan head, source.peek(kLook));
  std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const size_t at = text.find_first_not_of(" \t\r\n");
  if (at == std::string_view::npos) {
    return source.error(ErrorCode::kBadArgument, "the file holds no rows");
  }
  return text[at];
}

}  // namespace

void MetaRows::clear() noexcept {
  count = 0;
  ids.clear();
  keys.clear();
  columns.clear();
}

Result<std::unique_ptr<MetaRowReader>> MetaRowReader::open(const std::string& path,
                                                           const MetaOptions& options) {
  try {
    RVF_ASSIGN(std::unique_ptr<ByteSource> source, open_input(path));
    RVF_ASSIGN(const char first, first_character(*source));
    if (first == '{' || first == '[') {
      return std::unique_ptr<MetaRowReader>(new JsonlMetaReader(std::move(source), options));
    }
    auto reader = std::make_unique<CsvMetaReader>(std::move(source), options);
    RVF_TRY(reader->start(options));
    return std::unique_ptr<MetaRowReader>(std::move(reader));
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, path + ": no memory to open it");
  }
}

struct ExtraColumns::Impl {
  Impl(std::string path_, Format format_, const MetaOptions& options)
      : path(std::move(path_)), format(format_), builder(ids_are_known(options)) {}

  // The reader of the vectors has looked for them; here they are only left out.
  static MetaOptions ids_are_known(MetaOptions options) {
    options.id_required = false;
    return options;
  }

  Error at(uint64_t row, const Error& e) const {
    return {e.code, fmt::format("{}: row {}: {}", path, row, e.message)};
  }

  std::string path;
  Format format;
  RowBuilder builder;
};

ExtraColumns::ExtraColumns(std::string path, Format format, const MetaOptions& options)
    : impl_(std::make_unique<Impl>(std::move(path), format, options)) {}
ExtraColumns::~ExtraColumns() = default;
ExtraColumns::ExtraColumns(ExtraColumns&&) noexcept = default;

Status ExtraColumns::read(const VectorChunk& chunk, MetaRows& out) try {
  RowBuilder& builder = impl_->builder;
  builder.begin(out);
  out.first_row = chunk.first_row;
  std::string text;
  for (size_t i = 0; i < chunk.extra.size(); ++i) {
    const uint64_t row = chunk.first_row + i;
    text = chunk.extra[i];
    if (const auto s = builder.stage_json(text, impl_->format == Format::kCsv); !s) {
      return impl_->at(row, s.error());
    }
    const auto taken = builder.take(row, kCellsOfChunk, out);
    if (!taken.ok()) return impl_->at(row, taken.error());
    if (!*taken) {
      return impl_->at(row, Error(ErrorCode::kTooLarge,
                                  "too much metadata for one batch; read fewer rows at once"));
    }
  }
  if (auto fault = builder.finish(out)) return impl_->at(fault->line, fault->error);
  out.count = chunk.count;
  out.ids.clear();
  out.keys.clear();
  for (Column& c : out.columns) c.values.resize(chunk.count);
  return {};
} catch (const std::bad_alloc&) {
  return Error(ErrorCode::kOutOfMemory, impl_->path + ": no memory for its metadata");
}

}  // namespace rvf::interop
