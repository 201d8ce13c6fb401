// Numbers in text, one row a line. The separator (tab, semicolon, comma or blanks) is taken from
// the first line; a first line with a field that is no number is a header; a column named "id"
// holds ids.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <new>
#include <string_view>

#include "interop/readers.hpp"

namespace rvf::interop {
namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

enum class Parsed { kNumber, kNotFinite, kOutOfRange, kText };

Parsed parse_number(std::string_view s, float& out) {
  if (!s.empty() && s[0] == '+') s.remove_prefix(1);
  double v = 0;
  const auto r = std::from_chars(s.data(), s.data() + s.size(), v);
  if (r.ptr != s.data() + s.size() || s.empty()) return Parsed::kText;
  if (r.ec == std::errc::result_out_of_range) {
    // Too small is zero, too large is an error; the exponent's sign tells them apart.
    const size_t e = s.find_first_of("eE");
    const bool tiny = e != std::string_view::npos ? s.substr(e + 1).starts_with('-')
                                                  : s.substr(s[0] == '-').starts_with("0");
    if (!tiny) return Parsed::kOutOfRange;
    v = 0;
  } else if (r.ec != std::errc()) {
    return Parsed::kText;
  }
  if (!std::isfinite(v)) return Parsed::kNotFinite;
  if (std::fabs(v) >= kFloatOverflow) {
    return Parsed::kOutOfRange;
  }
  out = static_cast<float>(v);
  return Parsed::kNumber;
}

// Fields of one line; a quoted field may hold the separator and "" for a quote. False: a quote
// stays open.
bool split(std::string_view line, char separator, std::vector<std::string>& fields) {
  fields.clear();
  const bool blanks = separator == ' ';
  size_t at = 0;
  for (;;) {
    while (at < line.size() && (line[at] == ' ' || (line[at] == '\t' && separator != '\t'))) ++at;
    if (blanks && at == line.size()) return true;
    std::string field;
    if (at < line.size() && line[at] == '"') {
      for (++at;; ++at) {
        if (at >= line.size()) return false;
        if (line[at] != '"') {
          field += line[at];
        } else if (at + 1 < line.size() && line[at + 1] == '"') {
          field += line[at++];
        } else {
          break;
        }
      }
      ++at;
      while (at < line.size() && line[at] == ' ' && !blanks) ++at;
      if (at < line.size() && line[at] != separator) return false;
    } else {
      const size_t end = std::min(line.find(separator, at), line.size());
      field = line.substr(at, end - at);
      at = end;
    }
    fields.emplace_back(trim(field));
    if (at >= line.size()) return true;
    ++at;
    if (at == line.size()) {  // a separator at the end
      if (!blanks) fields.emplace_back();
      return true;
    }
  }
}

char separator_of(std::string_view line) {
  bool quoted = false;
  size_t tabs = 0, semicolons = 0, commas = 0, blanks = 0;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    tabs += c == '\t';
    semicolons += c == ';';
    commas += c == ',';
    blanks += c == ' ';
  }
  if (tabs > 0) return '\t';
  if (semicolons > 0) return ';';
  if (commas > 0 || blanks == 0) return ',';
  return ' ';
}

