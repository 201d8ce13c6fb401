// Nodes of a filter in their canonical shape, and the fields that they name.
#include <algorithm>
#include <iterator>

#include "meta/filter_bind.hpp"
#include "meta/nearest_name.hpp"

namespace rvf::meta {
namespace {

std::string nearest_field(std::string_view name, const Schema& schema) {
  std::vector<std::string_view> candidates;
  for (const SchemaField& f : schema.fields()) {
    if (f.field.name.front() != '_') candidates.emplace_back(f.field.name);
  }
  candidates.emplace_back("id");
  return nearest_name(name, candidates);
}

}  // namespace

std::string too_large_message(const Node& n) {
  return n.depth > kMaxFilterDepth
             ? "is nested deeper than " + std::to_string(kMaxFilterDepth) + " levels"
             : "has more than " + std::to_string(kMaxFilterNodes) + " conditions";
}

Node make_constant(bool value) {
  Node out;
  out.filter.op = value ? FilterOp::kAll : FilterOp::kNone;
  return out;
}

Node make_not(Node child) {
  if (child.filter.op == FilterOp::kAll) return make_constant(false);
  if (child.filter.op == FilterOp::kNone) return make_constant(true);
  if (child.filter.op == FilterOp::kNot) {
    Filter inner = std::move(child.filter.children.front());
    return {std::move(inner), child.depth - 1, child.count - 1};
  }
  Node out;
  out.filter.op = FilterOp::kNot;
  out.depth = child.depth + 1;
  out.count = child.count + 1;
  out.filter.children.push_back(std::move(child.filter));
  return out;
}

Node make_group(FilterOp op, std::vector<Node> parts) {
  const FilterOp neutral = op == FilterOp::kAnd ? FilterOp::kAll : FilterOp::kNone;
  const FilterOp decided = op == FilterOp::kAnd ? FilterOp::kNone : FilterOp::kAll;
  Node out;
  out.filter.op = op;
  size_t used = 0;
  Node* last = nullptr;
  for (Node& part : parts) {
    if (part.filter.op == decided) return make_constant(decided == FilterOp::kAll);
    if (part.filter.op == neutral) continue;
    ++used;
    last = &part;
  }
  if (used == 0) return make_constant(neutral == FilterOp::kAll);
  if (used == 1) return std::move(*last);
  for (Node& part : parts) {
    if (part.filter.op == neutral) continue;
    if (part.filter.op != op) {
      out.depth = std::max(out.depth, part.depth + 1);
      out.count += part.count;
      out.filter.children.push_back(std::move(part.filter));
      continue;
    }
    out.depth = std::max(out.depth, part.depth);
    out.count += part.count - 1;
    auto& to = out.filter.children;
    auto& from = part.filter.children;
    if (to.empty()) {
      to = std::move(from);  // so that a chain of pairs costs no more than a list
    } else {
      std::move(from.begin(), from.end(), std::back_inserter(to));
    }
  }
  return out;
}

const SchemaField* field_by_number(const Schema& schema, uint16_t id) noexcept {
  if (id != kIdField) return schema.find(id);
  const SchemaField* ids = schema.find("id");
  return ids->id == kIdField ? ids : nullptr;
}

std::string no_such_field(std::string_view name, const Schema& schema) {
  constexpr size_t kMostBytes = 400;
  std::string names = schema.names();
  if (names.size() > kMostBytes) {
    const size_t cut = names.rfind(", ", kMostBytes);
    names.erase(cut == std::string::npos ? kMostBytes : cut);
    names += ", ...";
  }
  std::string out = "there is no field '" + shown(name) + "'; the fields are " + names;
  const std::string near = nearest_field(name, schema);
  return near.empty() ? out : out + "; did you mean '" + near + "'?";
}

}  // namespace rvf::meta
