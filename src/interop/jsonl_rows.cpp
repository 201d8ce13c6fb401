// Rows as JSON: {"id": 7, "vector": [...], ...} or a bare array of numbers, one a line or all in one
// array. "embedding" and "values" are accepted for "vector" where they hold numbers; the order of the
// keys means nothing. The first row fixes the dimension.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <new>

#include "interop/json_rows.hpp"
#include "interop/json_values.hpp"
#include "interop/readers.hpp"

namespace rvf::interop {
namespace {

// "doc.key" is the key of an inner object, as it is for fields.
std::optional<simdjson::dom::element> inner_value(simdjson::dom::object object,
                                                  std::string_view name) {
  for (const simdjson::dom::key_value_pair field : object) {
    simdjson::dom::object inner;
    if (field.key == name) return field.value;
    if (name.size() > field.key.size() + 1 && name.starts_with(field.key) &&
        name[field.key.size()] == '.' && field.value.get(inner) == simdjson::SUCCESS) {
      if (auto found = inner_value(inner, name.substr(field.key.size() + 1))) return found;
    }
  }
  return std::nullopt;
}

class JsonlReader final : public VectorReader {
 public:
  JsonlReader(std::unique_ptr<ByteSource> source, const ReadOptions& options)
      : source_(std::move(source)), rows_(*source_), options_(options), ids_(options.ids) {}

  Status start() {
    info_ = {DType::kF32, 0, std::nullopt, Format::kJsonl, source_->compressed()};
    RVF_ASSIGN(const bool any, next_row());
    if (!any) return source_->error(ErrorCode::kBadArgument, "the file holds no rows");
    info_.dim = static_cast<uint32_t>(values_.size());
    pending_ = true;
    return {};
  }

  Result<size_t> read(size_t max_rows, VectorChunk& out) override {
    try {
      return read_rows(max_rows, out);
    } catch (const std::bad_alloc&) {
      return source_->error(ErrorCode::kOutOfMemory, "no memory for its rows");
    }
  }

 private:
  using Element = simdjson::dom::element;

  Result<size_t> read_rows(size_t max_rows, VectorChunk& out) {
    out.clear();
    out.dtype = DType::kF32;
    out.dim = info_.dim;
    out.first_row = row_;
    while (out.count < max_rows && (out.count == 0 || out.bytes.size() < kMaxChunkBytes)) {
      if (!pending_) {
        RVF_ASSIGN(const bool any, next_row());
        if (!any) break;
      }
      pending_ = false;
      if (values_.size() != info_.dim) {
        return fault(ErrorCode::kWrongDimension,
                     fmt::format("{} elements, the first row has {}", values_.size(), info_.dim));
      }
      const auto* raw = reinterpret_cast<const std::byte*>(values_.data());
      out.bytes.insert(out.bytes.end(), raw, raw + values_.size() * 4);
      if (options_.want_extra) out.extra.push_back(extra_);
      ++out.count;
    }
    ids_.give(out.ids, out.string_ids);
    row_ += out.count;
    return out.count;
  }

  Result<bool> next_row() {
    RVF_ASSIGN(const bool any, rows_.next(text_));
    if (!any) return false;
    const auto row = json_.parse(text_);
    if (!row) return fault(row.error().code, row.error().message);
    extra_.assign(1, '{');
    simdjson::dom::array array;
    simdjson::dom::object object;
    if (row->get(array) == simdjson::SUCCESS) {
      RVF_TRY(take_values(array));
      RVF_TRY(at_line(ids_.add_none()));
    } else if (row->get(object) == simdjson::SUCCESS) {
      RVF_TRY(take(object));
    }
    extra_ += '}';
    return true;
  }

  Status take(simdjson::dom::object object) {
    RVF_TRY(find_vector(object));
    std::optional<Element> id;
    std::optional<Element> usual_id;
    for (const simdjson::dom::key_value_pair field : object) {
      if (field.key == vector_key_) continue;
      if (field.key == options_.id_field || field.key == "id") {
        auto& place = field.key == options_.id_field ? id : usual_id;
        if (place) return twice(field.key);
        place = field.value;
      } else if (options_.want_extra) {
        append_extra(field);
      }
    }
    if (!id) id = inner_value(object, options_.id_field);
    if (!id && options_.id_required) {
      return fault(ErrorCode::kCorrupt, fmt::format("no \"{}\" in it", options_.id_field));
    }
    return at_line(take_id(id ? id : usual_id));
  }

