#include "filter_model.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <set>

namespace rvf::testing {
namespace {

using Bytes = std::vector<std::byte>;

constexpr const char* kVocabulary[] = {"red",   "Blue", "fox",  "foxes", "dog",  "dogs", "tree",
                                       "river", "the",  "and",  "k17",   "2024", "it's", "Stone",
                                       "of",    "sand", "x_yz", "snow",  "drum", "lamp"};
constexpr const char* kTags[] = {"red", "blue foxes", "", "a", "ab", "abc", "tag'7", "the stone"};
constexpr int64_t kIntegers[] = {0,
                                 1,
                                 -1,
                                 255,
                                 256,
                                 65535,
                                 65536,
                                 4294967295,
                                 4294967296,
                                 INT64_MIN,
                                 INT64_MIN + 1,
                                 INT64_MAX,
                                 INT64_MAX - 1,
                                 9007199254740993,
                                 1000000000000000000};

std::string lower(std::string s) {
  for (char& c : s) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return s;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The words of texts that `kVocabulary` and hexadecimal digits make up.
std::set<std::string> words_of(const std::string& text) {
  std::set<std::string> out;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end > at) {
      std::string w = lower(text.substr(at, end - at));
      if (w == "foxes") w = "fox";
      if (w == "dogs") w = "dog";
      out.insert(std::move(w));
    }
    at = end + 1;
  }
  return out;
}

bool is_stop(const std::string& word) {
  return word == "the" || word == "and" || word == "of" || word == "it" || word == "s";
}

bool has_words(const std::string& text, const std::string& query) {
  std::set<std::string> wanted = words_of(query);
  if (!std::all_of(wanted.begin(), wanted.end(), is_stop)) std::erase_if(wanted, is_stop);
  const std::set<std::string> there = words_of(text);
  return std::includes(there.begin(), there.end(), wanted.begin(), wanted.end());
}

template <class T>
bool compare(ModelOp op, const T& x, const T& a) {
  switch (op) {
    case ModelOp::kEq: return x == a;
    case ModelOp::kLt: return x < a;
    case ModelOp::kLe: return x <= a;
    case ModelOp::kGt: return x > a;
    case ModelOp::kGe: return x >= a;
    default: return false;
  }
}

bool holds_number(ModelOp op, FieldType type, const Value& v, const ModelLiteral& a) {
  const auto* i = std::get_if<int64_t>(&v);
  const auto* u = std::get_if<uint64_t>(&v);
  const auto* d = std::get_if<double>(&v);
  if (type == FieldType::kF64) {
    const double x = i != nullptr   ? static_cast<double>(*i)
                     : u != nullptr ? static_cast<double>(*u)
                                    : *d;
    return compare(op, x, a.real);
  }
  return compare(op, 2 * (i != nullptr ? Wide{*i} : Wide{*u}), a.twice);
}

bool holds_text(ModelOp op, const std::string& x, const std::string& a) {
  if (op == ModelOp::kStartsWith) return x.compare(0, a.size(), a) == 0;
  if (op == ModelOp::kContains) return x.find(a) != std::string::npos;
  if (op == ModelOp::kMatch) return has_words(x, a);
  return compare(op, x, a);
}

bool holds_one(ModelOp op, FieldType type, const Value& v, const ModelLiteral& a) {
  if (const auto* s = std::get_if<std::string>(&v)) return holds_text(op, *s, a.text);
  if (const auto* b = std::get_if<bool>(&v)) return *b == a.truth;
  if (const auto* raw = std::get_if<Bytes>(&v)) {
    return compare(op, std::string(reinterpret_cast<const char*>(raw->data()), raw->size()),
                   a.text);
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&v)) {
    const ModelOp each = op == ModelOp::kContains ? ModelOp::kEq : op;
    return std::any_of(list->begin(), list->end(),
                       [&](const std::string& s) { return holds_text(each, s, a.text); });
  }
  return holds_number(op, type, v, a);
}

bool holds_leaf(const Expression& e, FieldType type, const Value& v) {
  const bool null = std::holds_alternative<std::monostate>(v);
  const auto equals = [&](const ModelLiteral& a) {
    if (a.kind == ModelLiteral::kNull) return null;
    return !null && holds_one(ModelOp::kEq, type, v, a);
  };
  switch (e.op) {
    case ModelOp::kIsNull: return null;
    case ModelOp::kEq: return equals(e.literals[0]);
    case ModelOp::kNe: return !equals(e.literals[0]);
    case ModelOp::kIn: return std::any_of(e.literals.begin(), e.literals.end(), equals);
    case ModelOp::kBetween:
      return !null && holds_one(ModelOp::kGe, type, v, e.literals[0]) &&
             holds_one(ModelOp::kLe, type, v, e.literals[1]);
    default: return !null && holds_one(e.op, type, v, e.literals[0]);
  }
}

