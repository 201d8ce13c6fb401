// From a field, an operator and literals as they were written to a node of a filter: what the text,
// the JSON and the token form of a filter have in common. Nodes made here are canonical:
//   and, or     hold no constants and no group of their own kind, and at least two children
//   not         holds neither a constant nor a not
//   in          is sorted, without duplicates, with two values or more; one value is kEq
//   between     has values[0] < values[1]
//   f64 values  are not NaN and not -0
// Thread-safety: pure functions. Errors: texts; whoever reads the filter knows the place.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "meta/filter.hpp"
#include "meta/filter_literal.hpp"

namespace rvf::meta {

// A filter with its measures, so that limits are checked before it is deep.
struct Node {
  Filter filter;
  size_t depth = 1;
  size_t count = 1;
};

inline bool too_large(const Node& n) noexcept {
  return n.depth > kMaxFilterDepth || n.count > kMaxFilterNodes;
}
// "is nested deeper than 64 levels" or "has more than 10000 conditions".
std::string too_large_message(const Node& n);

Node make_constant(bool value);
Node make_not(Node child);
Node make_group(FilterOp op, std::vector<Node> parts);  // kAnd or kOr; no part: all or none

struct BindFault {
  static constexpr size_t kOperator = static_cast<size_t>(-1);
  std::string message;
  size_t literal = kOperator;  // the literal that does not fit, or the operator
};

// `op` is one of kEq to kMatch. kEq and kNe take null. Literals: kIn any number, kBetween two,
// kIsNull none, else one. `out` is set where there is no fault.
std::optional<BindFault> bind_filter(const SchemaField& field, FilterOp op,
                                     const std::vector<Literal>& literals, Node& out);

// value < field is field > value; kEq and kNe stay.
FilterOp mirrored(FilterOp op) noexcept;

// Like Schema::find, and also knows the vectors' own ids where they are numbers.
const SchemaField* field_by_number(const Schema& schema, uint16_t id) noexcept;
// "there is no field 'lnag'; the fields are id, lang, title, year; did you mean 'lang'?"
std::string no_such_field(std::string_view name, const Schema& schema);

}  // namespace rvf::meta
