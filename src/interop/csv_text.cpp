#include "interop/csv_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "interop/ids.hpp"
#include "interop/readers.hpp"

namespace rvf::interop {
namespace {

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

}  // namespace

std::string_view trim_blanks(std::string_view s) noexcept {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

Error CsvText::error(ErrorCode code, const std::string& what) const {
  return source_->error(code, fmt::format("line {}: {}", line_, what));
}

Result<bool> CsvText::next(std::vector<CsvField>& fields) {
  do {
    RVF_ASSIGN(const bool any, source_->line(text_, kMaxLine, &end_));
    if (!any) return false;
    ++lines_;
    if (lines_ == 1 && text_.starts_with("\xEF\xBB\xBF")) text_.erase(0, 3);
  } while (trim_blanks(text_).empty());
  line_ = lines_;
  if (separator_ == 0) separator_ = separator_of(trim_blanks(text_));
  used_ = 0;
  size_t taken = text_.size();
  bool whole = split(text_, false, fields);
  while (!whole) {
    const std::string_view line_end = end_ == LineEnd::kBoth     ? "\r\n"
                                      : end_ == LineEnd::kReturn ? "\r"
                                                                 : "\n";
    fields[used_ - 1].text += line_end;
    raw_ += line_end;
    RVF_ASSIGN(const bool any, source_->line(text_, kMaxLine, &end_));
    if (!any) return error(ErrorCode::kCorrupt, "a quote stays open");
    ++lines_;
    taken += text_.size() + 1;
    if (taken > kMaxLine) {
      return error(ErrorCode::kTooLarge, fmt::format("a row is longer than {} bytes", kMaxLine));
    }
    whole = split(text_, true, fields);
  }
  fields.resize(used_);
  return true;
}

CsvField& CsvText::add(std::vector<CsvField>& fields) {
  if (used_ == fields.size()) fields.emplace_back();
  CsvField& field = fields[used_++];
  field.text.clear();
  field.quoted = false;
  return field;
}

// Takes the rest of a quoted field and what may stand between it and the separator.
bool CsvText::close_quote(std::string_view line, size_t& at, CsvField& field) {
  const size_t begin = at;
  for (;; ++at) {
    if (at >= line.size()) {
      raw_ += line.substr(begin);
      return false;
    }
    if (line[at] != '"') {
      field.text += line[at];
    } else if (at + 1 < line.size() && line[at + 1] == '"') {
      field.text += line[at++];
    } else {
      break;
    }
  }
  ++at;
  while (at < line.size() && line[at] == ' ' && separator_ != ' ') ++at;
  if (at >= line.size() || line[at] == separator_) return true;
  at = std::min(line.find(separator_, at), line.size());
  raw_ += line.substr(begin, at - begin);
  field.text = trim_blanks(raw_);
  field.quoted = false;
  return true;
}

bool CsvText::split(std::string_view line, bool resume, std::vector<CsvField>& fields) {
  const bool blanks = separator_ == ' ';
  for (size_t at = 0;;) {
    if (!resume) {
      while (at < line.size() && (line[at] == ' ' || (line[at] == '\t' && separator_ != '\t'))) {
        ++at;
      }
      if (blanks && at == line.size()) return true;
      add(fields);
    }
    CsvField& field = fields[used_ - 1];
    if (resume || (at < line.size() && line[at] == '"')) {
      if (!resume) {
        raw_ = '"';
        ++at;
      }
      field.quoted = true;
      resume = false;
      if (!close_quote(line, at, field)) return false;
    } else {
      const size_t end = std::min(line.find(separator_, at), line.size());
      field.text = trim_blanks(line.substr(at, end - at));
      at = end;
    }
    if (at >= line.size()) return true;
    ++at;
    if (at == line.size()) {  // a separator at the end
      if (!blanks) add(fields);
      return true;
    }
  }
}

Result<IdKind> kind_of_ids(const ByteSource& source, size_t column) {
  if (!source.rereadable()) return IdKind::kUndecided;
  RVF_ASSIGN(const auto again, ByteSource::open(source.path()));
  CsvText csv(*again);
  std::vector<CsvField> fields;
  for (bool header = true;; header = false) {
    RVF_ASSIGN(const bool any, csv.next(fields));
    if (!any) return IdKind::kNumbers;
    // Rows of another length are told when they are read.
    const bool id = !header && column < fields.size() && !fields[column].text.empty();
    if (id && !number_id(fields[column].text)) return IdKind::kTexts;
  }
}

}  // namespace rvf::interop
