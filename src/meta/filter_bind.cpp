#include "meta/filter_bind.hpp"

#include <algorithm>
#include <limits>

#include "meta/tokenizer.hpp"

namespace rvf::meta {
namespace {

Node leaf(FilterOp op, uint16_t field, std::vector<Value> values = {}) {
  Node out;
  out.filter.op = op;
  out.filter.field = field;
  out.filter.values = std::move(values);
  return out;
}

Node not_null(uint16_t field) { return make_not(leaf(FilterOp::kIsNull, field)); }

bool is_ordering(FilterOp op) noexcept {
  return (op >= FilterOp::kLt && op <= FilterOp::kGe) || op == FilterOp::kBetween;
}

// Where a number lies among the values of an integer type: in [floor, floor + 1).
template <class T>
struct Place {
  enum Side { kBelow, kInside, kAbove } side = kInside;
  T floor = 0;
  bool exact = true;
};

Place<uint64_t> place(const Number& x, uint64_t /*type*/) {
  using P = Place<uint64_t>;
  if (x.negative && (x.huge || x.fraction || x.whole != 0)) return {P::kBelow, 0, false};
  if (x.huge) return {P::kAbove, 0, false};
  return {P::kInside, x.whole, !x.fraction};
}

Place<int64_t> place(const Number& x, int64_t /*type*/) {
  using P = Place<int64_t>;
  constexpr uint64_t kTop = uint64_t{1} << 63;
  if (x.huge) return {x.negative ? P::kBelow : P::kAbove, 0, false};
  if (!x.negative) {
    if (x.whole >= kTop) return {P::kAbove, 0, false};
    return {P::kInside, static_cast<int64_t>(x.whole), !x.fraction};
  }
  if (x.whole > kTop || (x.whole == kTop && x.fraction)) return {P::kBelow, 0, false};
  const uint64_t down = x.whole + (x.fraction ? 1 : 0);
  return {P::kInside, static_cast<int64_t>(uint64_t{0} - down), !x.fraction};
}

// Comparisons of an integer field, as integers: x >= 2020.5 is x >= 2021.
template <class T>
class IntegerBinder {
 public:
  explicit IntegerBinder(uint16_t field) : field_(field) {}

  Node compare(FilterOp op, const Number& x) const {
    const auto at = place(x, T{});
    const bool exact = at.side == Place<T>::kInside && at.exact;
    if (op == FilterOp::kEq) {
      return exact ? leaf(FilterOp::kEq, field_, {at.floor}) : make_constant(false);
    }
    if (exact && op == FilterOp::kGt) {
      return at.floor == kMax ? make_constant(false) : leaf(op, field_, {at.floor});
    }
    if (exact && op == FilterOp::kLt) {
      return at.floor == kMin ? make_constant(false) : leaf(op, field_, {at.floor});
    }
    const bool lower = op == FilterOp::kGt || op == FilterOp::kGe;
    return lower ? range(lower_bound(x), {}) : range({}, upper_bound(x));
  }
  Node between(const Number& low, const Number& high) const {
    return range(lower_bound(low), upper_bound(high));
  }

 private:
  static constexpr T kMin = std::numeric_limits<T>::min();
  static constexpr T kMax = std::numeric_limits<T>::max();
  struct Bound {
    bool none = false;  // no value lies on the right side of it
    std::optional<T> at;  // without: every value does
  };

  static Bound lower_bound(const Number& x) {
    const auto p = place(x, T{});
    if (p.side == Place<T>::kBelow) return {};
    if (p.side == Place<T>::kAbove || (!p.exact && p.floor == kMax)) return {true, {}};
    const T at = p.exact ? p.floor : static_cast<T>(p.floor + 1);
    return at == kMin ? Bound{} : Bound{false, at};
  }
  static Bound upper_bound(const Number& x) {
    const auto p = place(x, T{});
    if (p.side == Place<T>::kAbove) return {};
    if (p.side == Place<T>::kBelow) return {true, {}};
    return p.floor == kMax ? Bound{} : Bound{false, p.floor};
  }
  Node range(const Bound& low, const Bound& high) const {
    if (low.none || high.none) return make_constant(false);
    if (!low.at && !high.at) return not_null(field_);
    if (!high.at) return leaf(FilterOp::kGe, field_, {*low.at});
    if (!low.at) return leaf(FilterOp::kLe, field_, {*high.at});
    if (*low.at > *high.at) return make_constant(false);
    if (*low.at == *high.at) return leaf(FilterOp::kEq, field_, {*low.at});
    return leaf(FilterOp::kBetween, field_, {*low.at, *high.at});
  }

