// Nodes of a filter in their canonical shape, and the fields that they name.
#include <algorithm>
#include <iterator>

#include "meta/filter_bind.hpp"

namespace rvf::meta {
namespace {

// Damerau's distance with adjacent swaps, ASCII case aside; stops to count beyond `limit`.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  if (a.size() > b.size() + limit || b.size() > a.size() + limit) return limit + 1;
  std::vector<size_t> before2(b.size() + 1);
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before2.swap(before);
    before.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], before2[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::string nearest_name(std::string_view name, const Schema& schema) {
  constexpr size_t kLongest = 64;
  constexpr size_t kMostFields = 1000;
  if (name.size() > kLongest) return {};
  size_t best = std::max<size_t>(1, name.size() / 3) + 1;
  std::string out;
  const auto consider = [&](const std::string& candidate) {
    if (candidate.size() > kLongest) return;
    const size_t d = edit_distance(name, candidate, best - 1);
    if (d < best) {
      best = d;
      out = candidate;
    }
  };
  const auto& fields = schema.fields();
  for (size_t i = 0; i < std::min(fields.size(), kMostFields) && best > 0; ++i) {
    if (fields[i].field.name.front() != '_') consider(fields[i].field.name);
  }
  consider("id");
  return out;
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
  const std::string near = nearest_name(name, schema);
  return near.empty() ? out : out + "; did you mean '" + near + "'?";
}

}  // namespace rvf::meta