  // The one key that holds the vector, or the one that was asked for.
  Status find_vector(simdjson::dom::object object) {
    std::optional<simdjson::dom::array> found;
    vector_key_.clear();
    for (const simdjson::dom::key_value_pair field : object) {
      const bool asked = !options_.vector_field.empty();
      if (asked ? field.key != options_.vector_field : !is_vector_name(field.key)) continue;
      simdjson::dom::array array;
      const bool is_array = field.value.get(array) == simdjson::SUCCESS;
      if (!asked && field.key != "vector" && (!is_array || holds_texts(array))) continue;
      if (!is_array)
        return fault(ErrorCode::kCorrupt, fmt::format("\"{}\" is no array", field.key));
      if (found && field.key == vector_key_) return twice(field.key);
      if (found) {
        return fault(
            ErrorCode::kCorrupt,
            fmt::format("\"{}\" and \"{}\" both hold numbers; --vector-field says which is "
                        "the vector",
                        vector_key_, field.key));
      }
      found = array;
      vector_key_ = field.key;
    }
    if (found) return take_values(*found);
    return fault(ErrorCode::kCorrupt,
                 fmt::format("no \"{}\" in it",
                             options_.vector_field.empty() ? "vector" : options_.vector_field));
  }

  static bool holds_texts(simdjson::dom::array array) {
    std::string_view text;
    return array.begin() != array.end() && (*array.begin()).get(text) == simdjson::SUCCESS;
  }

  void append_extra(const simdjson::dom::key_value_pair& field) {
    if (extra_.size() > 1) extra_ += ',';
    append_json_text(extra_, field.key);
    extra_ += ':';
    extra_ += json_.text_of(field.value);
  }

  Status take_id(std::optional<Element> value) {
    std::string_view text;
    uint64_t number = 0;
    if (!value || value->is_null()) return ids_.add_none();
    if (value->get(number) == simdjson::SUCCESS) return ids_.add_number(number);
    if (value->get(text) == simdjson::SUCCESS && !json_.huge(*value)) return ids_.add_text(text);
    return Error(ErrorCode::kOutOfRange,
                 "its id is neither a whole number from 0 to 2^64-2 nor a text");
  }

  Status take_values(simdjson::dom::array array) {
    values_.clear();
    for (const Element e : array) {
      double v = 0;
      if (const auto huge = json_.huge(e)) {
        if (std::from_chars(huge->data(), huge->data() + huge->size(), v).ec != std::errc()) {
          v = HUGE_VAL;
        }
      } else if (e.get(v) != simdjson::SUCCESS) {
        return fault(ErrorCode::kNotFinite, fmt::format("element {} is no number", values_.size()));
      }
      if (std::fabs(v) >= kFloatOverflow) {
        return fault(ErrorCode::kOutOfRange,
                     fmt::format("element {} is beyond the range of f32", values_.size()));
      }
      if (values_.size() == kMaxDimension) {
        return fault(ErrorCode::kWrongDimension,
                     fmt::format("more than {} elements", kMaxDimension));
      }
      values_.push_back(static_cast<float>(v));
    }
    if (values_.empty()) return fault(ErrorCode::kWrongDimension, "an empty vector");
    return {};
  }

  Error twice(std::string_view key) const {
    return fault(ErrorCode::kCorrupt, fmt::format("the key \"{}\" is there twice", key));
  }
  Error fault(ErrorCode code, const std::string& what) const { return rows_.error(code, what); }
  Status at_line(Status&& s) const {
    if (!s) return fault(s.error().code, s.error().message);
    return {};
  }

  std::unique_ptr<ByteSource> source_;
  JsonRows rows_;
  JsonText json_;
  ReadOptions options_;
  IdColumn ids_;
  std::string text_;
  std::string vector_key_;
  std::string extra_;
  std::vector<float> values_;
  uint64_t row_ = 0;
  bool pending_ = false;  // the first row is parsed and not yet handed over
};

}  // namespace

Result<std::unique_ptr<VectorReader>> open_jsonl(std::unique_ptr<ByteSource> source,
                                                 const ReadOptions& options) {
  auto reader = std::make_unique<JsonlReader>(std::move(source), options);
  RVF_TRY(reader->start());
  return std::unique_ptr<VectorReader>(std::move(reader));
}

}  // namespace rvf::interop