  uint16_t field_;
};

class Binder {
 public:
  explicit Binder(const SchemaField& field)
      : field_(field.id), type_(field.field.type), name_(field.field.name) {
    if (name_ == kKeyField) name_ = "id";
  }

  std::optional<BindFault> run(FilterOp op, const std::vector<Literal>& literals, Node& out) {
    check_operator(op);
    if (!fault_) {
      out = op == FilterOp::kIn ? any_of(literals) : one(op, literals);
    }
    return std::move(fault_);
  }

 private:
  void refuse(std::string message, size_t literal = BindFault::kOperator) {
    if (!fault_) fault_ = BindFault{std::move(message), literal};
  }
  std::string named() const { return "the field '" + name_ + "' is " + field_type_name(type_); }

  void check_operator(FilterOp op) {
    const bool text = type_ == FieldType::kString || type_ == FieldType::kEnum;
    const bool list = type_ == FieldType::kStringList;
    if (is_ordering(op) && (type_ == FieldType::kBool || list)) {
      refuse(named() + " and has no order; it can be compared with = and !=");
    } else if ((op == FilterOp::kStartsWith || op == FilterOp::kContains) && !text && !list) {
      refuse(named() + "; 'starts with' and 'contains' need a string, an enum or a list");
    } else if (op == FilterOp::kMatch && type_ != FieldType::kString && !list) {
      refuse(named() + "; 'match' needs a string or a list");
    }
  }

  Node one(FilterOp op, const std::vector<Literal>& literals) {
    if (op == FilterOp::kIsNull) return leaf(op, field_);
    for (size_t i = 0; i < literals.size(); ++i) {
      if (literals[i].kind != Literal::Kind::kNull) continue;
      if (op == FilterOp::kEq) return leaf(FilterOp::kIsNull, field_);
      if (op == FilterOp::kNe) return not_null(field_);
      refuse("null can only be asked for with =, != and in", i);
    }
    if (fault_) return {};
    if (op == FilterOp::kNe) {
      Node equal = compare(FilterOp::kEq, literals[0], 0);
      if (equal.filter.op != FilterOp::kEq) return make_not(std::move(equal));
      equal.filter.op = FilterOp::kNe;
      return equal;
    }
    if (op == FilterOp::kBetween) return between(literals[0], literals[1]);
    return compare(op, literals[0], 0);
  }

