// Numbers in text, one row a line. The separator (tab, semicolon, comma or blanks) is taken from
// the first line; a first line with a field that is no number is a header; a column named "id"
// holds ids.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <new>
#include <string_view>

#include "interop/csv_text.hpp"
#include "interop/json_values.hpp"
#include "interop/readers.hpp"

namespace rvf::interop {
namespace {

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

bool is_number(std::string_view text) {
  float v = 0;
  return parse_number(trim_blanks(text), v) != Parsed::kText;
}

// Header names that are the components of one vector: the longest run of v0, v1, v2, ...; none
// when no two columns follow each other like that, or two runs are equally long (x1, x2, y1, y2).
// `first` and `last` are positions, both included.
struct Run {
  size_t first = 0;
  size_t last = 0;
  bool any = false;
};

Run numbered_run(const std::vector<std::string>& names) {
  struct Numbered {
    std::string_view stem;
    uint64_t number = 0;
    bool any = false;
  };
  const auto split = [](std::string_view name) {
    size_t at = name.size();
    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9') --at;
    Numbered n{name.substr(0, at)};
    const auto digits = name.substr(at);
    n.any =
        std::from_chars(digits.data(), digits.data() + digits.size(), n.number).ec == std::errc() &&
        !digits.empty();
    return n;
  };
  Run best;
  size_t start = 0;
  Numbered before;
  for (size_t i = 0; i < names.size(); ++i) {
    const Numbered now = split(names[i]);
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
  return best;
}

class CsvReader final : public VectorReader {
 public:
  CsvReader(std::unique_ptr<ByteSource> source, bool want_extra)
      : source_(std::move(source)), csv_(*source_), want_extra_(want_extra) {}

  Status start() {
    RVF_ASSIGN(const bool any, csv_.next(fields_));
    if (!any) return source_->error(ErrorCode::kBadArgument, "the file holds no rows");
    columns_ = fields_.size();
    uses_.assign(columns_, Use::kComponent);
    const bool header = !std::all_of(fields_.begin(), fields_.end(),
                                     [](const CsvField& f) { return is_number(f.text); });
    if (header) RVF_TRY(take_header());
    pending_ = pending_ || !header;
    const auto dim = static_cast<size_t>(std::count(uses_.begin(), uses_.end(), Use::kComponent));
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
  enum class Use : uint8_t { kComponent, kId, kExtra };

  // With metadata wanted, the first row tells what is a component: see ReadOptions::want_extra.
  Status take_header() {
    for (const CsvField& f : fields_) names_.emplace_back(trim_blanks(f.text));
    for (size_t i = 0; i < columns_ && !has_id_; ++i) {
      has_id_ = lower(names_[i]) == "id";
      if (has_id_) uses_[i] = Use::kId;
    }
    if (!want_extra_) return {};
    RVF_ASSIGN(pending_, csv_.next(fields_));
    const Run run = numbered_run(names_);
    for (size_t i = 0; i < columns_; ++i) {
      if (uses_[i] == Use::kId) continue;
      const bool component = run.any
                                 ? i >= run.first && i <= run.last
                                 : !pending_ || i >= fields_.size() || is_number(fields_[i].text);
      if (!component) uses_[i] = Use::kExtra;
    }
    return {};
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
    std::string extra(1, '{');
    for (size_t i = 0; i < columns_; ++i) {
      if (uses_[i] == Use::kId) {
        RVF_TRY(append_id(fields_[i].text, out));
        continue;
      }
      if (uses_[i] == Use::kExtra) {
        RVF_TRY(append_extra(i, extra));
        continue;
      }
      const std::string_view text = trim_blanks(fields_[i].text);
      float v = 0;
      switch (parse_number(text, v)) {
        case Parsed::kNumber: break;
        case Parsed::kNotFinite:
          return fault(ErrorCode::kNotFinite, column(i) + ": NaN or infinity");
        case Parsed::kOutOfRange:
          return fault(ErrorCode::kOutOfRange, column(i) + ": beyond the range of f32");
        case Parsed::kText:
          return fault(ErrorCode::kCorrupt,
                       fmt::format("{}: \"{}\" is no number", column(i), text.substr(0, 40)));
      }
      std::memcpy(out.bytes.data() + at + 4 * component++, &v, 4);
    }
    if (want_extra_) out.extra.push_back(std::move(extra) + '}');
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

  Error fault(ErrorCode code, const std::string& what) const { return csv_.error(code, what); }

  std::unique_ptr<ByteSource> source_;
  CsvText csv_;
  std::vector<CsvField> fields_;
  std::vector<std::string> names_;
  std::vector<Use> uses_;
  std::optional<bool> numeric_ids_;
  size_t columns_ = 0;
  uint64_t row_ = 0;
  bool has_id_ = false;
  bool want_extra_;
  bool pending_ = false;  // fields_ holds the first row, read to find the columns
};

}  // namespace

Result<std::unique_ptr<VectorReader>> open_csv(std::unique_ptr<ByteSource> source,
                                               bool want_extra) {
  auto reader = std::make_unique<CsvReader>(std::move(source), want_extra);
  RVF_TRY(reader->start());
  return std::unique_ptr<VectorReader>(std::move(reader));
}

}  // namespace rvf::interop
