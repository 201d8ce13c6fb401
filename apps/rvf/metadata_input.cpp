#include "metadata_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "command.hpp"
#include "interop/schema_text.hpp"
#include "types/exact.hpp"

namespace rvf::cli {
namespace {

constexpr size_t kBlockRows = 65536;

// Whole numbers of one block and fractions of another are one field; false where one would be rounded.
bool to_f64(Value& v) {
  std::optional<double> exact;
  if (const auto* i = std::get_if<int64_t>(&v)) {
    exact = exact_f64(*i);
  } else if (const auto* u = std::get_if<uint64_t>(&v)) {
    exact = exact_f64(*u);
  } else {
    return true;
  }
  if (exact) v = *exact;
  return exact.has_value();
}

}  // namespace

std::vector<Field> schema_from(const std::string& spec, const char* option) {
  if (spec.empty()) return {};
  auto fields = interop::schema_argument(spec);
  if (!fields) fail_usage(fmt::format("{}: {}", option, fields.error().message));
  return *std::move(fields);
}

void declare_fields(Store& store, const std::vector<Field>& fields) {
  if (fields.empty()) return;
  if (auto s = store.define_fields(fields); !s) fail_input(s.error());
}

int64_t duration_from(const std::string& text) {
  int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  const int64_t seconds = unit == "s"   ? 1
                          : unit == "m" ? 60
                          : unit == "h" ? 3600
                          : unit == "d" ? 86400
                                        : 0;
  if (error != std::errc() || seconds == 0 || n <= 0) {
    fail_usage(fmt::format("--ttl: \"{}\" is not a duration like 30d, 12h, 90m or 45s", text));
  }
  return saturating_multiply(n, seconds * 1'000'000'000);
}

void add_columns(std::vector<Column> from, std::vector<Column>& to, const std::string& where) {
  for (Column& c : from) {
    for (const Column& t : to) {
      if (t.name == c.name) {
        fail_usage(fmt::format("{}: the field '{}' comes with the vectors already", where, c.name));
      }
    }
    to.push_back(std::move(c));
  }
}

void MetaJoin::open(IdKind kind) {
  if (reader_ != nullptr) return;
  if (kind != IdKind::kUndecided) options_.ids = kind;
  reader_ = must_input(interop::MetaRowReader::open(path_, options_));
}

// Copies a row that was read to row `to_row` of `to`, whose columns have `rows` values.
void MetaJoin::copy_row(const Place& place, std::vector<Column>& to, size_t to_row,
                        size_t rows) const {
  for (const Column& c : blocks_[place.block].columns) {
    Value v = c.values[place.row];
    if (std::holds_alternative<std::monostate>(v)) continue;
    auto at = std::find_if(to.begin(), to.end(), [&](const Column& t) { return t.name == c.name; });
    if (at == to.end()) {
      to.push_back({c.name, c.type, std::vector<Value>(rows)});
      at = to.end() - 1;
    }
    bool exact = true;
    if (c.type == FieldType::kF64 && at->type != FieldType::kF64) {
      for (Value& earlier : at->values) exact = to_f64(earlier) && exact;
      at->type = FieldType::kF64;
    }
    if (at->type == FieldType::kF64) exact = to_f64(v) && exact;
    if (!exact) {
      fail_usage(
          fmt::format("{}: the field \"{}\" has fractions, and a whole number that no f64 is "
                      "exactly; --schema {}:string keeps both as text",
                      path_, c.name, c.name));
    }
    at->values[to_row] = std::move(v);
  }
}

void MetaJoin::take(const interop::VectorChunk& chunk, interop::MetaRows& out) {
  out.clear();
  const bool numbered = !chunk.ids.empty();
  const bool named = !chunk.string_ids.empty();
  open(numbered ? IdKind::kNumbers : named ? IdKind::kTexts : IdKind::kUndecided);
  const bool has_ids = numbered || named;
  if (vectors_have_ids_.value_or(has_ids) != has_ids) {
    fail_usage(
        fmt::format("the vectors of one file have ids and those of another have none; {} "
                    "goes with the former by id, with the latter by order",
                    path_));
  }
  vectors_have_ids_ = has_ids;
  if (by_id_) return look_up(chunk, out);
  // The reader may hand over fewer rows at a time than there are vectors.
  std::vector<interop::MetaRows> parts;
  size_t have = 0;
  interop::MetaRows part;
  while (have < chunk.count && must_input(reader_->read(chunk.count - have, part)) > 0) {
    have += part.count;
    parts.push_back(std::move(part));
    part = {};
  }
  rows_have_ids_ = rows_have_ids_ ||
                   (!parts.empty() && (!parts.front().ids.empty() || !parts.front().keys.empty()));
  if (has_ids && rows_have_ids_ && !are_in_order(parts, chunk)) {
    read_all(std::move(parts));
    return look_up(chunk, out);
  }
  in_order_ += have;
  if (have < chunk.count) {
    fail_usage(fmt::format("{} has fewer rows than there are vectors; {} is missing", path_,
                           chunk.first_row + have));
  }
  out.count = chunk.count;
  if (!has_ids) {
    for (const interop::MetaRows& p : parts) {
      out.ids.insert(out.ids.end(), p.ids.begin(), p.ids.end());
      out.keys.insert(out.keys.end(), p.keys.begin(), p.keys.end());
    }
  }
  if (parts.size() == 1) {
    out.columns = std::move(parts.front().columns);
    return;
  }
  blocks_ = std::move(parts);
  size_t at = 0;
  for (size_t block = 0; block < blocks_.size(); ++block) {
    for (size_t i = 0; i < blocks_[block].count; ++i) {
      copy_row({block, i}, out.columns, at++, chunk.count);
    }
  }
  blocks_.clear();
}

// Whether the rows are those of the vectors, one by one.
bool MetaJoin::are_in_order(const std::vector<interop::MetaRows>& parts,
                            const interop::VectorChunk& chunk) {
  size_t at = 0;
  for (const interop::MetaRows& p : parts) {
    if (p.ids.size() + p.keys.size() != p.count) return false;
    for (size_t i = 0; i < p.count; ++i, ++at) {
      const bool same = p.ids.empty()
                            ? !chunk.string_ids.empty() && p.keys[i] == chunk.string_ids[at]
                            : !chunk.ids.empty() && p.ids[i] == chunk.ids[at];
      if (!same) return false;
    }
  }
  return at == chunk.count;
}

// From here on rows are looked up. Those that went by in order may be asked for again, so a file is
// read from its beginning; of a pipe there is what has not gone by.
void MetaJoin::read_all(std::vector<interop::MetaRows> parts) {
  by_id_ = true;
  if (in_order_ > 0 && std::filesystem::is_regular_file(path_)) {
    reader_.reset();
    open(options_.ids);
    parts.clear();
  } else {
    in_order_ = 0;
  }
  for (interop::MetaRows& p : parts) remember(std::move(p));
  interop::MetaRows part;
  while (must_input(reader_->read(kBlockRows, part)) > 0) {
    remember(std::move(part));
    part = {};
  }
}

void MetaJoin::remember(interop::MetaRows rows) {
  const size_t block = blocks_.size();
  blocks_.push_back(std::move(rows));
  const interop::MetaRows& r = blocks_.back();
  for (size_t i = 0; i < r.ids.size(); ++i) {
    if (!by_number_.try_emplace(r.ids[i], Place{block, i, rows_ + i < in_order_}).second) {
      fail_usage(fmt::format("{}: the id {} occurs twice", path_, r.ids[i]));
    }
  }
  for (size_t i = 0; i < r.keys.size(); ++i) {
    if (!by_key_.try_emplace(r.keys[i], Place{block, i, rows_ + i < in_order_}).second) {
      fail_usage(fmt::format("{}: the id '{}' occurs twice", path_, r.keys[i]));
    }
  }
  rows_ += r.count;
}

void MetaJoin::look_up(const interop::VectorChunk& chunk, interop::MetaRows& out) {
  const bool named = !chunk.string_ids.empty();
  out.count = chunk.count;
  for (size_t i = 0; i < chunk.count; ++i) {
    Place* place = nullptr;
    if (named) {
      const auto at = by_key_.find(chunk.string_ids[i]);
      if (at != by_key_.end()) place = &at->second;
    } else if (i < chunk.ids.size()) {
      const auto at = by_number_.find(chunk.ids[i]);
      if (at != by_number_.end()) place = &at->second;
    }
    // A vector without a row has no metadata.
    if (place == nullptr) continue;
    place->taken = true;
    copy_row(*place, out.columns, i, chunk.count);
  }
}

void MetaJoin::finish() {
  if (by_id_) {
    const auto idle = [](const auto& entry) { return !entry.second.taken; };
    const auto left = std::count_if(by_number_.begin(), by_number_.end(), idle) +
                      std::count_if(by_key_.begin(), by_key_.end(), idle);
    if (left > 0) {
      say(stderr, "rvf: {}: {} of {} rows have an id that no vector has\n", path_, left, rows_);
    }
    return;
  }
  open(IdKind::kUndecided);
  interop::MetaRows rest;
  if (vectors_have_ids_.value_or(false) && rows_have_ids_) {
    uint64_t left = 0;
    while (must_input(reader_->read(kBlockRows, rest)) > 0) left += rest.count;
    if (left == 0) return;
    say(stderr, "rvf: {}: {} of {} rows have an id that no vector has\n", path_, left,
        in_order_ + left);
    return;
  }
  if (must_input(reader_->read(1, rest)) > 0) {
    fail_usage(fmt::format("{} has more rows than there are vectors, which are {}", path_,
                           rest.first_row));
  }
}

}  // namespace rvf::cli
