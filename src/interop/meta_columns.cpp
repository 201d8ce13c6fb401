#include "interop/meta_columns.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "interop/json_values.hpp"

namespace rvf::interop {
namespace {

constexpr size_t kMaxName = 255;
constexpr size_t kShown = 40;

bool is_whole(Looks l) noexcept { return l == Looks::kInteger || l == Looks::kLarge; }
bool is_number(Looks l) noexcept { return is_whole(l) || l == Looks::kReal; }
bool is_array(Looks l) noexcept {
  return l == Looks::kEmptyList || l == Looks::kList || l == Looks::kJson;
}

Status check_name(std::string_view name) {
  const bool control = std::any_of(name.begin(), name.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 32; });
  if (name.empty() || name.size() > kMaxName || control) {
    return Error(ErrorCode::kBadArgument,
                 fmt::format("the field name \"{}\" has {} bytes; 1 to 255 without control "
                             "characters are possible",
                             control ? "?" : name.substr(0, kShown), name.size()));
  }
  if (is_reserved_name(name)) {
    return Error(ErrorCode::kBadArgument,
                 fmt::format("the field name \"{}\" is taken: {}; rename it",
                             name.substr(0, kShown), kReservedNames));
  }
  return {};
}

// A text cut to what a message can show, at the border of a character.
std::string_view shown(std::string_view text) noexcept {
  if (text.size() <= kShown) return text;
  size_t n = kShown;
  while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0u) == 0x80u) --n;
  return text.substr(0, n);
}

const char* looks_name(Looks looks) noexcept {
  if (looks == Looks::kJson) return "array";
  return looks == Looks::kHuge ? "beyond 64 bits" : field_type_name(type_of(looks));
}

size_t bytes_of(const Value& value) noexcept {
  if (const auto* s = std::get_if<std::string>(&value)) return s->size();
  size_t n = 0;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& s : *list) n += s.size() + kListItemBytes;
  }
  return n;
}

}  // namespace

bool is_reserved_name(std::string_view name) noexcept {
  return name == "id" || name == "vector" || name == "embedding" ||
         (name.starts_with('_') && name != kExpiryField);
}

MetaColumns::MetaColumns(const std::vector<Field>& declared, const std::vector<Field>& known) {
  const auto state = [&](const std::string& name) -> State& {
    const auto at = by_name_.find(name);
    return states_[at != by_name_.end() ? at->second : add(name)];
  };
  for (const Field& f : known) state(f.name).known = f.type;
  for (const Field& f : declared) state(f.name).declared = f.type;
  state(kExpiryField).known = FieldType::kTimestamp;
}

size_t MetaColumns::add(std::string name) {
  by_name_.emplace(name, states_.size());
  states_.emplace_back().name = std::move(name);
  return states_.size() - 1;
}

Result<size_t> MetaColumns::column(std::string_view name) {
  if (next_ >= states_.size() || states_[next_].name != name) {
    const auto at = by_name_.find(name);
    if (at != by_name_.end()) {
      next_ = at->second;
    } else {
      RVF_TRY(check_name(name));
      if (states_.size() >= kMaxMetaFields) {
        return Error(ErrorCode::kTooLarge,
                     fmt::format("more than {} different fields", kMaxMetaFields));
      }
      next_ = add(std::string(name));
    }
  }
  return next_++;
}

std::optional<FieldType> MetaColumns::fixed_type(std::string_view name) const {
  const auto at = by_name_.find(name);
  if (at == by_name_.end()) return std::nullopt;
  const State& state = states_[at->second];
  return state.declared ? state.declared : state.known;
}

void MetaColumns::begin() {
  used_ = 0;
  next_ = 0;
  for (State& s : states_) s.cells.clear();
}

// Whether the types of what came before and of `cell` have one in common, and takes it over.
bool MetaColumns::join(State& s, const Cell& cell) {
  if (cell.looks == Looks::kHuge) return false;
  const Looks a = s.looks;
  const Looks b = cell.looks;
  Looks both = b;
  if (a == Looks::kNull || a == b) {
    // both = b
  } else if (is_whole(a) && is_whole(b)) {
    const bool negative = s.negative || (std::get_if<int64_t>(&cell.value) != nullptr &&
                                         *std::get_if<int64_t>(&cell.value) < 0);
    both = negative ? Looks::kReal : Looks::kLarge;
  } else if (is_number(a) && is_number(b)) {
    both = Looks::kReal;
  } else if (is_array(a) && is_array(b)) {
    both = std::max(a, b);
  } else if ((a == Looks::kText && b == Looks::kJson) || (a == Looks::kJson && b == Looks::kText)) {
    both = Looks::kText;
  } else if (cell.open) {
    both = Looks::kText;
  } else {
    return false;
  }
  if (s.given_out && type_of(both) != *s.given_out) {
    const bool number = is_number(a) && is_number(both);
    if (!number) return false;
    both = Looks::kReal;
  }
  s.looks = both;
  return true;
}