std::string quoted(const std::string& s) {
  std::string out = "'";
  for (const char c : s) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string decimal(Wide n) {
  const bool negative = n < 0;
  std::string digits;
  for (Wide rest = negative ? -n : n; rest > 0 || digits.empty(); rest /= 10) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  }
  return (negative ? "-" : "") + digits;
}

}  // namespace

bool holds(const Expression& e, const std::vector<ModelField>& fields, const ModelRow& row) {
  const auto each = [&](const Expression& c) { return holds(c, fields, row); };
  switch (e.op) {
    case ModelOp::kTrue: return true;
    case ModelOp::kFalse: return false;
    case ModelOp::kAnd: return std::all_of(e.children.begin(), e.children.end(), each);
    case ModelOp::kOr: return std::any_of(e.children.begin(), e.children.end(), each);
    case ModelOp::kNot: return !each(e.children[0]);
    default: break;
  }
  if (e.field == kIdColumn) return holds_leaf(e, FieldType::kU64, row.id) != e.negated;
  return holds_leaf(e, fields[e.field].type, row.values[e.field]) != e.negated;
}

std::string text_of(const Expression& e, const std::vector<ModelField>& fields) {
  const auto joined = [&](const char* word) {
    std::string out = "(";
    for (const Expression& c : e.children) {
      out += (out.size() > 1 ? word : "") + text_of(c, fields);
    }
    return out + ")";
  };
  if (e.op == ModelOp::kTrue) return "true";
  if (e.op == ModelOp::kFalse) return "FALSE";
  if (e.op == ModelOp::kNot) return "not " + text_of(e.children[0], fields);
  if (e.op == ModelOp::kAnd) return joined(" and ");
  if (e.op == ModelOp::kOr) return joined(" OR ");
  const std::string name = e.field == kIdColumn ? "id" : fields[e.field].name;
  const std::string op = e.negated ? " not " : " ";
  constexpr const char* kSigns[] = {"=", "!=", "<", "<=", ">", ">="};
  constexpr const char* kTurned[] = {"=", "<>", ">", ">=", "<", "<="};
  const auto n = static_cast<size_t>(e.op);
  switch (e.op) {
    case ModelOp::kIsNull: return name + (e.negated ? " is not null" : " is null");
    case ModelOp::kIn: {
      std::string out = name + op + "in (";
      for (size_t i = 0; i < e.literals.size(); ++i) {
        out += (i > 0 ? ", " : "") + e.literals[i].written;
      }
      return out + ")";
    }
    case ModelOp::kBetween:
      return name + op + "between " + e.literals[0].written + " and " + e.literals[1].written;
    case ModelOp::kStartsWith: return name + op + "starts with " + e.literals[0].written;
    case ModelOp::kContains: return name + op + "contains " + e.literals[0].written;
    case ModelOp::kMatch: return name + op + "match " + e.literals[0].written;
    default: break;
  }
  if (e.mirrored) return e.literals[0].written + " " + kTurned[n] + " " + name;
  return name + " " + kSigns[n] + " " + e.literals[0].written;
}

std::string Generator::words(size_t n) {
  std::string out;
  for (size_t i = 0; i < n; ++i) {
    out += (i > 0 ? one_in(4) ? ", " : " " : "") +
           std::string(kVocabulary[below(std::size(kVocabulary))]);
  }
  return out;
}

Value Generator::text(uint64_t style) {
  switch (style) {
    case 0: return std::string(kVocabulary[below(6)]);
    case 1: return words(below(6));
    case 2: return words(30 + below(60));
    case 3: {  // hardly compressible
      std::string s = "p/" + std::to_string(below(300)) + " ";
      for (size_t n = below(80); n > 0; --n) s += "0123456789"[below(10)];
      return s;
    }
    default: return one_in(3) ? std::string() : std::string(below(20), 'z') + " " + words(1);
  }
}

