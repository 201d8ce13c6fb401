// Filter expressions: from text or JSON to a tree whose literals fit the fields' types, and to the
// RPN tokens that travel in bytes. docs/filters.md is the language, docs/format.md the tokens.
//
// Meaning, two-valued: a comparison with a null field is false; `!=` is `not =`, so true for null;
// `not` turns true and false around. NaN equals nothing and compares false. Texts compare by bytes.
// On a string list `=`, `in`, `contains`, `starts with` and `match` hold if any element does.
//
// Thread-safety: plain values and pure functions. Errors: kBadFilter, whose message shows the
// place ("column 12"), what was expected there, and, for an unknown field, the fields that exist.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "meta/schema.hpp"
#include "rvf/metadata.hpp"
#include "rvf/result.hpp"

namespace rvf::meta {

enum class FilterOp : uint8_t {
  kAll,  // every row
  kNone,  // no row
  kEq,  // field = values[0]
  kNe,  // not (field = values[0])
  kLt,
  kLe,
  kGt,
  kGe,
  kIn,  // field = one of values; sorted, without duplicates, not empty
  kBetween,  // values[0] <= field <= values[1]
  kIsNull,
  kStartsWith,  // string, enum, string list
  kContains,  // string, enum: a part of the text. string list: an element
  kMatch,  // string, string list: every word of values[0] occurs, after stemming
  kAnd,  // all children, at least two
  kOr,  // any child, at least two
  kNot,  // not children[0]
};

// Literals have the type of their field, whatever was written: string and enum std::string, i64 and
// timestamp int64_t, u64 uint64_t, f64 double, bool bool, bytes bytes, string list std::string (an
// element). A comparison that the type cannot fulfil or cannot miss has become kNone, or
// not kIsNull (`year >= 2020.5` over i64 is `year >= 2021`, `u >= -1` is `u is not null`).
// What parsing and decoding yield is canonical, see filter_bind.hpp: equal trees for
// `(a and b) and c` and `a and b and c`, kEq for a list of one, no constants below the root.
struct Filter {
  FilterOp op = FilterOp::kAll;
  uint16_t field = 0;
  std::vector<Value> values;
  std::vector<Filter> children;
  friend bool operator==(const Filter&, const Filter&) = default;
};

// `lang = 'de' and year >= 2020 and not draft`. Text that begins with '{' is taken as JSON. Empty
// or blank text is kAll.
Result<Filter> parse_filter(std::string_view text, const Schema& schema);
// {"lang":"de","year":{"$gte":2020},"$or":[...]}: $eq $ne $gt $gte $lt $lte $in $nin $exists $not
// $and $or $nor $startsWith $contains $match $between. Other operators are refused, with a list.
Result<Filter> parse_filter_json(std::string_view json, const Schema& schema);
// Text that parses back to the same tree, if that is canonical.
std::string filter_text(const Filter& filter, const Schema& schema);

// u16 token count, u8 stack depth, u8 0, tokens. A hostile stream yields an error, never a deep
// recursion: at most kMaxFilterDepth levels and kMaxFilterNodes nodes, here and in the parsers.
// encode_filter takes trees within these limits.
std::vector<std::byte> encode_filter(const Filter& filter);
Result<Filter> decode_filter(std::span<const std::byte> tokens, const Schema& schema);

inline constexpr size_t kMaxFilterDepth = 64;
inline constexpr size_t kMaxFilterNodes = 10000;

// One row as a filter sees it: the value of a field, or null.
class RowValues {
 public:
  virtual ~RowValues() = default;
  virtual Value value(uint16_t field) const = 0;
};
// The direct, slow evaluation for a single row; the specification of the fast one.
bool matches(const Filter& filter, const Schema& schema, const RowValues& row);

}  // namespace rvf::meta
