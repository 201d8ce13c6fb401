// The token form, docs/format.md "Filter tokens": reverse Polish, read with a stack and without
// recursion. A reader takes any order that makes sense; the writer has one for each tree.
#include <algorithm>

#include "meta/filter_bind.hpp"
#include "wire/bytes.hpp"

namespace rvf::meta {
namespace {

enum Code : uint8_t {
  kFieldRef = 0x01,
  kLitU32 = 0x02,
  kLitU64 = 0x03,
  kLitF32 = 0x04,
  kLitStr = 0x05,
  kLitBool = 0x06,
  kLitNull = 0x07,
  kLitI64 = 0x08,
  kLitF64 = 0x09,
  kLitBytes = 0x0A,
  kLitLongStr = 0x0B,
  kCmpEq = 0x10,
  kCmpGe = 0x15,
  kInSet = 0x20,
  kPrefix = 0x21,
  kPart = 0x22,
  kWords = 0x23,
  kRange = 0x24,
  kNullTest = 0x25,
  kInLongSet = 0x26,
  kBoth = 0x30,
  kEither = 0x31,
  kNegate = 0x32,
  kTrue = 0x33,
  kFalse = 0x34,
};
constexpr size_t kMaxStack = 255;
constexpr FilterOp kCompareOps[] = {FilterOp::kEq, FilterOp::kNe, FilterOp::kLt,
                                    FilterOp::kLe, FilterOp::kGt, FilterOp::kGe};

class Encoder {
 public:
  wire::Bytes run(const Filter& f) {
    out_.u16(0);
    out_.u16(0);
    node(f);
    out_.patch<uint16_t>(0, static_cast<uint16_t>(count_));
    out_.patch<uint8_t>(2, static_cast<uint8_t>(deepest_));
    return std::move(bytes_);
  }

 private:
  void push(uint8_t code) {
    token(code);
    deepest_ = std::max(deepest_, ++stack_);
  }
  // Takes `operands` and puts one back.
  void apply(uint8_t code, size_t operands) {
    token(code);
    stack_ -= operands - 1;
  }
  void token(uint8_t code) {
    out_.u8(code);
    ++count_;
  }

  void node(const Filter& f) {
    switch (f.op) {
      case FilterOp::kAll: push(kTrue); return;
      case FilterOp::kNone: push(kFalse); return;
      case FilterOp::kNot:
        node(f.children.front());
        apply(kNegate, 1);
        return;
      case FilterOp::kAnd:
      case FilterOp::kOr:
        for (size_t i = 0; i < f.children.size(); ++i) {
          node(f.children[i]);
          if (i != 0) apply(f.op == FilterOp::kAnd ? kBoth : kEither, 2);
        }
        return;
      default: leaf(f); return;
    }
  }

  void leaf(const Filter& f) {
    push(kFieldRef);
    out_.u16(f.field);
    if (f.op == FilterOp::kIsNull) {
      apply(kNullTest, 1);
      return;
    }
    if (f.op == FilterOp::kIn) {
      set(f.values);
      return;
    }
    for (const Value& v : f.values) {
      push(literal_code(v));
      payload(v);
    }
    switch (f.op) {
      case FilterOp::kStartsWith: apply(kPrefix, 2); return;
      case FilterOp::kContains: apply(kPart, 2); return;
      case FilterOp::kMatch: apply(kWords, 2); return;
      case FilterOp::kBetween: apply(kRange, 3); return;
      default:
        apply(
            static_cast<uint8_t>(kCmpEq + static_cast<int>(f.op) - static_cast<int>(FilterOp::kEq)),
            2);
    }
  }

  void set(const std::vector<Value>& values) {
    const bool small = values.size() <= 0xFFFF;
    apply(small ? kInSet : kInLongSet, 1);
    if (small) {
      out_.u16(static_cast<uint16_t>(values.size()));
    } else {
      out_.u32(static_cast<uint32_t>(values.size()));
    }
    for (const Value& v : values) {
      out_.u8(literal_code(v));
      payload(v);
    }
  }