class CsvReader final : public VectorReader {
 public:
  explicit CsvReader(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  Status start() {
    std::string line;
    RVF_ASSIGN(const bool any, next_line(line));
    if (!any) return source_->error(ErrorCode::kBadArgument, "the file holds no rows");
    if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    separator_ = separator_of(trim(line));
    if (!split(line, separator_, fields_)) return fault(ErrorCode::kCorrupt, "a quote stays open");
    bool header = false;
    for (const std::string& f : fields_) {
      float v = 0;
      header = header || parse_number(f, v) == Parsed::kText;
    }
    columns_ = fields_.size();
    if (header) {
      for (size_t i = 0; i < fields_.size(); ++i) {
        if (lower(fields_[i]) == "id" && !id_column_) id_column_ = i;
      }
      names_ = fields_;
    } else {
      pending_ = true;
    }
    const size_t dim = columns_ - (id_column_ ? 1 : 0);
    if (dim == 0 || dim > kMaxDimension) {
      return fault(ErrorCode::kWrongDimension, fmt::format("{} columns of numbers", dim));
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
  Result<size_t> read_rows(size_t max_rows, VectorChunk& out) {
    out.clear();
    out.dtype = DType::kF32;
    out.dim = info_.dim;
    out.first_row = row_;
    std::string line;
    while (out.count < max_rows && (out.count == 0 || out.bytes.size() < kMaxChunkBytes)) {
      if (!pending_) {
        RVF_ASSIGN(const bool any, next_line(line));
        if (!any) break;
        if (!split(line, separator_, fields_)) {
          return fault(ErrorCode::kCorrupt, "a quote stays open");
        }
      }
      pending_ = false;
      RVF_TRY(append_row(out));
    }
    row_ += out.count;
    return out.count;
  }

  Status append_row(VectorChunk& out) {
    if (fields_.size() != columns_) {
      return fault(ErrorCode::kWrongDimension,
                   fmt::format("{} fields, the first line has {}", fields_.size(), columns_));
    }
    const size_t at = out.bytes.size();
    out.bytes.resize(at + size_t{4} * info_.dim);
    size_t component = 0;
    for (size_t i = 0; i < columns_; ++i) {
      if (id_column_ == i) {
        RVF_TRY(append_id(fields_[i], out));
        continue;
      }
      float v = 0;
      switch (parse_number(fields_[i], v)) {
        case Parsed::kNumber: break;
        case Parsed::kNotFinite:
          return fault(ErrorCode::kNotFinite, column(i) + ": NaN or infinity");
        case Parsed::kOutOfRange:
          return fault(ErrorCode::kOutOfRange, column(i) + ": beyond the range of f32");
        case Parsed::kText:
          return fault(ErrorCode::kCorrupt,
                       fmt::format("{}: \"{}\" is no number", column(i), fields_[i].substr(0, 40)));
      }
      std::memcpy(out.bytes.data() + at + 4 * component++, &v, 4);
    }
    ++out.count;
    return {};
  }

  // The first row decides whether ids are numbers or names.
  Status append_id(const std::string& field, VectorChunk& out) {
    uint64_t id = 0;
    const auto r = std::from_chars(field.data(), field.data() + field.size(), id);
    const bool number = r.ec == std::errc() && r.ptr == field.data() + field.size();
    if (field.empty()) return fault(ErrorCode::kCorrupt, "the id is empty");
    if (!numeric_ids_) numeric_ids_ = number;
    if (!*numeric_ids_) {
      out.string_ids.push_back(field);
    } else if (number) {
      out.ids.push_back(id);
    } else {
      return fault(ErrorCode::kCorrupt,
                   fmt::format("id \"{}\" is no number, those before are", field.substr(0, 40)));
    }
    return {};
  }

  std::string column(size_t i) const {
    return names_.empty() ? fmt::format("column {}", i + 1)
                          : fmt::format("column {} ({})", i + 1, names_[i].substr(0, 40));
  }

  Result<bool> next_line(std::string& line) {
    for (;;) {
      RVF_ASSIGN(const bool any, source_->line(line, kMaxLine));
      if (!any) return false;
      ++line_;
      if (!trim(line).empty()) return true;
    }
  }

  Error fault(ErrorCode code, const std::string& what) const {
    return source_->error(code, fmt::format("line {}: {}", line_, what));
  }

  std::unique_ptr<ByteSource> source_;
  std::vector<std::string> fields_;
  std::vector<std::string> names_;
  std::optional<size_t> id_column_;
  std::optional<bool> numeric_ids_;
  size_t columns_ = 0;
  uint64_t line_ = 0;
  uint64_t row_ = 0;
  char separator_ = ',';
  bool pending_ = false;  // fields_ holds the first row, read to find the columns
};

}  // namespace

Result<std::unique_ptr<VectorReader>> open_csv(std::unique_ptr<ByteSource> source) {
  auto reader = std::make_unique<CsvReader>(std::move(source));
  RVF_TRY(reader->start());
  return std::unique_ptr<VectorReader>(std::move(reader));
}

}  // namespace rvf::interop
