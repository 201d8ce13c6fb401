// The text form: recursive descent, or below and below not below a comparison.
#include <algorithm>
#include <iterator>

#include "meta/filter_bind.hpp"
#include "meta/filter_lexer.hpp"

namespace rvf::meta {
namespace {

using Kind = Lexeme::Kind;

constexpr std::string_view kOperators =
    "= != < <= > >= in, between, is null, starts with, contains, match";

bool is_comparison(const Lexeme& l, FilterOp& op) noexcept {
  constexpr std::pair<std::string_view, FilterOp> kOps[] = {
      {"=", FilterOp::kEq}, {"==", FilterOp::kEq}, {"!=", FilterOp::kNe}, {"<>", FilterOp::kNe},
      {"<", FilterOp::kLt}, {"<=", FilterOp::kLe}, {">", FilterOp::kGt},  {">=", FilterOp::kGe}};
  const auto* at =
      std::find_if(std::begin(kOps), std::end(kOps), [&](const auto& o) { return l.is(o.first); });
  if (at == std::end(kOps)) return false;
  op = at->second;
  return true;
}

class Parser {
 public:
  Parser(std::string_view text, const Schema& schema) : lexer_(text), schema_(schema) {}

  Result<Filter> run() {
    RVF_TRY(advance());
    if (next_.kind == Kind::kEnd) return Filter{};
    RVF_ASSIGN(Node n, any());
    if (next_.kind != Kind::kEnd) {
      return next_.is(")") ? fail("there is no ( for this )") : expected("'and', 'or' or the end");
    }
    return std::move(n.filter);
  }

 private:
  // A literal and where it stands.
  struct Operands {
    std::vector<Literal> literals;
    std::vector<size_t> places;
    size_t op_place = 0;
  };

  Result<Node> any() { return group("or", FilterOp::kOr, &Parser::all); }
  Result<Node> all() { return group("and", FilterOp::kAnd, &Parser::negation); }

  Result<Node> group(std::string_view word, FilterOp op, Result<Node> (Parser::*part)()) {
    std::vector<Node> parts;
    const size_t begin = next_.begin;
    size_t count = 1;
    for (;;) {
      RVF_ASSIGN(Node n, (this->*part)());
      count += n.count;
      parts.push_back(std::move(n));
      if (count > kMaxFilterNodes) {
        return filter_error(lexer_.text(), begin,
                            "the filter " + too_large_message({{}, 1, count}));
      }
      if (!keyword(word)) break;
      RVF_TRY(advance());
    }
    return limited(make_group(op, std::move(parts)), begin);
  }

  Result<Node> negation() {
    if (!keyword("not")) return primary();
    const size_t begin = next_.begin;
    RVF_TRY(descend());
    RVF_TRY(advance());
    RVF_ASSIGN(Node n, negation());
    --nesting_;
    return limited(make_not(std::move(n)), begin);
  }

  Result<Node> primary() {
    if (!next_.is("(")) return condition();
    RVF_TRY(descend());
    RVF_TRY(advance());
    RVF_ASSIGN(Node n, any());
    if (!next_.is(")")) return expected("'and', 'or' or )");
    --nesting_;
    RVF_TRY(advance());
    return n;
  }

  Result<Node> condition() {
    const bool name = next_.kind == Kind::kName;
    if (name && (keyword("true") || keyword("false") || keyword("null"))) return literal_first();
    if (name && (keyword("and") || keyword("or"))) return expected("a condition");
    if (name || next_.kind == Kind::kField || next_.kind == Kind::kDouble) {
      RVF_ASSIGN(const SchemaField* field, field_here());
      return after_field(*field);
    }
    if (next_.kind == Kind::kText || next_.kind == Kind::kNumber || next_.kind == Kind::kBytes) {
      return literal_first();
    }
    return expected("a condition");
  }

  // 2020 <= year, and the constants true and false.
  Result<Node> literal_first() {
    Operands o;
    RVF_TRY(literal(o));
    FilterOp op = FilterOp::kEq;
    if (!is_comparison(next_, op)) {
      if (o.literals[0].kind == Literal::Kind::kBool) return make_constant(o.literals[0].truth);
      return expected("one of = != < <= > >= after a value");
    }
    o.op_place = next_.begin;
    RVF_TRY(advance());
    if (next_.kind != Kind::kName && next_.kind != Kind::kField && next_.kind != Kind::kDouble) {
      return expected("a field");
    }
    RVF_ASSIGN(const SchemaField* field, field_here());
    return bound(*field, mirrored(op), o);
  }

  Result<Node> after_field(const SchemaField& field) {
    Operands o;
    o.op_place = next_.begin;
    FilterOp op = FilterOp::kEq;
    if (is_comparison(next_, op)) {
      RVF_TRY(advance());
      RVF_TRY(literal(o));
      return bound(field, op, o);
    }
    if (keyword("is")) return null_test(field, o);
    const bool negated = keyword("not");
    if (negated) RVF_TRY(advance());
    RVF_ASSIGN(const bool found, word_operator(op, o));
    if (found) {
      RVF_ASSIGN(Node n, bound(field, op, o));
      return negated ? limited(make_not(std::move(n)), o.op_place) : std::move(n);
    }
    if (negated) return expected("in, between, starts with, contains or match after 'not'");
    if (field.field.type != FieldType::kBool) {
      return expected("an operator after the field '" + shown(field_name_) + "' (" +
                      std::string(kOperators) + ")");
    }
    o.literals.push_back(Literal::boolean(true));
    o.places.push_back(o.op_place);
    return bound(field, FilterOp::kEq, o);
  }