  static uint8_t literal_code(const Value& v) noexcept {
    if (const auto* text = std::get_if<std::string>(&v)) {
      return text->size() <= 0xFFFF ? kLitStr : kLitLongStr;
    }
    if (std::holds_alternative<std::vector<std::byte>>(v)) return kLitBytes;
    if (std::holds_alternative<int64_t>(v)) return kLitI64;
    if (std::holds_alternative<uint64_t>(v)) return kLitU64;
    if (std::holds_alternative<double>(v)) return kLitF64;
    return std::holds_alternative<bool>(v) ? kLitBool : kLitNull;
  }
  void payload(const Value& v) {
    if (const auto* text = std::get_if<std::string>(&v)) {
      if (text->size() <= 0xFFFF) {
        out_.u16(static_cast<uint16_t>(text->size()));
      } else {
        out_.u32(static_cast<uint32_t>(text->size()));
      }
      out_.text(*text);
    } else if (const auto* raw = std::get_if<std::vector<std::byte>>(&v)) {
      out_.u32(static_cast<uint32_t>(raw->size()));
      out_.bytes(*raw);
    } else if (const auto* i = std::get_if<int64_t>(&v)) {
      out_.i64(*i);
    } else if (const auto* u = std::get_if<uint64_t>(&v)) {
      out_.u64(*u);
    } else if (const auto* d = std::get_if<double>(&v)) {
      out_.f64(*d);
    } else if (const auto* b = std::get_if<bool>(&v)) {
      out_.u8(*b ? 1 : 0);
    }
  }

  wire::Bytes bytes_;
  wire::ByteWriter out_{bytes_};
  size_t count_ = 0;
  size_t stack_ = 0;
  size_t deepest_ = 0;
};

class Decoder {
 public:
  Decoder(std::span<const std::byte> tokens, const Schema& schema) : in_(tokens), schema_(schema) {}

  Result<Filter> run() {
    const uint16_t count = in_.u16();
    const uint8_t depth = in_.u8();
    const uint8_t zero = in_.u8();
    if (!in_.ok()) return fail("the 4 bytes of the header are missing");
    if (count == 0 || zero != 0) return fail("the header is damaged");
    for (; index_ < count; ++index_) {
      RVF_TRY(token(in_.u8()));
      if (!in_.ok()) return fail("the tokens end too early");
      if (stack_.size() > depth) return fail("the stack grows beyond what the header says");
    }
    if (in_.remaining() != 0) return fail("bytes follow the last token");
    if (stack_.size() != 1) return fail("the stack holds more than the result");
    RVF_ASSIGN(Node n, pop_node());
    return std::move(n.filter);
  }

 private:
  struct Entry {
    enum class Kind : uint8_t { kField, kLiteral, kNode } kind = Kind::kNode;
    const SchemaField* field = nullptr;
    Literal literal;
    Node node;
  };

  Status token(uint8_t code) {
    if (!in_.ok()) return {};
    if (code == kFieldRef) return field_ref();
    if (code >= kLitU32 && code <= kLitLongStr) {
      RVF_ASSIGN(Literal value, literal(code));
      stack_.push_back({Entry::Kind::kLiteral, nullptr, std::move(value), {}});
      return {};
    }
    if (code >= kCmpEq && code <= kCmpGe) return comparison(kCompareOps[code - kCmpEq]);
    switch (code) {
      case kPrefix: return leaf(FilterOp::kStartsWith, 1);
      case kPart: return leaf(FilterOp::kContains, 1);
      case kWords: return leaf(FilterOp::kMatch, 1);
      case kRange: return leaf(FilterOp::kBetween, 2);
      case kNullTest: return leaf(FilterOp::kIsNull, 0);
      case kInSet: return set(in_.u16());
      case kInLongSet: return set(in_.u32());
      case kBoth: return pair(FilterOp::kAnd);
      case kEither: return pair(FilterOp::kOr);
      case kNegate: return negate();
      case kTrue: return push(make_constant(true));
      case kFalse: return push(make_constant(false));
      default: return fail("its code " + std::to_string(code) + " is unknown");
    }
  }

  Status field_ref() {
    const uint16_t id = in_.u16();
    if (!in_.ok()) return {};
    const SchemaField* field = field_by_number(schema_, id);
    if (field == nullptr) return fail("there is no field number " + std::to_string(id));
    stack_.push_back({Entry::Kind::kField, field, {}, {}});
    return {};
  }

