#include <charconv>
#include <cmath>

#include "meta/filter_bind.hpp"
#include "meta/filter_lexer.hpp"

namespace rvf::meta {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += c;
    out += c;
  }
  return out + quote;
}

std::string number_text(double value) {
  if (std::isinf(value)) return value < 0 ? "-1e999" : "1e999";
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return std::string(buffer, end);
}

class Printer {
 public:
  explicit Printer(const Schema& schema) : schema_(schema) {}

  void print(const Filter& f) {
    switch (f.op) {
      case FilterOp::kAll: out_ += "true"; return;
      case FilterOp::kNone: out_ += "false"; return;
      case FilterOp::kAnd: group(f, " and "); return;
      case FilterOp::kOr: group(f, " or "); return;
      case FilterOp::kNot: negation(f.children.front()); return;
      default: leaf(f, false); return;
    }
  }
  std::string take() { return std::move(out_); }

 private:
  static bool has_negated_form(FilterOp op) noexcept {
    return op >= FilterOp::kIn && op <= FilterOp::kMatch;
  }

  void group(const Filter& f, const char* word) {
    for (size_t i = 0; i < f.children.size(); ++i) {
      if (i != 0) out_ += word;
      // `or` binds less than `and`; a group of the same kind would be merged when read again.
      const FilterOp op = f.children[i].op;
      const bool wrap = op == FilterOp::kOr || op == f.op;
      child(f.children[i], wrap);
    }
  }
  void child(const Filter& f, bool wrap) {
    if (wrap) out_ += '(';
    print(f);
    if (wrap) out_ += ')';
  }
  void negation(const Filter& f) {
    if (has_negated_form(f.op)) {
      leaf(f, true);
      return;
    }
    out_ += "not ";
    child(f, f.op == FilterOp::kAnd || f.op == FilterOp::kOr);
  }

  void leaf(const Filter& f, bool negated) {
    const SchemaField* field = field_by_number(schema_, f.field);
    name(field);
    const FieldType type = field != nullptr ? field->field.type : FieldType::kString;
    const char* no = negated ? "not " : "";
    switch (f.op) {
      case FilterOp::kEq:
        if (f.values[0] == Value(true)) return;
        comparison(" = ", f, type);
        return;
      case FilterOp::kNe: comparison(" != ", f, type); return;
      case FilterOp::kLt: comparison(" < ", f, type); return;
      case FilterOp::kLe: comparison(" <= ", f, type); return;
      case FilterOp::kGt: comparison(" > ", f, type); return;
      case FilterOp::kGe: comparison(" >= ", f, type); return;
      case FilterOp::kIsNull: out_ += negated ? " is not null" : " is null"; return;
      case FilterOp::kIn:
        out_ += std::string(" ") + no + "in (";
        for (size_t i = 0; i < f.values.size(); ++i) {
          if (i != 0) out_ += ", ";
          value(f.values[i], type);
        }
        out_ += ')';
        return;
      case FilterOp::kBetween:
        comparison((std::string(" ") + no + "between ").c_str(), f, type);
        out_ += " and ";
        value(f.values[1], type);
        return;
      case FilterOp::kStartsWith:
        comparison((std::string(" ") + no + "starts with ").c_str(), f, type);
        return;
      case FilterOp::kContains:
        comparison((std::string(" ") + no + "contains ").c_str(), f, type);
        return;
      default: comparison((std::string(" ") + no + "match ").c_str(), f, type); return;
    }
  }

  void comparison(const char* op, const Filter& f, FieldType type) {
    out_ += op;
    value(f.values[0], type);
  }

  void name(const SchemaField* field) {
    const std::string& n = field != nullptr ? field->field.name : std::string("?");
    if (n == kKeyField) {
      out_ += "id";
    } else {
      out_ += is_plain_name(n) ? n : quoted(n, '`');
    }
  }

  void value(const Value& v, FieldType type) {
    if (const auto* text = std::get_if<std::string>(&v)) {
      out_ += quoted(*text, '\'');
    } else if (const auto* bytes = std::get_if<std::vector<std::byte>>(&v)) {
      out_ += "x'" + to_hex({reinterpret_cast<const char*>(bytes->data()), bytes->size()}) + "'";
    } else if (const auto* i = std::get_if<int64_t>(&v)) {
      out_ += type == FieldType::kTimestamp ? quoted(iso_time(*i), '\'') : std::to_string(*i);
    } else if (const auto* u = std::get_if<uint64_t>(&v)) {
      out_ += std::to_string(*u);
    } else if (const auto* d = std::get_if<double>(&v)) {
      out_ += number_text(*d);
    } else if (const auto* b = std::get_if<bool>(&v)) {
      out_ += *b ? "true" : "false";
    } else {
      out_ += "null";
    }
  }

  const Schema& schema_;
  std::string out_;
};

}  // namespace

std::string filter_text(const Filter& filter, const Schema& schema) {
  Printer printer(schema);
  printer.print(filter);
  return printer.take();
}

}  // namespace rvf::meta