  Node any_of(const std::vector<Literal>& literals) {
    std::vector<Value> values;
    bool null = false;
    for (size_t i = 0; i < literals.size() && !fault_; ++i) {
      if (literals[i].kind == Literal::Kind::kNull) {
        null = true;
        continue;
      }
      Node equal = compare(FilterOp::kEq, literals[i], i);
      if (equal.filter.op == FilterOp::kEq) values.push_back(std::move(equal.filter.values[0]));
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    std::vector<Node> parts;
    if (!values.empty()) {
      const FilterOp op = values.size() == 1 ? FilterOp::kEq : FilterOp::kIn;
      parts.push_back(leaf(op, field_, std::move(values)));
    }
    if (null) parts.push_back(leaf(FilterOp::kIsNull, field_));
    return make_group(FilterOp::kOr, std::move(parts));
  }

  Node compare(FilterOp op, const Literal& literal, size_t index) {
    if (is_number_type()) {
      const auto x = number(literal, index);
      if (!x || x->nan) return make_constant(false);
      if (type_ == FieldType::kF64) return leaf(op, field_, {x->real});
      if (type_ == FieldType::kU64) return IntegerBinder<uint64_t>(field_).compare(op, *x);
      return IntegerBinder<int64_t>(field_).compare(op, *x);
    }
    auto v = value(literal, index);
    if (!v) return {};
    const bool part = op == FilterOp::kStartsWith || op == FilterOp::kContains;
    if (part && type_ != FieldType::kStringList && literal.text.empty()) return not_null(field_);
    if (op == FilterOp::kMatch && Tokenizer().tokenize(literal.text).empty()) {
      refuse("'match' needs a word; there is none in " + describe(literal), index);
    }
    return leaf(op, field_, {std::move(*v)});
  }

  Node between(const Literal& a, const Literal& b) {
    std::optional<Value> low;
    std::optional<Value> high;
    if (is_number_type()) {
      const auto x = number(a, 0);
      const auto y = number(b, 1);
      if (!x || !y || x->nan || y->nan) return make_constant(false);
      if (type_ == FieldType::kU64) return IntegerBinder<uint64_t>(field_).between(*x, *y);
      if (type_ != FieldType::kF64) return IntegerBinder<int64_t>(field_).between(*x, *y);
      low = x->real;
      high = y->real;
    } else {
      low = value(a, 0);
      high = value(b, 1);
      if (!low || !high) return {};
    }
    if (*high < *low) return make_constant(false);
    if (*low == *high) return leaf(FilterOp::kEq, field_, {std::move(*low)});
    return leaf(FilterOp::kBetween, field_, {std::move(*low), std::move(*high)});
  }

  bool is_number_type() const noexcept {
    return type_ == FieldType::kI64 || type_ == FieldType::kU64 || type_ == FieldType::kF64 ||
           type_ == FieldType::kTimestamp;
  }

  std::optional<Number> number(const Literal& literal, size_t index) {
    if (literal.kind == Literal::Kind::kNumber) return literal.number;
    if (type_ == FieldType::kTimestamp && literal.kind == Literal::Kind::kText) {
      if (const auto time = parse_iso_time(literal.text)) return time;
      refuse(named() + "; " + describe(literal) + " is no time such as '2024-01-31T10:00:00Z'",
             index);
      return std::nullopt;
    }
    return misfit(literal, index);
  }

  std::optional<Value> value(const Literal& literal, size_t index) {
    const bool text = literal.kind == Literal::Kind::kText;
    switch (type_) {
      case FieldType::kBool:
        if (literal.kind == Literal::Kind::kBool) return literal.truth;
        break;
      case FieldType::kBytes:
        if (literal.kind == Literal::Kind::kBytes) return bytes_value(literal.text);
        if (text) return hex_value(literal, index);
        break;
      default:
        if (text) return literal.text;
        break;
    }
    return misfit(literal, index);
  }

  static Value bytes_value(const std::string& raw) {
    const auto* first = reinterpret_cast<const std::byte*>(raw.data());
    return std::vector<std::byte>(first, first + raw.size());
  }
  // JSON has no literal for bytes: there they are the text "x'00ff'".
  std::optional<Value> hex_value(const Literal& literal, size_t index) {
    const std::string_view t = literal.text;
    if (t.size() >= 3 && (t[0] == 'x' || t[0] == 'X') && t[1] == '\'' && t.back() == '\'') {
      if (const auto raw = parse_hex(t.substr(2, t.size() - 3))) return bytes_value(*raw);
    }
    refuse(named() + "; " + describe(literal) + " is no hexadecimal such as x'00ff'", index);
    return std::nullopt;
  }

  std::nullopt_t misfit(const Literal& literal, size_t index) {
    refuse(named() + " and cannot be compared with " + describe(literal), index);
    return std::nullopt;
  }

  uint16_t field_;
  FieldType type_;
  std::string name_;
  std::optional<BindFault> fault_;
};

}  // namespace

std::optional<BindFault> bind_filter(const SchemaField& field, FilterOp op,
                                     const std::vector<Literal>& literals, Node& out) {
  return Binder(field).run(op, literals, out);
}

FilterOp mirrored(FilterOp op) noexcept {
  switch (op) {
    case FilterOp::kLt: return FilterOp::kGt;
    case FilterOp::kLe: return FilterOp::kGe;
    case FilterOp::kGt: return FilterOp::kLt;
    case FilterOp::kGe: return FilterOp::kLe;
    default: return op;
  }
}

}  // namespace rvf::meta
