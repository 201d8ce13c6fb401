// Rows and filters as a test sees them: random values of every type, random expressions over them,
// and what an expression means, written without a line of the library's own evaluation.
#pragma once
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "rvf/metadata.hpp"

namespace rvf::testing {

__extension__ typedef __int128 Wide;  // twice any 64-bit integer

struct ModelField {
  std::string name;
  FieldType type = FieldType::kString;  // as the store has it by now
  bool known = false;  // the store has heard of it
};

struct ModelRow {
  uint64_t id = 0;
  std::vector<Value> values;  // by field
  std::vector<float> vector;
};

// A number as it was written: `twice` for integer fields (exact in halves), `real` for doubles.
struct ModelLiteral {
  enum Kind { kNull, kNumber, kText, kBytes, kBool } kind = kNull;
  std::string written;
  Wide twice = 0;
  double real = 0;
  std::string text;  // also bytes
  bool truth = false;
};

enum class ModelOp : uint8_t {
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kIn,
  kBetween,
  kIsNull,
  kStartsWith,
  kContains,
  kMatch,
  kAnd,
  kOr,
  kNot,
  kTrue,
  kFalse
};

inline constexpr size_t kIdColumn = SIZE_MAX;

struct Expression {
  ModelOp op = ModelOp::kTrue;
  size_t field = 0;  // or kIdColumn
  bool negated = false;  // written `x not in (..)`, `x is not null`
  bool mirrored = false;  // written `1 < x`
  std::vector<ModelLiteral> literals;
  std::vector<Expression> children;
};

bool holds(const Expression& e, const std::vector<ModelField>& fields, const ModelRow& row);
std::string text_of(const Expression& e, const std::vector<ModelField>& fields);

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}
  uint64_t below(uint64_t n) { return random_() % n; }
  bool one_in(uint64_t n) { return below(n) == 0; }

  // How the values of one column of one batch look: so that dictionaries, packed numbers and
  // compressed blocks all occur.
  std::vector<Value> column(FieldType type, size_t rows);
  Expression expression(const std::vector<ModelField>& fields, const std::vector<ModelRow>& rows,
                        int depth);

 private:
  Value text(uint64_t style);
  Value number(FieldType type, uint64_t style);
  double real(uint64_t style);
  std::vector<std::string> list(uint64_t style);
  Expression leaf(const std::vector<ModelField>& fields, const std::vector<ModelRow>& rows);
  ModelLiteral literal(FieldType type, const Value& near, ModelOp op);
  ModelLiteral number_literal(FieldType type, const Value& near);
  ModelLiteral text_literal(FieldType type, const Value& near, ModelOp op);
  std::string words(size_t n);

  std::mt19937_64 random_;
};

}  // namespace rvf::testing