Value Generator::number(FieldType type, uint64_t style) {
  int64_t n = 0;
  switch (style) {
    case 0: n = static_cast<int64_t>(below(20)) - 5; break;
    case 1: n = static_cast<int64_t>(below(200)) * 1000 - 100'000; break;
    case 2: n = static_cast<int64_t>(below(3'000'000'000)); break;
    case 3: n = 42; break;
    default:
      n = one_in(2) ? kIntegers[below(std::size(kIntegers))] : static_cast<int64_t>(random_());
  }
  if (type == FieldType::kU64) return static_cast<uint64_t>(n);
  return n;
}

double Generator::real(uint64_t style) {
  switch (style) {
    case 0: return static_cast<double>(below(500)) / 100 - 1;
    case 1: return static_cast<double>(below(20));
    case 2: return std::ldexp(static_cast<double>(random_()), static_cast<int>(below(200)) - 130);
    case 3: return -2.5;
    default: break;
  }
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr double kReals[] = {0.0,
                               -0.0,
                               kInf,
                               -kInf,
                               std::numeric_limits<double>::quiet_NaN(),
                               0.1,
                               1e308,
                               5e-324,
                               -1.5,
                               std::numeric_limits<double>::lowest(),
                               9007199254740992.0};
  return kReals[below(std::size(kReals))];
}

std::vector<std::string> Generator::list(uint64_t style) {
  std::vector<std::string> out;
  for (uint64_t n = below(4); n > 0; --n) {
    out.push_back(style % 2 == 0 ? std::string(kTags[below(std::size(kTags))])
                                 : "t" + std::to_string(below(900)));
  }
  return out;
}

std::vector<Value> Generator::column(FieldType type, size_t rows) {
  const uint64_t style = below(5);
  const uint64_t nulls = below(4);  // none, few, many, all but few
  std::vector<Value> out(rows);
  for (Value& v : out) {
    const bool null = nulls == 1 ? one_in(10) : nulls == 2 ? one_in(2) : nulls == 3 && !one_in(15);
    if (null) continue;
    switch (type) {
      case FieldType::kString: v = text(style); break;
      case FieldType::kEnum: v = text(0); break;
      case FieldType::kBytes: {
        Bytes raw(below(style == 4 ? 400 : 4));
        for (std::byte& b : raw) b = static_cast<std::byte>(below(style == 0 ? 3 : 256));
        v = std::move(raw);
        break;
      }
      case FieldType::kF64: v = real(style); break;
      case FieldType::kBool: v = style == 0 || one_in(3); break;
      case FieldType::kStringList: v = list(style); break;
      default: v = number(type, style);
    }
  }
  return out;
}

ModelLiteral Generator::number_literal(FieldType type, const Value& near) {
  ModelLiteral out;
  out.kind = ModelLiteral::kNumber;
  if (one_in(25)) {
    const bool negative = one_in(2);
    out.twice = (negative ? -1 : 1) * (Wide{1} << 100);
    out.written = std::string(negative ? "-" : "") + (one_in(2) ? "1e400" : "1e300");
    out.real = std::strtod(out.written.c_str(), nullptr);
    return out;
  }
  const auto* d = std::get_if<double>(&near);
  if (type == FieldType::kF64 && d != nullptr && std::isfinite(*d) && !one_in(4)) {
    double x = *d;
    if (one_in(3)) x = std::nextafter(x, one_in(2) ? 1e308 : -1e308);
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.17g", x);
    out.written = digits;
  } else {
    Wide n = 0;
    if (const auto* i = std::get_if<int64_t>(&near)) n = *i;
    if (const auto* u = std::get_if<uint64_t>(&near)) n = *u;
    if (one_in(6)) n = kIntegers[below(std::size(kIntegers))];
    if (one_in(3)) n += one_in(2) ? 1 : -1;
    out.twice = 2 * n + (one_in(8) ? 1 : 0);
    const Wide whole = out.twice / 2;
    const bool half = out.twice % 2 != 0;
    // Division goes towards zero, so the sign is lost between -1 and 0.
    out.written = (out.twice < 0 && whole == 0 ? "-" : "") + decimal(whole);
    out.written += half ? ".5" : one_in(8) ? ".0" : one_in(12) ? "e0" : "";
  }
  out.real = std::strtod(out.written.c_str(), nullptr);
  return out;
}

ModelLiteral Generator::text_literal(FieldType type, const Value& near, ModelOp op) {
  ModelLiteral out;
  out.kind = ModelLiteral::kText;
  if (op == ModelOp::kMatch) {
    out.text = words(1 + below(3));
  } else if (const auto* s = std::get_if<std::string>(&near); s != nullptr && !one_in(5)) {
    out.text = *s;
  } else if (const auto* l = std::get_if<std::vector<std::string>>(&near);
             l != nullptr && !l->empty() && !one_in(5)) {
    out.text = (*l)[below(l->size())];
  } else {
    out.text = type == FieldType::kStringList ? kTags[below(std::size(kTags))] : words(below(3));
  }
  if (op != ModelOp::kMatch) {
    if (op == ModelOp::kContains && type != FieldType::kStringList) {
      const size_t from = below(out.text.size() + 1);
      out.text = out.text.substr(from, below(6));
    } else if (op == ModelOp::kStartsWith || one_in(4)) {
      out.text.resize(below(out.text.size() + 1));
    }
    if (one_in(8)) out.text += '~';
  }
  out.written = quoted(out.text);
  return out;
}

ModelLiteral Generator::literal(FieldType type, const Value& near, ModelOp op) {
  ModelLiteral out;
  switch (type) {
    case FieldType::kString:
    case FieldType::kEnum:
    case FieldType::kStringList: return text_literal(type, near, op);
    case FieldType::kBool:
      out.kind = ModelLiteral::kBool;
      out.truth = one_in(2);
      out.written = out.truth ? "true" : "false";
      return out;
    case FieldType::kBytes: {
      out.kind = ModelLiteral::kBytes;
      const auto* raw = std::get_if<Bytes>(&near);
      if (raw != nullptr && !one_in(5)) {
        out.text.assign(reinterpret_cast<const char*>(raw->data()), raw->size());
      }
      if (one_in(4)) out.text += static_cast<char>(below(256));
      out.written = "x'";
      for (const char c : out.text) {
        out.written += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
        out.written += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
      }
      out.written += "'";
      return out;
    }
    default: return number_literal(type, near);
  }
}

Expression Generator::leaf(const std::vector<ModelField>& fields,
                           const std::vector<ModelRow>& rows) {
  Expression e;
  if (one_in(60)) {
    e.op = one_in(2) ? ModelOp::kTrue : ModelOp::kFalse;
    return e;
  }
  do {
    e.field = one_in(12) ? kIdColumn : below(fields.size());
  } while (e.field != kIdColumn && !fields[e.field].known);
  const FieldType type = e.field == kIdColumn ? FieldType::kU64 : fields[e.field].type;
  const bool text = type == FieldType::kString || type == FieldType::kEnum;
  const bool list = type == FieldType::kStringList;
  const auto fits = [&](ModelOp op) {
    if (op == ModelOp::kStartsWith || op == ModelOp::kContains) return text || list;
    if (op == ModelOp::kMatch) return type == FieldType::kString || list;
    const bool order = (op >= ModelOp::kLt && op <= ModelOp::kGe) || op == ModelOp::kBetween;
    return !order || (!list && type != FieldType::kBool);
  };
  do {
    e.op = static_cast<ModelOp>(below(12));
  } while (!fits(e.op));
  const size_t count = e.op == ModelOp::kIsNull    ? 0
                       : e.op == ModelOp::kBetween ? 2
                       : e.op != ModelOp::kIn      ? 1
                       : one_in(20)                ? 200
                                                   : below(7);
  for (size_t i = 0; i < count; ++i) {
    const bool null =
        one_in(20) && (e.op == ModelOp::kEq || e.op == ModelOp::kNe || e.op == ModelOp::kIn);
    Value near;
    if (!rows.empty()) {
      const ModelRow& row = rows[below(rows.size())];
      near = e.field == kIdColumn ? Value(row.id) : row.values[e.field];
    }
    e.literals.push_back(literal(type, near, e.op));
    if (null) e.literals.back() = {ModelLiteral::kNull, "null", 0, 0, "", false};
  }
  e.negated = e.op >= ModelOp::kIn && one_in(4);
  e.mirrored = e.op <= ModelOp::kGe && one_in(8);
  return e;
}

Expression Generator::expression(const std::vector<ModelField>& fields,
                                 const std::vector<ModelRow>& rows, int depth) {
  const uint64_t kind = depth == 0 ? 0 : below(10);
  if (kind < 4) return leaf(fields, rows);
  Expression e;
  if (kind == 4) {
    e.op = ModelOp::kNot;
    e.children.push_back(expression(fields, rows, depth - 1));
    return e;
  }
  e.op = kind < 8 ? ModelOp::kAnd : ModelOp::kOr;
  for (uint64_t n = 2 + below(2); n > 0; --n) {
    e.children.push_back(expression(fields, rows, depth - 1));
  }
  return e;
}

}  // namespace rvf::testing