  Result<Node> null_test(const SchemaField& field, const Operands& o) {
    RVF_TRY(advance());
    const bool negated = keyword("not");
    if (negated) RVF_TRY(advance());
    if (!keyword("null")) return expected(negated ? "null" : "null or not null");
    RVF_TRY(advance());
    RVF_ASSIGN(Node n, bound(field, FilterOp::kIsNull, o));
    return negated ? limited(make_not(std::move(n)), o.op_place) : std::move(n);
  }

  // in, between, starts with, contains, match, with their literals; false if none stands here.
  Result<bool> word_operator(FilterOp& op, Operands& o) {
    if (keyword("in")) {
      op = FilterOp::kIn;
      RVF_TRY(advance());
      RVF_TRY(list(o));
    } else if (keyword("between")) {
      op = FilterOp::kBetween;
      RVF_TRY(advance());
      RVF_TRY(literal(o));
      if (!keyword("and")) return expected("'and' and the upper bound");
      RVF_TRY(advance());
      RVF_TRY(literal(o));
    } else if (keyword("starts") || keyword("contains") || keyword("match")) {
      const bool starts = keyword("starts");
      op = starts             ? FilterOp::kStartsWith
           : keyword("match") ? FilterOp::kMatch
                              : FilterOp::kContains;
      RVF_TRY(advance());
      if (starts && !keyword("with")) return expected("'with' after 'starts'");
      if (starts) RVF_TRY(advance());
      RVF_TRY(literal(o));
    } else {
      return false;
    }
    return true;
  }

  Status list(Operands& o) {
    if (!next_.is("(")) return expected("( and a list of values");
    RVF_TRY(advance());
    if (next_.is(")")) return advance();
    for (;;) {
      RVF_TRY(literal(o));
      if (next_.is(")")) return advance();
      if (!next_.is(",")) return expected("a comma or )");
      RVF_TRY(advance());
    }
  }

  Status literal(Operands& o) {
    Literal value;
    if (next_.kind == Kind::kText || next_.kind == Kind::kDouble) {
      value = Literal::of_text(std::move(next_.text));
    } else if (next_.kind == Kind::kBytes) {
      value = Literal::of_bytes(std::move(next_.text));
    } else if (next_.kind == Kind::kNumber) {
      const auto number = parse_number(next_.text);
      if (!number) return expected("a number");
      value = Literal::of(*number, std::move(next_.text));
    } else if (keyword("true") || keyword("false")) {
      value = Literal::boolean(keyword("true"));
    } else if (next_.kind == Kind::kName && !keyword("null")) {
      return fail("expected a value, not " + found() + "; a text goes in quotes: '" +
                  shown(next_.text) + "'");
    } else if (!keyword("null")) {
      return expected("a value");
    }
    o.literals.push_back(std::move(value));
    o.places.push_back(next_.begin);
    return advance();
  }

  Result<const SchemaField*> field_here() {
    const SchemaField* field = schema_.find(next_.text);
    if (field == nullptr) return fail(no_such_field(next_.text, schema_));
    field_name_ = next_.text;
    RVF_TRY(advance());
    return field;
  }

  Result<Node> bound(const SchemaField& field, FilterOp op, const Operands& o) {
    Node out;
    if (const auto fault = bind_filter(field, op, o.literals, out)) {
      const bool literal = fault->literal < o.places.size();
      return filter_error(lexer_.text(), literal ? o.places[fault->literal] : o.op_place,
                          fault->message);
    }
    return out;
  }

  Result<Node> limited(Node n, size_t place) const {
    if (!too_large(n)) return n;
    return filter_error(lexer_.text(), place, "the filter " + too_large_message(n));
  }

  Status descend() {
    if (++nesting_ <= kMaxFilterDepth) return {};
    return fail("the filter is nested deeper than " + std::to_string(kMaxFilterDepth) + " levels");
  }

  Status advance() {
    RVF_ASSIGN(next_, lexer_.next());
    return {};
  }

  bool keyword(std::string_view word) const noexcept {
    return next_.kind == Kind::kName && is_keyword(next_.text, word);
  }

  std::string found() const {
    if (next_.kind == Kind::kEnd) return "the end";
    return "'" + shown(lexer_.text().substr(next_.begin, next_.end - next_.begin)) + "'";
  }
  Error expected(const std::string& what) const {
    return fail("expected " + what + ", not " + found());
  }
  Error fail(const std::string& what) const {
    return filter_error(lexer_.text(), next_.begin, what);
  }

  FilterLexer lexer_;
  const Schema& schema_;
  Lexeme next_;
  std::string field_name_;  // as it was written last
  size_t nesting_ = 0;
};

}  // namespace

Result<Filter> parse_filter(std::string_view text, const Schema& schema) {
  const size_t first = text.find_first_not_of(" \t\n\v\f\r");
  if (first != std::string_view::npos && text[first] == '{') {
    return parse_filter_json(text, schema);
  }
  return Parser(text, schema).run();
}

}  // namespace rvf::meta