bool MetaColumns::accept(State& s, Cell& cell) {
  const auto fixed = s.declared ? s.declared : s.known;
  if (!fixed) {
    if (const auto* i = std::get_if<int64_t>(&cell.value)) s.negative = s.negative || *i < 0;
    if (cell.open && is_whole(cell.looks)) {
      s.negative = s.negative || std::get_if<std::string>(&cell.value)->starts_with('-');
    }
    return join(s, cell);
  }
  if (auto value = convert(cell, *fixed)) {
    cell.value = *std::move(value);
    cell.open = false;
    return true;
  }
  if (const auto* text = std::get_if<std::string>(&cell.value); text && s.name == kExpiryField) {
    const auto expiry = parse_expiry(*text);
    if (expiry) cell = {Value(*expiry), Looks::kInteger, false};
    return expiry.has_value();
  }
  // A store widens i64 to f64 by itself; a type that is given stays what it is.
  const bool widens = !s.declared && *fixed == FieldType::kI64 && is_number(cell.looks);
  auto value = widens ? convert(cell, FieldType::kF64) : std::nullopt;
  if (!value) return false;
  s.known = FieldType::kF64;
  cell.value = *std::move(value);
  cell.open = false;
  return true;
}

Status MetaColumns::put(size_t row, size_t column, Cell cell) {
  State& s = states_[column];
  if (s.cells.size() > row) {
    return Error(ErrorCode::kBadMetadata,
                 fmt::format("the field \"{}\" is there twice", shown(s.name)));
  }
  if (cell.looks == Looks::kNull) return {};
  if (bytes_of(cell.value) > kMaxMetaValue) {
    return Error(ErrorCode::kTooLarge, fmt::format("field \"{}\": a value of more than {} MiB",
                                                   shown(s.name), kMaxMetaValue >> 20));
  }
  if (!accept(s, cell)) return misfit(s, cell);
  used_ += s.cells.empty();
  s.cells.resize(row);
  s.cells.push_back(std::move(cell));
  return {};
}

Error MetaColumns::misfit(const State& s, const Cell& cell) {
  std::string text;
  if (cell.open || cell.looks == Looks::kJson || cell.looks == Looks::kHuge) {
    text = *std::get_if<std::string>(&cell.value);
  } else {
    append_json(text, cell.value, type_of(cell.looks));
  }
  const bool cut = text.size() > kShown;
  const auto fixed = s.declared ? s.declared : s.known;
  if (cell.looks == Looks::kHuge && !fixed) {
    return {ErrorCode::kBadMetadata,
            fmt::format("field \"{0}\": {1}{2} is beyond 64 bits; --schema {0}:string keeps its "
                        "digits, {0}:f64 takes what a double is exactly",
                        shown(s.name), shown(text), cut ? "..." : "")};
  }
  const FieldType type = fixed ? *fixed : s.given_out ? *s.given_out : type_of(s.looks);
  std::string what =
      fmt::format("field \"{}\": {}{} ({}) does not fit {}, the type ", shown(s.name), shown(text),
                  cut ? "..." : "", looks_name(cell.looks), field_type_name(type));
  const auto* time = std::get_if<std::string>(&cell.value);
  if (type == FieldType::kTimestamp && time != nullptr && parse_expiry(*time)) {
    what += "of times from 1677 to 2262";
  } else if (s.declared) {
    what += fmt::format("given for it; --schema {}:string would keep it as text", s.name);
  } else if (s.known) {
    what += "it has in the store";
  } else {
    what += fmt::format("of the rows before; --schema {}:string would keep both as text", s.name);
  }
  return {ErrorCode::kBadMetadata, std::move(what)};
}

std::optional<MetaColumns::Misfit> MetaColumns::finish(size_t rows, std::vector<Column>& out) {
  out.clear();
  for (State& s : states_) {
    if (s.cells.empty()) continue;
    Column column{s.name, FieldType::kString, {}};
    if (s.declared || s.known) {
      column.type = s.declared ? *s.declared : *s.known;
    } else {
      column.type = type_of(s.looks);
    }
    const size_t wanted = value_index(column.type);
    column.values.resize(rows);
    for (size_t row = 0; row < s.cells.size(); ++row) {
      Cell& cell = s.cells[row];
      if (cell.looks == Looks::kNull) continue;
      if (cell.value.index() != wanted) {
        auto value = convert(cell, column.type);
        if (!value) {
          if (!s.given_out && !s.declared && !s.known) s.given_out = column.type;
          return Misfit{row, misfit(s, cell)};
        }
        cell.value = *std::move(value);
      }
      column.values[row] = std::move(cell.value);
    }
    if (!s.declared && !s.known) s.given_out = column.type;
    out.push_back(std::move(column));
  }
  return std::nullopt;
}

}  // namespace rvf::interop
