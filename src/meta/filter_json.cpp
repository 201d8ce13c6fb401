// The JSON form, as MongoDB writes filters. Read on demand: simdjson's tree would round numbers
// beyond 64 bits, and refuse those beyond a double.
#include <simdjson.h>

#include <algorithm>
#include <iterator>

#include "meta/filter_bind.hpp"

namespace rvf::meta {
namespace {

namespace sj = simdjson::ondemand;

constexpr std::pair<std::string_view, FilterOp> kOneValue[] = {
    {"$contains", FilterOp::kContains},
    {"$eq", FilterOp::kEq},
    {"$gt", FilterOp::kGt},
    {"$gte", FilterOp::kGe},
    {"$lt", FilterOp::kLt},
    {"$lte", FilterOp::kLe},
    {"$match", FilterOp::kMatch},
    {"$ne", FilterOp::kNe},
    {"$startsWith", FilterOp::kStartsWith}};
constexpr const char* kFieldOperators =
    "$between, $contains, $eq, $exists, $gt, $gte, $in, $lt, $lte, $match, $ne, $nin, $not, "
    "$startsWith";
constexpr const char* kGroupOperators = "$and, $nor, $not, $or";

std::string_view trimmed(std::string_view raw) {
  const size_t end = raw.find_last_not_of(" \t\r\n");
  return raw.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

// JSON is stricter than parse_number: no plus, no bare point, no zeros in front.
bool is_json_number(std::string_view text) noexcept {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  const auto digit = [&](size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  return digit(0) && !(text[0] == '0' && digit(1));
}

class JsonParser {
 public:
  explicit JsonParser(const Schema& schema) : schema_(schema) {}

  Result<Filter> run(std::string_view json) {
    std::string padded(json);
    padded.reserve(json.size() + simdjson::SIMDJSON_PADDING);
    sj::parser parser;
    sj::document document;
    if (const auto e = parser.iterate(padded).get(document)) return broken(e);
    sj::object object;
    if (const auto e = document.get_object().get(object)) {
      return e == simdjson::INCORRECT_TYPE ? fail("an object is expected") : broken(e);
    }
    RVF_ASSIGN(Node n, conditions(object));
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      return fail("something follows the object");
    }
    return std::move(n.filter);
  }

 private:
  // Extends the path for as long as it lives.
  class Step {
   public:
    Step(std::string& path, const std::string& step) : path_(path), size_(path.size()) {
      path_ += step;
    }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
    ~Step() { path_.resize(size_); }

   private:
    std::string& path_;
    size_t size_;
  };

  // {"lang": "de", "$or": [...]}: all of it.
  Result<Node> conditions(sj::object object) {
    RVF_TRY(descend());
    std::vector<Node> parts;
    for (auto item : object) {
      sj::field member;
      std::string_view key;
      if (const auto e = std::move(item).get(member)) return broken(e);
      if (const auto e = member.unescaped_key().get(key)) return broken(e);
      const std::string name(key);
      const Step step(path_, "." + shown(name));
      RVF_ASSIGN(Node n, name.starts_with('$') ? logical(name, member.value())
                                               : on_field(name, member.value()));
      RVF_TRY(add(parts, std::move(n)));
    }
    --nesting_;
    return make_group(FilterOp::kAnd, std::move(parts));
  }

  Result<Node> logical(const std::string& name, sj::value value) {
    if (name == "$not") {
      RVF_ASSIGN(sj::object object, object_of(value));
      RVF_ASSIGN(Node n, conditions(object));
      return limited(make_not(std::move(n)));
    }
    if (name != "$and" && name != "$or" && name != "$nor") {
      return fail("there is no operator '" + shown(name) + "' here; the operators are " +
                  kGroupOperators);
    }
    RVF_ASSIGN(sj::array array, array_of(value, "objects"));
    std::vector<Node> parts;
    size_t index = 0;
    for (auto item : array) {
      const Step step(path_, "[" + std::to_string(index++) + "]");
      sj::value element;
      if (const auto e = std::move(item).get(element)) return broken(e);
      RVF_ASSIGN(sj::object object, object_of(element));
      RVF_ASSIGN(Node n, conditions(object));
      RVF_TRY(add(parts, std::move(n)));
    }
    if (index == 0) return fail("at least one condition is expected");
    Node n = make_group(name == "$and" ? FilterOp::kAnd : FilterOp::kOr, std::move(parts));
    return limited(name == "$nor" ? make_not(std::move(n)) : std::move(n));
  }

  Result<Node> on_field(const std::string& name, sj::value value) {
    const SchemaField* field = schema_.find(name);
    if (field == nullptr) return fail(no_such_field(name, schema_));
    sj::json_type type{};
    if (const auto e = value.type().get(type)) return broken(e);
    if (type == sj::json_type::object) return operators(*field, value);
    if (type == sj::json_type::array) {
      return fail(
          "a value or an object of operators is expected, not an array; for one of "
          "several values write {\"$in\": [...]}");
    }
    RVF_ASSIGN(Literal literal, scalar(value));
    return bound(*field, FilterOp::kEq, {std::move(literal)});
  }

  // {"$gte": 2020, "$lt": 2024}: all of it.
  Result<Node> operators(const SchemaField& field, sj::value value) {
    RVF_TRY(descend());
    RVF_ASSIGN(sj::object object, object_of(value));
    std::vector<Node> parts;
    bool any = false;
    for (auto item : object) {
      sj::field member;
      std::string_view key;
      if (const auto e = std::move(item).get(member)) return broken(e);
      if (const auto e = member.unescaped_key().get(key)) return broken(e);
      const std::string name(key);
      const Step step(path_, "." + shown(name));
      RVF_ASSIGN(Node n, with_operator(field, name, member.value()));
      RVF_TRY(add(parts, std::move(n)));
      any = true;
    }
    if (!any)
      return fail(std::string("an operator is expected; the operators are ") + kFieldOperators);
    --nesting_;
    return make_group(FilterOp::kAnd, std::move(parts));
  }

  Result<Node> with_operator(const SchemaField& field, const std::string& name, sj::value value) {
    const auto* one = std::find_if(std::begin(kOneValue), std::end(kOneValue),
                                   [&](const auto& o) { return o.first == name; });
    if (one != std::end(kOneValue)) {
      RVF_ASSIGN(Literal literal, scalar(value));
      return bound(field, one->second, {std::move(literal)});
    }
    if (name == "$in" || name == "$nin" || name == "$between") return with_list(field, name, value);
    if (name == "$not") {
      RVF_ASSIGN(Node n, operators(field, value));
      return limited(make_not(std::move(n)));
    }
    if (name == "$exists") {
      RVF_ASSIGN(const Literal wanted, scalar(value));
      if (wanted.kind != Literal::Kind::kBool) return fail("true or false is expected");
      RVF_ASSIGN(Node n, bound(field, FilterOp::kIsNull, {}));
      return wanted.truth ? make_not(std::move(n)) : std::move(n);
    }
    std::string what = "there is no operator '" + shown(name) + "'; the operators are ";
    what += kFieldOperators;
    if (!name.starts_with('$'))
      what += "; a field of a record is named with a dot: \"author.name\"";
    return fail(what);
  }

  Result<Node> with_list(const SchemaField& field, const std::string& name, sj::value value) {
    RVF_ASSIGN(sj::array array, array_of(value, "values"));
    std::vector<Literal> literals;
    for (auto item : array) {
      const Step step(path_, "[" + std::to_string(literals.size()) + "]");
      sj::value element;
      if (const auto e = std::move(item).get(element)) return broken(e);
      RVF_ASSIGN(Literal literal, scalar(element));
      literals.push_back(std::move(literal));
    }
    const bool between = name == "$between";
    if (between && literals.size() != 2) return fail("two values are expected");
    RVF_ASSIGN(Node n, bound(field, between ? FilterOp::kBetween : FilterOp::kIn, literals));
    return name == "$nin" ? make_not(std::move(n)) : std::move(n);
  }

  Result<Literal> scalar(sj::value value) {
    sj::json_type type{};
    if (const auto e = value.type().get(type)) return broken(e);
    if (type == sj::json_type::string) {
      std::string_view text;
      if (const auto e = value.get_string().get(text)) return broken(e);
      return Literal::of_text(std::string(text));
    }
    if (type == sj::json_type::object || type == sj::json_type::array) {
      return fail(std::string("a value is expected, not an ") +
                  (type == sj::json_type::object ? "object" : "array"));
    }
    const std::string_view raw = trimmed(value.raw_json_token());
    if (raw == "null") return Literal::null();
    if (raw == "true" || raw == "false") return Literal::boolean(raw == "true");
    const auto number = parse_number(raw);
    if (!number || !is_json_number(raw)) return fail("'" + shown(raw) + "' is no value of JSON");
    return Literal::of(*number, std::string(raw));
  }

  Result<sj::object> object_of(sj::value value) {
    sj::object object;
    if (const auto e = value.get_object().get(object)) {
      return e == simdjson::INCORRECT_TYPE ? fail("an object is expected") : broken(e);
    }
    return object;
  }
  Result<sj::array> array_of(sj::value value, const char* of_what) {
    sj::array array;
    if (const auto e = value.get_array().get(array)) {
      return e == simdjson::INCORRECT_TYPE
                 ? fail(std::string("an array of ") + of_what + " is expected")
                 : broken(e);
    }
    return array;
  }

  Result<Node> bound(const SchemaField& field, FilterOp op, const std::vector<Literal>& literals) {
    Node out;
    if (const auto fault = bind_filter(field, op, literals, out)) {
      const bool in_list = literals.size() > 1 && fault->literal < literals.size();
      const Step step(path_, in_list ? "[" + std::to_string(fault->literal) + "]" : "");
      return fail(fault->message);
    }
    return out;
  }

  // Counts before constants fold, as the text form does.
  Status add(std::vector<Node>& parts, Node n) {
    if (too_large(n)) return fail("the filter " + too_large_message(n));
    if (++count_ > kMaxFilterNodes) {
      return fail("the filter " + too_large_message({{}, 1, count_}));
    }
    parts.push_back(std::move(n));
    return {};
  }
  Result<Node> limited(Node n) const {
    if (too_large(n)) return fail("the filter " + too_large_message(n));
    return n;
  }
  Status descend() {
    if (++nesting_ <= kMaxFilterDepth) return {};
    return fail("the filter is nested deeper than " + std::to_string(kMaxFilterDepth) + " levels");
  }

  Error broken(simdjson::error_code e) const {
    if (e == simdjson::MEMALLOC) return Error(ErrorCode::kOutOfMemory, "no memory for the filter");
    return fail(std::string("this is no JSON: ") + simdjson::error_message(e));
  }
  Error fail(const std::string& what) const {
    return Error(ErrorCode::kBadFilter, path_ + ": " + what);
  }

  const Schema& schema_;
  std::string path_ = "$";
  size_t nesting_ = 0;
  size_t count_ = 0;
};

}  // namespace

Result<Filter> parse_filter_json(std::string_view json, const Schema& schema) {
  return JsonParser(schema).run(json);
}

}  // namespace rvf::meta