  Result<Literal> literal(uint8_t code) {
    switch (code) {
      case kLitU32: return number(uint64_t{in_.u32()});
      case kLitU64: return number(in_.u64());
      case kLitI64: return number(in_.i64());
      case kLitF32: return number(static_cast<double>(in_.f32()));
      case kLitF64: return number(in_.f64());
      case kLitStr: return Literal::of_text(std::string(in_.text(in_.u16())));
      case kLitLongStr: return Literal::of_text(std::string(in_.text(in_.u32())));
      case kLitBytes: return Literal::of_bytes(std::string(in_.text(in_.u32())));
      case kLitNull: return Literal::null();
      case kLitBool: {
        const uint8_t value = in_.u8();
        if (value > 1) return fail("a truth value is 0 or 1");
        return Literal::boolean(value == 1);
      }
      default:
        if (!in_.ok()) return Literal::null();  // said by the caller
        return fail("a literal is expected, not code " + std::to_string(code));
    }
  }
  template <class T>
  static Literal number(T value) {
    return Literal::of(to_number(value), std::to_string(value));
  }

  bool on_top(Entry::Kind kind, size_t below) const noexcept {
    return stack_.size() > below && stack_[stack_.size() - 1 - below].kind == kind;
  }

  // Field and literal in either order.
  Status comparison(FilterOp op) {
    if (on_top(Entry::Kind::kField, 0) && on_top(Entry::Kind::kLiteral, 1)) {
      std::swap(stack_[stack_.size() - 1], stack_[stack_.size() - 2]);
      op = mirrored(op);
    }
    return leaf(op, 1);
  }

  Status leaf(FilterOp op, size_t literals) {
    bool fits = on_top(Entry::Kind::kField, literals);
    for (size_t i = 0; i < literals; ++i) fits = fits && on_top(Entry::Kind::kLiteral, i);
    if (!fits) return fail("its operands are not a field and a literal");
    std::vector<Literal> values;
    for (size_t i = 0; i < literals; ++i) {
      values.push_back(std::move(stack_[stack_.size() - literals + i].literal));
    }
    stack_.resize(stack_.size() - literals);
    return bound(op, values);
  }

  Status set(uint32_t size) {
    if (!on_top(Entry::Kind::kField, 0)) return fail("a set needs a field");
    std::vector<Literal> values;
    bool null = false;
    for (uint32_t i = 0; i < size && in_.ok(); ++i) {
      RVF_ASSIGN(Literal value, literal(in_.u8()));
      // One null says as much as many, which are one byte each.
      const bool again = null && value.kind == Literal::Kind::kNull;
      null = null || value.kind == Literal::Kind::kNull;
      if (in_.ok() && !again) values.push_back(std::move(value));
    }
    return in_.ok() ? bound(FilterOp::kIn, values) : Status{};
  }

  // Replaces the field on top of the stack.
  Status bound(FilterOp op, const std::vector<Literal>& values) {
    const SchemaField* field = stack_.back().field;
    stack_.pop_back();
    Node out;
    if (const auto fault = bind_filter(*field, op, values, out)) return fail(fault->message);
    return push(std::move(out));
  }

  Status pair(FilterOp op) {
    RVF_ASSIGN(Node right, pop_node());
    RVF_ASSIGN(Node left, pop_node());
    std::vector<Node> parts;
    parts.push_back(std::move(left));
    parts.push_back(std::move(right));
    return push(make_group(op, std::move(parts)));
  }
  Status negate() {
    RVF_ASSIGN(Node n, pop_node());
    return push(make_not(std::move(n)));
  }

  Status push(Node n) {
    if (too_large(n)) return fail("the filter " + too_large_message(n));
    if (stack_.size() >= kMaxStack) return fail("the stack is too deep");
    stack_.push_back({Entry::Kind::kNode, nullptr, {}, std::move(n)});
    return {};
  }
  // A bool field alone is true where its value is.
  Result<Node> pop_node() {
    if (stack_.empty()) return fail("the stack is empty");
    Entry top = std::move(stack_.back());
    stack_.pop_back();
    if (top.kind == Entry::Kind::kNode) return std::move(top.node);
    Node out;
    if (top.kind == Entry::Kind::kLiteral) return fail("a literal stands where a condition should");
    if (const auto fault = bind_filter(*top.field, FilterOp::kEq, {Literal::boolean(true)}, out)) {
      return fail(fault->message);
    }
    return out;
  }

  Error fail(const std::string& what) const {
    return Error(ErrorCode::kBadFilter,
                 "filter tokens, number " + std::to_string(index_ + 1) + ": " + what);
  }

  wire::ByteReader in_;
  const Schema& schema_;
  std::vector<Entry> stack_;
  size_t index_ = 0;
};

}  // namespace

std::vector<std::byte> encode_filter(const Filter& filter) { return Encoder().run(filter); }

Result<Filter> decode_filter(std::span<const std::byte> tokens, const Schema& schema) {
  return Decoder(tokens, schema).run();
}

}  // namespace rvf::meta
